"""Inputs for the fuzzer: samples and cases, damaged; and events with odd values in every form that is read."""

import bz2
import csv
import gzip
import io
import json
import lzma
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any, Final

import fastavro
import msgpack
import pyarrow as pa
from pyarrow import parquet

ROOT: Final = Path(__file__).parents[2]
LARGEST: Final = 30_000  # bytes of a file that are taken as a seed

TOKENS: Final = [
    *rb'" \ { } [ ] , : ; | ` null true NaN -0 1.0 1e400 1e-400 9223372036854775808 "" """" "time":'.split(),
    *rb'\" \n \N \u0000 \udc00 "\ud800" {"events":[ ]} [{ }] "events": "id": "event_type":"x", "event_type":'.split(),
    *(b" ", b"\t", b"\n", b"\r\n", b"\r", b"\0", b"\x01", b"\x7f", b"\xff", b"\xc3", b"\xef\xbb\xbf", b"\xe2\x80\xa8"),
    *(b"time,events\n", b"sep=,\n", b"// x\n", b"<html>", b"+---+\n", b"1,[]\n", b"[" * 1500, b'{"a":' * 1200),
]

ODD: Final[list[Any]] = [
    *(None, True, False, 0, -1, 1.5, 1e300, 2**63, 2**70, "", " ", "null", "true", "0", "1.0", "\\N", "=1+1", "é"),
    *("\ud800", "\x00", "\u2028", "\r\n", '"', "\\", ",", "\t", "\\t", "{}", "[]", [], {}, [{}], [[]], {"": None}),
    *({"a": {"b": [1, None, "x"]}}, {'a"b': 1}, {"\ud800": 1}, {"event_type": "x"}, ["a", {"b": None}], "a\nb", "'"),
    "😀",
]

NAMES: Final = [
    *("event_type", "id", "time", "user", "properties", "events", "a", "", "é", "\ud800", 'a"b', "a b", "user_id"),
    *("a.b", "properties_a", "user.a", "app_id", "external_user_id", "\n", ",", "custom_properties", "td_record_time"),
]


