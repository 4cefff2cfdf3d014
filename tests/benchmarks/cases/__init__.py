"""The cases there are, by the names the command line takes."""

from collections.abc import Mapping
from typing import Final

from tests.benchmarks.case import Case
from tests.benchmarks.cases import count, parse, send, validate

CASES: Final[Mapping[str, Case]] = {
    case.name: case for case in (*count.CASES, *parse.CASES, *send.CASES, *validate.CASES)
}
