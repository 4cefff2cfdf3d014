"""The cases there are, by the names the command line takes."""

from collections.abc import Mapping
from typing import Final

from tests.benchmarks.case import Case
from tests.benchmarks.cases import send, tables, validate

CASES: Final[Mapping[str, Case]] = {case.name: case for case in (*tables.CASES, *send.CASES, *validate.CASES)}
