"""Settings from files: `tdcur.toml` or `[tool.tdcur]` of `pyproject.toml` in a project, and the file of the user.

A project may come from somebody else, so it must not decide which key is used or which URL gets the data: it may name a
site, a database, and a table, but no keys, tokens, or URLs.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, ClassVar, Final

from td_currents_cli.braze import Site
from td_currents_cli.errors import UsageError
from td_currents_cli.outcome import Outcome
from td_currents_cli.secrets import redact

PROFILE_VARIABLE: Final = "TDCUR_PROFILE"

FILE_NAME: Final = "tdcur.toml"

DESTINATION: Final = ("site", "database", "table")
"""Taken together, from the highest level that names any of them."""

PATHS: Final = ("write-key-file", "api-key-file", "catalog")
"""Relative to the folder of the file that names them."""

LISTS: Final = ("select", "ignore")

URL_VARIABLE: Final = "TDCUR_URL"
DESTINATION_VARIABLES: Final = {name: f"TDCUR_{name.upper()}" for name in DESTINATION}


@dataclass(frozen=True, slots=True)
class Variable:
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
    Variable(PROFILE_VARIABLE, "profile of the settings files, as --profile"),
    Variable("SSL_CERT_FILE", "certificate authorities that `send` trusts, as --cacert"),
    Variable("https_proxy", "proxy for requests; exceptions are in no_proxy"),
    Variable("XDG_CONFIG_HOME", "folder above your own settings file (Linux)"),
    Variable("XDG_STATE_HOME", "folder above the journals and dead letters of `send` (Linux)"),
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


@dataclass(frozen=True, slots=True)
class Setting:
    name: str
    value: str | tuple[str, ...]
    file: Path
    level: Level
    profile: str = ""

    @property
    def origin(self) -> str:
        """The file, and the profile in it, as messages name them."""
        return f"{self.file}, profile {self.profile}" if self.profile else str(self.file)


@dataclass(frozen=True, slots=True)
class Config:
    """The settings of all files, those that win first."""

    settings: tuple[Setting, ...] = ()
    profile: str = ""

    def get(self, name: str) -> Setting | None:
        return next((setting for setting in self.settings if setting.name == name), None)

    def destination(self) -> dict[str, Setting]:
        """Return site, database, and table of the highest level that names any of them; empty if none does."""
        named = [setting for setting in self.settings if setting.name in DESTINATION]
        return {setting.name: setting for setting in named if setting.level is named[0].level}


NO_CONFIG: Final = Config()


@dataclass(frozen=True, slots=True)
class InForce:
    """A setting that applies, and where it comes from."""

    name: str
    value: str
    origin: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigOutcome(Outcome):
    command: ClassVar[str] = "config"

    settings: tuple[InForce, ...]
    user_file: Path
    profile: str

    @classmethod
    def of(cls, config: Config, user_file: Path, environ: Mapping[str, str]) -> "ConfigOutcome":
        """Collect what applies; the environment takes precedence over files. Secrets are not in it."""
        found = tuple(_in_force(config, environ))
        return cls(settings=found, user_file=user_file, profile=config.profile)

    def summary(self) -> dict[str, object]:
        return {"settings": len(self.settings), "profile": self.profile, "user_file": str(self.user_file)}

    def data(self) -> dict[str, object]:
        rows = [{"name": each.name, "value": each.value, "origin": each.origin} for each in self.settings]
        return {"settings": rows}


def _in_force(config: Config, environ: Mapping[str, str]) -> Iterator[InForce]:
    destination = {"url": URL_VARIABLE, **DESTINATION_VARIABLES}
    from_environment = {name: environ[variable] for name, variable in destination.items() if environ.get(variable)}
    for name, value in from_environment.items():
        yield InForce(name, redact(value), destination[name])
    if not from_environment:
        yield from (InForce(each.name, str(each.value), each.origin) for each in config.destination().values())
    for each in VARIABLES:
        if each.setting and each.setting not in destination and (found := environ.get(each.name)):
            yield InForce(each.setting, "***" if each.is_secret else found, each.name)
    for name in (*PATHS, *LISTS):
        if setting := config.get(name):
            value = setting.value if isinstance(setting.value, str) else ", ".join(setting.value)
            yield InForce(name, value, setting.origin)


def user_file() -> Path:
    """Return the settings file of the user, which need not exist."""
    from platformdirs import user_config_path  # noqa: PLC0415 -- only commands with settings need it

    return user_config_path("tdcur", appauthor=False) / FILE_NAME


def load(folder: Path, user_file: Path, profile: str = "") -> Config:
    """Read the settings for a working folder.

    Raises:
        UsageError: a file is not valid, or no file has the profile.
    """
    project = find_project_file(folder)
    found = [
        *_read(user_file, profile, is_project=False),
        *(_read(project, profile, is_project=True) if project else ()),
    ]
    if profile and profile not in (profiles := profile_names(folder, user_file)):
        known = (
            f"Known profiles: {', '.join(profiles)}." if profiles else f"Add a table [profiles.NAME] to {user_file}."
        )
        raise UsageError("no settings file has this profile", hint=known)
    order = list(Level)
    return Config(tuple(sorted(found, key=lambda setting: order.index(setting.level))), profile)


def profile_names(folder: Path, user_file: Path) -> list[str]:
    """Return the profiles that can be selected in a working folder."""
    files = (user_file, find_project_file(folder))
    return sorted({name for file in files if file for name in _profiles(_table(file))})


def find_project_file(folder: Path) -> Path | None:
    """Find the nearest `tdcur.toml`, or `pyproject.toml` with our settings, in the folder or one above it."""
    for each in (folder, *folder.parents):
        for file in (each / FILE_NAME, each / "pyproject.toml"):
            if file.is_file() and (file.name == FILE_NAME or _table(file)):
                return file
    return None


def _table(file: Path) -> Mapping[str, Any]:
    import tomllib  # noqa: PLC0415 -- most runs have no settings file

    if not file.exists():
        return {}
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        if file.name == "pyproject.toml":
            return {}  # not ours, as far as anybody can tell
        raise UsageError(f"{file} is not valid TOML: {error}") from error
    except OSError as error:
        raise UsageError(f"cannot read {file}: {error.strerror}") from error
    if file.name != "pyproject.toml":
        return content
    tool = content.get("tool")
    ours = tool.get("tdcur") if isinstance(tool, dict) else None
    return ours if isinstance(ours, dict) else {}


def _profiles(table: Mapping[str, Any]) -> Mapping[str, Any]:
    profiles = table.get("profiles", {})
    return profiles if isinstance(profiles, dict) else {}


def _read(file: Path, profile: str, *, is_project: bool) -> Iterator[Setting]:
    table = _table(file)
    levels = (Level.PROJECT_PROFILE, Level.PROJECT) if is_project else (Level.USER_PROFILE, Level.USER)
    for name, value in table.items():
        if name != "profiles":
            yield _setting(file, name, value, levels[1])
    if not isinstance(table.get("profiles", {}), dict):
        raise UsageError(f"{file}: profiles must be a table", hint="Write [profiles.NAME] before the settings of one.")
    for each, settings in _profiles(table).items():
        if not isinstance(settings, dict):
            raise UsageError(f"{file}: each profile must be a table", hint="Write [profiles.NAME] before its settings.")
        for name, value in settings.items():
            setting = _setting(file, name, value, levels[0], each)
            if each == profile:
                yield setting


def _setting(file: Path, name: str, value: object, level: Level, profile: str = "") -> Setting:
    # Neither names nor values are repeated if they are unknown: they may be secrets.
    if name not in _NAMES:
        from difflib import get_close_matches  # noqa: PLC0415 -- only for a mistake

        near = get_close_matches(name, (*_NAMES, "profiles"), 1, 0.7)
        mistyped = f"Did you mean {'[profiles.NAME]' if near == ['profiles'] else near[0]}? " if near else ""
        raise UsageError(f"{file} has an unknown setting", hint=f"{mistyped}The settings are {', '.join(_NAMES)}.")
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
    if name == "site" and value not in tuple(Site):
        raise UsageError(f"{file}: site is not a site of Treasure Data", hint=f"The sites are {', '.join(Site)}.")
    if name in PATHS:
        value = str(file.parent / Path(value).expanduser())
    return Setting(name, value, file, level, profile)
