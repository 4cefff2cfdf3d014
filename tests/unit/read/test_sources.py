import gzip
import os
import stat
from pathlib import Path

import pytest

from td_currents_cli.errors import InputError, UsageError
from td_currents_cli.read import byte_size, sources


def names(*paths: object) -> list[str]:
    return [source.name for source in sources([str(path) for path in paths])]


def test_no_path_is_standard_input() -> None:
    """`tdcur count < file` needs no `-`."""
    assert [(source.name, source.path) for source in sources(None)] == [("<stdin>", None)]
    assert [(source.name, source.path) for source in sources(["-"])] == [("<stdin>", None)]


def test_standard_input_twice_is_wrong_usage() -> None:
    """It can be read only once; the second would silently be empty."""
    with pytest.raises(UsageError, match="twice"):
        sources(["-", "-"])


def test_a_named_file_is_read_whatever_its_ending(tmp_path: Path) -> None:
    path = tmp_path / "currents.backup"
    path.touch()
    assert names(path) == [str(path)]


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
    read = ("a.JSONL.GZ", "b/d.csv.zst", "c.json", "firehose-1", "part-00000", "rows.parquet", "torn")
    assert names(tmp_path) == [str(tmp_path), *[str(tmp_path / name) for name in read]]
    assert sources([str(tmp_path)])[0].note == (
        "6 files left out: 2 hidden (.git/, .hidden.json), 4 without events (Thumbs.db, _SUCCESS, other, …)"
    )


def test_a_hidden_folder_that_is_named_is_searched(tmp_path: Path) -> None:
    folder = tmp_path / ".payloads"
    folder.mkdir()
    (folder / "a.json").touch()
    assert names(folder) == [str(folder / "a.json")]


def test_a_folder_without_payload_files_is_an_error(tmp_path: Path) -> None:
    """A CI job that looks into the wrong folder must not be green."""
    (tmp_path / "notes.txt").touch()
    with pytest.raises(InputError, match="no payload files in this folder"):
        sources([str(tmp_path)])


def test_globs_that_the_shell_did_not_expand(tmp_path: Path) -> None:
    """`'**'` goes down; matches are in order; a match may be a folder."""
    (tmp_path / "2026" / "11").mkdir(parents=True)
    (tmp_path / "2026" / "11" / "b.json").touch()
    (tmp_path / "2026" / "a.json").touch()
    assert names(tmp_path / "**" / "*.json") == [str(tmp_path / "2026" / name) for name in ("11/b.json", "a.json")]
    assert names(tmp_path / "20??") == [str(tmp_path / "2026" / name) for name in ("11/b.json", "a.json")]


def test_a_file_named_like_a_glob_is_itself(tmp_path: Path) -> None:
    """What exists is not expanded: `part[1].json` is a common name for a download."""
    path = tmp_path / "part[1].json"
    path.touch()
    (tmp_path / "part1.json").touch()
    assert names(path) == [str(path)]
    assert names(tmp_path / "*[[]1[]].json") == [str(path)]


def test_a_glob_that_matches_a_file_called_dash_is_not_standard_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only a `-` that was given stands for standard input."""
    monkeypatch.chdir(tmp_path)
    Path("-").touch()
    assert [source.path for source in sources(["?"])] == [Path("-")]


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("missing.json", "no such file or folder"),
        ("missing-*.json", "no file matches"),
        ("", "an empty path"),
        ("x" * 5000, "file name too long"),
        ("file/below.json", "no such file or folder"),
    ],
)
def test_what_cannot_be_found_is_named(path: str, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Path and reason; `tdcur count "$UNSET"` does not read the current folder."""
    monkeypatch.chdir(tmp_path)
    Path("file").touch()
    with pytest.raises(InputError) as raised:
        sources([path])
    assert raised.value.message.startswith(f"{path}: " if path else "'': ")
    assert reason in raised.value.message


@pytest.mark.parametrize("path", ["td://braze/currents", "https://host.example/a?td_write_key=1/0123", "x://*.json?a"])
def test_an_address_is_not_a_file(path: str) -> None:
    """Its query, which may contain a key, is not shown."""
    with pytest.raises(InputError) as raised:
        sources([path])
    address = path.partition("?")[0]
    assert raised.value.message.startswith(f"{address} is not a file; only count, parse, ")
    assert "?" not in raised.value.message


def test_all_bad_paths_are_named_at_once(tmp_path: Path) -> None:
    """All are named, so that they can be fixed at once."""
    with pytest.raises(InputError) as raised:
        sources([str(tmp_path / "a"), str(tmp_path / "b")])
    assert "a: no such" in raised.value.message
    assert "b: no such" in raised.value.message


def test_a_link_that_leads_nowhere_is_an_error_also_within_a_folder(tmp_path: Path) -> None:
    """It was meant to be a payload file: leaving it out would lose data without a word."""
    (tmp_path / "a.json").symlink_to(tmp_path / "gone.json")
    with pytest.raises(InputError, match="no such file"):
        sources([str(tmp_path)])


def test_pipes_in_a_folder_are_left_alone(tmp_path: Path) -> None:
    """Opening one would wait for somebody to write into it."""
    os.mkfifo(tmp_path / "a.json")
    (tmp_path / "b.json").touch()
    assert names(tmp_path) == [str(tmp_path), str(tmp_path / "b.json")]


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
        ("100000", 100_000),
        ("256MiB", 1 << 28),
        ("256m", 1 << 28),
        ("64MB", 64_000_000),
        ("1.5 KB", 1500),
        ("2GiB", 1 << 31),
        ("10B", 10),
    ],
)
def test_sizes(text: str, size: int) -> None:
    assert byte_size(text) == size


@pytest.mark.parametrize("text", ["", "0", "-1", "MB", "1 box", "1e6", "0.0001K"])
def test_what_is_not_a_size(text: str) -> None:
    with pytest.raises(UsageError, match="--max-document-size is not a size"):
        byte_size(text)
