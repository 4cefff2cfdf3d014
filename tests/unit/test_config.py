"""Settings from files: which files are found, which level wins, what is refused."""

import tomllib
from pathlib import Path

import pytest

from td_currents_cli.config import Config, Level, load, read_project_file
from td_currents_cli.errors import UsageError


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "home").mkdir()
    (tmp_path / "project" / "sub").mkdir(parents=True)
    return tmp_path


def settings(home: Path, user: str = "", project: str = "", profile: str = "", name: str = "tdcur.toml") -> Config:
    if user:
        (home / "home" / "tdcur.toml").write_text(user, encoding="utf-8")
    if project:
        (home / "project" / name).write_text(project, encoding="utf-8")
    return load(home / "project" / "sub", home / "home" / "tdcur.toml", profile)


def values(config: Config) -> dict[str, object]:
    return {setting.name: setting.value for setting in reversed(config.settings)}


def test_without_files_there_are_no_settings(home: Path) -> None:
    assert settings(home) == Config()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("tdcur.toml", 'table = "a_b"\nignore = ["TDC3"]'),
        ("pyproject.toml", '[tool.tdcur]\ntable = "a_b"\nignore = ["TDC3"]'),
    ],
)
def test_the_project_file_is_found_upward(home: Path, name: str, text: str) -> None:
    found = settings(home, project=text, name=name)
    assert values(found) == {"table": "a_b", "ignore": ("TDC3",)}
    assert {setting.level for setting in found.settings} == {Level.PROJECT}


@pytest.mark.parametrize("text", ["[tool.ruff]\nline-length = 1", "broken = ", "tool = 1", "[tool]\ntdcur = 1"])
def test_a_pyproject_file_without_our_settings_is_passed_over(home: Path, text: str) -> None:
    (home / "tdcur.toml").write_text('table = "above"', encoding="utf-8")
    (home / "project" / "pyproject.toml").write_text(text, encoding="utf-8")
    found = read_project_file(home / "project")
    assert found
    assert found.path == home / "tdcur.toml"


def test_the_profile_of_the_user_wins_then_that_of_the_project_then_the_project_then_the_user(home: Path) -> None:
    user = 'catalog = "u.json"\nselect = ["A"]\nignore = ["A"]\n[profiles.x]\nselect = ["UP"]'
    project = 'catalog = "p.json"\nselect = ["P"]\nignore = ["P"]\n[profiles.x]\nselect = ["PP"]\nignore = ["PP"]'
    found = settings(home, user, project, profile="x")
    assert values(found) == {"catalog": str(home / "project" / "p.json"), "select": ("UP",), "ignore": ("PP",)}
    origin = found.get("ignore")
    assert origin
    assert origin.origin == f"{home / 'project' / 'tdcur.toml'}, profile x"


def test_the_destination_is_taken_whole_from_one_level(home: Path) -> None:
    """A project that names a table must not send it to the database that the user named for something else."""
    user = 'site = "us01"\ndatabase = "mine"\ntable = "mine"'
    found = settings(home, user, 'table = "theirs"')
    assert {name: setting.value for name, setting in found.destination().items()} == {"table": "theirs"}
    assert {name: setting.value for name, setting in settings(home, user, 'ignore = ["A"]').destination().items()} == {
        "site": "us01",
        "database": "mine",
        "table": "mine",
    }


def test_a_project_cannot_take_over_a_profile_of_the_user(home: Path) -> None:
    user = '[profiles.production]\nsite = "us01"\ndatabase = "mine"\ntable = "mine"'
    project = '[profiles.production]\ndatabase = "theirs"'
    found = settings(home, user, project, profile="production").destination()
    assert {setting.value for setting in found.values()} == {"us01", "mine"}


