"""A project of Treasure Workflow, whose engine is digdag: later queries contain results of earlier ones."""

from collections.abc import Mapping
from typing import Final

from td_currents_cli.catalog import load
from td_currents_cli.catalog.ddl import create_table_sql, flat_columns
from td_currents_cli.choices import Layout, Names, Schedule
from td_currents_cli.events.filter import WITHOUT_CANARIES
from td_currents_cli.treasure_data.sql.daily import (
    DropLimits,
    counted_days,
    create_daily_sql,
    delete_days_sql,
    drop_report_sql,
    drops_sql,
    insert_days_sql,
)
from td_currents_cli.treasure_data.sql.events import table_events
from td_currents_cli.treasure_data.sql.incremental import (
    IncrementalQuery,
    TimeSpan,
    batch_sql,
    create_state_sql,
    doubles_sql,
    insert_new_sql,
    record_run_sql,
    source_name,
    watermark_sql,
)
from td_currents_cli.treasure_data.sql.scheduled import WORKFLOW_CLOCK, for_workflow
from td_currents_cli.treasure_data.sql.text import TimeRange
from td_currents_cli.workflow import WorkflowRequest
from td_currents_cli.workflow.daily_counts import daily_counts_sql, daily_table


def digdag_files(request: WorkflowRequest) -> Mapping[str, str]:
    """Write the project: the contents of each file by its path."""
    name = f"{request.flat.table}.dig"
    queries = {f"queries/{each}.sql": f"-- {why}\n{sql}\n" for each, (why, sql) in _queries(request).items()}
    return {name: _main(request), "alert.dig": _ALERT, **queries}


def _queries(request: WorkflowRequest) -> Mapping[str, tuple[str, str]]:
    """Write the queries, each with what it does; those of the flatten are what `parse --incremental` runs."""
    raw, flat, zone = request.raw, request.flat, request.zone
    state = flat.database, source_name(raw), str(flat)
    columns = flat_columns(load().events.values(), Names.STREAMING)
    window = TimeRange(_result("since"), _result("until"))
    query = IncrementalQuery(
        events=table_events(raw, Layout.BATCHES, window, ()),
        since=window.since,
        watermark=_result("watermark"),
        filter=WITHOUT_CANARIES,
    )
    span = TimeSpan(_result("oldest"), _result("newest"))
    daily, days = daily_table(flat), counted_days(zone)
    return {
        "create_state": ("How far earlier runs have read.", create_state_sql(flat.database)),
        "create_flat": ("The table of flat events.", create_table_sql((flat.database, flat.table), columns)),
        "create_daily": ("The table of daily counts.", create_daily_sql(daily)),
        "window": ("The receive times of the rows that this run reads.", _window_sql(watermark_sql(*state))),
        "batch": ("The events of these rows, without copies.", _with_window(batch_sql(query))),
        "insert": ("The events that the flat table does not have.", insert_new_sql(query, flat, columns, span)),
        "record": (
            "The last statement of the flatten: the next run goes on from here.",
            record_run_sql(*state, now=WORKFLOW_CLOCK, since=window.since, watermark=window.until),
        ),
        "doubles": ("Event ids that the flat table has twice.", doubles_sql(flat, window.since, span)),
        "delete_days": ("The last days, which are counted again.", for_workflow(delete_days_sql(daily, days))),
        "count_days": (
            "Events by day and type.",
            for_workflow(insert_days_sql(daily, daily_counts_sql(flat, days, zone), zone)),
        ),
        "drops": (
            "Event types with fewer events than in the same hours of the days before.",
            drop_report_sql(drops_sql(flat, _LIMITS)),
        ),
    }


def _result(column: str) -> str:
    """The variable that a task sets with `store_last_results`."""
    return f"${{td.last_results.{column}}}"


def _window_sql(watermark: str) -> str:
    """Write the query for `since`, `watermark`, and `until`; before the first run there is no watermark."""
    return "\n".join(
        [
            "SELECT",
            "  CASE WHEN watermark IS NULL THEN ${first_row} ELSE GREATEST(watermark - ${overlap}, 0) END AS since,",
            "  COALESCE(watermark, ${first_row}) AS watermark,",
            f"  GREATEST(COALESCE(watermark, ${{first_row}}), {WORKFLOW_CLOCK}) AS until",
            f"FROM (\n{watermark}\n) recorded",
        ]
    )


