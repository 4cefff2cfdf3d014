"""Synthetic events as files of Braze's export to cloud storage, in its layout."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Raw

from td_currents_cli.braze import CUSTOM_FIELDS, PLACES
from td_currents_cli.catalog import EventType
from td_currents_cli.catalog.avro_schema import writer_schema
from td_currents_cli.errors import OutputError, UsageError
from td_currents_cli.write.avro import write_avro
from td_currents_cli.write.files import atomic_output

FILE_EVENTS: Final = 10_000
"""Maximum number of events in a file."""

_ROOT: Final = "dataexport.example.storage.integration.1"
_SCHEMA_AND_ZONE: Final = ("1", "example")


class _Event(msgspec.Struct):
    event_type: str
    id: str
    time: int
    user: dict[str, Any]
    properties: dict[str, Raw]


_decoder: Final = msgspec.json.Decoder(_Event)


class ExportWriter:
    """Writes events to files by type and by the hour in which they are sent.

    Args:
        folder: where the layout begins; new, or empty.
        types: those of all events.
    """

    def __init__(self, folder: Path, types: Iterable[EventType]) -> None:
        """Raises UsageError if the folder has files in it."""
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise UsageError(f"-o {folder} is not an empty folder", hint="Name a new folder for the export.")
        self.bytes = 0  # written
        self._folder = folder
        self._schemas = {each.name: writer_schema(each) for each in types}
        self._hour = ""
        self._parts: dict[str, int] = {}  # number of files of the hour, by type
        self._records: defaultdict[str, list[Mapping[str, Any]]] = defaultdict(list)

    def add(self, sent: int, events: Iterable[bytes]) -> None:
        """Add events that are sent at a time in UNIX seconds, which never decreases."""
        hour = f"{datetime.fromtimestamp(sent, UTC):%Y-%m-%d-%H}"
        if hour != self._hour:
            self.finish()
            self._hour, self._parts = hour, {}
        for event in events:
            name, record = record_of(event)
            self._records[name].append(record)
            if len(self._records[name]) == FILE_EVENTS:
                self._write(name)

    def finish(self) -> None:
        """Write the files of the last hour."""
        for name in list(self._records):
            self._write(name)

    def _write(self, name: str) -> None:
        part = self._parts[name] = self._parts.get(name, 0) + 1
        folder = self._folder.joinpath(_ROOT, f"event_type={name}", f"date={self._hour}", *_SCHEMA_AND_ZONE)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"cannot write {folder}: {error.strerror}") from None
        with atomic_output(folder / f"part-{part:05}.avro") as output:
            write_avro(output, self._schemas[name], self._records.pop(name))
            self.bytes += output.tell()


def record_of(event: bytes) -> tuple[str, dict[str, Any]]:
    """Return the type and the record of an event: its fields with bare names, and custom properties as a string."""
    decoded = _decoder.decode(event)
    record = {"id": decoded.id, "time": decoded.time, **decoded.user, **dict(_values(decoded.properties))}
    return decoded.event_type, record


def _values(properties: Mapping[str, Raw]) -> Iterator[tuple[str, object]]:
    for name, value in properties.items():
        if name in CUSTOM_FIELDS:
            yield PLACES[1], bytes(value).decode()
        else:
            yield name, msgspec.json.decode(value)
