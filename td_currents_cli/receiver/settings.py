"""How a local Postback endpoint behaves: what is the same for every request."""

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final

from td_currents_cli.braze import MAX_BYTES
from td_currents_cli.receiver.faults import Fault


class PostbackApi(StrEnum):
    """Which of Treasure Data's two Postback APIs the endpoint behaves like.

    They differ in how a write key is given and in how large a body may be.
    """

    v1 = "v1"
    v2 = "v2"

    @property
    def body_limit(self) -> int:
        """The largest body that is accepted, in bytes.

        The limit of v2 is Treasure Data's. It documents none for v1; this one only keeps memory bounded.
        """
        return MAX_BYTES if self is PostbackApi.v2 else _V1_BODY_LIMIT


_V1_BODY_LIMIT: Final = 64 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultSettings:
    """How an endpoint differs from one that always works.

    Attributes:
        faults: dealt to requests at random; their shares add up to 1 at most.
        seed: the same one deals the same faults to the first request, the second, and so on.
        latency: seconds that every answer comes late.
        ingest_delay: seconds from the answer until the row is in the store.
        max_rows: after so many rows of this run every other is answered 507; None for no end.
    """

    faults: tuple[Fault, ...] = ()
    seed: int = 0
    latency: float = 0.0
    ingest_delay: float = 0.0
    max_rows: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeSettings:
    """What a `Receiver` is started with.

    Attributes:
        store: file that the rows are appended to; CSV when its name ends in `.csv`, JSON Lines otherwise.
        host: address or name to listen on.
        port: 0 for a free one.
        api: whose rules hold.
        write_key: the one key whose rows are stored; None to store those of any key.
        misbehaviour: what goes wrong on purpose; nothing, unless asked for.
        stop_within: seconds that requests in flight are given to finish when the receiver stops.
    """

    store: Path
    host: str = "127.0.0.1"
    port: int = 0
    api: PostbackApi = PostbackApi.v2
    # Not in the repr: an assertion or a traceback that prints the settings must not print the key.
    write_key: str | None = field(default=None, repr=False)
    misbehaviour: FaultSettings = field(default_factory=FaultSettings)
    stop_within: int = 10
