"""Settings files, and the commands about the set-up, as a user runs them."""

import json
import os
from pathlib import Path

import pytest

from td_currents_cli.errors import ExitCode
from tests.command import PLAIN, tdcur_text
from tests.scripted import Scripted

SAMPLES = Path(__file__).parents[2] / "sample_data"
KEY = f"4711/{'0123456789' * 4}"
DESTINATION = 'site = "us01"\ndatabase = "abc"\ntable = "abc"\n'
URL = "https://us01.records.in.treasuredata.com/postback/v3/event/abc/abc"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "config" / "tdcur").mkdir(parents=True)
    (tmp_path / "project").mkdir()
    return tmp_path


def run(folder: Path, *arguments: str, **variables: str) -> tuple[int, str, str]:
    clean = {name: value for name, value in PLAIN.items() if not name.startswith(("TDCUR", "TD_"))}
    environment = clean | {
        "XDG_CONFIG_HOME": str(folder / "config"),
        "XDG_STATE_HOME": str(folder / "state"),
        "HOME": str(folder),
    }
    ended = tdcur_text(*arguments, cwd=folder / "project", env=environment | variables)
    return ended.returncode, ended.stdout, ended.stderr


def write(folder: Path, *, user: str = "", project: str = "") -> None:
    (folder / "config" / "tdcur" / "tdcur.toml").write_text(user, encoding="utf-8")
    (folder / "project" / "tdcur.toml").write_text(project, encoding="utf-8")


def test_send_takes_the_destination_of_a_file_and_says_which(folder: Path) -> None:
    write(folder, user=DESTINATION)
    code, _, messages = run(folder, "send", "-n", str(SAMPLES / "payloads"))
    assert code == ExitCode.OK
    assert f"would send to {URL}, from {folder / 'config' / 'tdcur' / 'tdcur.toml'}" in messages


@pytest.mark.parametrize(
    ("arguments", "variables", "reason"),
    [
        (["--table", "other"], {}, "missing --site and --database: required with --table"),
        ([], {"TDCUR_TABLE": "other"}, "missing site and database: required with table (TDCUR_TABLE)"),
        ([], {"TDCUR_TABLE": "other", "TDCUR_URL": URL}, "TDCUR_URL and TDCUR_TABLE cannot be used together"),
        ([], {"TDCUR_SITE": "moon"}, "TDCUR_SITE is not a site"),
        (["--profile", "nope"], {}, "no settings file has this profile"),
        ([], {"TDCUR_PROFILE": "nope"}, "no settings file has this profile"),
    ],
)
def test_a_destination_is_never_made_of_parts_of_several_levels(
    folder: Path, arguments: list[str], variables: dict[str, str], reason: str
) -> None:
    write(folder, user=DESTINATION)
    code, _, messages = run(folder, "send", "-n", str(SAMPLES / "payloads"), *arguments, **variables)
    assert code == ExitCode.USAGE
    assert reason in messages.replace("\n", " ")


def test_variables_name_a_table_and_take_precedence_over_files(folder: Path) -> None:
    write(folder, user=DESTINATION)
    variables = {"TDCUR_SITE": "eu01", "TDCUR_DATABASE": "other", "TDCUR_TABLE": "other"}
    code, _, messages = run(folder, "send", "-n", str(SAMPLES / "payloads"), **variables)
    assert code == ExitCode.OK
    assert "eu01.records.in.treasuredata.com/postback/v3/event/other/other, from TDCUR_SITE" in messages


def test_a_project_cannot_redirect_a_profile_or_name_a_key(folder: Path) -> None:
    profile = DESTINATION.replace("abc", "mine")
    write(folder, user=f"[profiles.production]\n{profile}", project='[profiles.production]\ntable = "theirs"\n')
    code, _, messages = run(folder, "send", "-n", "--profile", "production", str(SAMPLES / "payloads"))
    assert code == ExitCode.OK
    assert "/mine/mine, from" in messages
    write(folder, project='write-key-file = "key"\n')
    code, _, messages = run(folder, "send", "-n", str(SAMPLES / "payloads"))
    assert code == ExitCode.USAGE
    assert "a project must not set write-key-file" in messages


def test_rules_are_ignored_by_a_file_unless_an_option_says_otherwise(folder: Path) -> None:
    write(folder, project='ignore = ["TDC2", "TDC3"]\n')
    shape = str(SAMPLES / "payloads" / "treasure_data_documented_shape.json")
    assert run(folder, "validate", "--strict", shape)[0] == ExitCode.OK
    assert run(folder, "validate", "--strict", "--ignore", "TDC2", shape)[0] == ExitCode.FINDINGS


