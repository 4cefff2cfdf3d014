"""The settings that Treasure Data's own command `td` keeps: `~/.td/td.conf`.

Lines are `[section]`, `name = value`, comments with `#`, and nothing: as in `TreasureData::Config` of that command,
which refuses blank lines; they are taken here.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from td_currents_cli.errors import UsageError

_SECTION: Final = re.compile(r"\[(?P<name>.+)\]")
_SETTING: Final = re.compile(r"(?P<name>\w+)\s*=\s*(?P<value>.+)")
_ACCOUNT: Final = "account"


def conf_path(environ: Mapping[str, str]) -> Path:
    """Where the file is: where `TD_CONFIG_PATH` says, as for `td` itself, or at home."""
    if path := environ.get("TREASURE_DATA_CONFIG_PATH") or environ.get("TD_CONFIG_PATH"):
        return Path(path)
    return Path(environ.get("HOME") or "~").expanduser() / ".td" / "td.conf"


def account_settings(path: Path) -> dict[str, str]:
    """The settings of the section `account`: `apikey`, `endpoint` and more; none where there is no such file.

    Raises:
        UsageError: the file cannot be read, or has a line of another form; the message has its number, not its text.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except UnicodeDecodeError:
        raise UsageError(f"{path} is not UTF-8") from None
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from None
    section, settings = "", {}
    for number, line in enumerate(text.split("\n"), 1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        if match := _SECTION.fullmatch(stripped):
            section = match["name"].strip()
        elif match := _SETTING.fullmatch(stripped):
            settings[section, match["name"]] = match["value"].strip()
        else:
            raise UsageError(
                f"{path}:{number} is neither a [section] nor name = value", hint="Mend it, or set TD_API_KEY."
            )
    return {name: value for (of_section, name), value in settings.items() if of_section == _ACCOUNT}
