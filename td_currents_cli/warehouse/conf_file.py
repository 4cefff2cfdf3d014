"""The configuration file of Treasure Data's own command `td`: `~/.td/td.conf`.

Lines are `[section]`, `name = value`, and comments with `#`, as in `TreasureData::Config` of that command. It rejects
blank lines; they are accepted here.
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
    """Find the file: `TD_CONFIG_PATH`, which `td` itself reads too, or the one in the home folder."""
    if path := environ.get("TREASURE_DATA_CONFIG_PATH") or environ.get("TD_CONFIG_PATH"):
        return Path(path)
    return Path(environ.get("HOME") or "~").expanduser() / ".td" / "td.conf"


def account_settings(path: Path) -> dict[str, str]:
    """Read the section `account`: `apikey`, `endpoint` and more. It is empty if there is no such file.

    Raises:
        UsageError: the file cannot be read, or a line is invalid; the message has its number, not its content.
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
                f"{path}:{number}: expected [section] or name = value", hint="Fix the line, or set TD_API_KEY."
            )
    return {name: value for (of_section, name), value in settings.items() if of_section == _ACCOUNT}
