"""From the rows of a table to its events, in Trino's SQL: what `read` and `events.decode` make of them here."""

from collections.abc import Collection, Iterator, Sequence
from typing import Final, Protocol, TypeAlias

from msgspec import Struct

from td_currents_cli.catalog.columns import TableColumn
from td_currents_cli.catalog.event_types import Where
from td_currents_cli.choices import Layout
from td_currents_cli.events.times import LATEST
from td_currents_cli.warehouse.address import TableAddress
from td_currents_cli.warehouse.period import Period
from td_currents_cli.warehouse.sql.others import INNER, MAP, NO_MEMBERS, other_fields_of_batches, other_fields_of_flat
from td_currents_cli.warehouse.sql.outline import content_hash_sql
from td_currents_cli.warehouse.sql.text import (
    cte,
    identifier,
    json_path,
    receive_time_condition,
    string_literal,
    table_identifier,
)

REJECTED_ROW: Final = "rejected row"
REJECTED_EVENT: Final = "rejected event"
"""What a line of a result is about that nothing could be made of."""

RECEIVED: Final = '"row time"'
NUMBER: Final = '"event number"'
REJECTED: Final = '"is rejected"'
IS_EVENT: Final = '"is event"'
"""Names that no column of a table has: Treasure Data allows lower-case letters, digits and _."""

KIND: Final = f"CASE WHEN {REJECTED} THEN '{REJECTED_ROW}' WHEN NOT {IS_EVENT} THEN '{REJECTED_EVENT}' END"
"""What a line of `lines` is about that nothing could be made of; null for all others."""

Paths: TypeAlias = Sequence[tuple[str, ...]]
"""Where in an event a value may stand; the first place that has one counts."""


class Events(Protocol):
    """The events of a table.

    `lines` is a list of common table expressions, the last of which, `lines`, has a line for each event, and one for
    each row without events:

    - RECEIVED: the time of the row;
    - NUMBER: the number of the event in its row, from 1; null where there is none;
    - REJECTED: whether nothing could be made of the row;
    - IS_EVENT: whether it is an object.
    """

    @property
    def lines(self) -> str:
        """See above."""

    def member(self, paths: Paths) -> str:
        """A member of an event in some form of text, of which the others here are made; null where there is none."""

    def name(self, member: str) -> str:
        """A member that is a text and not empty; null for all else."""

    def value(self, member: str) -> str:
        """Any member as text, all but texts as JSON; null for an empty text."""

    def seconds(self, member: str) -> str:
        """A member that is a time in UNIX seconds; null for what is none."""

    @property
    def opened(self) -> Sequence[str]:
        """Columns of a step behind `lines`, beside those of `lines`, for `cell` and `others`."""

    def cell(self, where: Where, field: str) -> str:
        """A field as the text that a column holds: all but texts as JSON."""

    @property
    def outline(self) -> str:
        """A digest of an event, see `sql.outline`; null where there is none."""

    def others(self, columns: Sequence[TableColumn]) -> Iterator[str]:
        """Maps of what these columns cannot take, by dotted names, as JSON."""


class BatchEvents(Struct, frozen=True):
    """The events of a table with a batch in each row.

    A cell may be an array of events, an array of texts each of which is an event, a whole payload, a bare event, or
    any of these as the text of a text; null and nothing are an empty batch.
    """

    address: TableAddress
    rows: Period

    @property
    def lines(self) -> str:
        """As Events."""
        column = identifier(self.address.column)
        batches = _BATCHES.format(
            column=column, table=table_identifier(self.address), received=receive_time_condition(self.rows)
        )
        return f"{batches},\n{cte('lines', _PARTS, 'parts')}"

    def member(self, paths: Paths) -> str:
        """As Events."""
        each = [f"NULLIF(JSON_FORMAT(JSON_EXTRACT(event, {json_path(path)})), 'null')" for path in paths]
        return each[0] if len(each) == 1 else f"COALESCE({', '.join(each)})"

    def name(self, member: str) -> str:
        """As Events."""
        return f"CASE WHEN {member} LIKE '\"%' THEN NULLIF({_scalar(member)}, '') END"

    def value(self, member: str) -> str:
        """As Events."""
        return f"CASE WHEN {member} LIKE '\"%' THEN NULLIF({_scalar(member)}, '') ELSE {member} END"

    def seconds(self, member: str) -> str:
        """As Events."""
        digits = f'\'^"?[0-9]{{1,{len(str(LATEST))}}}"?$|^[0-9][^"]*$\''
        number = f"TRY_CAST(REPLACE({member}, '\"', '') AS DOUBLE)"
        return f"CASE WHEN REGEXP_LIKE({member}, {digits}) AND {number} <= {LATEST} THEN {number} END"

    @property
    def opened(self) -> Sequence[str]:
        """As Events: each object as a map, for to look for a path in JSON is to read it from its beginning."""
        places = {Where.EVENT: "event", **{where: f"JSON_EXTRACT(event, {json_path((where,))})" for where in INNER}}
        return [f"COALESCE(TRY_CAST({each} AS {MAP}), {NO_MEMBERS}) AS of_{where}" for where, each in places.items()]

    def cell(self, where: Where, field: str) -> str:
        """As Events."""
        found = f"ELEMENT_AT(of_{where}, {string_literal(field)})"
        # Of an array or an object there is no scalar, of null neither.
        return f"COALESCE(JSON_EXTRACT_SCALAR({found}, '$'), NULLIF(JSON_FORMAT({found}), 'null'))"

    def others(self, columns: Sequence[TableColumn]) -> Iterator[str]:
        """As Events."""
        return other_fields_of_batches(columns, self.seconds("JSON_FORMAT(v)"))

    @property
    def outline(self) -> str:
        """As Events."""
        return f"CASE WHEN {IS_EVENT} THEN {content_hash_sql('event')} END"


