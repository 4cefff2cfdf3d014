"""Small things feel instant: what a command does not need is not loaded."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

TABLES = {"tdclient", "urllib3", "msgpack"}
"""What only those need who have tables of Treasure Data."""

HEAVY = {
    "httpx",
    "httpx_aiohttp",
    "aiohttp",
    "starlette",
    "uvicorn",
    "pyarrow",
    "pydantic",
    "jinja2",
    "orjson",
    "msgspec",
}


MAIN = "import sys; from td_currents_cli.cli import main; sys.argv[0] = 'tdcur'; "


def python(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command, environment = [sys.executable, "-c", MAIN + program, *arguments], {**os.environ, "TD_API_KEY": "1/2"}
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


def loaded_modules(*arguments: str) -> set[str]:
    program = "import atexit; atexit.register(lambda: print(*sys.modules, file=sys.stderr)); main()"
    ended = python(program, *arguments)
    assert ended.returncode in {0, 1}, ended.stderr
    return set(ended.stderr.split())


def loaded(*arguments: str) -> set[str]:
    """The packages that a command loads."""
    return {name.split(".")[0] for name in loaded_modules(*arguments)}


def seconds(*arguments: str) -> float:
    """Processor time of a run of the interpreter with these arguments: other tests beside it cost it none."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *arguments], capture_output=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def test_version_loads_nothing_heavy() -> None:
    assert not loaded("--version") & HEAVY


@pytest.mark.parametrize("form", ["table", "csv"])
def test_a_count_loads_no_more_than_it_needs(form: str, tmp_path: Path) -> None:
    """Neither what Typer converts values with nor what draws on terminals, for figures of a small file in a pipe."""
    path = tmp_path / "event.json"
    path.write_text('{"event_type":"a"}', encoding="utf-8")
    modules = loaded_modules("count", "--by", "event_type", "--format", form, str(path))
    assert not modules & {*HEAVY - {"orjson", "msgspec"}, "rich.text", "multiprocessing", "zoneinfo", *TABLES}


def test_sending_loads_nothing_of_httpx_command_line_and_leaves_no_trace_of_that() -> None:
    """No authorities of the system either: aiohttp would load them for a TLS context that is not used."""
    program = (
        "import os, ssl; ssl.SSLContext.load_default_certs = lambda context, purpose=None: "
        "print('authorities') if os.path.getsize(os.environ['SSL_CERT_FILE']) else None; "
        "import td_currents_cli.send.http; "
        "print({'click', 'rich', 'pygments'} & sys.modules.keys(), os.environ['SSL_CERT_FILE'])"
    )
    ended = python(f"import os; os.environ['SSL_CERT_FILE'] = {__file__!r}; {program}")
    assert ended.stdout == f"set() {__file__}\n", ended.stderr


def test_sending_without_checks_loads_no_rules(tmp_path: Path) -> None:
    path = tmp_path / "event.json"
    path.write_text('{"event_type":"a","id":"1","time":1,"user":{},"properties":{}}', encoding="utf-8")
    report = "import atexit; atexit.register(lambda: print(*sys.modules, file=sys.stderr)); main()"
    options = "--url", "http://127.0.0.1:1/", "--no-check", "--dry-run", "--no-journal", "--quiet"
    ended = python(report, "send", *options, str(path))
    assert ended.returncode == 0, ended.stderr
    assert not [name for name in ended.stderr.split() if name.startswith("td_currents_cli.validate")]


def test_the_url_for_braze_needs_no_client() -> None:
    url = "https://in.treasuredata.com/postback/v3/event/abc/abc?td_write_key=1"
    assert not loaded("url", "--url", url) & {*HEAVY - {"orjson", "msgspec"}, *TABLES}


EVENT = "event.json"


@pytest.mark.parametrize(
    "arguments",
    [
        ["parse", EVENT],
        ["validate", EVENT],
        ["reconcile", "--sent", EVENT, "--ingested", EVENT],
        ["report", EVENT, "--ingested", EVENT],
        ["rules", "TDC112"],
        ["events", "users.behaviors.Uninstall"],
        ["sql", "count", "td://abc/abc"],
        ["sql", "forget", "td://abc/abc", "--user-id", "a"],
        ["generate", "--events", "1"],
    ],
    ids=lambda arguments: arguments[0],
)
def test_a_command_loads_nothing_heavy_of_others(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(EVENT).write_text('{"event_type":"a","id":"1","time":1,"user":{},"properties":{}}', encoding="utf-8")
    needed = {"orjson", "msgspec", *({"jinja2"} if arguments[0] == "report" else ())}
    assert not loaded(*arguments) & ({*HEAVY, *TABLES - {"msgpack"}, "asyncio"} - needed)


def test_version_takes_less_than_twice_the_import_of_typer() -> None:
    # By turns, so that what slows the machine down slows both.
    runs = [(seconds("-m", "td_currents_cli", "--version"), seconds("-c", "import typer")) for _ in range(7)]
    version, framework = map(min, zip(*runs, strict=True))
    assert version < 2 * framework


@pytest.mark.parametrize("arguments", [["count"], ["watch", "--once"]], ids=lambda arguments: arguments[0])
def test_a_table_without_treasure_datas_client(arguments: list[str]) -> None:
    ended = python("sys.modules['tdclient'] = None; main()", *arguments, "td://braze/currents")
    assert ended.returncode == 2
    assert "Treasure Data's Python client is not installed" in ended.stderr
    assert "In a checkout: python3 -m pip install '.[td]'" in ended.stderr
