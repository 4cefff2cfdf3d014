"""Statements for Spark SQL 3.4 and later: over raw tables, as td-spark reads them, and over Avro exports.

The last statement is the query; those before it make the source readable. Spark has no type for JSON: an event is a
string of it, and each of its objects a map of strings.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, TypeAlias

from msgspec import Struct

from td_currents_cli.braze import CUSTOM_FIELD, CUSTOM_FIELDS, ENVELOPE, LATEST, PLACES
from td_currents_cli.catalog.ddl import TIME, TableColumn, column_type
from td_currents_cli.catalog.model import FieldType, Where
from td_currents_cli.choices import Dialect
from td_currents_cli.errors import UsageError
from td_currents_cli.events.filter import Filter
from td_currents_cli.read.export_layout import EARLY
from td_currents_cli.treasure_data.address import Period, TableAddress
from td_currents_cli.treasure_data.sql.scheduled import ScheduledTime, seconds_sql
from td_currents_cli.treasure_data.sql.text import IS_TIME, filter_condition, receive_time_condition, table_identifier

SETTINGS: Final = ("SET TIME ZONE 'UTC'",)

HAPPENED: Final = "happened"
"""The event time in UNIX seconds, or null: a column of `events`."""

NAMES: Final = ("event_type", "id")
"""Fields of an event that are strings, or not usable."""

quoted: Final = Dialect.SPARK.quoted
literal: Final = Dialect.SPARK.literal


class SparkBatches(Struct, frozen=True):
    """The events of a raw table: a cell is an array, a payload, an event, or a string that contains one of these."""

    address: TableAddress
    rows: Period

    @property
    def statements(self) -> Sequence[str]:
        return SETTINGS

    @property
    def events(self) -> str:
        """Common table expressions; the last, `events`, has a row for each event.

        Its columns are `received`, `place` in the batch, `event`, `event_type`, `id`, HAPPENED, and the maps
        `of_event`, `of_user`, and `of_properties`.
        """
        column = quoted(self.address.column)
        names = ",\n    ".join(map(_name, NAMES))
        types = ",\n    ".join(f"{_json(field)} AS {field}_json" for field in ENVELOPE)
        # Whatever comes from outside is quoted.
        return f"""\
