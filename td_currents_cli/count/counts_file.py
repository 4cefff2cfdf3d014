"""Counts in a file: as `tdcur count --format` writes them, or as a person writes down what should come out."""

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import Any

from td_currents_cli.count.bins import Key
from td_currents_cli.errors import InputError, UsageError


def read_counts(path: Path, by: Sequence[str], option: str) -> dict[Key, str]:
    """The text that stands for the count of each group.

    The file is JSON (the envelope, a list of records, or one object of names and counts), JSON Lines, CSV or TSV.

    Args:
        path: the file.
        by: what its counts have to be by.
        option: that names the file; for messages.

    Raises:
        InputError: the file cannot be read.
        UsageError: it is none of these forms, or was counted by something else, or has a group twice.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise InputError(f"cannot read {path}: it is not UTF-8") from None
    counts: dict[Key, str] = {}
    for record in _records(text, by, f"{option} {path}"):
        key, count = _key(record, by, f"{option} {path}")
        if key in counts:
            raise UsageError(f"{option} {path}: {name_of(key)} stands there twice")
        counts[key] = count
    return counts


def name_of(key: Key) -> str:
    """A group for a line of text."""
    return ", ".join("(none)" if value is None else value for value in key)


def _records(text: str, by: Sequence[str], where: str) -> Iterator[Mapping[str, Any]]:
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
        if not set(by) | {"count"} <= document.keys():
            if len(by) > 1:
                raise UsageError(f"{where} has one name for each count, but --by has {len(by)}", hint=_FORM)
            document = [{by[0]: name, "count": count} for name, count in document.items()]
        else:
            document = [document]
    if not isinstance(document, list) or not all(isinstance(record, dict) for record in document):
        raise UsageError(f"{where} holds no counts", hint=_FORM)
    yield from document


def _delimited(text: str, by: Sequence[str], where: str) -> Iterator[Mapping[str, Any]]:
    header = text.partition("\n")[0]
    reader = csv.DictReader(StringIO(text, newline=""), delimiter="\t" if "\t" in header else ",")
    try:
        _check(dict.fromkeys(reader.fieldnames or ()), by, where)
        yield from reader
    except csv.Error as error:
        raise UsageError(f"{where} is neither JSON nor CSV: {error}") from None


def _key(record: Mapping[str, Any], by: Sequence[str], where: str) -> tuple[Key, str]:
    _check(record, by, where)
    count = record["count"]
    if isinstance(count, bool) or not isinstance(count, int | str):
        raise UsageError(f"{where}: the count of a group is neither a number nor a text", hint=_FORM)
    # CSV has no other way to write a missing value.
    return tuple(None if record[name] in {None, ""} else str(record[name]) for name in by), str(count)


def _check(record: Mapping[str, Any], by: Sequence[str], where: str) -> None:
    missing = [name for name in (*by, "count") if name not in record]
    if missing:
        raise UsageError(f"{where} has no field `{missing[0]}`: it holds other counts than these", hint=_FORM)


_FORM = "Give what `tdcur count --format json` (or jsonl, csv, tsv) writes with the same --by."
