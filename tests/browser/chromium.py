"""The browser of the system."""

import shutil
from typing import Final

COMMANDS: Final = ("chromium", "chromium-browser", "google-chrome", "chrome")


def chromium() -> str | None:
    """The path of Chromium; None where it is not installed."""
    return next(filter(None, map(shutil.which, COMMANDS)), None)
