"""How a row stands in the store: a line of JSON, or a row of CSV."""

from pathlib import Path
from typing import Final, Protocol

import orjson

from td_currents_cli.errors import UsageError
from td_currents_cli.receiver.row import EVENTS, TIME, StoredRow


class StoreFormat(Protocol):
    """One form of the file.

    Attributes:
        header: what a new file begins with, and an existing one has to.
    """

    header: bytes

    def line(self, row: StoredRow) -> bytes:
        """A whole row, line end included."""
        ...

    def torn_end(self, *, open_quote: bool) -> bytes:
        """What ends a row that was left unfinished, `open_quote` being whether it has an odd number of `"`."""
        ...


class JsonLinesFormat:
    """`{"time": …, "events": "<JSON text>", …}`; arrays and objects are JSON text, as they are in a table's columns."""

    header = b""

    def line(self, row: StoredRow) -> bytes:
        """The row as one line of JSON."""
        cells: dict[str, object] = {TIME: row.time}
        for name, text in row.columns.items():
            cells[_free_name(name, row)] = text if text[0] in "[{" else orjson.Fragment(text)
        return orjson.dumps(cells, option=orjson.OPT_APPEND_NEWLINE)

    def torn_end(self, *, open_quote: bool) -> bytes:  # noqa: ARG002 -- a line of JSON never goes on after its line end
        """A line end: the next row has a line of its own, and readers report the torn one."""
        return b"\n"


class CsvFormat:
    """`time,events,extra`, RFC 4180 with LF as `td query` writes it.

    A CSV file's columns are fixed when it is begun, so all top-level members but `events` share the column `extra`, as
    the JSON text of an object; it is empty for what Braze sends.
    """

    header = b"time,events,extra\n"

    def line(self, row: StoredRow) -> bytes:
        """The row as one row of CSV."""
        extra = {name: orjson.Fragment(text) for name, text in row.columns.items() if name != EVENTS}
        cells = (row.columns.get(EVENTS, "").encode(), orjson.dumps(extra) if extra else b"")
        quoted = [b'"%b"' % cell.replace(b'"', b'""') if cell else b"" for cell in cells]
        return b"%d," % row.time + b",".join(quoted) + b"\n"

    def torn_end(self, *, open_quote: bool) -> bytes:
        """A line end, outside of quotes."""
        return b'"\n' if open_quote else b"\n"


def _free_name(name: str, row: StoredRow) -> str:
    """The column of a member. `time` is when the row was received: a member of that name becomes `body_time`."""
    if name != TIME:
        return name
    name = f"body_{TIME}"
    while name in row.columns:
        name = f"body_{name}"
    return name


_OTHER_FORMS: Final = {".tsv", ".msgpack", ".parquet", ".gz", ".zst", ".bz2", ".xz"}


def store_format(store: Path) -> StoreFormat:
    """The layout that the file's name asks for.

    Raises:
        UsageError: the name promises a form that is not written.
    """
    ending = store.suffix.lower()
    if ending in _OTHER_FORMS:
        raise UsageError(f"cannot store rows as {ending}: {store}", hint="name the store *.jsonl or *.csv")
    return CsvFormat() if ending == ".csv" else JsonLinesFormat()
