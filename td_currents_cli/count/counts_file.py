"""Reads counts from a file: written by `tdcur count --format`, or by hand as expectations."""

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import Any, Final

from td_currents_cli.count.dimension import Key
from td_currents_cli.errors import InputError, UsageError

_COUNTS_HINT: Final = "Give the output of `tdcur count --format json` (or jsonl, csv, tsv) with the same --by."


def read_counts(path: Path, by: Sequence[str], option: str) -> dict[Key, str]:
    """The count of each group, as a string.

    The file is JSON (the envelope, a list of objects, or one object of names and counts), JSON Lines, CSV or TSV.

    Args:
        path: the file.
        by: dimensions that its counts must have.
        option: that names the file; for messages.

    Raises:
        InputError: the file cannot be read.
        UsageError: its format is another one, its counts have other dimensions, or a group occurs twice.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise InputError(f"cannot read {path}: not UTF-8") from None
    where = f"{option} {path}"
    counts: dict[Key, str] = {}
    for item in _items(text, by, where):
        _require_fields(item, by, where)
        count = item["count"]
        if isinstance(count, bool) or not isinstance(count, int | str):
            raise UsageError(f"{where}: the count of a group is neither a number nor a string", hint=_COUNTS_HINT)
        # CSV has no other way to write a missing value.
        key = tuple(None if item[name] in {None, ""} else str(item[name]) for name in by)
        if key in counts:
            raise UsageError(f"{where}: {key_text(key)} occurs twice")
        counts[key] = str(count)
    return counts


def key_text(key: Key) -> str:
    """A group as part of a message."""
    return ", ".join("(none)" if value is None else value for value in key)


def _items(text: str, by: Sequence[str], where: str) -> Iterator[Mapping[str, Any]]:
    if not text.lstrip().startswith(("{", "[")):
        yield from _delimited(text, by, where)
        return
    try:
        document = json.loads(text)
    except ValueError:
        try:
            document = [json.loads(line) for line in text.split("\n") if line.strip()]
        except ValueError as error:
            raise UsageError(f"{where} is neither JSON nor JSON Lines: {error}") from None
    if isinstance(document, dict):
        document = document.get("counts", document)
    if isinstance(document, dict):
        if set(by) | {"count"} <= document.keys():
            document = [document]
        elif len(by) > 1:
            raise UsageError(f"{where} has one name per count, but --by has {len(by)}", hint=_COUNTS_HINT)
        else:
            document = [{by[0]: name, "count": count} for name, count in document.items()]
    if not isinstance(document, list) or not all(isinstance(item, dict) for item in document):
        raise UsageError(f"{where} contains no counts", hint=_COUNTS_HINT)
    yield from document


def _delimited(text: str, by: Sequence[str], where: str) -> Iterator[Mapping[str, Any]]:
    header = text.partition("\n")[0]
    reader = csv.DictReader(StringIO(text, newline=""), delimiter="\t" if "\t" in header else ",")
    try:
        _require_fields(dict.fromkeys(reader.fieldnames or ()), by, where)
        yield from reader
    except csv.Error as error:
        raise UsageError(f"{where} is neither JSON nor CSV: {error}") from None


def _require_fields(item: Mapping[str, Any], by: Sequence[str], where: str) -> None:
    missing = [name for name in (*by, "count") if name not in item]
    if missing:
        raise UsageError(f"{where} has no field `{missing[0]}`: its counts have other dimensions", hint=_COUNTS_HINT)
