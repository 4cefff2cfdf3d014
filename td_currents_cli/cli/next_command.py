"""The command that is most useful after a successful run."""

import shlex
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from td_currents_cli.braze import POSTBACK_PATH
from td_currents_cli.outcome import Outcome

_MOST_PATHS: Final = 3
"""Paths that are repeated: a longer command does not help."""

_STORE: Final = "rows.jsonl"
"""Where `tdcur serve` stores rows by default."""

_JUST_NOW: Final = 60.0  # seconds


def next_command(command: str, options: Mapping[str, Any], outcome: Outcome) -> str:
    """Return a command to copy; empty if none suggests itself."""
    match command:
        case "send":
            return _after_send(_paths(options), getattr(outcome, "endpoint", ""), getattr(outcome, "delivered", 0))
        case "parse":
            return _after_parse(options)
        case "count":
            is_plain = not any(options.get(name) for name in ("by", "pivot", "types", "since", "until"))
            paths = _paths(options)
            is_file = paths and not any("://" in path for path in paths)
            return _joined("tdcur count", paths, "--by channel,day --pivot day") if is_plain and is_file else ""
        case "url":
            names = urlsplit(getattr(outcome, "url", "")).path.removeprefix(POSTBACK_PATH)
            return f"tdcur watch {shlex.quote(f'td://{names}')} --once"
        case "generate":
            output = options.get("output")
            return _joined("tdcur validate", [str(output)]) if output and output != Path("-") else ""
        case _:
            return ""


def _paths(options: Mapping[str, Any]) -> Sequence[str]:
    paths = options.get("paths") or ()
    return () if "-" in paths or len(paths) > _MOST_PATHS else paths


def _joined(start: str, paths: Sequence[str], end: str = "") -> str:
    return " ".join(filter(None, (start, shlex.join(paths), end)))


def _after_send(paths: Sequence[str], endpoint: str, delivered: int) -> str:
    parts = urlsplit(endpoint)
    _, is_postback, names = parts.path.partition(POSTBACK_PATH)
    if not paths or not delivered or not is_postback:
        return ""
    if parts.hostname in {"localhost", "127.0.0.1", "::1"}:
        return _joined("tdcur reconcile --sent", paths, f"--ingested {_STORE}") if _was_written_just_now() else ""
    return _joined("tdcur verify --sent", paths, f"--ingested {shlex.quote(f'td://{names}')}")


def _was_written_just_now() -> bool:
    """Whether the store is that of the endpoint, as far as can be seen: an endpoint may have another one."""
    store = Path(_STORE)
    return store.is_file() and time.time() - store.stat().st_mtime < _JUST_NOW


def _after_parse(options: Mapping[str, Any]) -> str:
    written = options.get("into") or options.get("out_dir") or options.get("output")
    is_read = options.get("to") != "parquet" and written and written != Path("-")
    return _joined("tdcur count", [str(written)]) if is_read else ""