cells AS (
  SELECT time AS received, GET_JSON_OBJECT(TRIM({column}), '$') AS batch
  FROM {table_identifier(self.address, Dialect.SPARK)}
  WHERE {receive_time_condition(self.rows, Dialect.SPARK)}
),
elements AS (
  SELECT received, place, event
  FROM cells
  LATERAL VIEW POSEXPLODE(
    COALESCE(
      CASE WHEN batch LIKE '[%' THEN FROM_JSON(batch, 'ARRAY<STRING>') END,
      FROM_JSON(GET_JSON_OBJECT(batch, '$.events'), 'ARRAY<STRING>'),
      CASE WHEN GET_JSON_OBJECT(batch, '$.event_type') IS NOT NULL THEN ARRAY(batch) END
    )
  ) exploded AS place, event
),
typed AS (
  SELECT
    *,
    {types},
    FROM_JSON(event, 'MAP<STRING, STRING>') AS of_event
  FROM elements
  WHERE event LIKE '{{%'
),
events AS (
  SELECT
    received,
    place,
    event,
    {names},
    CASE
      WHEN time_json RLIKE {IS_TIME} AND {_SECONDS} <= {LATEST} THEN {_SECONDS}
    END AS {HAPPENED},
    of_event,
    FROM_JSON(of_event['user'], 'MAP<STRING, STRING>') AS of_user,
    FROM_JSON(of_event['properties'], 'MAP<STRING, STRING>') AS of_properties
  FROM typed
)"""  # noqa: S608 -- as above

    @property
    def order(self) -> str:
        return "received, place"

    @property
    def output(self) -> str:
        return f"received, id, event_type, {HAPPENED} AS time, event"

    def value(self, paths: Sequence[tuple[str, ...]]) -> str:
        """Return the first value at these paths, as a string; null for an empty one."""
        return f"NULLIF(COALESCE({', '.join(map(_in_map, paths))}), '')"

    def cell(self, column: TableColumn) -> str:
        return f"of_{column.where}[{literal(column.field)}]"

    def others(self, columns: Sequence[TableColumn]) -> str:
        """Return the event, if it has a field without a column, or whose value does not fit its column; else null."""
        known = {
            where: [column.field for column in columns if column.where is where]
            + ([*Where][1:] if where is Where.EVENT else [])
            for where in Where
        }
        conditions = [
            f"EXISTS(MAP_KEYS(of_{where}), name -> name NOT IN ({', '.join(map(literal, fields))}))"
            for where, fields in known.items()
        ]
        conditions += [
            f"({self.cell(column)} IS NOT NULL AND {typed(self.cell(column), column)} IS NULL)"
            for column in columns
            if _number_type(column) and not _is_time(column)
        ]
        conditions += [f"({field} IS NULL AND of_event['{field}'] IS NOT NULL)" for field in NAMES]
        conditions.append(f"(of_event['{TIME}'] IS NOT NULL AND NOT COALESCE({HAPPENED} = FLOOR({HAPPENED}), FALSE))")
        joined = "\n      OR ".join(f"COALESCE({each}, FALSE)" for each in conditions)
        return f"CASE WHEN {joined} THEN event END"


class SparkExport(Struct, frozen=True):
    """The events of an Avro export in Braze's layout: `…/event_type=…/date=…/…`, which Spark takes for columns."""

    path: str
    fields: Mapping[str, FieldType]  # of all files, except `event_type` and `properties`
    wanted: Filter

    @property
    def statements(self) -> Sequence[str]:
        # Without a schema, Spark takes that of one file, and loses the fields that only others have.
        described = [
            {"name": name, "type": ["null", _AVRO[kind]], "default": None} for name, kind in self.fields.items()
        ]
        described.append({"name": "properties", "type": ["null", "string"], "default": None})
        schema = json.dumps({"type": "record", "name": "event", "fields": described}, separators=(",", ":"))
        options = f"path {literal(self.path)}, avroSchema {literal(schema)}"
        return *SETTINGS, f"CREATE OR REPLACE TEMPORARY VIEW currents_export USING avro OPTIONS ({options})"

    @property
    def events(self) -> str:
        is_time = f"{TIME} BETWEEN 0 AND {LATEST}"
        return f"""\
events AS (
  SELECT *, CASE WHEN {is_time} THEN CAST({TIME} AS DOUBLE) END AS {HAPPENED}
  FROM currents_export{self._parts}
)"""  # noqa: S608 -- nothing comes from outside

    @property
    def _parts(self) -> str:
        """The condition on the hours, or days, in the paths: an event is in no file that is older than itself."""
        if self.wanted.since is None:
            return ""
        first = max(0.0, self.wanted.since - EARLY)
        day = f"'{datetime.fromtimestamp(first, UTC):%Y-%m-%d}'"
        if isinstance(first, ScheduledTime):
            day = f"DATE_FORMAT(TIMESTAMP_SECONDS({seconds_sql(first, Dialect.SPARK)}), 'yyyy-MM-dd')"
        return f"\n  WHERE CAST(date AS STRING) >= {day}"

    @property
    def order(self) -> str:
        return TIME

    @property
    def output(self) -> str:
        return f"* EXCEPT ({HAPPENED}, nth)"

    def value(self, paths: Sequence[tuple[str, ...]]) -> str:
        """Return the value at the first of these paths that the export has, as a string; null for an empty one.

        Raises:
            UsageError: it has none of them.
        """
        for path in paths:
            inner = path[1:] if path[0] in PLACES else path
            if inner[0] in CUSTOM_FIELDS:
                return f"NULLIF({_in_text(_custom(inner[0]), inner[1:])}, '')"
            if inner[0] in {*self.fields, "event_type"} and len(inner) == 1:
                return f"NULLIF(CAST({quoted(inner[0])} AS STRING), '')"
        name = ".".join(paths[0])
        raise UsageError(
            f"`{name}` is not a field of the export", hint="Name a field of the catalog: tdcur events TYPE."
        )

    def cell(self, column: TableColumn) -> str:
        if column.field in CUSTOM_FIELDS:
            return _custom(column.field)
        if column.type in {FieldType.STRINGS, FieldType.STRINGS_AND_NULLS}:
            return f"TO_JSON({quoted(column.field)})"
        return f"CAST({quoted(column.field)} AS STRING)" if column.type is FieldType.BOOLEAN else quoted(column.field)

    def others(self, columns: Sequence[TableColumn]) -> str:  # noqa: ARG002 -- as in SparkBatches
        return "CAST(NULL AS STRING)"


