"""Formats of the store: JSON Lines and CSV."""

from pathlib import Path
from typing import Final, Protocol

import orjson

from td_currents_cli.errors import UsageError
from td_currents_cli.receiver.row import EVENTS, TIME, StoredRow


class StoreFormat(Protocol):
    header: bytes  # the start of every file of the format

    def line(self, row: StoredRow) -> bytes: ...

    def row_end(self, *, open_quote: bool) -> bytes:
        """Return the bytes that end an incomplete row; `open_quote` tells whether it has an odd number of `"`."""
        ...


class JsonLinesFormat:
    """`{"time": …, "events": "<JSON>", …}`; arrays and objects are JSON strings, as in the columns of a table."""

    header = b""

    def line(self, row: StoredRow) -> bytes:
        cells: dict[str, object] = {TIME: row.time}
        for name, text in row.columns.items():
            cells[_free_name(name, row)] = text if text[0] in "[{" else orjson.Fragment(text)
        return orjson.dumps(cells, option=orjson.OPT_APPEND_NEWLINE)

    def row_end(self, *, open_quote: bool) -> bytes:  # noqa: ARG002 -- JSON has no line breaks in strings
        # The next row gets a line of its own, and readers report the incomplete one.
        return b"\n"


class CsvFormat:
    """`time,events,extra`, RFC 4180 with LF, as written by `td query`.

    A CSV file has fixed columns, so all top-level fields except `events` share the column `extra`, as a JSON object; it
    is empty for the payloads of Braze.
    """

    header = b"time,events,extra\n"

    def line(self, row: StoredRow) -> bytes:
        extra = {name: orjson.Fragment(text) for name, text in row.columns.items() if name != EVENTS}
        cells = (row.columns.get(EVENTS, "").encode(), orjson.dumps(extra) if extra else b"")
        quoted = [b'"%b"' % cell.replace(b'"', b'""') if cell else b"" for cell in cells]
        return b"%d," % row.time + b",".join(quoted) + b"\n"

    def row_end(self, *, open_quote: bool) -> bytes:
        return b'"\n' if open_quote else b"\n"


def _free_name(name: str, row: StoredRow) -> str:
    """Name the column of a field. `time` is the receive time, so a field of that name becomes `body_time`."""
    if name != TIME:
        return name
    name = f"body_{TIME}"
    while name in row.columns:
        name = f"body_{name}"
    return name


_UNSUPPORTED: Final = {".tsv", ".msgpack", ".parquet", ".gz", ".zst", ".bz2", ".xz"}


def store_format(store: Path) -> StoreFormat:
    """Choose the format by the name of the file.

    Raises:
        UsageError: the extension belongs to another format.
    """
    ending = store.suffix.lower()
    if ending in _UNSUPPORTED:
        raise UsageError(f"cannot store rows as {ending}: {store}", hint="Name the store *.jsonl or *.csv.")
    return CsvFormat() if ending == ".csv" else JsonLinesFormat()
