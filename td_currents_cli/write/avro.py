"""Avro object container files."""

from collections.abc import Iterable, Mapping
from hashlib import blake2b
from typing import Any, BinaryIO, Final

import orjson

BLOCK_SIZE: Final = 1 << 16  # bytes of a block before it is compressed


def write_avro(
    output: BinaryIO, schema: Mapping[str, Any], records: Iterable[Mapping[str, Any]], *, codec: str = "snappy"
) -> None:
    """Write records with their schema: the same bytes for the same records."""
    from fastavro import writer  # noqa: PLC0415 -- heavy, and rarely used

    marker = blake2b(orjson.dumps(schema), digest_size=16).digest()
    writer(output, {**schema}, records, codec=codec, sync_interval=BLOCK_SIZE, sync_marker=marker)