_AVRO: Final[Mapping[FieldType, object]] = {
    **dict.fromkeys((FieldType.STRING, FieldType.OBJECT), "string"),
    **dict.fromkeys((FieldType.INT, FieldType.LONG), "long"),
    **{
        each: {"type": "array", "items": ["null", "string"]}
        for each in (FieldType.STRINGS, FieldType.STRINGS_AND_NULLS)
    },
    FieldType.FLOAT: "double",
    FieldType.BOOLEAN: "boolean",
}
"""Types to which Avro promotes those of all schemas."""


def _custom(field: str) -> str:
    event_type = next(each for each, name in CUSTOM_FIELD.items() if name == field)
    return f"CASE WHEN event_type = {literal(event_type)} THEN properties END"


SparkSource: TypeAlias = SparkBatches | SparkExport


def spark_count(
    source: SparkSource,
    keys: Sequence[tuple[str, str]],
    users: Sequence[tuple[str, ...]],
    wanted: Filter,
    *,
    dedupe: bool,
) -> Sequence[str]:
    """Write the statements that count events, given the name and the expression of each key."""
    listed = [f"{expression} AS {quoted(name)}" for name, expression in keys]
    columns = [
        *listed,
        "COUNT(*) AS events",
        f"COUNT(DISTINCT {source.value(users)}) AS users",
        f"{_moment('MIN')} AS first_event",
        f"{_moment('MAX')} AS last_event",
    ]
    numbers = ", ".join(str(number) for number in range(1, len(keys) + 1))
    return (
        *source.statements,
        "\n".join(
            [
                f"WITH {source.events}{_kept(source, wanted, dedupe=dedupe)}",
                "SELECT",
                "  " + ",\n  ".join(columns),
                "FROM kept",
                f"GROUP BY {numbers}",
                f"ORDER BY {numbers}",
            ]
        ),
    )


def spark_parse(
    source: SparkSource, columns: Sequence[TableColumn], other_fields: str, wanted: Filter, *, dedupe: bool
) -> Sequence[str]:
    """Write the statements that return flat events: a column for each field, and the event itself if it has others."""
    values = {column.name: typed(source.cell(column), column) for column in columns}
    values |= {
        column.name: column.field if column.field != TIME else f"CAST(FLOOR({HAPPENED}) AS BIGINT)"
        for column in columns
        if column.where is Where.EVENT
    }
    values[other_fields] = source.others(columns)
    listed = ",\n  ".join(f"{expression} AS {quoted(name)}" for name, expression in values.items())
    query = f"WITH {source.events}{_kept(source, wanted, dedupe=dedupe)}\nSELECT\n  {listed}\nFROM kept"
    return *source.statements, query


def spark_dedupe(source: SparkSource, wanted: Filter) -> Sequence[str]:
    """Write the statements that return the first event of each id, and all events without an id."""
    query = f"WITH {source.events}{_kept(source, wanted, dedupe=True)}\nSELECT {source.output}\nFROM kept"
    return *source.statements, query