def test_a_file_names_the_catalog_of_all_commands(folder: Path) -> None:
    """An option and the variable take precedence."""
    write(folder, project='catalog = "mine.json"\n[profiles.other]\ncatalog = "none.json"\n')
    types = {"mine.Own": {"description": "Mine.", "fields": {"age": {"type": "int"}}}}
    mine = folder / "project" / "mine.json"
    mine.write_text(json.dumps({"event_types": types}), encoding="utf-8")
    payload = folder / "project" / "payload.json"
    commands = [
        ["events", "mine.Own"],
        ["generate", "--type", "mine.Own", "--events", "1", "-o", str(payload)],
        ["validate", "--strict", str(payload)],
    ]
    for arguments in commands:
        code, _, messages = run(folder, *arguments)
        assert code == ExitCode.OK, messages
    assert "not in the catalog" not in run(folder, "count", str(payload))[2]
    for arguments, variables in (
        (["events", "--profile", "other"], {}),
        (["events", "--catalog", "none.json"], {}),
        (["count", str(payload), "--profile", "other"], {}),
        (["sql", "parse", "td://abc/raw"], {"TDCUR_CATALOG": "none.json"}),
        (["show", str(payload), "--profile", "other"], {}),
    ):
        code, _, messages = run(folder, *arguments, **variables)
        assert (code, "cannot read the catalog" in messages) == (ExitCode.USAGE, True), (arguments, messages)
    settings = json.loads(run(folder, "config", "--format", "json", TDCUR_CATALOG="none.json")[1])["settings"]
    assert settings == [{"name": "catalog", "value": "none.json", "origin": "TDCUR_CATALOG"}]


def test_config_shows_what_holds_and_no_key(folder: Path) -> None:
    write(folder, user=f"{DESTINATION}write-key-file = 'key'\n", project='ignore = ["TDC3"]\n')
    code, document, _ = run(folder, "config", "--format", "json", TD_WRITE_KEY=KEY, TDCUR_JOURNAL="j")
    assert code == ExitCode.OK
    shown = {each["name"]: each["value"] for each in json.loads(document)["settings"]}
    key_file = str(folder / "config" / "tdcur" / "key")
    assert shown == {
        "site": "us01",
        "database": "abc",
        "table": "abc",
        "write key": "***",
        "journal": "j",
        "write-key-file": key_file,
        "ignore": "TDC3",
    }
    _, text, _ = run(folder, "config", TD_WRITE_KEY=KEY)
    assert "us01" in text
    assert KEY not in text + document


def test_doctor_reports_and_cleans(folder: Path) -> None:
    leftover = folder / "project" / ".tdcur-0123.tmp"
    leftover.write_bytes(b"x")
    os.utime(leftover, (0, 0))
    code, text, _ = run(folder, "doctor", TMPDIR=str(folder))
    assert code == ExitCode.OK
    assert "tdcur doctor --clean" in text
    assert run(folder, "doctor", "--clean", TMPDIR=str(folder))[0] == ExitCode.OK
    assert not leftover.exists()
    write(folder, user="site = 1")
    code, text, _ = run(folder, "doctor")
    assert code == ExitCode.FINDINGS
    assert f"error   settings         {folder / 'config' / 'tdcur' / 'tdcur.toml'}: site must be a string" in text
    assert "temporary files" in text


def test_config_and_doctor_name_profiles_and_files(folder: Path) -> None:
    write(folder, user="[profiles.b]\n[profiles.a]\nselect = []")
    _, document, _ = run(folder, "config", "--profile", "a", "--format", "json")
    files = [str(folder / "config" / "tdcur" / "tdcur.toml"), str(folder / "project" / "tdcur.toml")]
    assert [json.loads(document)[name] for name in ("profiles", "files")] == [["a", "b"], files]
    assert "profiles: a (selected), b\n" in run(folder, "config", "--profile", "a")[2]
    assert f"{files[0]}, with profiles b, a" in run(folder, "doctor")[1]


def test_journals_are_listed_shown_and_pruned(folder: Path, scripted: Scripted) -> None:
    assert run(folder, "journal", "list")[2].startswith("no journals in ")
    sent = run(folder, "send", "--url", scripted.url, str(SAMPLES / "payloads" / "purchases.json"), TD_WRITE_KEY=KEY)
    assert sent[0] == ExitCode.OK
    code, document, _ = run(folder, "journal", "list", "--format", "json")
    assert code == ExitCode.OK
    (listed,) = json.loads(document)["journals"]
    assert listed["endpoints"] == [{"url": scripted.url, "requests": 1}]
    _, text, _ = run(folder, "journal", "show", listed["path"])
    assert "users.behaviors.Purchase" in text
    assert run(folder, "journal", "prune", "--unused-for", "30d")[2].startswith("0 journals removed, 1 kept")
    assert run(folder, "journal", "prune", "--unused-for", "0", "--dry-run")[2].startswith("1 journal would be removed")
    assert run(folder, "journal", "prune", "--unused-for", "0")[0] == ExitCode.OK
    assert not Path(listed["path"]).exists()


@pytest.mark.parametrize(
    "arguments",
    [["list", "x.sqlite"], ["list", "--unused-for", "1d"], ["show"], ["prune", "--unused-for", "soon"], ["burn"]],
)
def test_wrong_usage_of_journal(folder: Path, arguments: list[str]) -> None:
    assert run(folder, "journal", *arguments)[0] == ExitCode.USAGE


def test_show_prints_events_with_their_places(folder: Path) -> None:
    rows = str(SAMPLES / "rows" / "rows.csv")
    code, text, messages = run(folder, "show", rows, "--type", "*.Purchase", "--limit", "2")
    assert code == ExitCode.OK
    assert text.count('"event_type": "users.behaviors.Purchase"') == 2
    assert f"{rows}:" in text
    assert "2 events shown; use --limit for more" in messages
    document = run(folder, "show", rows, "--id", "nope", "--format", "json")
    assert document[0] == ExitCode.FINDINGS
    assert json.loads(document[1])["summary"]["missing"] == ["nope"]
