"""Laws of the way from bytes to events and back, for whatever JSON there is."""

import csv
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from io import BytesIO, RawIOBase, StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from td_currents_cli import count, parse
from td_currents_cli.events.decode import EventReader, split
from td_currents_cli.events.flatten import flatten
from td_currents_cli.model import Batch, Record
from td_currents_cli.read import Source, records, scanner
from td_currents_cli.validate.positions import ValuePositions

law = settings(deadline=None, max_examples=80, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])

NUMBERS = ["0", "-0", "1.0", "3.140000104904175", "1e400", "-1E-5", "9223372036854775807", "12345678901234567890123"]
ODD = ["", "\u0000", "\u2028", "😀", "é", "\ud800", "\udc00", '"', "\\", "\\ud800", "}{", "[", '{"events":[', "\x7f"]
PLACES = ["user", "properties", "user.a", "properties.a", "user.user.a", "user."]
CLASHING = ["a", "id", "time", "event_type", ".", *PLACES]


def written(text: str, ascii_only: bool) -> str:
    """JSON text of a text; a lone surrogate can only be an escape."""
    if any("\ud800" <= each <= "\udfff" for each in text):
        ascii_only = True
    return json.dumps(text, ensure_ascii=ascii_only)


texts = st.builds(written, st.sampled_from(ODD) | st.text(max_size=6), st.booleans())
names = st.sampled_from(CLASHING + ODD) | st.text(max_size=4)
scalars = st.sampled_from(["null", "true", "false", *NUMBERS]) | st.integers().map(str) | texts


def array(items: Sequence[str], space: str) -> str:
    return f"[{space}" + f"{space},{space}".join(items) + f"{space}]"


def an_object(members: dict[str, str], space: str, ascii_only: bool = True) -> str:
    inner = [f"{written(name, ascii_only)}{space}:{space}{value}" for name, value in members.items()]
    return f"{{{space}" + f"{space},{space}".join(inner) + f"{space}}}"


