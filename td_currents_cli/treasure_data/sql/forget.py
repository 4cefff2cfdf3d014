"""The statements that remove the events of people, in flat tables and in batches, which also hold those of others."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from msgspec import Struct

from td_currents_cli.catalog.model import Where
from td_currents_cli.treasure_data.address import Period, TableAddress
from td_currents_cli.treasure_data.sql.events import EVENT_OF_ELEMENT, BatchEvents
from td_currents_cli.treasure_data.sql.text import (
    cte,
    identifier,
    json_path,
    receive_time_condition,
    string_literal,
    table_identifier,
)

_COPY: Final = "_forget"


class People(Struct, frozen=True):
    """Whose events are removed: values by fields of `user`."""

    ids: Mapping[str, Sequence[str]]

    def in_event(self, event: str) -> str:
        """Write the condition on an event as JSON; it is never null."""
        # The second path is that of an event that is flat.
        paths = [path for field in self.ids for path in ((Where.USER, field), (field,))]
        return self._condition((path[-1], f"JSON_EXTRACT_SCALAR({event}, {json_path(path)})") for path in paths)

    def in_columns(self) -> str:
        """Write the condition on the columns of a flat table, which are numbers if all of its ids look like numbers."""
        columns = [(field, identifier(f"{Where.USER}_{field}")) for field in self.ids]
        return self._condition((field, f"CAST({column} AS VARCHAR)") for field, column in columns)

    def in_text(self, text: str) -> str:
        every = [each for ids in self.ids.values() for each in ids]
        return " OR ".join(f"STRPOS({text}, {string_literal(each)}) > 0" for each in every)

    def _condition(self, values: Iterable[tuple[str, str]]) -> str:
        """Write the condition that one of the values is an id of its field."""
        listed = {field: ", ".join(map(string_literal, ids)) for field, ids in self.ids.items()}
        return " OR ".join(f"COALESCE({value} IN ({listed[field]}), FALSE)" for field, value in values)


def forget_flat_sql(table: TableAddress, people: People) -> Sequence[str]:
    """Write the statements for a table with an event in each row."""
    rows = f"FROM {table_identifier(table)}\nWHERE {people.in_columns()}"
    return (
        _commented(
            f"DELETE {rows}",
            "1. Delete the events. Where the table has columns with other names, such as user_id, use these. For an id",
            "without a column, use JSON_EXTRACT_SCALAR(other_fields, '$[\"user.user_id\"]') if the table has",
            "other_fields, else remove the condition; the same in 2. If it takes too long, put the conditions in",
            "parentheses, add AND TD_TIME_RANGE(time, 'FROM', 'TO'), and repeat it.",
        ),
        _commented(f"SELECT COUNT(*) AS person_events\n{rows}", "2. Check that person_events is 0."),
    )


def _commented(statement: str, *comment: str) -> str:
    """Write a statement below a comment, which contains nothing that comes from outside."""
    return "\n".join([*(f"-- {line}".rstrip() for line in comment), statement])


class BatchRewrite(Struct, frozen=True):
    """Statements for a table with a batch in each row: they copy it without the events, and swap the two.

    The copy has the rows received before `boundary`. Those received since stay where Braze adds more, until the tables
    have been swapped: then they are taken over from the old one.
    """

    table: TableAddress
    people: People
    boundary: float  # UNIX seconds; all rows received before it have appeared

    @property
    def copy(self) -> TableAddress:
        return self.table.with_suffix(_COPY)

    def statements(self) -> Sequence[str]:
        """Each can be run again without harm, also after a failure; the swap, which is not SQL, is a comment."""
        table, copy, column = table_identifier(self.table), table_identifier(self.copy), identifier(self.table.column)
        boundary = f"{datetime.fromtimestamp(self.boundary, UTC):%Y-%m-%d %H:%M:%S} UTC"
        nothing = f"NOT EXISTS (SELECT 1 FROM {copy})"  # noqa: S608 -- all values are quoted
        before, since = Period(0.0, self.boundary), Period(self.boundary)
        return (
            _commented(
                f"CREATE TABLE IF NOT EXISTS {copy} (time BIGINT, {column} VARCHAR)",
                "1. The new table. If the old one has more columns than these, add them here, in 2, and in 4.",
            ),
            _commented(
                _insert(self._rewritten(self.table, before), f"rewritten\nWHERE {nothing}", copy, column),
                f"2. Copy the rows received before {boundary}. Does nothing if the new table has rows.",
            ),
            _commented(
                self._verification(before),
                "3. Verify the copy. If events_removed is 0, stop: no event of the person is that old, or the tables",
                f"are swapped already. If is_complete is not true, drop {self.copy.table}, and begin again at 1.",
            ),
            _commented(
                _insert(self._missing(since), "missing", table, column),
                "Then swap the tables, once, which is not SQL:",
                f"  td table:swap {self.table.database} {self.table.table} {self.copy.table}",
                "",
                f"4. At least 15 minutes after the swap: copy the rows received since {boundary} from the",
                f"old table, which is {self.copy.table} now. Inserts no row twice; repeat it until it inserts none.",
            ),
            _commented(
                self._proof(),
                "5. Check that person_events is 0. Rows that cannot be read are kept as they are, and so are ids in",
                "other fields: look at the rows that contain an id. A short one may be there by chance.",
            ),
            _commented(
                f"DROP TABLE IF EXISTS {copy}",
                "6. The old table still has the events. Only after 5: without the swap, this drops the new one.",
            ),
        )

    def _kept(self, source: TableAddress, rows: Period) -> str:
        """Common table expressions; the last, `kept`, has each row with its `list`, and the part of it that is `kept`.

        Both are null for rows that could not be read.
        """
        opened = f"TRANSFORM(list, element -> {EVENT_OF_ELEMENT}) AS list"
        kept = f"FILTER(\n      list,\n      event -> NOT ({self.people.in_event('event')})\n    ) AS kept"
        return ",\n".join(
            [
                f"WITH {BatchEvents(source, rows).lists('original')}",
                cte("opened", ["time", "original", opened], "elements"),
                cte("kept", ["*", kept], "opened"),
            ]
        )

    def _rewritten(self, source: TableAddress, rows: Period) -> str:
        """Common table expressions; the last, `rewritten`, has the rows that remain, in the columns of the table."""
        # Rows without an event of theirs are copied as they are.
        cell = (
            "CASE\n      WHEN CARDINALITY(kept) < CARDINALITY(list)\n"
            "      THEN '[' || ARRAY_JOIN(TRANSFORM(kept, event -> JSON_FORMAT(event)), ',') || ']'\n"
            f"      ELSE original\n    END AS {identifier(self.table.column)}"
        )
        return f"{self._kept(source, rows)},\n{cte('rewritten', ['time', cell], f'kept{_WHERE_REMAINS}')}"

    def _verification(self, rows: Period) -> str:
        old = f"{self._kept(self.table, rows)}\n{_COUNTED}"
        new = f"{self._kept(self.copy, rows)}\n{_COUNTED}"
        return f"""\
