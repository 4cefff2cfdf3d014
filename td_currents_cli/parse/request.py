"""The options of `tdcur parse`, and which of them conflict."""

import os
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from msgspec import Struct

from td_currents_cli.choices import Mask, Names, Nested, To
from td_currents_cli.errors import UsageError
from td_currents_cli.events.filter import EVERYTHING, Filter
from td_currents_cli.patterns import pattern
from td_currents_cli.read import Source
from td_currents_cli.read.options import INGESTED, ReadOptions
from td_currents_cli.read.sources import InputProgress
from td_currents_cli.write.files import COMPRESSED

MIN_KEY_SIZE: Final = 16
"""Bytes. A shorter key can be guessed, and with it the email addresses behind the hashes."""

_LIMIT: Final = pattern(r"(\d{1,12})|(\d{1,3}(?:\.\d+)?)%", re.ASCII)


_FORMATS: Final = {".csv": To.CSV, ".tsv": To.TSV, ".parquet": To.PARQUET}


def format_of(output: Path | None) -> To:
    """Return the format of a file by its name, also if that ends with the suffix of a compression."""
    suffixes = [suffix.lower() for suffix in (output.suffixes if output else ())]
    if suffixes and suffixes[-1] in COMPRESSED:
        suffixes.pop()
    return _FORMATS.get(suffixes[-1], To.JSONL) if suffixes else To.JSONL


class Rejects(Struct, frozen=True):
    """Maximum of rejected rows and events: a number or a share of all rows, 0 to 1."""

    number: int | None = None
    share: float | None = None

    @classmethod
    def of(cls, value: str) -> "Rejects":
        """Parse `N` or `P%`. Raises UsageError."""
        found = _LIMIT.fullmatch(value.strip())
        if found is None or (found[2] and float(found[2]) > 100):
            raise UsageError(
                f"--max-rejects must be a number or a percentage, got: {value}", hint="For example 0, 100 or 2.5%."
            )
        return cls(share=float(found[2]) / 100) if found[2] else cls(number=int(found[1]))


class ParseRequest(Struct, frozen=True, kw_only=True):
    """The options of `tdcur parse`."""

    sources: Sequence[Source]
    reading: ReadOptions = INGESTED
    output: Path | None = None  # None or `-` for standard output
    rejects: Path | None = None  # the file of rejected rows and events
    summary: Path | None = None  # the file of the JSON envelope
    to: To = To.JSONL
    fields: tuple[str, ...] | None = None  # columns or fields in their order; None for all
    safe_csv: bool = False  # no cell is a formula
    names: Names = Names.SHORT
    nested: Nested | None = None  # None for what suits the output format
    wanted: Filter = EVERYTHING
    dedupe: bool = False
    mask: Mask = Mask.KEEP
    mask_key: Path | None = None  # the file with the key of the hashes
    split: bool = False  # a file per event type, in `out_dir`
    out_dir: Path | None = None
    max_rejects: Rejects | None = None
    jobs: int = 1
    limit: int | None = None  # ids in memory; None for the default
    progress: InputProgress | None = None
    scanned: Mapping[str, str | None] | None = None  # of tables; see `Outcome`

    @property
    def is_table(self) -> bool:
        return self.to is not To.JSONL

    @property
    def to_standard_output(self) -> bool:
        return not self.split and (self.output is None or self.output == Path("-"))

    def check(self) -> None:
        """Raises UsageError if options conflict."""
        if self.split != (self.out_dir is not None):
            raise UsageError("--split-by and --out-dir must be used together", hint="Set both or neither.")
        if self.split and self.output is not None:
            raise UsageError("--split-by and -o cannot be used together", hint="Files go to --out-dir.")
        if self.to is To.PARQUET and self.to_standard_output and sys.stdout.isatty():
            raise UsageError("Parquet cannot be written to a terminal", hint="Use -o FILE.")
        if self.is_table and self.nested is Nested.OBJECT:
            raise UsageError(f"--nested object is not supported for --to {self.to}", hint="It is for JSON Lines.")
        if self.safe_csv and self.to is not To.CSV:
            raise UsageError("--safe-csv can only be used with --to csv", hint="Other formats have no formulas.")
        if (self.mask is Mask.HASH) != (self.mask_key is not None):
            raise UsageError(
                "--mask hash and --mask-key-file must be used together",
                hint="Create a key once and keep it secret: head -c 32 /dev/urandom | base64 > mask.key",
            )
        if self.fields is not None and (not self.fields or len({*self.fields}) < len(self.fields)):
            raise UsageError("--fields is empty or has a field twice", hint="For example --fields event_type,id,time.")
        self._refuse_one_file_for_two()
        # Events may replace the file they were read from, as with `sort -o`.
        read = {os.path.realpath(source.path) for source in self.sources if source.path is not None}
        for option, path in (("--rejects", self.rejects), ("--summary", self.summary)):
            if path is not None and path.is_file() and os.path.realpath(path) in read:
                raise UsageError(f"{option} {path} is also an input", hint=f"Use another file for {option}.")

    def key(self) -> bytes | None:
        """The content of the key file without line ends at its end. Raises UsageError."""
        if self.mask_key is None:
            return None
        try:
            key = self.mask_key.read_bytes().rstrip(b"\r\n")
        except OSError as error:
            raise UsageError(f"--mask-key-file {self.mask_key} cannot be read: {error.strerror}") from None
        if len(key) < MIN_KEY_SIZE:
            raise UsageError(
                f"--mask-key-file {self.mask_key} has less than {MIN_KEY_SIZE} bytes",
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
                    f"{seen[real]} and {what} cannot be written to the same file, {path}",
                    hint=f"Use another file for --{what.removeprefix('the ')}.",
                )
            seen[real] = what
