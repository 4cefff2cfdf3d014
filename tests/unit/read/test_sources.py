import gzip
import os
import stat
from pathlib import Path

import pytest

from td_currents_cli.errors import InputError, UsageError
from td_currents_cli.read import byte_size, sources


def names(*paths: object) -> list[str]:
    return [source.name for source in sources([str(path) for path in paths])]


@pytest.mark.parametrize("paths", [None, ["-"]])
def test_no_path_is_standard_input(paths: list[str] | None) -> None:
    """`tdcur count < file` needs no `-`."""
    assert [(source.name, source.path) for source in sources(paths)] == [("<stdin>", None)]


def test_standard_input_twice_is_wrong_usage() -> None:
    """It can be read only once; the second would silently be empty."""
    with pytest.raises(UsageError, match="twice"):
        sources(["-", "-"])


@pytest.mark.parametrize("name", ["currents.backup", ".payloads/a.json", "part[1].json"])
def test_what_is_named_is_read(name: str, tmp_path: Path) -> None:
    """Whatever its ending, in a hidden folder, and if it looks like a glob: `part[1].json` is a common download."""
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.touch()
    (tmp_path / "part1.json").touch()
    assert names(path) == [str(path)]
    if name.startswith("."):
        assert names(path.parent) == [str(path)]
    assert name != "part[1].json" or names(tmp_path / "*[[]1[]].json") == [str(path)]


def test_a_folder_stands_for_the_files_with_events_in_it(tmp_path: Path) -> None:
    """Known endings, compressed or not, at any depth, and what begins with events; all else is counted."""
    (tmp_path / "b").mkdir()
    event = b'{"event_type":"a"}'
    files: dict[str, bytes] = {
        "c.json": b"",
        "a.JSONL.GZ": b"",
        "b/d.csv.zst": b"",
        "firehose-1": event,
        "part-00000": gzip.compress(b"time,events\n1,[]\n"),
        "torn": gzip.compress(event)[:-5],
        "rows.parquet": b"PAR1",
        "readme.md": b"# About",
        "_SUCCESS": b"",
        "Thumbs.db": b"\xd0\xcf",
        "other": b'{"name":1}',
        ".hidden.json": event,
    }
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "x.json").touch()
    # Opening it would wait for somebody to write into it.
    os.mkfifo(tmp_path / "pipe.json")
    read = ("a.JSONL.GZ", "b/d.csv.zst", "c.json", "firehose-1", "part-00000", "rows.parquet", "torn")
    assert names(tmp_path) == [str(tmp_path), *[str(tmp_path / name) for name in read]]
    assert sources([str(tmp_path)])[0].note == (
        "7 files left out: 2 hidden (.git/, .hidden.json), 5 without events (Thumbs.db, _SUCCESS, other, …)"
    )


def test_globs_that_the_shell_did_not_expand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`'**'` goes down; matches are in order; a match may be a folder, or called `-`, which is not standard input."""
    monkeypatch.chdir(tmp_path)
    Path("-").touch()
    assert [source.path for source in sources(["?"])] == [Path("-")]
    (tmp_path / "2026" / "11").mkdir(parents=True)
    (tmp_path / "2026" / "11" / "b.json").touch()
    (tmp_path / "2026" / "a.json").touch()
    for pattern in (tmp_path / "**" / "*.json", tmp_path / "20??"):
        assert names(pattern) == [str(tmp_path / "2026" / name) for name in ("11/b.json", "a.json")]


@pytest.mark.parametrize(
    ("paths", "reasons"),
    [
        (["missing.json"], ["missing.json: no such file or folder"]),
        (["missing-*.json"], ["missing-*.json: no file matches"]),
        ([""], ["'': an empty path"]),
        (["x" * 5000], ["x: file name too long"]),
        (["file/below.json"], ["file/below.json: no such file or folder"]),
        (["without"], ["without: no payload files in this folder"]),
        (["broken"], ["broken/a.json: no such file or folder"]),
        (["a", "file", "b"], ["a: no such file", "b: no such file"]),
    ],
)
def test_what_cannot_be_found_is_named(
    paths: list[str], reasons: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All paths with their reasons, at once; `tdcur count "$UNSET"` does not read the current folder.

    A link that leads nowhere was meant to be a payload file: leaving it out would lose data without a word.
    """
    monkeypatch.chdir(tmp_path)
    Path("file").touch()
    Path("without").mkdir()
    Path("without", "notes.txt").touch()
    Path("broken").mkdir()
    Path("broken", "a.json").symlink_to("gone.json")
    with pytest.raises(InputError) as raised:
        sources(paths)
    found = raised.value.message.split("; ")
    assert len(found) == len(reasons)
    assert all(reason in message for reason, message in zip(reasons, found, strict=True))


@pytest.mark.parametrize("path", ["td://braze/currents", "https://host.example/a?td_write_key=1/0123", "x://*.json?a"])
def test_an_address_is_not_a_file(path: str) -> None:
    """Its query, which may contain a key, is not shown."""
    with pytest.raises(InputError) as raised:
        sources([path])
    address = path.partition("?")[0]
    assert raised.value.message.startswith(f"{address} is not a file; only count, parse, ")
    assert "?" not in raised.value.message


def test_what_may_not_be_read_is_named_before_any_work(tmp_path: Path) -> None:
    """A file and a folder without permission."""
    file, folder = tmp_path / "a.json", tmp_path / "closed"
    file.touch()
    folder.mkdir()
    for path in (file, folder):
        path.chmod(0)
        if os.access(path, os.R_OK):
            pytest.skip("root may read everything")
        with pytest.raises(InputError, match="permission denied"):
            sources([str(path)])
        path.chmod(stat.S_IRWXU)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("100000", 10**5),
        ("256MiB", 1 << 28),
        ("256m", 1 << 28),
        ("64MB", 64 * 10**6),
        ("1.5 KB", 1500),
        ("2GiB", 1 << 31),
    ],
)
def test_sizes(text: str, size: int) -> None:
    assert byte_size(text) == size


@pytest.mark.parametrize("text", ["", "0", "-1", "MB", "1 box", "1e6", "0.0001K"])
def test_what_is_not_a_size(text: str) -> None:
    with pytest.raises(UsageError, match="--max-document-size is not a size"):
        byte_size(text)