def values(spaces: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """JSON text of any value."""
    return st.recursive(
        scalars,
        lambda inner: (
            st.builds(array, st.lists(inner, max_size=3), spaces)
            | st.builds(an_object, st.dictionaries(names, inner, max_size=3), spaces, st.booleans())
        ),
        max_leaves=6,
    )


@st.composite
def events(draw: st.DrawFn, spaces: st.SearchStrategy[str]) -> str:
    number = draw(st.integers(0, 10**9))
    properties = draw(st.dictionaries(names, values(spaces), max_size=3))
    space = draw(spaces)
    nested = an_object(properties, space, draw(st.booleans()))
    return an_object({"event_type": '"x"', "id": f'"{number}"', "properties": nested}, space)


def payloads(spaces: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """A document: a payload or a bare event."""
    event = events(spaces)
    several = st.builds(array, st.lists(event, max_size=3), spaces)
    return event | st.builds(lambda all_, space: an_object({"events": all_}, space), several, spaces)


LINE = st.sampled_from(["", " ", "\t"])
ANY = st.sampled_from(["", " ", "\n", "\r\n  ", "\n\t"])


def pretty(document: str, indent: int) -> str:
    """As a pretty printer lays it out: what is nested stands deeper."""
    return json.dumps(json.loads(document, parse_float=len), indent=indent)


tidy = st.builds(pretty, payloads(LINE), st.integers(1, 4))


@st.composite
def strung(draw: st.DrawFn, pretty_ones: st.SearchStrategy[str] | None = None) -> tuple[bytes, list[bytes]]:
    """Documents in one of the arrangements people have, and the documents."""
    text, documents = "", []
    for _ in range(draw(st.integers(1, 3))):
        arrangement = draw(st.sampled_from(["lines", "array", "array on a line", "after one another", "on one line"]))
        on_line = arrangement in {"lines", "array on a line", "on one line"}
        document = payloads(LINE) if on_line else payloads(ANY) if pretty_ones is None else pretty_ones
        some = draw(st.lists(document, min_size=1, max_size=4))
        space = draw(LINE if on_line else ANY)
        if arrangement == "lines":
            text += draw(st.sampled_from(["\n", "\r\n", " \n\n"])).join(some)
        elif arrangement.startswith("array"):
            text += array(some, space)
        else:
            text += space.join(some)
        text += draw(st.sampled_from(["", "\n", "\r\n", " ", "\n\n"]))
        documents += some
    return text.encode(), [each.encode() for each in documents]


class Pieces(RawIOBase):
    """A file that hands out pieces of given sizes, in turn."""

    def __init__(self, data: bytes, sizes: Sequence[int]) -> None:
        super().__init__()
        self._stream = BytesIO(data)
        self._sizes = iter(sizes)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        piece = self._stream.read(min(len(buffer), next(self._sizes, 1 << 20)))
        buffer[: len(piece)] = piece
        return len(piece)


def read(data: bytes, chunk: int = 1 << 20, sizes: Sequence[int] = ()) -> Iterator[Record]:
    source: Any = SimpleNamespace(
        name="x",
        empty=None,
        note=None,
        event_type=None,
        progress=None,
        max_document_size=1 << 28,
        open=lambda: Pieces(data, sizes),
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scanner, "CHUNK", chunk)
        for record in list(records([source])):
            yield from (isinstance(record, Batch) and split(record).documents) or [record]


def events_in(data: bytes) -> list[bytes]:
    return [bytes(event) for _, found in EventReader().events(read(data), split) for event in found]


@law
@given(strung(), st.sampled_from([1, 2, 3, 7, 64, 1 << 20]), st.lists(st.integers(1, 5), max_size=50))
def test_documents_come_out_as_they_went_in(
    given_text: tuple[bytes, list[bytes]], chunk: int, sizes: Sequence[int]
) -> None:
    """In order, byte for byte, each at its place, however they are strung together and wherever pieces end."""
    text, documents = given_text
    found = list(read(text, chunk, sizes))
    assert [each.data for each in found if isinstance(each, Batch)] == documents
    assert len(found) == len(documents)
    for batch in found:
        place = batch.location
        before = text[: place.offset]
        assert text[place.offset :].startswith(documents[0])
        documents = documents[1:]
        assert place.line == before.count(b"\n") + 1
        assert place.column == len(before[before.rfind(b"\n") + 1 :].decode()) + 1


@st.composite
def rows(draw: st.DrawFn) -> tuple[bytes, list[bytes]]:
    """Ingested rows in one of their forms, and the events in them."""
    batches = draw(st.lists(st.lists(events(ANY), max_size=3), min_size=1, max_size=4))
    space = draw(ANY)
    cells = [array(batch, space) if batch else draw(st.sampled_from(["", "null", "[]"])) for batch in batches]
    if draw(st.booleans()):
        out = StringIO(newline="")
        end = draw(st.sampled_from(["\n", "\r\n"]))
        dialect = draw(st.sampled_from([csv.excel, csv.unix_dialect]))
        writer = csv.writer(out, dialect, lineterminator=end)
        writer.writerows(
            [["time", "events", "note"], *([1, cell, draw(st.text('ab,"\n é', max_size=3))] for cell in cells)]
        )
        text = out.getvalue()
    else:
        ascii_only = draw(st.booleans())
        lines = [json.dumps({"time": 1, "events": cell}, ensure_ascii=ascii_only) for cell in cells]
        text = draw(st.sampled_from(["\n", "\r\n", "", " "])).join(lines)
    return text.encode(errors="replace"), [event.encode() for batch in batches for event in batch]


@law
@given(rows(), st.sampled_from([1, 3, 16, 1 << 20]))
def test_rows_give_back_the_events_they_were_made_of(given_rows: tuple[bytes, list[bytes]], chunk: int) -> None:
    """CSV and JSON Lines, quoted and escaped in every way: the same bytes in the same order."""
    text, expected = given_rows
    intake = EventReader()
    found = [bytes(event) for _, some in intake.events(read(text, chunk), split) for event in some]
    assert found == expected
    assert intake.log.result().total == 0


@law
@given(strung(tidy).map(lambda pair: pair[0]) | rows().map(lambda pair: pair[0]), st.data())
def test_a_cut_never_makes_an_event(text: bytes, data: st.DataObject) -> None:
    """What is left of an input that broke off anywhere holds events that were there, and no others."""
    cut = text[: data.draw(st.integers(0, len(text)))]
    assert not Counter(events_in(cut)) - Counter(events_in(text))


JUNK = [b"", b"\n", b"{", b"}", b"[", b"]", b",", b'"', b"NaN", b"null", b"1", b"\xff", b"\xef\xbb\xbf", b"\x00", b"\\"]
FRAGMENTS = [b'{"events":[', b'{"event_type":"a"}', b"time,events\n", b'1,"[]"\n', b'{"events":"[{}]"}', b'"events":']


@law
@given(st.lists(st.sampled_from(JUNK + FRAGMENTS) | st.binary(max_size=4), max_size=12).map(b"".join))
def test_whatever_is_read_is_accounted_for(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    """No input stops a run; events read = used + rejected; all verbs see the same; what is written is JSON."""
    folder = tmp_path_factory.getbasetemp()
    source = Source("x", Path(folder, "laws-in"))
    Path(folder, "laws-in").write_bytes(data)
    output, rejects = Path(folder, "laws-out.jsonl"), Path(folder, "laws-rejects.jsonl")
    counted = count.run(count.CountRequest([source])).balance
    parsed = parse.run(parse.ParseRequest(sources=[source], output=output, rejects=rejects)).balance
    assert counted.balanced
    assert parsed == counted
    lines = output.read_bytes().split(b"\n")
    assert lines.pop() == b""
    assert [type(json.loads(line)) for line in lines] == [dict] * parsed.events_out
    rejected = [json.loads(line) for line in rejects.read_bytes().split(b"\n") if line]
    assert len(rejected) == parsed.rows_rejected + parsed.events_rejected + parsed.lost


@st.composite
def numbered_events(draw: st.DrawFn) -> tuple[str, dict[int, tuple[str, str]], list[str]]:
    """An event whose values are told apart by a number, where each is, and the values' own texts."""
    whereabouts: dict[int, tuple[str, str]] = {}
    texts_of_values: list[str] = []

    def value(place: str, name: str) -> str:
        whereabouts[len(whereabouts)] = (place, name)
        texts_of_values.append(f"[{len(whereabouts) - 1}, {draw(values(LINE))}]")
        return texts_of_values[-1]

    members: dict[str, str] = {}
    for name in draw(st.lists(names, unique=True, max_size=6)):
        if name in {"user", "properties"} and draw(st.booleans()):
            inner = draw(st.lists(names, unique=True, max_size=5))
            members[name] = an_object({each: value(name, each) for each in inner}, draw(LINE), draw(st.booleans()))
        else:
            members[name] = value("", name)
    return an_object(members, draw(LINE), draw(st.booleans())), whereabouts, texts_of_values


def literally(text: bytes | str) -> Any:
    """JSON text as Python values, objects as pairs and numbers as they are written."""
    return json.loads(text, parse_float=str, parse_int=str, object_pairs_hook=lambda pairs: ("object", pairs))


@law
@given(numbered_events())
def test_flattening_loses_nothing_and_changes_nothing(
    given_event: tuple[str, dict[int, tuple[str, str]], list[str]],
) -> None:
    """Every member once, under its own name or its place's; values byte for byte; one line; flat is flat."""
    event, whereabouts, value_texts = given_event
    flat = flatten(event.encode())
    assert b"\n" not in flat
    assert b"\r" not in flat
    assert flatten(flat) == flat
    _, pairs = literally(flat)
    assert len({name for name, _ in pairs}) == len(pairs)
    assert {int(value[0]) for _, value in pairs} == set(whereabouts)
    taken = Counter(name for _, name in whereabouts.values())
    for name, (number, _) in pairs:
        place, own = whereabouts[int(number)]
        assert name == own or (place and name.startswith(f"{place}.") and name.endswith(f".{own}"))
        if taken[own] == 1 and "." not in own and own not in {"user", "properties", "event_type", "id", "time"}:
            assert name == own
    for text in value_texts:
        assert text.encode() in flat


@law
@given(values(ANY))
def test_every_value_is_located(text: str) -> None:
    """As a plain walk through the values finds them: the same paths, and at each place that very value."""
    places = ValuePositions(text.encode())
    decoder = json.JSONDecoder(parse_float=str, parse_int=str)

    def walk(value: Any, path: tuple[str | int, ...]) -> None:
        begin = len(text.encode()[: places.find(path)].decode())
        assert decoder.raw_decode(text, begin)[0] == value
        if path and isinstance(path[-1], str):
            name_begin = len(text.encode()[: places.find(path, name=True)].decode())
            assert decoder.raw_decode(text, name_begin)[0] == path[-1]
        inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        for step, each in inner:
            walk(each, (*path, step))

    walk(decoder.decode(text), ())
