"""Small things feel instant: what a command does not need is not loaded."""

import os
import resource
import subprocess
import sys
from pathlib import Path

TABLES = {"tdclient", "urllib3", "msgpack"}
"""What only those need who have tables of Treasure Data."""

HEAVY = {"httpx", "httpx_aiohttp", "aiohttp", "starlette", "uvicorn", "pyarrow", "pydantic", "orjson", "msgspec"}


def loaded(*arguments: str) -> set[str]:
    program = (
        "import sys\nfrom td_currents_cli.cli import main\nsys.argv = ['tdcur', *sys.argv[1:]]\n"
        "try:\n    main()\nfinally:\n    print(*{name.split('.')[0] for name in sys.modules}, file=sys.stderr)"
    )
    ended = subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=True)
    return set(ended.stderr.split())


def seconds(*arguments: str) -> float:
    """Processor time of a run of the interpreter with these arguments: other tests beside it cost it none."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *arguments], capture_output=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def test_version_loads_nothing_heavy() -> None:
    assert not loaded("--version") & HEAVY


def test_a_count_loads_no_more_than_it_needs(tmp_path: Path) -> None:
    """Neither what Typer converts values with nor what tables are made with, for a script's figures of a small file."""
    path = tmp_path / "event.json"
    path.write_text('{"event_type":"a"}', encoding="utf-8")
    modules = loaded("count", "--by", "event_type", "--format", "csv", "--quiet", str(path))
    assert not modules & {*HEAVY - {"orjson", "msgspec"}, "rich", "multiprocessing", "zoneinfo", *TABLES}


def test_version_takes_less_than_twice_the_import_of_typer() -> None:
    # By turns, so that what slows the machine down slows both.
    runs = [(seconds("-m", "td_currents_cli", "--version"), seconds("-c", "import typer")) for _ in range(7)]
    version, framework = map(min, zip(*runs, strict=True))
    assert version < 2 * framework


def test_a_table_without_treasure_datas_client() -> None:
    program = (
        "import sys\nsys.modules['tdclient'] = None\nfrom td_currents_cli.cli import main\n"
        "sys.argv = ['tdcur', 'count', 'td://braze/currents']\nmain()"
    )
    environment = {**os.environ, "TD_API_KEY": "1/2"}
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=False
    )
    assert ended.returncode == 2
    assert "Treasure Data's Python client is not installed" in ended.stderr
    assert "pip install 'td-currents-cli[td]'" in ended.stderr
