"""What the case files of reconcile do not cover: large inputs, pipes, journals, limits, options."""

import csv
import gzip
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from td_currents_cli.braze import CANARY
from td_currents_cli.cli.options import repeat_options
from td_currents_cli.errors import ExitCode, UsageError
from td_currents_cli.events.filter import Filter
from td_currents_cli.parallel import splits
from td_currents_cli.read import Source, sources
from td_currents_cli.read.sources import RereadableSources
from td_currents_cli.reconcile import DiffKind, ReconcileOutcome, ReconcileRequest, TimeScope, run, sides
from td_currents_cli.reconcile import file_side as files
from td_currents_cli.reconcile import fingerprints as sheaf
from td_currents_cli.reconcile.file_side import FileSide, JournalSide
from td_currents_cli.render import render
from td_currents_cli.write.files import PayloadWriter


def lines(path: Path, events: Sequence[dict[str, Any]], size: int = 10) -> Path:
    cut = [events[at : at + size] for at in range(0, len(events), size)]
    path.write_text("".join(json.dumps({"events": each}) + "\n" for each in cut), encoding="utf-8")
    return path


def numbered(count: int) -> list[dict[str, Any]]:
    """Events of three types."""
    return [{"id": f"id-{at}", "event_type": f"t{at % 3}", "time": 1782900000 + at} for at in range(count)]


def compare(sent: Path, ingested: Path, **options: Any) -> ReconcileOutcome:
    jobs = options.pop("jobs", 1)
    return run(ReconcileRequest(*(FileSide(sources([str(path)]), jobs=jobs) for path in (sent, ingested)), **options))


def test_canaries_are_left_out_of_both_sides(tmp_path: Path) -> None:
    """Those of `tdcur watch` are in no payload."""
    canary = {"id": "canary", "event_type": CANARY, "time": 1782900000}
    sent, ingested = lines(tmp_path / "sent", numbered(3)), lines(tmp_path / "in", [canary, *numbered(3), canary])
    assert compare(sent, ingested).differences[DiffKind.UNEXPECTED].count == 1
    outcome = compare(sent, ingested, scope=TimeScope(Filter(canaries=False)))
    assert outcome.differences[DiffKind.UNEXPECTED].count == 0
    assert (outcome.matched, outcome.ingested.counts.canaries, outcome.ingested.balance.filtered) == (3, 2, 2)
    assert outcome.ingested.balance.balanced


