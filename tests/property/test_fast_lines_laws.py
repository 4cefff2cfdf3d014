"""Laws of the fast paths for lines of large files: they give what the careful paths give, whatever is in the files."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NoReturn

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from msgspec import structs
from msgspec.structs import replace

from td_currents_cli.braze import CANARY
from td_currents_cli.choices import Names, Nested
from td_currents_cli.count import CountRequest, run
from td_currents_cli.count.aggregate import EventCounter
from td_currents_cli.events.filter import Filter, TypeGlobs
from td_currents_cli.model import Batch
from td_currents_cli.parallel import map as parallel_map
from td_currents_cli.parallel import splits
from td_currents_cli.parallel.pool import ordered_map
from td_currents_cli.parallel.splits import SplitReader, file_splits
from td_currents_cli.parse.command import run as parse
from td_currents_cli.parse.request import ParseRequest
from td_currents_cli.parse.transform import Transformer
from td_currents_cli.read import lines as read_lines
from td_currents_cli.read import sources
from td_currents_cli.read.lines import IrregularError
from td_currents_cli.read.options import INGESTED
from td_currents_cli.reconcile.file_side import FileSide, SourceFingerprinter
from td_currents_cli.reconcile.fingerprints import TimeScope
from td_currents_cli.reconcile.side import CompareMode, Depth

VALUES: Final = st.sampled_from(
    [1, 1.5, -1, 2**70, 1782864000, "1782864000", None, True, "", "a", "é", "😀", '"', "\\", "\ud800", [1], {"time": 2}]
)
EVENTS: Final = st.one_of(
    st.fixed_dictionaries({"event_type": st.sampled_from(["a", "users.Open", "é", CANARY]), "time": st.integers(0, 9)}),
    st.dictionaries(st.sampled_from(["event_type", "id", "time", "user", "properties", "events"]), VALUES, max_size=4),
    VALUES,
)
GOOD: Final = [{"event_type": "é", "id": "1", "time": 1, "user": {"user_id": "u"}}, {"event_type": "b", "time": 2}]
OF_BRAZE: Final = [{**each, "id": "1", "user": {"user_id": "é"}, "properties": {"a": [1]}} for each in GOOD]
TOKENS: Final = [
    *(
        b'"',
        b'""',
        b"\\",
        b"{",
        b"}",
        b"[",
        b"]",
        b",",
        b":",
        b"\n",
        b"\r",
        b"\r\n",
        b" ",
        b"\f",
        b"\0",
        b"\xff",
        b"1",
        b"null",
    ),
    *(b"\xef\xbb\xbf", b"\\ud800", b"\\u0065", b'"time":1,', b'"events":[],', b'"events":"[]",', b'"id":"1","id":"2",'),
    *(b"{}", b"[]", b"[" * 1100, b"\n\n\n", b'{"event_type":"c"}\n', b"time,events\n", b"\xc3", b"NaN", b"1e999"),
    b"\\x",
    *(
        b'{"events":[]}',
        b'{"reason":"x","event":{"event_type":"d"}}\n',
        b'1,"[{""event_type"":""d""}]"\n',
        b'1,"[]""\n',
    ),
    b'{"event_type":"e","id":"1","time":1,"app_id":"x","user_user_id":"u","properties_a":1}\n',
]


def written(batch: Any, *, is_csv: bool, is_ascii: bool, is_spaced: bool) -> bytes:
    separators = None if is_spaced else (",", ":")
    text = json.dumps(batch, ensure_ascii=is_ascii, separators=separators).encode(errors="surrogatepass")
    return b'1,"%b"\n' % text.replace(b'"', b'""') if is_csv else text + b"\n"


@st.composite
def files(draw: st.DrawFn) -> bytes:
    """Payloads or rows of CSV, line by line, some with other events, and damaged at some places."""
    is_csv, is_ascii, is_spaced = draw(st.booleans()), draw(st.booleans()), draw(st.booleans())
    good = draw(st.sampled_from([GOOD, OF_BRAZE]))
    batches: list[Any] = [
        good,
        good,
        *draw(st.lists(st.one_of(st.just(good), st.lists(EVENTS, max_size=3)), max_size=6)),
    ]
    # A cell contains an array, or a payload.
    batches = [batch if is_csv and number % 3 else {"events": batch} for number, batch in enumerate(batches)]
    data = b"".join([written(each, is_csv=is_csv, is_ascii=is_ascii, is_spaced=is_spaced) for each in batches])
    data = data.replace(b"\n", draw(st.sampled_from([b"\n", b"\n", b"\r\n"])))
    begin = b"time,events\n" if is_csv else data[: data.index(b"\n") + 1] * 2
    for token, place, size in draw(st.lists(st.tuples(st.sampled_from(TOKENS), st.floats(0, 1), st.integers(0, 3)))):
        at = int(place * len(data))
        data = data[:at] + token + data[at + size :]
    return begin + data


@contextmanager
def reading(split: int, chunk: int) -> Iterator[None]:
    """Split files at about this size, or not at all if it is 0, and read that many bytes at once; in this process."""
    with pytest.MonkeyPatch.context() as patch:
        if split:
            patch.setattr(splits, "MIN_SIZE", 1)
        patch.setattr(splits, "SPLIT_SIZES", (split, split))
        patch.setattr(read_lines, "READ", chunk)
        patch.setattr(read_lines, "LONGEST", 8 * chunk)
        patch.setattr(
            parallel_map, "ordered_map", lambda make, arguments, items, *_, **__: ordered_map(make, arguments, items, 1)
        )
        yield


def carefully(_worker: object, _chunks: object) -> NoReturn:
    raise IrregularError


law = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # other processes may take the time


@law
@given(
    files(),
    st.tuples(st.integers(0, 2000), st.integers(1, 500)),
    st.sampled_from([("event_type",), ("day", "user.user_id"), ("id", "source")]),
    st.sampled_from([Filter(), Filter(types=TypeGlobs(("a",)), since=1), Filter(canaries=False)]),
)
@example(
    b"\n".join([b'{"events":[{"event_type":"a"}]}'] * 4 + [b'[{"event_type":"a"},{}]']), (50, 50), ("id",), Filter()
)
@example(b'time,events\n1,"[{""time"":1}]"\n1,"[{}]""\n1,"[{""time"":"2""}]"\n', (2000, 500), ("day",), Filter())
@example(b"time,events\n" + b'1,"[{"event_type":""a""}]"\n1,"[{}]"\n' * 3, (30, 90), ("event_type",), Filter())
@example(b'time,events\n1,"[{"event_type":""a"",""id"":"""","""":""\\""""}]"\n1,"[""]"\n', (99, 99), ("id",), Filter())
@example(b'{"events":[{"event_type":"a"}]}', (0, 50), ("event_type",), Filter())
@example(b"", (0, 50), ("event_type",), Filter())
@example(b" \n", (0, 50), ("event_type",), Filter())
def test_count(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, sizes: tuple[int, int], by: tuple[str, ...], wanted: Filter
) -> None:
    """The same counts, balance and problems."""
    path = tmp_path_factory.getbasetemp() / "lines"
    path.write_bytes(data)
    request = CountRequest(sources([str(path)]), by=by, wanted=wanted, over_time=True)
    with reading(*sizes):
        fast = run(request)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(EventCounter, "fast", carefully)
            careful = run(request)
    assert replace(fast, histogram=None) == replace(careful, histogram=None)
    assert vars(fast.histogram) == vars(careful.histogram)