class Inputs:
    """Makes inputs, each from its own number."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        folders = (ROOT / "sample_data", *(ROOT / "tests" / "cases" / name for name in ("good", "bad", "read")))
        files = sorted(file for folder in folders for file in folder.rglob("*") if file.is_file())
        wanted = [file for file in files if ".expected" not in file.name and file.suffix not in {".md", ".license"}]
        self._seeds = [(file.suffix, _head(file.read_bytes())) for file in wanted]

    def make(self, number: int) -> tuple[str, bytes]:
        """Make input `number`: a file name and what it contains."""
        draw = Random(f"{self._seed}-{number}")
        if draw.random() < 0.4:
            form = draw.choice(sorted(FORMS))
            ending, data = f".{form.partition(' ')[0]}", FORMS[form](_batches(draw))
            changes = draw.choice([0, 0, 1, 2])
        else:
            ending, data = draw.choice(self._seeds)
            changes = draw.choice([1, 1, 2, 3, 6])
        for _ in range(changes):
            data = self._damaged(data, draw)
        if draw.random() < 0.15:
            data = draw.choice(WRAPPED)(data)
        return f"input{draw.choice([ending, ending, ending, '.json', '.csv', ''])}", data

    def _damaged(self, data: bytes, draw: Random) -> bytes:
        if draw.random() < 0.25 and (changed := _changed_json(data, draw)) is not None:
            return changed
        start = draw.randint(0, len(data))
        end = min(len(data), start + draw.choice([0, 1, 1, 2, 8, 60, 400, 5000]))
        piece = data[start:end]
        at, token, other = draw.randint(0, len(data)), draw.choice(TOKENS), draw.choice(self._seeds)[1]
        return draw.choice(
            [
                data[:start] + token + data[start:],
                data[:start] + token + data[end:],
                data[:start] + data[end:],
                data[:end] + piece + data[end:],
                data[:at] + piece + data[at:],
                data[:start],
                data[:start] + other[draw.randint(0, len(other)) :],
            ]
        )


def _head(data: bytes) -> bytes:
    return data if len(data) <= LARGEST else data[: data.rfind(b"\n", 0, LARGEST) + 1]


def _changed_json(data: bytes, draw: Random) -> bytes | None:
    """Change one value of a JSON document, or of one line."""
    lines = data.split(b"\n")
    place = draw.randrange(len(lines))
    for before, text, after in (([], data, []), (lines[:place], lines[place], lines[place + 1 :])):
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict | list) and value:
            change = _change(value, draw)
            changed = _json(change, ascii_only=draw.random() < 0.5, indent=draw.choice([None, None, 1]))
            return b"\n".join([*before, changed, *after])
    return None


def _change(value: Any, draw: Random) -> Any:
    """Replace, remove, add, or rename something in an array or object, at any depth."""
    keys = list(value) if isinstance(value, dict) else list(range(len(value)))
    key = draw.choice(keys)
    if value[key] and draw.random() < 0.75:
        inner = value[key]
        if isinstance(inner, str) and inner[0] in "[{":
            with suppress(ValueError):
                if cell := json.loads(inner):
                    value[key] = json.dumps(_change(cell, draw))
                    return value
        if isinstance(inner, dict | list):
            value[key] = _change(inner, draw)
            return value
    match draw.randrange(4):
        case 0:
            del value[key]
        case 1 if isinstance(value, dict):
            value[draw.choice(NAMES)] = value[key] if draw.random() < 0.5 else draw.choice(ODD)
        case 1:
            value.insert(key, value[key])
        case _:
            value[key] = draw.choice(ODD)
    return value


def _json(value: Any, *, ascii_only: bool = True, indent: int | None = None) -> bytes:
    return json.dumps(value, ensure_ascii=ascii_only, indent=indent).encode("utf-8", "surrogatepass")


def _batches(draw: Random) -> list[list[Any]]:
    return [[_event(draw) for _ in range(draw.choice([0, 1, 1, 2, 4]))] for _ in range(draw.choice([1, 1, 2, 3, 8]))]


def _event(draw: Random) -> Any:
    if draw.random() < 0.03:
        return draw.choice(ODD)
    event = {"event_type": "users.messages.email.Open", "id": f"{draw.randrange(30)}", "time": 1_782_900_000}
    event["user"] = _members(draw) | {"user_id": "u"}
    event["properties"] = _members(draw)
    if draw.random() < 0.3:
        event |= {draw.choice(NAMES): draw.choice(ODD)}
    if draw.random() < 0.2:
        del event[draw.choice(sorted(event))]
    return event


def _members(draw: Random) -> dict[str, Any]:
    return {draw.choice(NAMES): draw.choice(ODD) for _ in range(draw.choice([0, 0, 1, 2, 4]))}


def _table(rows: list[dict[str, Any]], delimiter: str = ",", ends: str = "\n", *, header: bool = True) -> bytes:
    names = list(dict.fromkeys(name for row in rows for name in row)) or ["event_type", "id", "time"]
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, names, delimiter=delimiter, lineterminator=ends)
    if header:
        writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode("utf-8", "backslashreplace")


def _flat(batches: list[list[Any]]) -> list[dict[str, Any]]:
    """Flat events, as the streaming connector's table has them."""
    return [_flattened(event) for event in _events(batches) if isinstance(event, dict)]


def _flattened(event: dict[str, Any]) -> dict[str, Any]:
    flat = {}
    for name, value in event.items():
        inner = value if isinstance(value, dict) and name in {"user", "properties"} else {"": value}
        for key, each in inner.items():
            flat[f"{name}_{key}" if key else name] = json.dumps(each) if isinstance(each, dict | list | bool) else each
    return flat


def _events(batches: list[list[Any]]) -> list[Any]:
    return [event for batch in batches for event in batch]


def _parquet(rows: list[dict[str, Any]]) -> bytes:
    """A table whose columns are strings, except those in which each value is a number or a time."""
    names = list(dict.fromkeys(name for row in rows for name in row)) or ["event_type", "id", "time"]
    columns = {_utf8(name): [row.get(name) for row in rows] for name in names}
    arrays = [
        pa.array(column if all(type(each) is int and abs(each) < 2**63 for each in column) else map(_text, column))
        for column in columns.values()
    ]
    out = io.BytesIO()
    parquet.write_table(pa.table(arrays, list(columns)), out, row_group_size=2)
    return out.getvalue()


