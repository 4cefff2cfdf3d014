"""Files of Braze's export to cloud storage, for tests."""

from collections.abc import Iterable, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any, Final

from td_currents_cli.catalog import load
from td_currents_cli.catalog.avro_schema import writer_schema
from td_currents_cli.write.avro import write_avro

OPEN: Final = "users.messages.email.Open"


def schema_of(event_type: str = OPEN) -> dict[str, Any]:
    return writer_schema(load().events[event_type])


def record(number: int = 1, **fields: Any) -> dict[str, Any]:
    """The record of an event, with what every email that was opened has."""
    required = {"id": f"id-{number}", "user_id": f"user-{number}", "time": 1_782_864_000 + number}
    return {**required, "email_address": "a@example.com", **fields}


def avro_of(
    records: Iterable[Mapping[str, Any]], *, schema: dict[str, Any] | None = None, codec: str = "null"
) -> bytes:
    output = BytesIO()
    write_avro(output, schema or schema_of(), records, codec=codec)
    return output.getvalue()


def export_path(folder: Path, *, event_type: str = OPEN, hour: str = "2026-07-01-00", part: int = 1) -> Path:
    """Where the layout has a file; its folder is created."""
    root = "dataexport.cluster.S3.integration.0"
    path = folder.joinpath(root, f"event_type={event_type}", f"date={hour}", "9", "zone", f"part-{part}.avro")
    path.parent.mkdir(parents=True, exist_ok=True)
    return path
