"""A project of dbt: models of the flat events and of daily counts, with tests, and the freshness of the raw table."""

from collections.abc import Mapping
from typing import Final

from td_currents_cli.choices import Layout, Query, RunBy
from td_currents_cli.count import CountRequest
from td_currents_cli.events.filter import WITHOUT_CANARIES
from td_currents_cli.treasure_data.address import DAY, Period, TableAddress
from td_currents_cli.treasure_data.print_sql import SqlRequest, run
from td_currents_cli.treasure_data.sql.daily import DropLimits, counted_days, drops_sql
from td_currents_cli.treasure_data.sql.scheduled import CLOCK, ScheduledTime, for_dbt
from td_currents_cli.treasure_data.sql.text import TimeRange, receive_time_condition, table_identifier
from td_currents_cli.workflow import WorkflowRequest
from td_currents_cli.workflow.daily_counts import daily_counts_sql, daily_table

_PERIOD: Final = 2 * DAY
"""Receive times that a run reads: two days cover runs that were left out. Events that come again replace themselves."""


def dbt_files(request: WorkflowRequest) -> Mapping[str, str]:
    """Write the project: the contents of each file by its path."""
    raw, flat = request.raw, request.flat
    daily = daily_table(flat)
    names = {
        "project": f"currents_{flat.table}",
        "database": flat.database,
        "raw": raw.table,
        "flat": flat.table,
        "daily": daily.table,
    }
    return {
        "dbt_project.yml": _PROJECT.format_map(names),
        "profiles.yml": _PROFILES.format_map(names),
        "models/schema.yml": _SCHEMA.format_map(names),
        f"models/{flat.table}.sql": _FLAT + _with_source(_flat_model(raw), raw),
        f"models/{daily.table}.sql": _DAILY + _with_ref(_daily_model(flat, request.zone), flat),
        f"tests/{flat.table}_drops.sql": _DROPS + _with_ref(for_dbt(drops_sql(flat, _LIMITS)), flat),
    }


def _flat_model(raw: TableAddress) -> str:
    now = ScheduledTime(0.0)
    return run(
        SqlRequest(
            query=Query.PARSE,
            table=raw,
            layout=Layout.BATCHES,
            period=Period(now - _PERIOD, now),
            counted=CountRequest((), wanted=WITHOUT_CANARIES, dedupe=True),
            run_by=RunBy.DBT,
        )
    ).sql


def _daily_model(flat: TableAddress, zone: str) -> str:
    days = counted_days(zone)
    rows, all_rows = (receive_time_condition(each) for each in (days, TimeRange("0", days.until)))
    return for_dbt(daily_counts_sql(flat, days, zone), rows, all_rows, key="day")


def _with_source(model: str, table: TableAddress) -> str:
    named = f"{{{{ source('{table.database}', '{table.table}') }}}}"
    return model.replace(table_identifier(table), named) + "\n"


def _with_ref(model: str, table: TableAddress) -> str:
    named = f"{{{{ ref('{table.table}') }}}}"
    return model.replace(table_identifier(table), named) + "\n"


_LIMITS: Final = DropLimits(end=f"({CLOCK} - 3600)", hours="24", days="7", drop="0.5", least="30", least_silent="10")

_FLAT: Final = "-- Flat events: a row per event.\n"
_DAILY: Final = (
    "-- Events by day and type. A run counts the last seven days again: late events belong to earlier days.\n"
)
_DROPS: Final = """\
-- Fails for event types with less than half of the events that they usually have in a day, and for silent ones.
"""

_PROJECT: Final = """\
# Written by `tdcur workflow init --dbt`. The files are yours to change.
#
#   python3 -m pip install dbt-trino
#   export TD_API_KEY=...
#   dbt build --profiles-dir .             # run the models, then their tests
#   dbt source freshness --profiles-dir .  # when the last row came
#
# A run for another time than now: dbt build --vars '{{session_unixtime: 1782864000}}'
name: {project}
version: "1.0.0"
profile: {project}
model-paths: [models]
test-paths: [tests]
"""

_PROFILES: Final = """\
# Treasure Data's Trino. The key is in the environment, not in this file. Other regions have other hosts:
# api-presto.treasuredata.co.jp, api-presto.eu01.treasuredata.com, api-presto.ap02.treasuredata.com, ...
{project}:
  target: treasure_data
  outputs:
    treasure_data:
      type: trino
      method: none
      host: api-presto.treasuredata.com
      port: 443
      http_scheme: https
      user: "{{{{ env_var('TD_API_KEY') }}}}"
      database: td-presto
      schema: "{database}"
      threads: 1
"""

_SCHEMA: Final = """\
version: 2

sources:
  - name: "{database}"
    schema: "{database}"
    tables:
      - name: "{raw}"
        description: Rows that Braze sends, each with a batch of events. `time` is the receive time.
        loaded_at_field: "FROM_UNIXTIME(time)"
        freshness:
          warn_after: {{count: 1, period: hour}}
          error_after: {{count: 24, period: hour}}  # after 48 hours of failures, Braze drops events
          filter: "TD_INTERVAL(time, '-7d/now')"

models:
  - name: "{flat}"
    description: Flat events. `time` is the event time, `received_time` the receive time.
    columns:
      - name: id
        description: Braze's id of the event. Later runs replace an event that comes again.
        data_tests:
          - unique
          - not_null:
              config: {{severity: warn}}  # an event without an id is inserted again by each run that reads it
      - name: time
        data_tests: [not_null]
      - name: received_time
        data_tests: [not_null]
      - name: event_type
        data_tests:
          - not_null:
              config: {{severity: warn}}
      - name: other_fields
        description: Fields without a column, and values that do not fit theirs, as a JSON string.

  - name: "{daily}"
    description: Events and users by day and event type.
    columns:
      - name: day
        data_tests: [not_null]
      - name: events
        data_tests: [not_null]
"""