def _avro(batches: list[list[Any]], codec: str) -> bytes:
    """A file of Braze's export, with odd values in what its schema has."""
    fields = [
        {"name": "id", "type": ["null", "string"]},
        {"name": "time", "type": ["null", "long", "double", "string"]},
        {"name": "external_user_id", "type": ["null", "string"]},
        {"name": "properties", "type": ["null", "string"]},
        {"name": "a", "type": ["null", "double", "boolean", "string"]},
        {"name": "user_id", "type": ["null", "string"]},
    ]
    records = []
    for event in _events(batches):
        if isinstance(event, dict):
            user, properties = (event.get(name) for name in ("user", "properties"))
            odd = properties.get("a") if isinstance(properties, dict) else None
            records.append(
                {
                    "id": _text(event.get("id")),
                    "time": event.get("time") if type(event.get("time")) in {int, str} else None,
                    "external_user_id": _text(user),
                    "properties": _text(properties),
                    "a": odd if isinstance(odd, bool | float) else _text(odd),
                    "user_id": "u",
                }
            )
    out = io.BytesIO()
    fastavro.writer(out, {"type": "record", "name": "event", "fields": fields}, records, codec, sync_interval=300)
    return out.getvalue()


def _text(value: Any) -> str | None:
    if value is None:
        return None
    return _utf8(value if isinstance(value, str) else json.dumps(value))


def _utf8(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()


def _msgpack(rows: list[Any]) -> bytes:
    return b"".join(msgpack.packb(row, unicode_errors="surrogatepass") for row in rows)


def _rows(batches: list[list[Any]]) -> list[dict[str, Any]]:
    return [{"time": 1_782_900_000 + number, "events": json.dumps(batch)} for number, batch in enumerate(batches)]


FORMS: Final[dict[str, Callable[[list[list[Any]]], bytes]]] = {
    "csv": lambda batches: _table(_rows(batches)),
    "csv crlf": lambda batches: _table(_rows(batches), ends="\r\n"),
    "csv without header": lambda batches: _table(_rows(batches), header=False),
    "csv semicolon": lambda batches: _table(_rows(batches), ";"),
    "csv pipe": lambda batches: _table(_rows(batches), "|"),
    "csv flat": lambda batches: _table(_flat(batches)),
    "tsv": lambda batches: _table(_rows(batches), "\t"),
    "json": lambda batches: _json([{"events": batch} for batch in batches]),
    "json pretty": lambda batches: _json({"events": _events(batches)}, indent=2),
    "json rows": lambda batches: _json(_rows(batches), indent=1),
    "json arrays": lambda batches: _json([[1, json.dumps(batch)] for batch in batches]),
    "json wrapped": lambda batches: _json({"Records": _rows(batches)}),
    "json events": lambda batches: _json(_events(batches)),
    "jsonl": lambda batches: b"\n".join(_json({"events": batch}) for batch in batches),
    "jsonl rows": lambda batches: b"\n".join(map(_json, _rows(batches))) + b"\n",
    "jsonl flat": lambda batches: b"\n".join(map(_json, _flat(batches))),
    "jsonl events": lambda batches: b"\n".join(map(_json, _events(batches))),
    "jsonl native": lambda batches: b"".join(_json({"time": 1, "events": batch}) + b"\r\n" for batch in batches),
    "avro null": lambda batches: _avro(batches, "null"),
    "avro deflate": lambda batches: _avro(batches, "deflate"),
    "avro snappy": lambda batches: _avro(batches, "snappy"),
    "parquet": lambda batches: _parquet(_rows(batches)),
    "parquet flat": lambda batches: _parquet(_flat(batches)),
    "msgpack": lambda batches: _msgpack([[1, json.dumps(batch)] for batch in batches]),
    "msgpack rows": lambda batches: _msgpack(_rows(batches)),
}


def _zip(data: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("rows", data)
    return out.getvalue()


WRAPPED: Final[list[Callable[[bytes], bytes]]] = [
    gzip.compress,
    lambda data: gzip.compress(gzip.compress(data)),
    lambda data: gzip.compress(data)[: len(data) // 3],
    bz2.compress,
    lzma.compress,
    _zip,
    lambda data: data.decode("utf-8", "replace").encode("utf-16"),
    lambda data: data.decode("utf-8", "replace").encode("utf-32"),
    lambda data: data.decode("utf-8", "replace").encode("cp932", "ignore"),
    lambda data: b"\xef\xbb\xbf" + data,
    lambda data: data.replace(b"\n", b"\r\n"),
    lambda data: data.replace(b"\n", b"\r"),
    lambda data: data + data,
    lambda data: data.replace(b"\\", b"\\\\"),
]
