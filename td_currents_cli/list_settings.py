"""`tdcur config`: the settings that apply, each with its origin."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from td_currents_cli.config import DESTINATION_VARIABLES, LISTS, PATHS, URL_VARIABLE, VARIABLES, Config
from td_currents_cli.outcome import Outcome
from td_currents_cli.secrets import redact


@dataclass(frozen=True, slots=True)
class InForce:
    """A setting that applies, and where it comes from."""

    name: str
    value: str
    origin: str


class ConfigOutcome(Outcome, frozen=True, kw_only=True):
    command: ClassVar[str] = "config"

    settings: tuple[InForce, ...]
    user_file: Path  # need not exist
    files: tuple[Path, ...] = ()  # that were found
    profiles: tuple[str, ...] = ()  # that can be selected
    profile: str = ""

    @classmethod
    def of(cls, config: Config, user_file: Path, environ: Mapping[str, str]) -> "ConfigOutcome":
        """Collect what applies; the environment takes precedence over files. Secrets are not in it."""
        found = tuple(_in_force(config, environ))
        return cls(
            settings=found, user_file=user_file, files=config.files, profiles=config.profiles, profile=config.profile
        )

    def summary(self) -> dict[str, object]:
        return {"settings": len(self.settings), "profile": self.profile, "user_file": str(self.user_file)}

    def data(self) -> dict[str, object]:
        rows = [{"name": each.name, "value": each.value, "origin": each.origin} for each in self.settings]
        return {"settings": rows, "profiles": self.profiles, "files": [str(file) for file in self.files]}


def _in_force(config: Config, environ: Mapping[str, str]) -> Iterator[InForce]:
    destination = {"url": URL_VARIABLE, **DESTINATION_VARIABLES}
    from_environment = {name: environ[variable] for name, variable in destination.items() if environ.get(variable)}
    for name, value in from_environment.items():
        yield InForce(name, redact(value), destination[name])
    if not from_environment:
        yield from (InForce(each.name, str(each.value), each.origin) for each in config.destination().values())
    others = [each for each in VARIABLES if each.setting not in {"", *destination} and environ.get(each.name)]
    for each in others:
        yield InForce(each.setting, "***" if each.is_secret else environ[each.name], each.name)
    for name in (*PATHS, *LISTS):
        if (setting := config.get(name)) and name not in {each.setting for each in others}:
            value = setting.value if isinstance(setting.value, str) else ", ".join(setting.value)
            yield InForce(name, value, setting.origin)