SELECT
  old_rows.person_events AS events_removed,
  old_rows.rows_left AS rows_to_copy,
  new_rows.rows_left AS rows_copied,
  old_rows.events_left AS events_to_copy,
  new_rows.events_left AS events_copied,
  old_rows.person_events > 0
    AND new_rows.person_events = 0
    AND new_rows.rows_left = old_rows.rows_left
    AND new_rows.events_left = old_rows.events_left AS is_complete
FROM (
{old}
) AS old_rows
CROSS JOIN (
{new}
) AS new_rows"""  # noqa: S608 -- all values are quoted

    def _missing(self, rows: Period) -> str:
        """Common table expressions; the last, `missing`, has the rows of the old table that the new one lacks."""
        column = identifier(self.table.column)
        number = f"ROW_NUMBER() OVER (PARTITION BY time, COALESCE({column}, '')) AS nth"
        present = f"{table_identifier(self.table)}\n  WHERE {receive_time_condition(rows)}"
        joined = f"""\
old_rows
  LEFT JOIN present
    ON present.time = old_rows.time
    AND COALESCE(present.{column}, '') = COALESCE(old_rows.{column}, '')
    AND present.nth = old_rows.nth
  WHERE present.time IS NULL"""
        return ",\n".join(
            [
                self._rewritten(self.copy, rows),
                cte("old_rows", ["*", number], "rewritten"),
                cte("present", ["time", column, number], present),
                cte("missing", ["old_rows.time", f"old_rows.{column}"], joined),
            ]
        )

    def _proof(self) -> str:
        has_id = f"({self.people.in_text('original')})"
        elsewhere = "list IS NOT NULL AND CARDINALITY(kept) = CARDINALITY(list)"
        return "\n".join(
            [
                self._kept(self.table, Period(0.0)),
                "SELECT",
                f"  {_PERSON_EVENTS} AS person_events,",
                f"  COUNT_IF(list IS NULL AND {has_id}) AS unreadable_rows_with_an_id,",
                f"  COUNT_IF({elsewhere} AND {has_id}) AS rows_with_an_id_elsewhere",
                "FROM kept",
            ]
        )


def _insert(expressions: str, source: str, into: str, column: str) -> str:
    return f"INSERT INTO {into} (time, {column})\n{expressions}\nSELECT time, {column}\nFROM {source}"


_REMAINS: Final = "COALESCE(CARDINALITY(kept) > 0 OR CARDINALITY(list) = 0, TRUE)"
"""Whether a row remains: one whose events are all removed goes; one that never had any, or cannot be read, stays."""

_WHERE_REMAINS: Final = f"\n  WHERE {_REMAINS}"

_PERSON_EVENTS: Final = "COALESCE(SUM(CARDINALITY(list) - CARDINALITY(kept)), 0)"

_COUNTED: Final = f"""\
SELECT
  {_PERSON_EVENTS} AS person_events,
  COALESCE(SUM(CARDINALITY(kept)), 0) AS events_left,
  COUNT_IF({_REMAINS}) AS rows_left
FROM kept"""  # noqa: S608 -- constants