@law
@given(files(), st.tuples(st.integers(0, 2000), st.integers(1, 500)), st.sampled_from(Depth), st.booleans())
def test_reconcile(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, sizes: tuple[int, int], depth: Depth, canaries: bool
) -> None:
    """The same fingerprints, balance and problems."""
    path = tmp_path_factory.getbasetemp() / "lines"
    path.write_bytes(data)
    side = FileSide(sources([str(path)]), INGESTED)
    mode, scope = CompareMode(depth), TimeScope(Filter(canaries=canaries))
    with reading(*sizes):
        fast = list(side.chunks(scope, mode))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(SourceFingerprinter, "fast", carefully)
            assert list(side.chunks(scope, mode)) == fast


@law
@given(
    files(),
    st.tuples(st.integers(1, 2000), st.integers(1, 500)),
    st.sampled_from(
        [
            {},
            {"dedupe": True},
            {"wanted": Filter(since=1)},
            {"wanted": Filter(canaries=False)},
            {"names": Names.DOTTED},
            {"nested": Nested.JSON},
        ]
    ),
)
@example(b'{"events":[{"event_type":"a"}]}\n' * 3 + b'[{"event_type":"a","id":1}]\n', (20, 50), {})
@example(b'{"events":[]}\n' * 6 + b'{"events":[]}\n\n\n', (20, 50), {})
@example(b'{"events":[]}\n' * 6 + b'{"events":[]}\f\n', (20, 50), {})
def test_parse(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, sizes: tuple[int, int], options: dict[str, Any]
) -> None:
    """The same events, balance and problems."""
    path, output = tmp_path_factory.getbasetemp() / "lines", tmp_path_factory.getbasetemp() / "events"
    path.write_bytes(data)
    request = ParseRequest(sources=sources([str(path)]), output=output, jobs=2, **options)
    with reading(*sizes):
        fast, events = parse(request), output.read_bytes()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Transformer, "fast", carefully)
            assert (parse(request), output.read_bytes()) == (fast, events)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("is_csv", [False, True])
def test_lines_are_the_batches_that_records_yields(tmp_path: Path, end: str, *, is_csv: bool) -> None:
    """At their places, whatever is read at once."""
    lines = [written({"events": GOOD}, is_csv=is_csv, is_ascii=False, is_spaced=False)] * 20
    path = tmp_path / "lines"
    path.write_bytes((b"time,events\n" * is_csv + b"".join(lines)).replace(b"\n", end.encode()))
    total = 0
    with reading(500, 300):
        for split in file_splits(sources([str(path)])[0], INGESTED):
            fast, careful = SplitReader(split), SplitReader(split)
            found = [
                (bytes(batch).rstrip(), place)
                for chunk in fast.chunks()
                for batch, place in zip(chunk.batches, chunk.locations(), strict=True)
            ]
            assert found == [(each.data, each.location) for each in careful.records() if isinstance(each, Batch)]
            assert structs.replace(careful.end, is_last=fast.end.is_last) == fast.end
            total += len(found)
    assert fast.end.is_last
    assert total == len(lines)


@pytest.mark.parametrize(("is_csv", "split"), [(False, 500), (True, 500), (False, 0)])
def test_ordinary_lines_are_counted_without_records(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, split: int, *, is_csv: bool
) -> None:
    """The path for which all this is done."""
    path = tmp_path / "lines"
    lines = [written({"events": GOOD}, is_csv=is_csv, is_ascii=False, is_spaced=True)] * 20
    path.write_bytes(b"time,events\n" * is_csv + b"".join(lines))
    monkeypatch.delattr(SplitReader, "records")
    with reading(split, 300):
        assert run(CountRequest(sources([str(path)]))).total.count == 40
