"""Avro object container files of Braze's export to cloud storage: a record per event, whose type the path tells.

A record is flat and has bare names. It becomes the event that is sent over HTTP: its fields in `user` or `properties`,
without those that are null, and the custom properties, which are JSON in a string, as an object.

The container is taken apart here: it is three lines of the specification, and a reader that trusts its sizes and counts
takes all memory for a damaged one, or drops records without a word. Records are decoded by fastavro.
"""

import json
import zlib
from collections.abc import Callable, Iterator, Mapping
from io import BytesIO
from typing import Any, Final, TypeAlias

import orjson

from td_currents_cli.braze import CUSTOM_FIELD, MAX_EVENTS, PAYLOAD_END, PAYLOAD_START, USER_FIELDS
from td_currents_cli.model import Batch, Code, Location, Problem, Record
from td_currents_cli.read.export_layout import event_type_of
from td_currents_cli.read.options import ReadOptions
from td_currents_cli.read.scanner import Scanner, TooLargeError, is_json

MAGIC: Final = b"Obj\x01"
_SYNC_SIZE: Final = 16
_CRC_SIZE: Final = 4
_INTEGER_SIZE: Final = 10  # maximum bytes of an integer

_Avro: TypeAlias = dict[str, Any]


class _DamagedError(Exception):
    """The bytes are not what they should be. The message says what is wrong, after the name of the place."""


def avro_batches(scanner: Scanner, source: str, options: ReadOptions) -> Iterator[Record]:
    """Yield payloads of up to 100 events. The row of each is the number of its first record.

    What is damaged ends the source; all blocks before it are read.
    """
    try:
        container = _Container(scanner)
    except _DamagedError as error:
        if scanner.failure is None:
            message = f"the header of the Avro file {error}"
            yield Problem(code=Code.UNREADABLE, location=Location(source=source), message=message)
        return
    event_type = event_type_of(source) or options.event_type
    if (problem := _foreign(container.fields, event_type, Location(source=source))) is not None:
        yield problem
    else:
        yield from _payloads(container, source, _encoder(event_type or "", container.fields))


def _payloads(container: "_Container", source: str, encode: Callable[[_Avro], bytes]) -> Iterator[Record]:
    events: list[bytes] = []
    place, rows = Location(source=source, row=1), 0
    failure: _DamagedError | TooLargeError | None = None
    try:
        for offset, record in container.records(source):
            if not events:
                place = Location(source=source, row=rows + 1, offset=offset)
            events.append(encode(record))
            rows += 1
            if len(events) == MAX_EVENTS:
                yield _payload(events, place)
                events = []
    except (_DamagedError, TooLargeError) as error:
        failure = error
    if events:
        yield _payload(events, place)
    if isinstance(failure, TooLargeError):
        raise failure
    if failure is not None and not container.is_cut_off:
        message = f"block {container.block} of the Avro file {failure}; the {rows:,} records before it were read"
        location = Location(source=source, offset=container.offset)
        yield Problem(code=Code.UNREADABLE, location=location, message=message)


def _payload(events: list[bytes], place: Location) -> Batch:
    return Batch(PAYLOAD_START + b",".join(events) + PAYLOAD_END, place, is_utf8=True, is_export=True)


def _foreign(fields: frozenset[str], event_type: str | None, place: Location) -> Problem | None:
    """Return why records cannot become events; None if they can."""
    if missing := {"id", "time"} - fields:
        message = f"the records of the Avro file are not Braze's events: they have no field `{min(missing)}`"
        return Problem(code=Code.UNKNOWN_FORM, location=place, message=message)
    if event_type is None:
        message = "the type of the events in the Avro file is not known: its path has no folder event_type=…"
        hint = "Name the type: --event-type TYPE."
        return Problem(code=Code.UNKNOWN_FORM, location=place, message=message, hint=hint)
    return None


def _encoder(event_type: str, fields: frozenset[str]) -> Callable[[_Avro], bytes]:
    """Return a function that encodes a record as the event."""
    of_user = [name for name in USER_FIELDS if name in fields]
    custom = CUSTOM_FIELD.get(event_type) if "properties" in fields else None

    def encode(record: _Avro) -> bytes:
        take = record.pop
        event = {"event_type": event_type, "id": take("id"), "time": take("time")}
        user = {name: value for name in of_user if (value := take(name)) is not None}
        text = take("properties") if custom else None
        properties = {name: value for name, value in record.items() if value is not None}
        if custom and text:
            properties[custom] = _custom(text)
        if None in event.values():
            event = {name: value for name, value in event.items() if value is not None}
        try:
            return orjson.dumps({**event, "user": user, "properties": properties})
        except orjson.JSONEncodeError:
            raise _DamagedError("contains values that JSON does not have") from None

    return encode


def _custom(text: object) -> object:
    """Return the object whose JSON a string is, on one line; anything else unchanged."""
    json_text = text.encode() if isinstance(text, str) else b""
    return orjson.Fragment(json_text.replace(b"\n", b" ").replace(b"\r", b" ")) if is_json(json_text) else text


