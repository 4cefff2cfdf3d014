"""`tdcur doctor`: checks the set-up, and finds the temporary files that killed runs left behind. Makes no request."""

import importlib.metadata
import os
import platform
import shutil
import stat
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import ClassVar, Final

from td_currents_cli import __version__
from td_currents_cli.choices import JournalAction
from td_currents_cli.config import NO_CONFIG, Config, merged, read_project_file, read_user_file
from td_currents_cli.errors import ExitCode, OutputError, TdcurError, UsageError, install_hint
from td_currents_cli.journal.list_journals import JournalRequest
from td_currents_cli.journal.list_journals import run as list_journals
from td_currents_cli.outcome import Outcome
from td_currents_cli.secrets import read_secret
from td_currents_cli.send.destination import Destination
from td_currents_cli.send.endpoint import resolve
from td_currents_cli.sizes import format_size
from td_currents_cli.treasure_data.settings import td_settings

MIN_AGE: Final = 3600.0
"""Seconds since the last change after which no run is taken to be writing to a temporary file any more."""

_EXTRAS: Final = {
    "pyarrow": ("parquet", "Parquet"),
    "obstore": ("cloud", "`s3://`, `gs://`, `az://`"),
    "td-client": ("td", "tables (`td://…`)"),
}
_LEFTOVERS: Final = ".tdcur-*.tmp"


class Verdict(StrEnum):
    OK = "ok"
    NOTE = "note"  # nothing is wrong, but something cannot be used yet
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Check:
    subject: str
    verdict: Verdict
    result: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Leftover:
    path: Path
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DoctorRequest:
    working_folder: Path
    user_file: Path
    state_folder: Path
    folders: tuple[Path, ...]  # where temporary files may have been left
    profile: str = ""
    clean: bool = False


class DoctorOutcome(Outcome, frozen=True, kw_only=True):
    command: ClassVar[str] = "doctor"

    checks: tuple[Check, ...]
    leftovers: tuple[Leftover, ...]
    cleaned: bool

    def summary(self) -> dict[str, object]:
        counts = {verdict.value: sum(check.verdict is verdict for check in self.checks) for verdict in Verdict}
        return {**counts, "leftovers": len(self.leftovers), "cleaned": self.cleaned}

    def data(self) -> dict[str, object]:
        return {
            "checks": [
                {"subject": each.subject, "verdict": each.verdict, "result": each.result, "fix": each.fix}
                for each in self.checks
            ],
            "leftovers": [{"path": str(each.path), "bytes": each.bytes} for each in self.leftovers],
        }


def run(request: DoctorRequest, environ: Mapping[str, str] = os.environ) -> DoctorOutcome:
    """Check everything; remove the leftovers if that was asked for.

    Raises:
        OutputError: a leftover cannot be removed.
    """
    leftovers = tuple(_leftovers(request.folders, time.time()))
    if request.clean:
        for each in leftovers:
            _remove(each.path)
    config, of_settings = _settings(request)
    checks = (
        Check("tdcur", Verdict.OK, f"{__version__}, Python {platform.python_version()}, {platform.system()}"),
        *_extras(),
        *of_settings,
        _destination(config, environ),
        *_key_file(config, environ),
        _api_key(config, environ),
        _state(request.state_folder),
        _journals(request.state_folder),
        _leftover_check(leftovers, was_cleaned=request.clean),
    )
    is_bad = any(check.verdict is Verdict.ERROR for check in checks)
    return DoctorOutcome(
        checks=checks,
        leftovers=leftovers,
        cleaned=request.clean,
        exit_code=ExitCode.FINDINGS if is_bad else ExitCode.OK,
    )


def _extras() -> Iterator[Check]:
    for package, (extra, use) in _EXTRAS.items():
        try:
            yield Check(extra, Verdict.OK, f"{package} {importlib.metadata.version(package)}")
        except importlib.metadata.PackageNotFoundError:
            message = f"{package} is not installed: {use} cannot be used"
            yield Check(extra, Verdict.NOTE, message, install_hint(extra))