def _with_window(batch: str) -> str:
    """Pass the window on: only the results of the last task with `store_last_results` are kept."""
    window = "".join(f"  {_result(name)} AS {name},\n" for name in ("since", "watermark", "until"))
    return f"SELECT\n{window}  batch.*\nFROM (\n{batch}\n) batch"


_LIMITS: Final = DropLimits(
    end=f"({WORKFLOW_CLOCK} - ${{lag}})",
    hours="${hours}",
    days="${days}",
    drop="${drop}",
    least="${least}",
    least_silent="${least_silent}",
)


def _main(request: WorkflowRequest) -> str:
    is_hourly = request.schedule is Schedule.HOURLY
    return _MAIN.format(
        raw=request.raw,
        flat=request.flat,
        daily=daily_table(request.flat),
        zone=request.zone,
        schedule='hourly>: "10:00"' if is_hourly else 'daily>: "00:10:00"',
        begins="ten minutes after the hour" if is_hourly else "ten minutes after midnight",
        database=request.flat.database,
        project=request.flat.table,
        hours=1 if is_hourly else 24,
    )


_MAIN: Final = """\
# Flattens {raw} into {flat}, counts the events of each day,
# and reports event types that drop or fall silent. Written by `tdcur workflow init`; the files are yours to change.
#
# Deploy it; name a webhook for alerts, which takes {{"text": ...}}, such as Slack's; and run it once:
#
#   td wf push {project}
#   td wf secrets --project {project} --set alert_url
#   td wf start {project} {project} --session now
#
# A run may be repeated, also after a failure: each event id is inserted once.

timezone: {zone}

# Runs begin {begins}: rows appear within about five minutes.
schedule:
  {schedule}
  skip_on_overtime: true  # two runs at a time do not see each other's events

_export:
  td:
    database: "{database}"
    engine: presto
  first_row: 0        # the first run reads rows received from this time on, in UNIX seconds; 0: all
  overlap: 3600       # seconds before the last run's end that are read again: rows may appear late
  # An alert compares this many hours, which end `lag` seconds before the run, with the same hours of the days before.
  hours: {hours}
  days: 7
  lag: 3600
  drop: 0.5           # share of the usual number of events by which a type must drop
  least: 30           # a drop is reported for types that usually have at least this many events
  least_silent: 10    # the same for a type without any event

_error:
  +alert:
    _export:
      message: "{flat}: the workflow failed (session ${{session_id}})"
    call>: alert.dig

+create:
  +state:
    td>: queries/create_state.sql
  +flat:
    td>: queries/create_flat.sql
  +daily:
    td>: queries/create_daily.sql

# Incremental flatten. Its state is that of `tdcur parse --incremental`: either may go on where the other ended.
# The results of a query are variables of the queries after it.
+window:
  td>: queries/window.sql
  store_last_results: true

+batch:
  td>: queries/batch.sql
  store_last_results: true

+insert:
  if>: ${{td.last_results.unique_events > 0}}
  _do:
    td>: queries/insert.sql

+record:
  td>: queries/record.sql

+doubles:
  td>: queries/doubles.sql
  store_last_results: true

# `tdcur parse {raw} --into {flat} --incremental` prints how to remove the copies.
+report_doubles:
  if>: ${{td.last_results.doubled_ids > 0}}
  _do:
    _export:
      message: "{flat}: ${{td.last_results.doubled_ids}} event ids are there more than once"
    call>: alert.dig

# Daily counts, in {daily}. The last seven days are counted again: late events belong to earlier days.
+count:
  +delete_days:
    td>: queries/delete_days.sql
  +count_days:
    td>: queries/count_days.sql

+drops:
  td>: queries/drops.sql
  store_last_results: true

+report_drops:
  if>: ${{td.last_results.event_types > 0}}
  _do:
    _export:
      message: "{flat}: ${{td.last_results.event_types}} event types dropped: ${{td.last_results.report}}"
    call>: alert.dig
"""

_ALERT: Final = """\
# Sends ${message}. The address is a secret of the project; its name is alert_url.
+send:
  http>: ${secret:alert_url}
  method: POST
  content:
    text: ${message}
  content_format: json

# By mail instead:
# +send:
#   mail>: {data: "${message}"}
#   subject: Braze Currents
#   to: [you@example.com]
"""
