"""What has arrived in a table."""

from collections.abc import Collection, Iterator
from typing import Final

from td_currents_cli.choices import Layout
from td_currents_cli.errors import InputError
from td_currents_cli.warehouse.access import TdConnection
from td_currents_cli.warehouse.address import TableAddress
from td_currents_cli.warehouse.failure import NoTableError
from td_currents_cli.warehouse.job import ProgressCallback
from td_currents_cli.warehouse.layout import table_layout
from td_currents_cli.warehouse.period import Period
from td_currents_cli.warehouse.sql.arrived import stored_ids_sql
from td_currents_cli.warehouse.sql.events import table_events

_ID: Final = "id"


class Arrivals:
    """The ids of the events in a table.

    Attributes:
        unreadable: rows and elements of them that nothing could be made of, when ids were last asked for.

    Args:
        address: of the table.
        period: when the rows were received that are looked at.
        access: how the table is reached.
    """

    def __init__(self, address: TableAddress, period: Period, access: TdConnection) -> None:
        self.address = address
        self.period = period
        self.unreadable = 0
        self._warehouse = access.warehouse(address)

    def ids(self, wanted: Collection[str], told: ProgressCallback) -> Iterator[str]:
        """The ids that are there now, each once or more often: all of the wanted ones, and others perhaps.

        There are none where there is no such table yet.

        Args:
            wanted: the ids that are looked for.
            told: is told how the job stands.

        Raises:
            InputError: the table has no ids.
            TdcurError: the table cannot be asked; see `Warehouse.query`.
        """
        self.unreadable = 0
        warehouse, database = self._warehouse, self.address.database
        warehouse.told = told
        try:
            columns = warehouse.columns(database, self.address.table)
        except NoTableError:
            # Treasure Data makes a table with its first row.
            return
        layout = table_layout(self.address, columns)
        if layout is Layout.FLAT and _ID not in columns:
            raise InputError(
                f"{self.address} has no column `{_ID}`: nothing tells which events are there",
                hint="Name the table that the events were sent to.",
            )
        events = table_events(self.address, layout, self.period, columns)
        for event_id, kind in warehouse.rows(warehouse.query(stored_ids_sql(events, wanted), database)):
            self.unreadable += kind is not None
            if event_id is not None:
                yield event_id
