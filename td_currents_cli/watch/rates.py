"""The usual numbers of events per type and hour of the day, read once a day from the rows of a week, kept in a file."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from statistics import median
from typing import Final, TypeAlias

import msgspec
from msgspec import Struct, field, structs

from td_currents_cli.errors import OutputError
from td_currents_cli.write.files import atomic_output

HOUR: Final = 3600
DAY: Final = 24 * HOUR
WEEK: Final = 7 * DAY

ReceivedRow: TypeAlias = tuple[str | None, int, int, float]
"""A row of `received_sql`."""


class UsualRates(Struct, frozen=True):
    """What is known of a table between rounds."""

    read_at: float | None = None  # UNIX seconds
    by_type: Mapping[str, list[float | None]] = field(default_factory=dict)  # events in each of the 24 hours (UTC)
    last_row: float | None = None  # when the last row was received

    def is_due(self, now: float) -> bool:
        return self.read_at is None or not 0 <= now - self.read_at < DAY

    def usual(self, event_type: str | None, begin: float) -> float | None:
        """The events that are usual in the hour that begins then; None if there is no such hour before it."""
        if not self.by_type:
            return None
        hour = int(begin // HOUR) % 24
        share = 1 - begin % HOUR / HOUR
        of_hours = self.by_type.get(event_type or "")
        if of_hours is None:
            return None
        first, second = of_hours[hour], of_hours[(hour + 1) % 24]
        return None if first is None or second is None else share * first + (1 - share) * second

    def seen(self, last_row: float | None, until: float) -> "UsualRates":
        """The same with a later last row. One that is not before `until` is not one that was received."""
        known = [each for each in (self.last_row, last_row) if each is not None and each < until]
        return structs.replace(self, last_row=max(known, default=None))


def rates_of(rows: Iterable[ReceivedRow], now: float) -> UsualRates:
    """Take the median of each hour of the day over the days with rows, given rows whose bucket is HOUR_NUMBER."""
    found: defaultdict[str, dict[int, int]] = defaultdict(dict)
    last: float | None = None
    for event_type, hour, events, received in rows:
        found[event_type or ""][hour] = events
        last = received if last is None else max(last, received)
    hours = [hour for of_type in found.values() for hour in of_type]
    # The first hour with rows and the current one are incomplete.
    complete = range(min(hours) + 1, int(now // HOUR)) if hours else range(0)
    by_type = {
        event_type: [
            median(values) if (values := [of_hour.get(each, 0) for each in complete if each % 24 == hour]) else None
            for hour in range(24)
        ]
        for event_type, of_hour in found.items()
    }
    return UsualRates(now, by_type, last)


def load_rates(file: Path) -> UsualRates:
    """Read what is kept; nothing if the file is not there or not as it was written."""
    try:
        rates = msgspec.json.decode(file.read_bytes(), type=UsualRates)
    except (OSError, msgspec.DecodeError):
        return UsualRates()
    return rates if all(len(hours) == 24 for hours in rates.by_type.values()) else UsualRates()


def save_rates(file: Path, rates: UsualRates) -> None:
    """Raises OutputError."""
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"cannot create the folder {file.parent}: {(error.strerror or type(error).__name__).lower()}",
            hint="Set XDG_STATE_HOME to a folder that can be written to.",
        ) from error
    with atomic_output(file) as output:
        output.write(msgspec.json.encode(rates))
