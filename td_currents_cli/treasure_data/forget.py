"""`tdcur sql forget`: the statements that remove a person's events from a table. Runs nothing."""

import sys
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from msgspec import Struct

from td_currents_cli.choices import Dialect, Layout, Query
from td_currents_cli.errors import InputError, UsageError
from td_currents_cli.secrets import mask
from td_currents_cli.treasure_data.address import DAY, TableAddress
from td_currents_cli.treasure_data.print_sql import SqlOutcome
from td_currents_cli.treasure_data.sql.forget import BatchRewrite, People, forget_flat_sql
from td_currents_cli.treasure_data.sql.queries import MAX_LISTED_CHARACTERS, MAX_LISTED_IDS

_FILE: Final = "@"

_VISIBLE: Final = 3600.0
"""Seconds after which a received row has surely appeared in its table; Treasure Data: about five minutes."""

_NOT_RUN: Final = (
    "Nothing was run. Remove the person in Braze first, then run these statements one by one, in their order."
)
_KEEP: Final = "Keep them until the end: statements printed on another day would divide the rows at another time."
_ELSEWHERE: Final = (
    "The person is also in other tables (raw and flat), payload files, dead letters, and Braze's Avro exports.",
    "Journals of `tdcur send` have the ids of the person's events.",
)


class ForgetRequest(Struct, frozen=True, kw_only=True):
    table: TableAddress
    layout: Layout
    people: People
    now: float


def run(request: ForgetRequest) -> SqlOutcome:
    """Write the statements. Runs offline."""
    if request.layout is Layout.FLAT:
        statements = forget_flat_sql(request.table, request.people)
        notes = [_NOT_RUN, *_ELSEWHERE]
    else:
        # A day that is over: the same text all day, and rows that have all appeared.
        boundary = (request.now - _VISIBLE) // DAY * DAY
        statements = BatchRewrite(request.table, request.people, boundary).statements()
        notes = [_NOT_RUN, _KEEP, *_ELSEWHERE]
    return SqlOutcome(
        query=Query.FORGET,
        dialect=Dialect.TRINO,
        sql=";\n\n".join(statements) + ";",
        rows=None,
        notes=tuple(notes),
    )


def people_of(values: Mapping[str, Sequence[str]]) -> People:
    """Read the ids of people, given the values of options by fields of `user`: ids, or `@FILE` with one per line.

    Raises:
        UsageError: there is none, too many, or one that a query cannot contain. Messages do not repeat it.
        InputError: a file cannot be read.
    """
    ids = {field: list(dict.fromkeys(_ids(field, given))) for field, given in values.items()}
    found = {field: each for field, each in ids.items() if each}
    every = [each for of_field in found.values() for each in of_field]
    if not every:
        raise UsageError("no person given", hint="Name a person with --external-user-id, --user-id, or --device-id.")
    if len(every) > MAX_LISTED_IDS or sum(map(len, every)) > MAX_LISTED_CHARACTERS:
        raise UsageError(
            f"{len(every):,} ids are too many for a query",
            hint=f"Use up to {MAX_LISTED_IDS:,} ids at a time, of {MAX_LISTED_CHARACTERS:,} characters in total.",
        )
    return People(found)


def _ids(field: str, values: Sequence[str]) -> Iterator[str]:
    option = f"--{field.replace('_', '-')}"
    for value in values:
        if value.startswith(_FILE):
            yield from _lines(option, value.removeprefix(_FILE))
        else:
            yield _checked(value, option)


def _lines(option: str, path: str) -> Iterator[str]:
    name = "standard input" if path == "-" else path
    try:
        content = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a path"
        raise InputError(
            f"cannot read the ids of {option} from {name}: {reason}",
            hint=f"An id that begins with {_FILE} is given in a file.",
        ) from None
    for number, line in enumerate(content.removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1):
        if text := line.removesuffix(b"\r"):
            yield _checked(text.decode(errors="surrogateescape"), f"{option}: line {number:,} of {name}")


def _checked(value: str, place: str) -> str:
    """Return an id that a query can contain. Raises UsageError."""
    if not value.strip():
        raise UsageError(f"{place} is empty", hint="Give an id.")
    if any(unicodedata.category(each) in {"Cc", "Cs"} for each in value):
        raise UsageError(
            f"{place} has a control character, or is not UTF-8", hint="Name the person by another id of theirs."
        )
    if mask(value) != value:
        raise UsageError(f"{place} looks like a key or a token, not like the id of a person", hint="Check the value.")
    return value