class _Container:
    """An object container file, of which the header is read.

    Attributes:
        fields: names of the fields of its records.
        block: number of the block that is read, from 1.
        offset: where it begins.
    """

    def __init__(self, scanner: Scanner) -> None:
        """Raises _DamagedError if the header is damaged."""
        self._scanner = scanner
        self.block, self.offset = 0, 0
        if self._take(len(MAGIC)) != MAGIC:
            raise _DamagedError("does not begin as that of an Avro file")
        metadata = self._metadata()
        self._marker = self._take(_SYNC_SIZE)
        self._codec = metadata.get("avro.codec", b"null").decode(errors="replace")
        if self._codec not in _CODECS:
            raise _DamagedError(f"names a codec that tdcur does not know (it knows {', '.join(_CODECS)})")
        try:
            schema = json.loads(metadata["avro.schema"])
            self.fields = frozenset(field["name"] for field in schema.get("fields", ()))
            self._read_all = _array_reader(schema)
        except Exception:  # noqa: BLE001 -- whatever the parser of schemas makes of JSON that is not one
            raise _DamagedError("has no valid schema") from None

    @property
    def is_cut_off(self) -> bool:
        """Whether the source itself could not be read to its end."""
        return self._scanner.failure is not None

    def records(self, source: str) -> Iterator[tuple[int, _Avro]]:
        """Yield each record with the offset of its block.

        Raises:
            _DamagedError: a block is truncated or damaged.
            TooLargeError: a block is larger than the scanner's limit.
        """
        while self._scanner.head(1):
            self.offset = self._scanner.offset
            self.block += 1
            count = self._take_integer()
            size = self._take_integer()
            if min(count, size) < 0:
                raise _DamagedError("is damaged: a count is negative")
            if size > self._scanner.limit:
                raise TooLargeError(Location(source=source, offset=self.offset))
            packed = self._take(size)
            if self._take(_SYNC_SIZE) != self._marker:
                raise _DamagedError("is damaged: it does not end where it says")
            plain = _CODECS[self._codec](packed, self._scanner.limit)
            if plain is None:
                raise TooLargeError(Location(source=source, offset=self.offset))
            for record in self._read_all(count, plain):
                yield self.offset, record

    def _metadata(self) -> Mapping[str, bytes]:
        """Take a map of bytes."""
        found: dict[str, bytes] = {}
        while count := self._take_integer():
            if count < 0:
                self._take_integer()  # its size, which only those need who skip it
            for _ in range(abs(count)):
                name = self._take(self._take_integer()).decode(errors="replace")
                found[name] = self._take(self._take_integer())
        return found

    def _take_integer(self) -> int:
        """Take an integer of variable length (little endian, zigzag)."""
        encoded = 0
        for place in range(_INTEGER_SIZE):
            byte = self._take(1)[0]
            encoded |= (byte & 0x7F) << 7 * place
            if byte < 0x80:
                return encoded >> 1 ^ -(encoded & 1)
        raise _DamagedError("is damaged: an integer has too many bytes")

    def _take(self, size: int) -> bytes:
        if not 0 <= size <= self._scanner.limit:
            raise _DamagedError("is damaged: a size is negative, or too large")
        taken = self._scanner.head(size)
        if len(taken) < size:
            raise _DamagedError("is truncated")
        self._scanner.take_piece(size)
        return taken


def _array_reader(schema: object) -> Callable[[int, bytes], list[_Avro]]:
    """Return a function that decodes a number of records. It raises _DamagedError.

    In Avro, an array is the number of its elements, these, and a zero: so one call decodes a block.
    """
    from fastavro import parse_schema, schemaless_reader  # noqa: PLC0415 -- heavy, and most inputs are JSON

    array: Any = parse_schema({"type": "array", "items": schema})

    def read_all(count: int, plain: bytes) -> list[_Avro]:
        packed = BytesIO(_integer(count) + plain + (b"\0" if count else b""))
        try:
            records: Any = schemaless_reader(packed, array, None)
        except Exception:  # noqa: BLE001 -- whatever fastavro makes of damaged bytes
            raise _DamagedError("is damaged: its bytes are not the records of the schema") from None
        if len(records) != count or packed.read(1):
            raise _DamagedError("is damaged: it has more or fewer records than it says")
        return list(records)

    return read_all


def _integer(number: int) -> bytes:
    encoded, digits = number << 1, bytearray()
    while encoded >= 0x80:
        digits.append(encoded & 0x7F | 0x80)
        encoded >>= 7
    return bytes([*digits, encoded])


def _inflated(packed: bytes, limit: int) -> bytes | None:
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        plain = inflater.decompress(packed, limit)
    except zlib.error:
        raise _DamagedError("is damaged: it cannot be decompressed") from None
    if inflater.unconsumed_tail:
        return None
    if not inflater.eof:  # what may follow is a part of zlib's checksum, which some writers leave there
        raise _DamagedError("is damaged: it cannot be decompressed")
    return plain


def _unsnapped(packed: bytes, limit: int) -> bytes | None:
    from cramjam import DecompressionError, snappy  # noqa: PLC0415 -- only for this codec

    data, checksum = packed[:-_CRC_SIZE], packed[-_CRC_SIZE:]
    try:
        if snappy.decompress_raw_len(data) > limit:
            return None
        plain = bytes(snappy.decompress_raw(data))
    except DecompressionError:
        raise _DamagedError("is damaged: it cannot be decompressed") from None
    if zlib.crc32(plain).to_bytes(_CRC_SIZE, "big") != checksum:
        raise _DamagedError("is damaged: its checksum is another one")
    return plain


_CODECS: Final[Mapping[str, Callable[[bytes, int], bytes | None]]] = {
    "null": lambda packed, _limit: packed,
    "deflate": _inflated,
    "snappy": _unsnapped,
}
"""How blocks are decompressed, up to a limit of bytes; None for a larger one."""
