"""Settings from files: `tdcur.toml` or `[tool.tdcur]` of `pyproject.toml` in a project, and the file of the user.

A project may come from somebody else, so it must not decide which key is used or which URL gets the data: it may name a
site, a database, and a table, but no keys, tokens, or URLs.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from td_currents_cli.braze import check_site
from td_currents_cli.errors import UsageError
from td_currents_cli.suggestions import did_you_mean

CATALOG_VARIABLE: Final = "TDCUR_CATALOG"
PROFILE_VARIABLE: Final = "TDCUR_PROFILE"

FILE_NAME: Final = "tdcur.toml"

DESTINATION: Final = ("site", "database", "table")
"""Taken together, from the highest level that names any of them."""

PATHS: Final = ("write-key-file", "api-key-file", "catalog")
"""Relative to the folder of the file that names them."""

LISTS: Final = ("select", "ignore")

URL_VARIABLE: Final = "TDCUR_URL"
DESTINATION_VARIABLES: Final = {name: f"TDCUR_{name.upper()}" for name in DESTINATION}


class Variable(Struct, frozen=True):
    """A variable of the environment; `setting` is its name in `tdcur config`, empty where that does not show it."""

    name: str
    meaning: str
    setting: str = ""
    is_secret: bool = False


VARIABLES: Final = (
    Variable(URL_VARIABLE, "where `send` sends to, as --url", "url"),
    Variable(DESTINATION_VARIABLES["site"], "Treasure Data site that `send` sends to, as --site", "site"),
    Variable(DESTINATION_VARIABLES["database"], "database that `send` sends to, as --database", "database"),
    Variable(DESTINATION_VARIABLES["table"], "table that `send` sends to, as --table", "table"),
    Variable("TD_WRITE_KEY", "write key, instead of --write-key-file", "write key", is_secret=True),
    Variable("TDCUR_TOKEN", "Bearer token, instead of --token-file", "token", is_secret=True),
    Variable("TD_API_KEY", "API key for tables (td://…), instead of --api-key-file", "API key", is_secret=True),
    Variable("TD_API_SERVER", "URL of Treasure Data's API for tables, instead of a site", "API server"),
    Variable("TDCUR_JOURNAL", "journal of `send`, as --journal", "journal"),
    Variable(
        CATALOG_VARIABLE, "JSON file with your own event types and fields, as --catalog, for all commands", "catalog"
    ),
    Variable(PROFILE_VARIABLE, "profile of the settings files, as --profile"),
    Variable("SSL_CERT_FILE", "certificate authorities that `send` trusts, as --cacert"),
    Variable("https_proxy", "proxy for requests; exceptions are in no_proxy"),
    Variable("XDG_CONFIG_HOME", "folder above your own settings file (Linux)"),
    Variable("XDG_STATE_HOME", "folder above the state of `send` and `watch` (Linux)"),
    Variable("TMPDIR", "folder for temporary files"),
    Variable("NO_COLOR", "any value: no color; --color takes precedence"),
    Variable("FORCE_COLOR", "any value: color in pipes and files, too; --color takes precedence"),
    Variable("TDCUR_DEBUG", "1: print the traceback of an error"),
)


_NAMES: Final = (*DESTINATION, *PATHS, *LISTS)
_USER_ONLY: Final = frozenset({"write-key-file", "api-key-file"})


class Level(StrEnum):
    """Where a setting may come from, the highest first."""

    USER_PROFILE = "profile of the user"
    PROJECT_PROFILE = "profile of the project"
    PROJECT = "project"
    USER = "user"


class Setting(Struct, frozen=True):
    name: str
    value: str | tuple[str, ...]
    file: Path
    level: Level
    profile: str = ""

    @property
    def origin(self) -> str:
        """The file, and the profile in it, as messages name them."""
        return f"{self.file}, profile {self.profile}" if self.profile else str(self.file)


class SettingsFile(Struct, frozen=True):
    """The settings of a file, with those of all its profiles."""

    path: Path
    settings: tuple[Setting, ...]
    profiles: tuple[str, ...]


class Config(Struct, frozen=True):
    """The settings of all files, those that win first."""

    settings: tuple[Setting, ...] = ()
    profile: str = ""  # the selected one
    profiles: tuple[str, ...] = ()  # that can be selected
    files: tuple[Path, ...] = ()  # that were found

    def get(self, name: str) -> Setting | None:
        return next((setting for setting in self.settings if setting.name == name), None)

    def destination(self) -> dict[str, Setting]:
        """Return site, database, and table of the highest level that names any of them; empty if none does."""
        named = [setting for setting in self.settings if setting.name in DESTINATION]
        return {setting.name: setting for setting in named if setting.level is named[0].level}


NO_CONFIG: Final = Config()


def user_file() -> Path:
    """Return the settings file of the user, which need not exist."""
    from platformdirs import user_config_path  # noqa: PLC0415 -- only commands with settings need it

    return user_config_path("tdcur", appauthor=False) / FILE_NAME


def load(folder: Path, user_file: Path, profile: str = "") -> Config:
    """Read the settings for a working folder.

    Raises:
        UsageError: a file is not valid, or no file has the profile.
    """
    files = [file for file in (read_user_file(user_file), read_project_file(folder)) if file]
    return merged(files, user_file, profile)


def merged(files: Sequence[SettingsFile], user_file: Path, profile: str = "") -> Config:
    """Merge the settings of files; those of a profile only if it is selected.

    Raises:
        UsageError: no file has the profile.
    """
    profiles = tuple(sorted({name for file in files for name in file.profiles}))
    if profile and profile not in profiles:
        known = (
            f"Known profiles: {', '.join(profiles)}." if profiles else f"Add a table [profiles.NAME] to {user_file}."
        )
        raise UsageError("no settings file has this profile", hint=known)
    found = [each for file in files for each in file.settings if each.profile in {"", profile}]
    order = list(Level)
    return Config(
        tuple(sorted(found, key=lambda setting: order.index(setting.level))),
        profile,
        profiles,
        tuple(file.path for file in files),
    )


def read_user_file(file: Path) -> SettingsFile | None:
    """Read and check the settings file of the user; None if there is none. Raises UsageError."""
    return _checked(file, _toml(file), is_project=False) if file.exists() else None


def read_project_file(folder: Path) -> SettingsFile | None:
    """Read and check the nearest `tdcur.toml`, or `pyproject.toml` with our settings, in the folder or above it.

    Raises:
        UsageError: it is not valid.
    """
    for each in (folder, *folder.parents):
        if (file := each / FILE_NAME).is_file():
            return _checked(file, _toml(file), is_project=True)
        if (file := each / "pyproject.toml").is_file() and (table := _tool_table(file)):
            return _checked(file, table, is_project=True)
    return None


def _toml(file: Path) -> Mapping[str, Any]:
    import tomllib  # noqa: PLC0415 -- most runs have no settings file

    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{file} is not valid TOML: {error}") from error
    except OSError as error:
        raise UsageError(f"cannot read {file}: {error.strerror}") from error


def _tool_table(file: Path) -> Mapping[str, Any]:
    """Return our table of a `pyproject.toml`; empty if it has none."""
    with suppress(OSError):
        # Most are about other tools: they are not parsed, nor are their mistakes ours to report.
        if b"tdcur" not in file.read_bytes():
            return {}
    tool = _toml(file).get("tool")
    ours = tool.get("tdcur") if isinstance(tool, dict) else None
    return ours if isinstance(ours, dict) else {}


def _checked(file: Path, table: Mapping[str, Any], *, is_project: bool) -> SettingsFile:
    profiles = table.get("profiles", {})
    if not isinstance(profiles, dict):
        raise UsageError(f"{file}: profiles must be a table", hint="Write [profiles.NAME] before the settings of one.")
    if not all(isinstance(settings, dict) for settings in profiles.values()):
        raise UsageError(f"{file}: each profile must be a table", hint="Write [profiles.NAME] before its settings.")
    of_profile, of_file = (Level.PROJECT_PROFILE, Level.PROJECT) if is_project else (Level.USER_PROFILE, Level.USER)
    settings = [_setting(file, name, value, of_file) for name, value in table.items() if name != "profiles"]
    for profile, named in profiles.items():
        settings += [_setting(file, name, value, of_profile, profile) for name, value in named.items()]
    return SettingsFile(file, tuple(settings), tuple(profiles))


def _setting(file: Path, name: str, value: object, level: Level, profile: str = "") -> Setting:
    # Neither names nor values are repeated if they are unknown: they may be secrets.
    if name not in _NAMES:
        known = {**{each: each for each in _NAMES}, "profiles": "[profiles.NAME]"}
        hint = f"{did_you_mean(name, known)} The settings are {', '.join(_NAMES)}."
        raise UsageError(f"{file} has an unknown setting", hint=hint.lstrip())
    if name in _USER_ONLY and level in {Level.PROJECT, Level.PROJECT_PROFILE}:
        raise UsageError(
            f"{file}: a project must not set {name}", hint="Move it to your own settings file; see `tdcur config`."
        )
    if name in LISTS:
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise UsageError(f"{file}: {name} must be a list of strings")
        return Setting(name, tuple(value), file, level, profile)
    if not isinstance(value, str) or not value:
        raise UsageError(f"{file}: {name} must be a string")
    if name == "site":
        check_site(value, f"{file}: site")
    if name in PATHS:
        value = str(file.parent / Path(value).expanduser())
    return Setting(name, value, file, level, profile)