def test_paths_are_relative_to_the_file_that_names_them(home: Path) -> None:
    found = settings(home, 'write-key-file = "key"\napi-key-file = "/api"', 'catalog = "sub/c.json"')
    assert values(found) == {
        "write-key-file": str(home / "home" / "key"),
        "api-key-file": "/api",
        "catalog": str(home / "project" / "sub" / "c.json"),
    }


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("broken = ", "is not valid TOML"),
        ("table = 1", "table must be a string"),
        ('table = ""', "table must be a string"),
        ('ignore = "TDC3"', "ignore must be a list of strings"),
        ("ignore = [3]", "ignore must be a list of strings"),
        ('site = "moon"', "site is not a site"),
        ('url = "https://example.com/4711/secret"', "unknown setting"),
        ("profiles = 1", "profiles must be a table"),
        ("[profiles]\nx = 1", "each profile must be a table"),
        ("[profiles.other]\nnope = 1", "unknown setting"),
    ],
)
def test_what_is_wrong_is_named_without_values(home: Path, text: str, reason: str) -> None:
    for files in ({"user": text}, {"project": text}):
        with pytest.raises(UsageError, match=reason) as failure:
            settings(home, **files)
        assert "secret" not in f"{failure.value.message} {failure.value.hint}"
        for file in home.glob("*/tdcur.toml"):
            file.unlink()


@pytest.mark.parametrize(("name", "near"), [("databse", "database"), ("profile", "[profiles.NAME]"), ("url", None)])
def test_a_mistyped_setting_is_corrected(home: Path, name: str, near: str | None) -> None:
    with pytest.raises(UsageError) as failure:
        settings(home, f'{name} = "abc"')
    assert failure.value.hint.startswith(f"Did you mean {near}? " if near else "The settings are ")


def test_a_mistyped_site_is_corrected(home: Path) -> None:
    for value, hint in (("us1", "Did you mean us01? The sites are "), ("moon", "The sites are us01, ")):
        with pytest.raises(UsageError, match="site is not a site") as failure:
            settings(home, f'site = "{value}"')
        assert failure.value.hint.startswith(hint)


def test_files_and_profiles_are_named(home: Path) -> None:
    found = settings(home, '[profiles.b]\ntable = "abc"', "[profiles.a]\n[profiles.b]", profile="b")
    assert (found.profiles, found.profile) == (("a", "b"), "b")
    assert found.files == (home / "home" / "tdcur.toml", home / "project" / "tdcur.toml")


def test_each_file_is_read_once(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also for a profile that does not exist, and a `pyproject.toml`."""
    read: list[str] = []
    parse = tomllib.loads

    def loads(text: str) -> dict[str, object]:
        read.append(text)
        return parse(text)

    monkeypatch.setattr(tomllib, "loads", loads)
    with pytest.raises(UsageError, match="no settings file has this profile"):
        settings(home, 'table = "user"', '[tool.tdcur]\ntable = "abc"', profile="nope", name="pyproject.toml")
    assert read == ['table = "user"', '[tool.tdcur]\ntable = "abc"']


def test_a_broken_pyproject_file_with_our_settings_is_an_error(home: Path) -> None:
    with pytest.raises(UsageError, match=r"pyproject.toml is not valid TOML: .*line 2"):
        settings(home, project="[tool.tdcur]\nsite = \n", name="pyproject.toml")


@pytest.mark.parametrize("name", ["write-key-file", "api-key-file"])
@pytest.mark.parametrize("table", ["", "[profiles.x]\n"])
def test_a_project_must_not_name_a_key(home: Path, name: str, table: str) -> None:
    with pytest.raises(UsageError, match=f"a project must not set {name}"):
        settings(home, project=f'{table}{name} = "key"')


def test_an_unknown_profile_names_the_known_ones(home: Path) -> None:
    with pytest.raises(UsageError) as failure:
        settings(home, '[profiles.a]\ntable = "abc"', '[profiles.b]\ntable = "abc"', profile="c")
    assert failure.value.hint == "Known profiles: a, b."
    with pytest.raises(UsageError) as failure:
        load(home, home / "nothing.toml", "c")
    assert "[profiles.NAME]" in failure.value.hint


def test_a_file_that_cannot_be_read_is_named(home: Path) -> None:
    (home / "home" / "tdcur.toml").mkdir()
    with pytest.raises(UsageError, match="cannot read"):
        settings(home)
