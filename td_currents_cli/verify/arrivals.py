"""The ids of the events that a table contains."""

from collections.abc import Collection, Iterator
from typing import Final

from td_currents_cli.choices import Layout
from td_currents_cli.errors import InputError
from td_currents_cli.treasure_data.address import Period, TableAddress, table_layout
from td_currents_cli.treasure_data.client import ProgressCallback
from td_currents_cli.treasure_data.errors import NoTableError
from td_currents_cli.treasure_data.sql.events import table_events
from td_currents_cli.treasure_data.sql.queries import stored_ids_sql
from td_currents_cli.treasure_data.tables import TdConnection

_ID: Final = "id"


class Arrivals:
    """The ids of the events in a table, in rows with a receive time in a period."""

    def __init__(self, address: TableAddress, period: Period, access: TdConnection) -> None:
        self.address = address
        self.period = period
        self.unreadable = 0  # rows, and events in them, that could not be read in the last query
        self._warehouse = access.client(address)

    def ids(self, wanted: Collection[str], on_progress: ProgressCallback) -> Iterator[str]:
        """The ids that the table contains now, possibly repeated: all wanted ones, and maybe others.

        None if the table does not exist yet.

        Raises:
            InputError: the table has no ids.
            TdcurError: the table cannot be queried; see `TdClient.query`.
        """
        self.unreadable = 0
        warehouse, database = self._warehouse, self.address.database
        warehouse.on_progress = on_progress
        try:
            columns = warehouse.columns(database, self.address.table)
        except NoTableError:
            # Treasure Data creates a table with its first row.
            return
        layout = table_layout(self.address, columns)
        if layout is Layout.FLAT and _ID not in columns:
            raise InputError(
                f"{self.address} has no column `{_ID}`, so its events cannot be identified",
                hint="Name the table that the events were sent to.",
            )
        events = table_events(self.address, layout, self.period, columns)
        for event_id, kind in warehouse.rows(warehouse.query(stored_ids_sql(events, wanted), database)):
            self.unreadable += kind is not None
            if event_id is not None:
                yield event_id
