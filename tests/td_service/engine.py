"""Runs queries in Trino's SQL on DuckDB: translated by sqlglot, with the functions that differ defined here."""

import json
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import duckdb
import sqlglot
from sqlglot import exp

from tests.td_service.java_json import canonical

Rows = Iterable[Mapping[str, Any]]

FUNCTIONS = (
    "td_time_range(t, since, until) AS (since IS NULL OR t >= since) AND (until IS NULL OR t < until)",
    """td_time_add(t, duration) AS t + CAST(duration[:-2] AS BIGINT)
       * CASE duration[-1] WHEN 'd' THEN 86400 WHEN 'h' THEN 3600 WHEN 'm' THEN 60 WHEN 's' THEN 1 END""",
    """td_date_trunc(unit, t, zone) AS
       CAST(epoch(timezone(zone, date_trunc(unit, timezone(zone, to_timestamp(t))))) AS BIGINT)""",
    "td_time_parse(moment, zone) AS CAST(epoch(timezone(zone, CAST(moment AS TIMESTAMP))) AS BIGINT)",
    # The JSON of DuckDB is text: a member that is null is the text `null`, as JSON_FORMAT has it in Trino.
    "json_parse(text) AS CAST(canonical_json(text) AS JSON)",
    "json_format(value) AS canonical_json(CAST(value AS VARCHAR))",
    """json_extract_scalar(value, path) AS
       CASE WHEN json_type(value, path) NOT IN ('OBJECT', 'ARRAY', 'NULL') THEN json_extract_string(value, path) END""",
    r"replace_all(a, pattern, b) AS regexp_replace(a, pattern, regexp_replace(b, '\$(\d)', '\\\1', 'g'), 'g')",
    # DuckDB would round the text of a fraction.
    "bigint_of(text) AS CASE WHEN regexp_full_match(text, '[+-]?[0-9]+') THEN TRY_CAST(text AS BIGINT) END",
    "from_unixtime(seconds) AS to_timestamp(seconds)",
    "at_timezone(moment, zone) AS timezone(zone, moment)",
    """format_datetime(moment, pattern) AS strftime(moment, CASE pattern
       WHEN 'yyyy-MM-dd''T''HH:00' THEN '%Y-%m-%dT%H:00' WHEN 'yyyy-MM-dd' THEN '%Y-%m-%d'
       WHEN 'xxxx-''W''ww' THEN '%G-W%V' WHEN 'yyyy-MM' THEN '%Y-%m' END)""",
)
"""As Trino, or Treasure Data, documents them."""

OURS: dict[type[exp.Expr], str] = {
    exp.ParseJSON: "json_parse",
    exp.JSONFormat: "json_format",
    exp.JSONExtractScalar: "json_extract_scalar",
    exp.RegexpReplace: "replace_all",
}

OF_ENTRIES = {
    "MAP_FILTER": "map_from_entries(list_filter(map_entries({map}), LAMBDA entry : {result}))",
    "TRANSFORM_KEYS": (
        "map_from_entries(list_transform(map_entries({map}),"
        " LAMBDA entry : struct_pack(key := {result}, value := entry.value)))"
    ),
}
"""What Trino does with a function of the key and the value."""

TYPES = {"JSON": "json", "VARCHAR": "varchar", "BIGINT": "bigint", "INTEGER": "integer", "DOUBLE": "double"}

API_TYPES = {"VARCHAR": "string", "BIGINT": "long", "DOUBLE": "double"}
"""As Treasure Data's API calls the types of columns."""

_COLUMNS = "SELECT table_schema, table_name, column_name, data_type FROM information_schema.columns"


class Result(NamedTuple):
    columns: list[tuple[str, str]]  # name and type of each, as Trino calls it
    rows: list[tuple[Any, ...]]


