"""`tdcur doctor`: what is checked, and which temporary files are taken for left behind."""

import os
from pathlib import Path

import pytest

from td_currents_cli.doctor import DoctorOutcome, DoctorRequest, Verdict, run
from td_currents_cli.errors import ExitCode

KEY = f"4711/{'0123456789' * 4}"


def examined(
    folder: Path,
    settings: str = "",
    *,
    project: str = "",
    profile: str = "",
    clean: bool = False,
    environ: dict[str, str] | None = None,
) -> DoctorOutcome:
    """The checks with the settings file of the user, and of a project."""
    files = {folder / "user.toml": settings, folder / "project" / "tdcur.toml": project}
    for file, text in files.items():
        if text:
            file.parent.mkdir(exist_ok=True)
            file.write_text(text, encoding="utf-8")
    request = DoctorRequest(
        working_folder=folder / "project",
        user_file=folder / "user.toml",
        profile=profile,
        state_folder=folder / "state",
        folders=(folder, folder),
        clean=clean,
    )
    return run(request, {"HOME": str(folder)} | (environ or {}))


def checks(outcome: DoctorOutcome, subject: str) -> list[tuple[Verdict, str]]:
    return [(each.verdict, each.result) for each in outcome.checks if each.subject == subject]


def test_settings_files_and_their_profiles_are_named(tmp_path: Path) -> None:
    assert checks(examined(tmp_path), "settings") == [(Verdict.OK, "no settings files")]
    found = examined(tmp_path, 'site = "us01"', project="[profiles.a]\n[profiles.b]")
    files = [str(tmp_path / "user.toml"), f"{tmp_path / 'project' / 'tdcur.toml'}, with profiles a, b"]
    assert checks(found, "settings") == [(Verdict.OK, file) for file in files]


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"settings": "site = \n"}, "user.toml is not valid TOML: Invalid value (at line 1, column 8)"),
        ({"project": "[profiles]\na = 1"}, "tdcur.toml: each profile must be a table"),
        ({"settings": 'site = "us1"'}, "user.toml: site is not a site of Treasure Data"),
    ],
)
def test_a_settings_file_that_is_not_valid_is_a_row_of_the_table(
    tmp_path: Path, files: dict[str, str], reason: str
) -> None:
    outcome = examined(tmp_path, **files)  # type: ignore[arg-type]  # strings
    assert outcome.exit_code == ExitCode.FINDINGS
    (row,) = checks(outcome, "settings")
    assert row[0] is Verdict.ERROR
    assert row[1].endswith(reason)
    assert verdict(outcome, "temporary files") is Verdict.OK


def test_a_profile_that_no_file_has_is_a_row_of_the_table(tmp_path: Path) -> None:
    outcome = examined(tmp_path, "[profiles.a]", profile="b")
    assert checks(outcome, "profile") == [(Verdict.ERROR, "no settings file has this profile")]


def test_variables_that_contradict_each_other_are_a_row_of_the_table(tmp_path: Path) -> None:
    outcome = examined(tmp_path, environ={"TDCUR_URL": "http://x/", "TDCUR_TABLE": "abc"})
    assert checks(outcome, "destination") == [(Verdict.ERROR, "TDCUR_URL and TDCUR_TABLE cannot be used together")]


def verdict(outcome: DoctorOutcome, subject: str) -> Verdict:
    return next(each.verdict for each in outcome.checks if each.subject == subject)


def test_a_new_set_up_has_no_errors(tmp_path: Path) -> None:
    outcome = examined(tmp_path)
    assert outcome.exit_code == ExitCode.OK
    assert verdict(outcome, "destination") is Verdict.NOTE
    assert verdict(outcome, "API key") is Verdict.NOTE
    assert verdict(outcome, "temporary files") is Verdict.OK


def table(name: str = "abc", key: Path | None = None) -> str:
    key_file = f"write-key-file = '{key}'" if key else ""
    return f'site = "us01"\ndatabase = "abc"\ntable = "{name}"\n{key_file}'


@pytest.mark.parametrize(
    ("name", "environ", "expected"),
    [
        ("abc", {"TD_WRITE_KEY": KEY}, Verdict.OK),
        ("abc", {}, Verdict.WARNING),
        ("A table", {"TD_WRITE_KEY": KEY}, Verdict.ERROR),
    ],
)
def test_the_destination_is_checked(tmp_path: Path, name: str, environ: dict[str, str], expected: Verdict) -> None:
    outcome = examined(tmp_path, table(name), environ=environ)
    assert verdict(outcome, "destination") is expected
    assert (outcome.exit_code == ExitCode.FINDINGS) is (expected is Verdict.ERROR)
    assert KEY not in str(outcome.as_dict())


@pytest.mark.parametrize(
    ("content", "mode", "expected"),
    [
        (KEY, 0o600, Verdict.OK),
        (KEY, 0o644, Verdict.WARNING),
        ("two words", 0o600, Verdict.ERROR),
        (None, 0, Verdict.ERROR),
    ],
)
def test_the_file_of_the_write_key_is_checked(
    tmp_path: Path, content: str | None, mode: int, expected: Verdict
) -> None:
    file = tmp_path / "key"
    if content is not None:
        file.write_text(content, encoding="utf-8")
        file.chmod(mode)
    assert verdict(examined(tmp_path, table(key=file)), "write key") is expected


def test_an_unreadable_journal_is_an_error(tmp_path: Path) -> None:
    journal = tmp_path / "state" / "a" / "journal.sqlite"
    journal.parent.mkdir(parents=True)
    journal.write_bytes(b"no journal" * 100)
    assert verdict(examined(tmp_path), "journals") is Verdict.ERROR


def test_temporary_files_are_found_once_they_are_old_and_removed_on_request(tmp_path: Path) -> None:
    old, folder, new = (tmp_path / f".tdcur-{name}.tmp" for name in ("old", "folder", "new"))
    folder.mkdir()
    for file in (old, folder / "part", new, tmp_path / "mine.tmp"):
        file.write_bytes(b"12345")
    for file in (old, folder / "part", folder):
        os.utime(file, (0, 0))
    found = examined(tmp_path)
    assert {each.path for each in found.leftovers} == {old.resolve(), folder.resolve()}
    assert verdict(found, "temporary files") is Verdict.WARNING
    assert verdict(examined(tmp_path, clean=True), "temporary files") is Verdict.OK
    assert sorted(path.name for path in tmp_path.glob("*.tmp")) == [".tdcur-new.tmp", "mine.tmp"]