@pytest.mark.parametrize("way", ["in splits", "a bit at a time", "packed"])
def test_positions_are_the_same_however_a_file_is_read(
    way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In splits, in chunks, or at once; missing events are fetched from their positions."""
    events = numbered(2000)
    sent, ingested = lines(tmp_path / "sent", events), lines(tmp_path / "in", events[:700] + events[705:])
    if way == "in splits":
        monkeypatch.setattr(splits, "MIN_SIZE", 1)
        monkeypatch.setattr(splits, "SPLIT_SIZES", (5000, 5000))
    else:
        monkeypatch.setattr(files, "STREAMED_BYTES", 1)
        monkeypatch.setattr(files, "STREAMED_RECORDS", 7)
        packed = gzip.compress(sent.read_bytes()) if way == "packed" else json.dumps(events).encode()
        sent.write_bytes(packed)
    monkeypatch.setattr(sheaf, "BATCH_EVENTS", 64)
    resend = tmp_path / "resend"
    outcome = compare(sent, ingested, jobs=2, resend=resend, show=3)
    assert outcome.differences[DiffKind.MISSING].examples == ("id-700", "id-701", "id-702")
    again = [event["id"] for event in json.loads(resend.read_bytes())["events"]]
    assert again == [f"id-{at}" for at in range(700, 705)]
    assert outcome.matched == 1995
    assert outcome.balanced


def test_all_problems_are_counted(tmp_path: Path) -> None:
    """Those of both sides, including ones that are not kept; a truncated source makes the exit code 6."""
    sent, ingested = tmp_path / "sent", tmp_path / "in"
    sent.write_text('{"events":[1]}\n' * 1200)
    ingested.write_bytes(gzip.compress(b'{"events":[2]}\n' * 5)[:-12])
    outcome = compare(sent, ingested)
    assert outcome.problems.total == 1206 - 5 + outcome.ingested.balance.events_rejected
    assert len(outcome.problems.kept) == 1000
    assert outcome.problems.unreadable == 1
    assert outcome.exit_code is ExitCode.IO


ROW = json.dumps({"time": 1, "events": json.dumps(numbered(1))}) + "\n"
UNREAD = {
    "one of two rows": (ROW + '{"time":1,"events":"no JSON"}\n', {"rows": 1}, ExitCode.FINDINGS),
    "a truncated cell": (ROW + '{"time":1,"events":"[{\\"id\\":"}\n', {"rows": 1}, ExitCode.FINDINGS),
    "not an event": (ROW + '{"time":1,"events":"[7]"}\n', {"events": 1}, ExitCode.FINDINGS),
    "all rows": ('{"time":1,"events":"no JSON"}\n' * 2, {"rows": 2, "sources": 1}, ExitCode.IO),
    "no rows": ("<html></html>", {"sources": 1}, ExitCode.IO),
    "a truncated file": (gzip.compress(ROW.encode() * 9)[:-9], {"sources": 1}, ExitCode.IO),
}


@pytest.mark.parametrize(("ingested", "unread", "code"), UNREAD.values(), ids=UNREAD)
def test_what_is_missing_is_unknown_while_rows_are_unreadable(
    ingested: str | bytes, unread: dict[str, int], code: ExitCode, tmp_path: Path, screen: Any
) -> None:
    """It may be in these rows. It is not written to be sent again without --force, and no reason is guessed."""
    rows, resend, ids = tmp_path / "rows", tmp_path / "resend", tmp_path / "ids"
    rows.write_bytes(ingested if isinstance(ingested, bytes) else ingested.encode())
    files = (FileSide(sources([str(lines(tmp_path / "sent", numbered(3)))])), FileSide(sources([str(rows)])))
    outcome = run(ReconcileRequest(*files, resend=resend, ids=ids))
    assert outcome.summary()["unreadable"] == {"rows": 0, "events": 0, "sources": 0} | unread
    assert outcome.exit_code is code
    assert outcome.summary()["files_not_written"] == [str(resend), str(ids)]
    assert not resend.exists()
    assert not ids.exists()
    render(outcome, "table", screen.terminal)
    amounts = [f"{number} ingested {what[: -1 if number == 1 else None]}" for what, number in unread.items()]
    assert screen.lines[-3] == f"Could not be read: {', '.join(amounts)}."
    assert screen.lines[-2].endswith("not found; what is missing cannot be told until everything ingested can be read.")
    assert "write key" not in screen.err
    assert f"{resend} was not written" in screen.err
    run(ReconcileRequest(*files, resend=resend, ids=ids, force=True))
    assert ids.read_text().splitlines()[-2:] == ["id-1", "id-2"]
    assert json.loads(resend.read_text())["events"][-1]["id"] == "id-2"


@pytest.mark.parametrize(
    ("ingested", "verdict"),
    [
        (numbered(3), "All 3 sent event ids arrived; some files of the sent folder were left out (see above)."),
        ([{"id": "x"}], "Of 3 sent event ids, 3 are missing in the ingested files that were not left out."),
    ],
)
def test_files_that_were_left_out(ingested: list[dict[str, Any]], verdict: str, tmp_path: Path, screen: Any) -> None:
    """The verdict tells that it is about the others, and no reason is guessed."""
    folders = [tmp_path / "sent", tmp_path / "ingested"]
    for folder, events in zip(folders, (numbered(3), ingested), strict=True):
        folder.mkdir()
        (folder / "notes").write_text("not events")
        lines(folder / "a.jsonl", events)
    render(run(ReconcileRequest(*sides([str(folders[0])], [str(folders[1])], None, 1))), "table", screen.terminal)
    assert screen.lines[-2] == verdict
    assert "write key" not in screen.err


def test_a_pipe_can_be_read_again(tmp_path: Path) -> None:
    """Its contents are stored under its own name; files stay where they are."""
    reading, writing = os.pipe()
    os.write(writing, b'{"events":[]}')
    os.close(writing)
    file = lines(tmp_path / "file", [])
    with RereadableSources() as spool:
        pipe, kept, gone = spool.rereadable(
            [Source("a pipe", Path(f"/dev/fd/{reading}")), Source("f", file), Source("g", tmp_path / "g")]
        )
        assert (pipe.name, kept.path, gone.path) == ("a pipe", file, tmp_path / "g")
        assert pipe.path
        assert [pipe.path.read_bytes() for _ in range(2)] == [b'{"events":[]}'] * 2
    os.close(reading)
    assert not pipe.path.exists()


@pytest.mark.parametrize(("column", "matched"), [(None, 1), ("events", 1), ("copy", 3), ("2", 3)])
def test_two_columns_of_batches(column: str | None, matched: int, tmp_path: Path) -> None:
    """The column with that name or number is compared."""
    sent, rows = lines(tmp_path / "sent", numbered(3)), tmp_path / "rows.csv"
    with rows.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["events", "copy"], [json.dumps(numbered(1)), json.dumps(numbered(3))]])
    outcome = run(ReconcileRequest(*sides([str(sent)], [str(rows)], None, 1, column=column)))
    assert outcome.matched == matched


def test_journal_as_the_sent_side(tmp_path: Path) -> None:
    """It contains ids, types and times in order of delivery, but no contents: a changed event matches."""

    def delivered(_path: Path) -> Iterator[list[tuple[str | None, str | None, object]]]:
        yield [("1", "t", 100), ("2", "u", 200), (None, None, None)]
        yield [("3", "u", 300), ("4", "u", 400)]

    ingested = FileSide(sources([str(lines(tmp_path / "in", [{"id": "1", "event_type": "changed"}, {"id": "9"}]))]))
    side = JournalSide(tmp_path / "journal", delivered)
    outcome = run(ReconcileRequest(side, ingested, scope=TimeScope(settled=350), ids=tmp_path / "ids", show=9))
    assert not outcome.by_content
    assert (outcome.sent.ids, outcome.matched) == (3, 1)
    assert (outcome.sent.counts.without_id, outcome.sent.counts.too_young) == (1, 1)
    missing = outcome.differences[DiffKind.MISSING]
    assert missing.examples == ("2", "3")
    assert {name: (group.first, group.last) for name, group in missing.groups.items()} == {"u": (200, 300)}
    assert (tmp_path / "ids").read_text() == "2\n3\n"
    assert outcome.balanced
    with pytest.raises(UsageError, match="this file is an input"):
        run(ReconcileRequest(side, ingested, ids=tmp_path / "journal"))
    with pytest.raises(UsageError, match="of a journal or a table"):
        run(ReconcileRequest(side, ingested, resend=tmp_path / "resend"))


def test_limits_of_payloads() -> None:
    """Each is as full as possible; an event that is too large is alone."""
    output = BytesIO()
    writer = PayloadWriter(output, events=3, size=40)
    for event in (b"{}", b"{}", b"{}", b"{}", b'{"id":"' + b"x" * 40 + b'"}', b'{"a":1234567890}', b"{}", b"{}"):
        writer.add(event)
    writer.flush()
    written = output.getvalue().splitlines()
    assert [len(json.loads(line)["events"]) for line in written] == [3, 1, 1, 3]
    assert [len(line) <= 40 for line in written] == [True, True, False, True]
    assert writer.payloads == 4


@pytest.mark.parametrize(
    ("arguments", "spread"),
    [
        ("--sent a b --ingested c", "--sent a --sent b --ingested c"),
        ("--sent=a b -q --ingested - c --format json", "--sent=a --sent b -q --ingested - --ingested c --format json"),
        ("--sent a --sent b", "--sent a --sent b"),
        ("--format json x", "--format json x"),
        ("", ""),
        *((arguments, None) for arguments in ("--sent", "--sent --ingested a", "--ingested a --sent -q")),
    ],
)
def test_multi_value_option(arguments: str, spread: str | None) -> None:
    """It takes all values up to the next option, which is not a value: at least one."""
    with nullcontext() if spread is not None else pytest.raises(UsageError, match="requires a path"):
        assert repeat_options(arguments.split(), ["--sent", "--ingested"]) == (spread or "").split()
