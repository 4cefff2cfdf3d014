import io
import os
import resource
import stat
import sys
import threading
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

import pytest

from td_currents_cli.errors import OutputError
from td_currents_cli.write.files import atomic_output, write_all


class Stop(BaseException):
    """Stands for an interruption: not an Exception, as KeyboardInterrupt and the signal of a SIGTERM are not."""


def test_the_file_appears_at_the_end(tmp_path: Path) -> None:
    """Complete and alone. A reader that looks too early finds the old file, not a part of the new one."""
    path = tmp_path / "out.jsonl"
    path.write_bytes(b"old")
    with atomic_output(path) as output:
        output.write(b"x" * 1_000_000)
        output.write(b"\n")
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"x" * 1_000_000 + b"\n"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("cause", [ValueError, KeyboardInterrupt, Stop])
def test_an_exception_leaves_the_old_file_and_nothing_else(tmp_path: Path, cause: type[BaseException]) -> None:
    """Whatever ends the run, also Ctrl-C, the temporary file is removed and the old one stays."""
    path = tmp_path / "out.jsonl"
    path.write_bytes(b"old")
    with pytest.raises(cause), atomic_output(path) as output:
        _write_and_raise(output, cause)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(("old", "umask", "bits"), [(0o640, 0o022, 0o640), (None, 0o027, 0o640)])
def test_permission_bits(tmp_path: Path, old: int | None, umask: int, bits: int) -> None:
    """Those of an existing file are kept; a new file is as readable as one made by the shell's own `>`."""
    path = tmp_path / "out.jsonl"
    if old is not None:
        path.touch()
        path.chmod(old)
    before = os.umask(umask)
    try:
        with atomic_output(path) as output:
            output.write(b"new")
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == bits


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write to everything")
def test_a_read_only_file_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    path.write_bytes(b"old")
    path.chmod(0o444)
    with pytest.raises(OutputError, match="read-only"), atomic_output(path):
        pass
    assert path.read_bytes() == b"old"


def test_a_symbolic_link_stays_a_link(tmp_path: Path) -> None:
    real = tmp_path / "real.jsonl"
    real.write_bytes(b"old")
    link = tmp_path / "link.jsonl"
    link.symlink_to(real)
    with atomic_output(link) as output:
        output.write(b"new")
    assert link.is_symlink()
    assert real.read_bytes() == b"new"


def test_a_device_is_written_directly() -> None:
    """`-o /dev/null` throws the data away and replaces no device."""
    with atomic_output(Path("/dev/null")) as output:
        output.write(b"away")
    assert Path("/dev/null").is_char_device()


def test_a_pipe_is_written_directly(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(path.read_bytes()))
    reader.start()
    with atomic_output(path) as output:
        output.write(b"through")
    reader.join()
    assert read == [b"through"]
    assert path.is_fifo()


@pytest.mark.parametrize(
    ("name", "reason", "hint"),
    [("", "it is a folder", "Use a file in it."), ("missing/out", "No such file or directory", "Create the folder")],
)
def test_a_path_that_cannot_be_written_is_an_error(tmp_path: Path, name: str, reason: str, hint: str) -> None:
    """The error names the path as the user gave it, the reason, and what to do."""
    path = tmp_path / name
    with pytest.raises(OutputError) as caught, atomic_output(path):
        pass
    assert caught.value.message == f"cannot write {path}: {reason}"
    assert caught.value.hint.startswith(hint)


def test_a_full_device_is_an_output_error() -> None:
    with (
        pytest.raises(OutputError, match="cannot write /dev/full: No space left"),
        atomic_output(Path("/dev/full")) as output,
    ):
        output.write(b"x")


def test_a_failing_write_leaves_nothing_behind(tmp_path: Path) -> None:
    """If the disk fills up, the new file is removed."""
    path = tmp_path / "out.jsonl"
    path.write_bytes(b"old")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        with pytest.raises(OutputError, match="File too large"), atomic_output(path) as output:
            output.write(b"x" * 5000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("path", [None, Path("-")])
def test_no_path_is_standard_output(path: Path | None, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """Text printed earlier comes before the data, and standard output stays open."""
    print("before")
    with atomic_output(path) as output:
        output.write(b"data\n")
    print("after")
    sys.stdout.flush()
    assert capfdbinary.readouterr().out == b"before\ndata\nafter\n"


def _write_and_raise(output: BinaryIO, cause: type[BaseException]) -> NoReturn:
    output.write(b"half")
    raise cause


def test_an_incomplete_write_is_continued() -> None:
    taken: list[bytes] = []

    class Short(io.RawIOBase):
        def writable(self) -> bool:
            return True

        def write(self, data: Any, /) -> int:
            taken.append(bytes(data[:3]))
            return len(taken[-1])

    output: Any = Short()
    write_all(output, b"0123456789")
    assert b"".join(taken) == b"0123456789"
