"""Projects that flatten, count, and watch the events of a table on a schedule: a Treasure Workflow, or dbt.

The package itself contains only the request, so that the command's help does not load what writes the files.
"""

from pathlib import Path

from msgspec import Struct

from td_currents_cli.choices import ProjectKind, Schedule
from td_currents_cli.treasure_data.address import TableAddress


class WorkflowRequest(Struct, frozen=True, kw_only=True):
    folder: Path
    kind: ProjectKind
    raw: TableAddress  # with a batch in each row
    flat: TableAddress  # of the same database
    schedule: Schedule = Schedule.HOURLY
    zone: str = "UTC"  # IANA name
    force: bool = False  # overwrite files
