"""From the address of a table to the account it is in."""

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


def _nobody(_: object) -> None:
    """Is told, and does nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TdConnection:
    """How tables are reached.

    Attributes:
        key_file: path of a file that holds the API key.
        told: is told how each job stands.
        environ: for the settings that are not given.
        patience: how long the service is borne with; None for as long as usual.
    """

    key_file: str | None = None
    told: ProgressCallback = _nobody
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)
    patience: "RetryPolicy | None" = None

    def warehouse(self, address: TableAddress) -> "TdClient":
        """The account that a table is in.

        Raises:
            UsageError: there is no key, settings make no sense, or Treasure Data's client is not installed.
        """
        settings = td_settings(address.site, self.key_file, self.environ)
        try:
            from td_currents_cli.warehouse.client import TdClient  # noqa: PLC0415 -- heavy, and need not be there
        except ModuleNotFoundError as error:
            if (error.name or "").partition(".")[0] not in {"tdclient", "msgpack", "urllib3"}:
                raise
            raise UsageError(
                f"{address}: Treasure Data's own client is not installed",
                hint="python3 -m pip install 'td-currents-cli[td]'",
            ) from None
        return TdClient(settings, told=self.told, patience=self.patience)
