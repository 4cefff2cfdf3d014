"""The connection settings of a command, from which each table gets its client."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from td_currents_cli.errors import UsageError
from td_currents_cli.warehouse.address import TableAddress
from td_currents_cli.warehouse.job import ProgressCallback
from td_currents_cli.warehouse.settings import td_settings

if TYPE_CHECKING:
    from td_currents_cli.warehouse.client import TdClient
    from td_currents_cli.warehouse.patience import RetryPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class TdConnection:
    key_file: str | None = None
    on_progress: ProgressCallback = lambda _: None
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)
    retry_policy: "RetryPolicy | None" = None

    def client(self, address: TableAddress) -> "TdClient":
        """Open the account that a table is in.

        Raises:
            UsageError: there is no API key, a setting is invalid, or Treasure Data's client is not installed.
        """
        settings = td_settings(address.site, self.key_file, self.environ)
        try:
            from td_currents_cli.warehouse.client import TdClient  # noqa: PLC0415 -- slow to import, and optional
        except ModuleNotFoundError as error:
            if (error.name or "").partition(".")[0] not in {"tdclient", "msgpack", "urllib3"}:
                raise
            raise UsageError(
                f"{address}: Treasure Data's Python client is not installed",
                hint="python3 -m pip install 'td-currents-cli[td]'",
            ) from None
        return TdClient(settings, on_progress=self.on_progress, retry_policy=self.retry_policy)