def _kept(source: SparkSource, wanted: Filter, *, dedupe: bool) -> str:
    """The common table expression of the events that are wanted, of each id only the first."""
    condition = filter_condition(wanted, "event_type", HAPPENED, Dialect.SPARK)
    nth = f"CASE WHEN id IS NULL THEN 1 ELSE ROW_NUMBER() OVER (PARTITION BY id ORDER BY {source.order}) END"
    return f""",
numbered AS (
  SELECT *, {nth if dedupe else "1"} AS nth
  FROM events
  WHERE {condition}
),
kept AS (SELECT * FROM numbered WHERE nth = 1)"""  # noqa: S608 -- as above


def typed(cell: str, column: TableColumn) -> str:
    """Return the value of a column of its type; null where it does not fit."""
    kind = _number_type(column)
    return cell if kind is None else f"TRY_CAST({cell} AS {kind})"


def _number_type(column: TableColumn) -> str | None:
    kind = Dialect.SPARK.type(column_type(column))
    return None if kind == Dialect.SPARK.type(FieldType.STRING) else kind


def _is_time(column: TableColumn) -> bool:
    return column.where is Where.EVENT and column.field == TIME


def _json(field: str) -> str:
    """Return the JSON of a field, with the quotes of a string: Spark keeps these only behind an asterisk."""
    return f"GET_JSON_OBJECT(CONCAT('[', event, ']'), '$[*].{field}')"


def _name(field: str) -> str:
    """Return a string that is not empty; null for anything else."""
    return f"CASE WHEN {field}_json LIKE '\"%' THEN NULLIF(of_event['{field}'], '') END AS {field}"


_SECONDS: Final = "TRY_CAST(REPLACE(time_json, '\"', '') AS DOUBLE)"


def _in_map(path: tuple[str, ...]) -> str:
    where, name = (path[0], path[1]) if len(path) > 1 else (Where.EVENT, path[0])
    return _in_text(f"of_{where}[{literal(name)}]", path[2:])


def _in_text(text: str, path: Sequence[str]) -> str:
    """Return the value at a path in an object, given the JSON of the object."""
    for name in path:
        text = f"FROM_JSON({text}, 'MAP<STRING, STRING>')[{literal(name)}]"
    return text


def _moment(function: str) -> str:
    return f"TIMESTAMP_MICROS(CAST({function}({HAPPENED}) * 1000000 AS BIGINT))"


_PATTERNS: Final = {"hour": "yyyy-MM-dd'T'HH:00", "day": "yyyy-MM-dd", "month": "yyyy-MM"}


def spark_bucket(unit: str, zone: str) -> str:
    """Name the hour, day, week or month of the event time in a zone, given by its IANA name."""
    moment = f"FROM_UTC_TIMESTAMP(TIMESTAMP_SECONDS(FLOOR({HAPPENED})), {literal(zone)})"
    if unit == "week":
        return f"FORMAT_STRING('%04d-W%02d', EXTRACT(YEAROFWEEK FROM {moment}), WEEKOFYEAR({moment}))"
    return f"DATE_FORMAT({moment}, {literal(_PATTERNS[unit])})"


_WORDS: Final = "SPLIT(event_type, '[.]')"
_ABOUT: Final = (
    f"FILTER(SLICE({_WORDS}, 1, SIZE({_WORDS}) - 1), word -> word NOT IN ('users', 'messages', 'behaviors'))"
)
SPARK_CHANNEL: Final = (
    "REGEXP_REPLACE("
    f"COALESCE(TRY_ELEMENT_AT({_ABOUT}, 1), TRY_ELEMENT_AT({_WORDS}, NULLIF(SIZE({_WORDS}) - 1, 0)), event_type)"
    ", '^canvasstep$', 'canvas')"
)
"""The equivalent of `catalog.model.channel_of`."""
