"""Ctrl-C and SIGTERM say on one line what was and was not written."""

import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.command import TDCUR
from tests.scripted import KEY, Scripted, write

EVENT = {
    "event_type": "users.behaviors.Uninstall",
    "id": "1",
    "time": 1_782_900_000,
    "user": {"user_id": "u", "external_user_id": "u"},
    "properties": {"app_group_id": "g", "app_id": "a"},
}
SIGNALS = [(signal.SIGINT, "interrupted"), (signal.SIGTERM, "terminated")]


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@contextmanager
def begun(folder: Path, line: str, **environment: str) -> Iterator["subprocess.Popen[str]"]:
    """A command whose standard input is open and has nothing yet."""
    with subprocess.Popen(
        [*TDCUR, *line.split()],
        cwd=folder,
        env={**os.environ, **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        yield process


def waits_for_input(process: "subprocess.Popen[str]") -> bool:
    """Whether it reads standard input."""
    status = Path(f"/proc/{process.pid}")
    return "pipe_read" in (status / "wchan").read_text() or (status / "syscall").read_text().startswith("0 0x0 ")


def stopped(process: "subprocess.Popen[str]", number: signal.Signals) -> str:
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    return err


@pytest.mark.parametrize(("number", "word"), SIGNALS)
@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("validate -", "no result was printed"),
        ("validate - --write-baseline known.json", "no result was printed, known.json was not written"),
        ("count -", "no result was printed"),
        ("parse -", "standard output is incomplete"),
        ("parse - -o new.jsonl", "new.jsonl was not written"),
        ("parse - -o old.jsonl --rejects r.jsonl", "r.jsonl was not written, old.jsonl is unchanged"),
        ("parse - --split-by event_type --out-dir out", "out was not written"),
        ("reconcile --sent - --ingested old.jsonl", "no result was printed"),
        (
            "reconcile --sent - --ingested old.jsonl --missing-file m.jsonl --ids ids",
            "no result was printed, m.jsonl and ids were not written",
        ),
    ],
)
def test_what_was_not_written(tmp_path: Path, line: str, message: str, number: signal.Signals, word: str) -> None:
    write(tmp_path / "old.jsonl", {"events": [EVENT]})
    with begun(tmp_path, line) as process:
        until(lambda: waits_for_input(process))
        assert stopped(process, number) == f"error: {word}: {message}\n"
    assert [path.name for path in tmp_path.iterdir()] == ["old.jsonl"]


@pytest.mark.parametrize(("number", "word"), SIGNALS)
def test_generate(tmp_path: Path, number: signal.Signals, word: str) -> None:
    """To a file, and to a pipe that is full."""
    with begun(tmp_path, "generate --events 1000000000 -o big.jsonl") as process:
        until(lambda: list(tmp_path.glob(".tdcur-*")))
        assert stopped(process, number) == f"error: {word}: big.jsonl was not written\n"
    assert list(tmp_path.iterdir()) == []
    with begun(tmp_path, "generate --events 1000000000") as process:
        assert process.stdout
        assert process.stdout.read(1) == "{"
        assert stopped(process, number) == f"error: {word}: standard output is incomplete\n"


def has_taken(process: "subprocess.Popen[str]") -> bool:
    """Whether no signal is pending."""
    lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    return all(int(line.split()[1], 16) == 0 for line in lines if line.startswith(("SigPnd", "ShdPnd")))


@pytest.mark.parametrize(("number", "word"), SIGNALS)
def test_send(tmp_path: Path, scripted: Scripted, number: signal.Signals, word: str) -> None:
    """What was delivered, and what was not; then how to resume."""
    write(tmp_path / "p.jsonl", *({"events": [EVENT | {"id": str(each)}]} for each in range(5)))
    scripted.permits = threading.Semaphore(1)
    options = f"send p.jsonl --url {scripted.url} --concurrency 1 --journal j"
    with begun(tmp_path, options, TD_WRITE_KEY=KEY) as process:
        scripted.wait_for(2)
        process.send_signal(number)
        until(lambda: has_taken(process))
        # The request in flight is waited for.
        scripted.permits.release()
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (128 + number, "")
    # Up to three more have been read.
    says = rf"error: {word}: 2 events delivered, [123] not delivered(, the rest of the input was not read)?\n"
    resume = "Run the same command again to resume; delivered events are skipped (journal: j).\n"
    assert re.fullmatch(says, err.partition("\n")[2].removesuffix(resume))
    assert err.endswith(resume)