def _settings(request: DoctorRequest) -> tuple[Config, list[Check]]:
    """Read the settings files; if one of them is not valid, nothing applies, as no command runs with it."""
    files, checks = [], []
    for read, where in ((read_user_file, request.user_file), (read_project_file, request.working_folder)):
        try:
            file = read(where)
        except UsageError as error:
            checks.append(Check("settings", Verdict.ERROR, error.message, error.hint))
            continue
        if file:
            profiles = f", with {'profile' if len(file.profiles) == 1 else 'profiles'} {', '.join(file.profiles)}"
            checks.append(Check("settings", Verdict.OK, f"{file.path}{profiles if file.profiles else ''}"))
            files.append(file)
    if not checks:
        checks.append(Check("settings", Verdict.OK, "no settings files"))
    if any(check.verdict is Verdict.ERROR for check in checks):
        return NO_CONFIG, checks
    try:
        return merged(files, request.user_file, request.profile), checks
    except UsageError as error:
        return NO_CONFIG, [*checks, Check("profile", Verdict.ERROR, error.message, error.hint)]


def _destination(config: Config, environ: Mapping[str, str]) -> Check:
    try:
        endpoint = resolve(Destination().completed(environ, config), environ)
    except TdcurError as error:
        is_missing = error.message == "no endpoint given"
        return Check("destination", Verdict.NOTE if is_missing else Verdict.ERROR, error.message, error.hint)
    if endpoint.takes_key and endpoint.write_key is None:
        fix = "Set TD_WRITE_KEY, or give --write-key-file FILE."
        return Check("destination", Verdict.WARNING, f"{endpoint.shown}, without a write key", fix)
    return Check("destination", Verdict.OK, endpoint.shown)


def _key_file(config: Config, environ: Mapping[str, str]) -> Iterator[Check]:
    setting = config.get("write-key-file")
    if setting is None or environ.get("TD_WRITE_KEY"):
        return
    file = str(setting.value)
    try:
        read_secret(file, "write key")
        mode = Path(file).stat().st_mode
    except (TdcurError, OSError) as error:
        yield Check("write key", Verdict.ERROR, getattr(error, "message", None) or f"cannot read {file}")
        return
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        yield Check("write key", Verdict.WARNING, f"{file} can be read by other users", f"chmod 600 {file}")
    else:
        yield Check("write key", Verdict.OK, file)


def _api_key(config: Config, environ: Mapping[str, str]) -> Check:
    setting = config.get("api-key-file")
    try:
        settings = td_settings(None, str(setting.value) if setting else None, environ)
    except TdcurError as error:
        is_missing = error.message.startswith("no ")
        return Check("API key", Verdict.NOTE if is_missing else Verdict.ERROR, error.message, error.hint)
    return Check("API key", Verdict.OK, f"for {settings.host}")


def _state(folder: Path) -> Check:
    nearest = next(each for each in (folder, *folder.parents) if each.exists())
    if not os.access(nearest, os.W_OK):
        fix = "Give `send` --journal FILE and --dead-letter FILE, or set XDG_STATE_HOME."
        return Check("state folder", Verdict.ERROR, f"{folder} cannot be written", fix)
    return Check("state folder", Verdict.OK, f"{folder}, {format_size(shutil.disk_usage(nearest).free)} free")


def _journals(folder: Path) -> Check:
    journals = list_journals(JournalRequest(action=JournalAction.LIST, folder=folder)).journals
    troubles = [each.trouble for each in journals if each.trouble]
    if troubles:
        return Check("journals", Verdict.ERROR, "; ".join(troubles), "`tdcur journal list` lists all.")
    size = format_size(sum(each.bytes for each in journals))
    return Check("journals", Verdict.OK, f"{len(journals)}, {size}")


def _leftover_check(leftovers: Sequence[Leftover], *, was_cleaned: bool) -> Check:
    if not leftovers:
        return Check("temporary files", Verdict.OK, "none left behind")
    size = format_size(sum(each.bytes for each in leftovers))
    if was_cleaned:
        return Check("temporary files", Verdict.OK, f"{len(leftovers)} removed, {size}")
    found = f"{len(leftovers)} left behind by runs that were killed, {size}"
    return Check("temporary files", Verdict.WARNING, found, "Run `tdcur doctor --clean` to remove them.")


def _leftovers(folders: Sequence[Path], now: float) -> Iterator[Leftover]:
    for folder in dict.fromkeys(each.resolve() for each in folders):
        for path in sorted(folder.glob(_LEFTOVERS)):
            files = [path, *path.rglob("*")] if path.is_dir() else [path]
            states = [each.lstat() for each in files]
            if now - max(state.st_mtime for state in states) >= MIN_AGE:
                yield Leftover(path, sum(state.st_size for state in states))


def _remove(path: Path) -> None:
    try:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(f"cannot remove {path}: {error.strerror}") from error