class Engine:
    """Tables that are queried with SQL, given their rows by database and name."""

    def __init__(self, tables: Mapping[tuple[str, str], Rows], scheduled: int = 0) -> None:
        self._tables = tables
        self._connection = duckdb.connect(config={"threads": 1})
        self._connection.execute("SET TimeZone = 'UTC'")
        # Few rows, many columns: to plan a query well takes five times as long as to run it.
        self._connection.execute("PRAGMA disable_optimizer")
        self._connection.create_function("canonical_json", canonical, ["VARCHAR"], "VARCHAR")
        for function in (*FUNCTIONS, f"td_scheduled_time() AS {scheduled}"):
            self._connection.execute(f"CREATE MACRO {function}")
        for database in {database for database, _ in tables}:
            self._connection.execute(f"CREATE SCHEMA {_name(database)}")

    def query(self, sql: str) -> Result:
        """The result of a query.

        Raises:
            sqlglot.ParseError: it is not in Trino's dialect.
            duckdb.Error: it cannot be run.
        """
        text = translated(sql)
        for (database, table), rows in self._tables.items():
            self._load(f"{_name(database)}.{_name(table)}", rows)
        cursor = self._connection.execute(text)
        columns = [(name, TYPES.get(str(kind), str(kind).lower())) for name, kind, *_ in cursor.description or ()]
        return Result(columns, cursor.fetchall())

    @property
    def schemas(self) -> dict[tuple[str, str], dict[str, str]]:
        """The columns, without `time`, of the tables that queries have created."""
        found: dict[tuple[str, str], dict[str, str]] = {}
        for database, table, name, kind in self._connection.execute(_COLUMNS).fetchall():
            if (database, table) not in self._tables:
                columns = found.setdefault((database, table), {})
                if name != "time":
                    columns[name] = API_TYPES[kind]
        return found

    def _load(self, table: str, rows: Rows) -> None:
        listed = list(rows)
        columns = list(dict.fromkeys(name for row in listed for name in row)) or ["time", "events"]
        kinds = {name: _kind([row.get(name) for row in listed], name) for name in columns}
        declared = ", ".join(f"{_name(name)} {kind}" for name, kind in kinds.items())
        self._connection.execute(f"CREATE OR REPLACE TABLE {table} ({declared})")
        if listed:
            with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
                file.writelines(json.dumps({name: row.get(name) for name in columns}) + "\n" for row in listed)
                file.flush()
                read = ", ".join(f"{_name(name)}: '{kind}'" for name, kind in kinds.items())
                form = f"format='newline_delimited', columns={{{read}}}, maximum_object_size=100000000"
                self._connection.execute(f"INSERT INTO {table} FROM read_json('{file.name}', {form})")


@lru_cache(maxsize=64)
def translated(sql: str) -> str:
    """A query of Trino's as one of DuckDB's."""
    tree = sqlglot.parse_one(sql, read="trino")
    # From the innermost outwards: what is replaced is not looked into any more.
    for node in reversed(list(tree.walk())):
        if type(node) in OURS:
            arguments = [node.args[each] for each in ("this", "expression", "replacement") if node.args.get(each)]
            node.replace(exp.Anonymous(this=OURS[type(node)], expressions=[_path(each) for each in arguments]))
        elif isinstance(node, exp.Cast) and (function := _cast(node)):
            node.replace(exp.Anonymous(this=function, expressions=[node.this]))
        elif isinstance(node, exp.Anonymous) and node.name.upper() in OF_ENTRIES:
            node.replace(_of_entries(node))
    return tree.sql("duckdb")


def _name(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _cast(node: exp.Cast) -> str | None:
    """The function for a cast that DuckDB does otherwise: a text as JSON is read there, and is a JSON text in Trino."""
    if node.to.this is exp.DType.JSON:
        return "to_json"
    return "bigint_of" if isinstance(node, exp.TryCast) and node.to.this is exp.DType.BIGINT else None


def _of_entries(node: exp.Anonymous) -> exp.Expr:
    of_map, function = node.expressions
    names = {each.name: f"entry.{part}" for each, part in zip(function.expressions, ("key", "value"), strict=True)}
    body = function.this.transform(
        lambda each: (
            sqlglot.parse_one(names[each.name]) if isinstance(each, exp.Identifier) and each.name in names else each
        )
    )
    text = OF_ENTRIES[node.name.upper()].format(map=of_map.sql("duckdb"), result=body.sql("duckdb"))
    return sqlglot.parse_one(text, read="duckdb")


def _path(node: exp.Expression) -> exp.Expression:
    """A JSON path as DuckDB has it."""
    if not isinstance(node, exp.JSONPath):
        return node
    names = [part.this for part in node.expressions if isinstance(part, exp.JSONPathKey)]
    return exp.Literal.string("$" + "".join(f'."{name}"' for name in names))


def _kind(values: Sequence[Any], name: str) -> str:
    kinds = {type(value) for value in values if value is not None}
    if name == "time" or kinds == {int}:
        return "BIGINT"
    return "DOUBLE" if kinds and kinds <= {int, float} else "VARCHAR"
