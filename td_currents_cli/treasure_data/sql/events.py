"""From rows of a table to events, in Trino's SQL: the equivalent of `read` and `events.decode`."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import ClassVar, Final, TypeAlias

from msgspec import Struct

from td_currents_cli.braze import LATEST
from td_currents_cli.catalog.ddl import OTHER_FIELDS, RECEIVED_TIME, TIME, TableColumn, column_type
from td_currents_cli.catalog.model import Where
from td_currents_cli.choices import Dialect, Layout
from td_currents_cli.treasure_data.address import TableAddress
from td_currents_cli.treasure_data.sql.text import (
    IS_TIME,
    Rows,
    cte,
    identifier,
    json_path,
    map_of,
    receive_time_condition,
    string_literal,
    table_identifier,
)

MAP: Final = "MAP(VARCHAR, JSON)"
NO_FIELDS: Final = f"CAST(JSON_PARSE('{{}}') AS {MAP})"
INNER: Final = (Where.USER, Where.PROPERTIES)

MISFITS: Final = {
    "BIGINT": "NOT COALESCE(CAST(TRY_CAST({0} AS BIGINT) AS VARCHAR) = {0}, FALSE)",
    "DOUBLE": "NOT COALESCE(ABS(TRY_CAST({0} AS DOUBLE)) < 9007199254740992, FALSE)",
}
"""Conditions that a string does not fit a column of the type; from 2**53 on a DOUBLE is inexact."""

_SCALAR: Final = "JSON_EXTRACT_SCALAR(v, '$')"
_HAS_VALUE: Final = "COALESCE(JSON_FORMAT(v) <> 'null', FALSE)"


def _cases(columns: Sequence[TableColumn]) -> Iterator[str]:
    """Yield the conditions that a field does not fit its column."""
    strings = [column.field for column in columns if sql_type(column) not in MISFITS]
    if strings:
        yield f"WHEN {_key_in(strings)} THEN FALSE"
    for kind, misfit in MISFITS.items():
        numbers = [column.field for column in columns if sql_type(column) == kind and not _is_time(column)]
        if numbers:
            yield f"WHEN {_key_in(numbers)} THEN {_HAS_VALUE} AND {misfit.format(_SCALAR)}"


def _key_in(names: Iterable[str]) -> str:
    return f"k IN ({', '.join(map(string_literal, names))})"


def _is_time(column: TableColumn) -> bool:
    return column.where is Where.EVENT and column.field == TIME


def sql_type(column: TableColumn) -> str:
    return Dialect.TRINO.type(column_type(column))


_NUMBERS: Final = r'("[^"\\]*(?:\\.[^"\\]*)*")|-?\d+(?:\.\d+)?[eE][-+]?\d+|(-?\d+)(?:\.\d+)?'
"""A string (kept), a number with an exponent (removed), or another number (truncated to its integer part)."""

_DIGITS: Final = 16  # hexadecimal, of the digest


def content_hash_sql(event: str) -> str:
    text = f"REGEXP_REPLACE(JSON_FORMAT({event}), {string_literal(_NUMBERS)}, '$1$2')"
    return f"SUBSTR(TO_HEX(MD5(TO_UTF8({text}))), 1, {_DIGITS})"


REJECTED_ROW: Final = "rejected row"
REJECTED_EVENT: Final = "rejected event"

RECEIVED: Final = '"row time"'
NUMBER: Final = '"event number"'
REJECTED: Final = '"is rejected"'
IS_EVENT: Final = '"is event"'
"""Names that no column of a table has: Treasure Data allows lowercase letters, digits, and underscores."""

KIND: Final = f"CASE WHEN {REJECTED} THEN '{REJECTED_ROW}' WHEN NOT {IS_EVENT} THEN '{REJECTED_EVENT}' END"
"""What a row of `lines` is if rejected, else null."""

Paths: TypeAlias = Sequence[tuple[str, ...]]
"""Paths of a value in an event; the first that has a value is used."""


class BatchEvents(Struct, frozen=True):
    """The events of a table with a batch in each row.

    A cell may be an array of events, an array of strings that are events, a payload, a single event, or a string that
    contains any of these; null and an empty string are an empty batch.
    """

    received: ClassVar[str] = RECEIVED

    address: TableAddress
    rows: Rows

    @property
    def lines(self) -> str:
        """Common table expressions; the last, `lines`, has a row for each event and each table row without events.

        RECEIVED is the receive time; NUMBER that of the event in its row, from 1, or null; REJECTED tells whether the
        table row could not be read, IS_EVENT whether the event is an object.
        """
        return ",\n".join([self.lists(), cte("parts", _LISTED, _UNNESTED), cte("lines", _PARTS, "parts")])

    def lists(self, carried: str = "") -> str:
        """Common table expressions; the last, `elements`, has a row for each table row: its `time` and `list` of JSON.

        `list` is null for a row that could not be read. `carried` is the name of a column with the cell, if wanted.
        """
        column = identifier(self.address.column)
        return _LISTS.format(
            column=column,
            table=table_identifier(self.address),
            received=receive_time_condition(self.rows),
            original=f", {column} AS {carried}" if carried else "",
            carried=f", {carried}" if carried else "",
        )

    def extract(self, paths: Paths) -> str:
        """Extract a field as an intermediate string for `name`, `value` and `seconds`; null if absent."""
        each = [f"NULLIF(JSON_FORMAT(JSON_EXTRACT(event, {json_path(path)})), 'null')" for path in paths]
        return each[0] if len(each) == 1 else f"COALESCE({', '.join(each)})"

    def name(self, extracted: str) -> str:
        """Return a nonempty string; null for anything else."""
        return f"CASE WHEN {extracted} LIKE '\"%' THEN NULLIF({_scalar(extracted)}, '') END"

    def value(self, extracted: str) -> str:
        """Return a string, or JSON of another type; null for an empty string."""
        return f"CASE WHEN {extracted} LIKE '\"%' THEN NULLIF({_scalar(extracted)}, '') ELSE {extracted} END"

    def seconds(self, extracted: str) -> str:
        """Return a time in UNIX seconds; null if it is not one."""
        number = f"TRY_CAST(REPLACE({extracted}, '\"', '') AS DOUBLE)"
        return f"CASE WHEN REGEXP_LIKE({extracted}, {IS_TIME}) AND {number} <= {LATEST} THEN {number} END"

    @property
    def opened(self) -> Sequence[str]:
        """Columns that `cell` and `others` need in addition to those of `lines`."""
        # As maps: each lookup of a path in JSON reads it from its beginning.
        places = {Where.EVENT: "event", **{where: f"JSON_EXTRACT(event, {json_path((where,))})" for where in INNER}}
        return [f"COALESCE(TRY_CAST({each} AS {MAP}), {NO_FIELDS}) AS of_{where}" for where, each in places.items()]

    def cell(self, where: Where, field: str) -> str:
        """Return a field as a string column holds it: a string, or JSON of another type."""
        found = f"ELEMENT_AT(of_{where}, {string_literal(field)})"
        # Arrays, objects and null have no scalar.
        return f"COALESCE(JSON_EXTRACT_SCALAR({found}, '$'), NULLIF(JSON_FORMAT({found}), 'null'))"

    def others(self, columns: Sequence[TableColumn]) -> Iterator[str]:
        """Yield maps, by dotted names, of the JSON values that these columns cannot hold, given `opened`.

        A top-level name that looks as if it was in `user` or `properties` is prefixed with a dot.
        """
        seconds = self.seconds("JSON_FORMAT(v)")
        paths = {where: f"'{where}.' || k" for where in INNER}
        paths[Where.EVENT] = rf"CASE WHEN REGEXP_LIKE(k, '^\.*({'|'.join(INNER)})\.') THEN '.' || k ELSE k END"
        for where in Where:
            cases = [*_cases([column for column in columns if column.where is where])]
            if where is Where.EVENT:
                cases += [
                    f"WHEN k = '{TIME}' THEN {_HAS_VALUE} AND NOT COALESCE({seconds} = FLOOR({seconds}), FALSE)",
                    f"WHEN {_key_in(INNER)} THEN {_HAS_VALUE} AND JSON_FORMAT(v) NOT LIKE '{{%'",
                ]
            kept = "\n        ".join(["CASE", *cases, "ELSE TRUE END"]) if cases else "TRUE"
            filtered = f"MAP_FILTER(of_{where}, (k, v) -> {kept})"
            yield f"TRANSFORM_KEYS(\n      {filtered},\n      (k, v) -> {paths[where]}\n    )"

    @property
    def outline(self) -> str:
        """The digest of `content_hash_sql`, or null."""
        return f"CASE WHEN {IS_EVENT} THEN {content_hash_sql('event')} END"

    @property
    def content(self) -> str:
        """What differs between events of this table with different contents."""
        return self.outline


class FlatEvents(Struct, frozen=True):
    """The events of a table with an event in each row, given the columns of the table: all as in `BatchEvents`."""

    opened: ClassVar[Sequence[str]] = ()
    outline: ClassVar[str] = "CAST(NULL AS VARCHAR)"  # columns hide what the connector left out or made a string

    address: TableAddress
    rows: Rows
    columns: Collection[str]

    @property
    def received(self) -> str:
        """The receive time, which is not RECEIVED in a table that was flattened before."""
        return f"COALESCE({identifier(RECEIVED_TIME)}, {RECEIVED})" if RECEIVED_TIME in self.columns else RECEIVED

    @property
    def content(self) -> str:
        """`time` is left out: it may be the receive time, which differs between copies."""
        names = [each for each in self.columns if each not in {TIME, RECEIVED_TIME}]
        return f"JSON_FORMAT(CAST({map_of({each: f'CAST({identifier(each)} AS JSON)' for each in names})} AS JSON))"

    @property
    def lines(self) -> str:
        return cte("lines", _ROWS, f"{table_identifier(self.address)}\n  WHERE {receive_time_condition(self.rows)}")

    def extract(self, paths: Paths) -> str:
        there = [path[0] for path in paths if len(path) == 1 and path[0] in {*self.columns, "time"}]
        each = [f"CAST({identifier(column)} AS VARCHAR)" for column in there]
        return f"COALESCE({', '.join(each)})" if len(each) > 1 else next(iter(each), "CAST(NULL AS VARCHAR)")

    def name(self, extracted: str) -> str:
        return f"NULLIF({extracted}, '')"

    value = name

    def seconds(self, extracted: str) -> str:
        number = f"TRY_CAST({extracted} AS DOUBLE)"
        return f"CASE WHEN {number} BETWEEN 0 AND {LATEST} THEN {number} END"

    def cell(self, where: Where, field: str) -> str:
        return self.extract([(each,) for each in _flat_names(where, field)])

    def others(self, columns: Sequence[TableColumn]) -> Iterator[str]:
        taken: dict[str, TableColumn] = {}
        for column in columns:
            found = [each for each in _flat_names(column.where, column.field) if each in self.columns]
            taken |= dict.fromkeys(found[:1], column)
        others = {}
        for each, column in taken.items():
            kind, cell = sql_type(column), f"CAST({identifier(each)} AS VARCHAR)"
            if kind in MISFITS and not _is_time(column):
                misfit = MISFITS[kind].format(cell)
                misfits = f"{cell} IS NOT NULL AND {misfit}"
                others[column.path] = f"CASE WHEN {misfits} THEN CAST({identifier(each)} AS JSON) END"
        named = {TIME, RECEIVED_TIME}
        others |= {each: f"CAST({identifier(each)} AS JSON)" for each in self.columns if each not in {*taken, *named}}
        if OTHER_FIELDS in self.columns:
            # It is kept.
            before = f"TRY_CAST(TRY(JSON_PARSE({identifier(OTHER_FIELDS)})) AS {MAP})"
            others[OTHER_FIELDS] = f"CASE WHEN {before} IS NULL THEN {others[OTHER_FIELDS]} END"
            yield f"COALESCE({before}, {NO_FIELDS})"
        yield map_of(others) if others else NO_FIELDS


Events: TypeAlias = BatchEvents | FlatEvents


def table_events(address: TableAddress, layout: Layout, rows: Rows, columns: Collection[str]) -> Events:
    return BatchEvents(address, rows) if layout is Layout.BATCHES else FlatEvents(address, rows, columns)


def _flat_names(where: Where, field: str) -> tuple[str, str]:
    return field, f"{where}_{field}"


def _scalar(extracted: str) -> str:
    return f"JSON_EXTRACT_SCALAR(JSON_PARSE({extracted}), '$')"


EVENT_OF_ELEMENT: Final = "COALESCE(TRY(JSON_PARSE(JSON_EXTRACT_SCALAR(element, '$'))), element)"
"""An element of a batch as an event: it may be a string that contains one."""

_LISTS: Final = """\
cells AS (
  SELECT time{original}, TRIM({column}) AS cell
  FROM {table}
  WHERE {received}
),
documents AS (
  SELECT time{carried}, cell IS NULL OR cell IN ('', 'null') AS empty, TRY(JSON_PARSE(cell)) AS document
  FROM cells
),
batches AS (
  SELECT time{carried}, empty, COALESCE(TRY(JSON_PARSE(JSON_EXTRACT_SCALAR(document, '$'))), document) AS batch
  FROM documents
),
elements AS (
  SELECT
    time{carried},
    CASE
      WHEN empty OR JSON_FORMAT(JSON_EXTRACT(batch, '$.events')) = 'null' THEN CAST(JSON_PARSE('[]') AS ARRAY(JSON))
      ELSE COALESCE(
        TRY(CAST(batch AS ARRAY(JSON))),
        TRY(CAST(JSON_EXTRACT(batch, '$.events') AS ARRAY(JSON))),
        CASE
          WHEN JSON_EXTRACT(batch, '$.events') IS NULL AND JSON_EXTRACT(batch, '$.event_type') IS NOT NULL
          THEN ARRAY[batch]
        END
      )
    END AS list
  FROM batches
)"""

_LISTED: Final = ("time", "list IS NULL AS rejected", "n", f"{EVENT_OF_ELEMENT} AS event")
_UNNESTED: Final = "elements\n  LEFT JOIN UNNEST(list) WITH ORDINALITY AS unnested (element, n) ON TRUE"
"""A row for each event, and one for each table row without events."""

_PARTS: Final = (
    f"time AS {RECEIVED}",
    f"n AS {NUMBER}",
    f"rejected AS {REJECTED}",
    f"COALESCE(JSON_FORMAT(event) LIKE '{{%', FALSE) AS {IS_EVENT}",
    "event",
)
_ROWS: Final = ("*", f"time AS {RECEIVED}", f"1 AS {NUMBER}", f"FALSE AS {REJECTED}", f"TRUE AS {IS_EVENT}")
