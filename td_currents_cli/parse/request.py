"""What `tdcur parse` is asked for, and what cannot be asked for together."""

import os
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from td_currents_cli.choices import Mask, Names, Nested, To
from td_currents_cli.errors import UsageError
from td_currents_cli.events.filter import EVERYTHING, Filter
from td_currents_cli.read import Source
from td_currents_cli.read.options import INGESTED, ReadOptions

SHORTEST_KEY: Final = 16
"""Bytes of a key: fewer can be guessed, and e-mail addresses with them."""

_LIMIT: Final = re.compile(r"(\d{1,12})|(\d{1,3}(?:\.\d+)?)%", re.ASCII)


@dataclass(frozen=True, slots=True)
class Rejects:
    """How much may be rejected: a number, or a part of all.

    Attributes:
        number: of rejected rows and elements; None for any.
        part: of all rows that were read, 0 to 1; None for any.
    """

    number: int | None = None
    part: float | None = None

    @classmethod
    def of(cls, text: str) -> "Rejects":
        """From `N` or `P%`.

        Raises:
            UsageError: it is neither.
        """
        found = _LIMIT.fullmatch(text.strip())
        if found is None or (found[2] and float(found[2]) > 100):
            raise UsageError(
                f"--max-rejects is neither a number nor a percentage: {text}", hint="Give 0, or 100, or 2.5%."
            )
        return cls(part=float(found[2]) / 100) if found[2] else cls(number=int(found[1]))


@dataclass(frozen=True, slots=True, kw_only=True)
class ParseRequest:
    """What to parse, and where to.

    Attributes:
        reading: what is known of the form of the sources.
        output: the file of flat events; None for standard output.
        rejects: the file of rejected rows and events, one JSON object a line; None for none.
        summary: the file of the run's JSON envelope; None for none.
        to: the form of what is written.
        fields: names of the columns of a table, or of the members of JSON objects, in order; None for all.
        names: how members are named.
        nested: what becomes of objects and arrays; None for what suits the form.
        wanted: which events are written; all others are `filtered`.
        dedupe: whether events are left out whose id came before.
        mask: what happens to personal data.
        mask_key: the file with the key of the hashes.
        split: whether each event type has a file of its own, in `out_dir`.
        out_dir: the folder of those files.
        max_rejects: beyond which the run fails; None for no bound.
        jobs: number of processes.
        limit: digests of ids that are kept in memory; None for the usual number.
    """

    sources: Sequence[Source]
    reading: ReadOptions = INGESTED
    output: Path | None = None
    rejects: Path | None = None
    summary: Path | None = None
    to: To = To.JSONL
    fields: tuple[str, ...] | None = None
    names: Names = Names.SHORT
    nested: Nested | None = None
    wanted: Filter = EVERYTHING
    dedupe: bool = False
    mask: Mask = Mask.KEEP
    mask_key: Path | None = None
    split: bool = False
    out_dir: Path | None = None
    max_rejects: Rejects | None = None
    jobs: int = 1
    limit: int | None = None

    @property
    def is_table(self) -> bool:
        """Whether what is written has columns."""
        return self.to is not To.JSONL

    @property
    def to_standard_output(self) -> bool:
        """Whether the events go there."""
        return not self.split and (self.output is None or self.output == Path("-"))

    def check(self) -> None:
        """Refuse what makes no sense, before anything is read.

        Raises:
            UsageError: the options do not fit together.
        """
        if self.split != (self.out_dir is not None):
            raise UsageError("--split-by and --out-dir go together", hint="Give both, or neither.")
        if self.split and self.output is not None:
            raise UsageError("--split-by writes to --out-dir, not to -o", hint="Leave one of them out.")
        if self.to is To.PARQUET and self.to_standard_output and sys.stdout.isatty():
            raise UsageError("Parquet is not for a terminal", hint="Give -o FILE.")
        if self.is_table and self.nested is Nested.OBJECT:
            raise UsageError(f"--nested object is for JSON Lines; {self.to} has cells", hint="Leave it out.")
        if (self.mask is Mask.HASH) != (self.mask_key is not None):
            raise UsageError(
                "--mask hash and --mask-key-file go together",
                hint="Make a key once and keep it secret: head -c 32 /dev/urandom | base64 > mask.key",
            )
        if self.fields is not None and (not self.fields or len({*self.fields}) < len(self.fields)):
            raise UsageError("--fields names a field twice, or none at all", hint="Give --fields event_type,id,time.")
        self._refuse_one_file_for_two()
        self._refuse_files_that_are_read()

    def key(self) -> bytes | None:
        """The key of the hashes: what is in the file, without a line end at its end.

        Raises:
            UsageError: the file cannot be read, or holds too little.
        """
        if self.mask_key is None:
            return None
        try:
            key = self.mask_key.read_bytes().rstrip(b"\r\n")
        except OSError as error:
            raise UsageError(f"--mask-key-file {self.mask_key} cannot be read: {error.strerror}") from None
        if len(key) < SHORTEST_KEY:
            raise UsageError(
                f"--mask-key-file {self.mask_key} holds less than {SHORTEST_KEY} bytes",
                hint="head -c 32 /dev/urandom | base64 > mask.key",
            )
        return key

    def _refuse_one_file_for_two(self) -> None:
        events = None if self.split else self.output or Path("-")
        outputs = {"events": events, "rejects": self.rejects, "the summary": self.summary}
        given = {what: path for what, path in outputs.items() if path is not None}
        seen: dict[str, str] = {}
        for what, path in given.items():
            real = os.path.realpath(path)
            if real in seen and (path.is_file() or not path.exists()):
                raise UsageError(
                    f"{seen[real]} and {what} cannot go to the same file, {path}",
                    hint=f"Give --{what.removeprefix('the ')} another name.",
                )
            seen[real] = what

    def _refuse_files_that_are_read(self) -> None:
        """Events may replace what they were read from, as with `sort -o`; what is said about them may not."""
        read = {os.path.realpath(source.path) for source in self.sources if source.path is not None}
        for option, path in (("--rejects", self.rejects), ("--summary", self.summary)):
            if path is not None and path.is_file() and os.path.realpath(path) in read:
                raise UsageError(f"{option} {path}: this file is read itself", hint=f"Give {option} another name.")