class FlatEvents(Struct, frozen=True):
    """The events of a table with an event in each row.

    Attributes:
        columns: of the table.
    """

    address: TableAddress
    rows: Period
    columns: Collection[str]

    @property
    def lines(self) -> str:
        """As Events."""
        return cte("lines", _ROWS, f"{table_identifier(self.address)}\n  WHERE {receive_time_condition(self.rows)}")

    def member(self, paths: Paths) -> str:
        """As Events."""
        there = [path[0] for path in paths if len(path) == 1 and path[0] in {*self.columns, "time"}]
        each = [f"CAST({identifier(column)} AS VARCHAR)" for column in there]
        return f"COALESCE({', '.join(each)})" if len(each) > 1 else next(iter(each), "CAST(NULL AS VARCHAR)")

    def name(self, member: str) -> str:
        """As Events."""
        return f"NULLIF({member}, '')"

    def value(self, member: str) -> str:
        """As Events."""
        return f"NULLIF({member}, '')"

    def seconds(self, member: str) -> str:
        """As Events."""
        number = f"TRY_CAST({member} AS DOUBLE)"
        return f"CASE WHEN {number} BETWEEN 0 AND {LATEST} THEN {number} END"

    @property
    def opened(self) -> Sequence[str]:
        """As Events."""
        return ()

    def cell(self, where: Where, field: str) -> str:
        """As Events."""
        return self.member([(each,) for each in _flat_names(where, field)])

    def others(self, columns: Sequence[TableColumn]) -> Iterator[str]:
        """As Events."""
        taken: dict[str, TableColumn] = {}
        for column in columns:
            found = [each for each in _flat_names(column.where, column.field) if each in self.columns]
            taken |= dict.fromkeys(found[:1], column)
        return other_fields_of_flat(self.columns, taken)

    @property
    def outline(self) -> str:
        """As Events: none, for what the connector leaves out or writes as text nobody can tell from a column."""
        return "CAST(NULL AS VARCHAR)"


def table_events(address: TableAddress, layout: Layout, rows: Period, columns: Collection[str]) -> Events:
    """The events of a table."""
    return BatchEvents(address, rows) if layout is Layout.BATCHES else FlatEvents(address, rows, columns)


def _flat_names(where: Where, field: str) -> tuple[str, str]:
    return field, f"{where}_{field}"


def _scalar(member: str) -> str:
    return f"JSON_EXTRACT_SCALAR(JSON_PARSE({member}), '$')"


_BATCHES: Final = """\
cells AS (
  SELECT time, TRIM({column}) AS cell
  FROM {table}
  WHERE {received}
),
documents AS (
  SELECT time, cell IS NULL OR cell IN ('', 'null') AS empty, TRY(JSON_PARSE(cell)) AS document
  FROM cells
),
batches AS (
  SELECT time, empty, COALESCE(TRY(JSON_PARSE(JSON_EXTRACT_SCALAR(document, '$'))), document) AS batch
  FROM documents
),
elements AS (
  SELECT
    time,
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
),
parts AS (
  SELECT
    time,
    list IS NULL AS rejected,
    n,
    COALESCE(TRY(JSON_PARSE(JSON_EXTRACT_SCALAR(element, '$'))), element) AS event
  FROM elements
  LEFT JOIN UNNEST(list) WITH ORDINALITY AS unnested (element, n) ON TRUE
)"""
"""Up to `parts`: a line for each event, and one for each row without events."""

_PARTS: Final = (
    f"time AS {RECEIVED}",
    f"n AS {NUMBER}",
    f"rejected AS {REJECTED}",
    f"COALESCE(JSON_FORMAT(event) LIKE '{{%', FALSE) AS {IS_EVENT}",
    "event",
)
_ROWS: Final = ("*", f"time AS {RECEIVED}", f"1 AS {NUMBER}", f"FALSE AS {REJECTED}", f"TRUE AS {IS_EVENT}")
