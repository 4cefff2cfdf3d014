"""`--fail`: what a specification says, and which request meets which fault."""

from collections import Counter
from functools import reduce
from itertools import islice
from operator import add

import pytest

from td_currents_cli.errors import UsageError
from td_currents_cli.serve.fault_injection import draw_faults
from td_currents_cli.serve.settings import Fault, parse_faults

SPECIFICATION = "503=0.1,429=0.05,400=0,413=1e-3,reset=0.02,accept-then-reset=0.02,slow=0.1:500ms,hang=0.01"


def dealt(specification: str, seed: int, requests: int) -> list[str]:
    """The names of the faults that so many requests meet; empty for none."""
    faults = islice(draw_faults(parse_faults(specification), seed), requests)
    return ["" if fault is None else fault.name for fault in faults]


def test_a_specification() -> None:
    """Each fault has its probability, and a duration where it takes one; it is shown as it is written."""
    faults = parse_faults(SPECIFICATION)
    assert [fault.share for fault in faults] == [0.1, 0.05, 0, 0.001, 0.02, 0.02, 0.1, 0.01]
    assert ",".join(map(str, faults)) == (
        "503=0.1,429=0.05:1s,400=0,413=0.001,reset=0.02,accept-then-reset=0.02,slow=0.1:0.5s,hang=0.01"
    )


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("slow=1", 2.0), ("slow=1:1m", 60.0), ("429=1", 1.0), ("429=1:0", 0.0), ("503=1", None), ("503=1:2s", 2.0)],
)
def test_durations(text: str, seconds: float | None) -> None:
    """`slow` is 2 s late and 429 asks for 1 s, unless told otherwise; other statuses ask for nothing."""
    assert parse_faults(f" {text} ") == (Fault(name=text.partition("=")[0], share=1.0, seconds=seconds),)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "--fail, character 1: '' is not a fault"),
        ("503=0.1,", "--fail, character 9: '' is not a fault"),
        ("503=0.1,  resett=1", "--fail, character 11: 'resett' is not a fault"),
        ("199=1", "--fail, character 1: '199' is not a fault"),
        ("600=1", "--fail, character 1: '600' is not a fault"),
        ("5\u06603=1", "--fail, character 1: '5\u06603' is not a fault"),
        ("hang=0,503", "--fail, character 12: 503 needs a probability from 0 to 1"),
        ("503=", "--fail, character 5: 503 needs a probability from 0 to 1"),
        ("503=10%", "--fail, character 5: 503 needs a probability from 0 to 1"),
        ("503=-0.1", "--fail, character 5: 503 needs a probability from 0 to 1"),
        ("503=1.5", "--fail, character 5: 503 needs a probability from 0 to 1"),
        ("503=nan", "--fail, character 5: 503 needs a probability from 0 to 1"),
        ("503=0.1,slow=0.1:2", "--fail, character 18: the duration of slow is not a duration"),
        ("slow=0.1:", "--fail, character 10: the duration of slow is not a duration"),
        ("hang=0.1:2s", "--fail, character 10: hang takes no duration"),
        ("503=0.1,503=0.2", "--fail, character 9: 503 is repeated"),
        ("503=0.5,429=0.5,hang=0.1", "--fail: the probabilities add up to 1.1, more than 1"),
    ],
)
def test_a_wrong_specification(text: str, message: str) -> None:
    """Each mistake says where it is in the text, and shows how it is written."""
    with pytest.raises(UsageError) as raised:
        parse_faults(text)
    assert raised.value.message == message
    assert raised.value.hint


def test_the_same_seed_deals_the_same() -> None:
    """What the nth request meets depends on the specification, the seed and n alone, on every machine."""
    assert dealt(SPECIFICATION, 7, 1000) == dealt(SPECIFICATION, 7, 1000) != dealt(SPECIFICATION, 8, 1000)
    assert dealt("503=0.4,hang=0.2", 7, 10) == ["503", "503", "", "503", "hang", "503", "503", "hang", "503", "hang"]


def test_shares() -> None:
    met = Counter(dealt(SPECIFICATION, 1, 20_000))
    for fault in parse_faults(SPECIFICATION):
        assert met[fault.name] / 20_000 == pytest.approx(fault.share, abs=0.005)
    assert (met["400"], met[""] > 0) == (0, True)


def test_ten_tenths_leave_no_request_alone() -> None:
    """Probabilities that add up to 1 do so whatever binary fractions make of them."""
    everything = ",".join(f"{status}=0.1" for status in range(500, 510))
    assert "" not in dealt(everything, 0, 1000)
    faults = parse_faults(everything)
    # Added one by one: `sum` is compensated since Python 3.12.
    assert reduce(add, (fault.share for fault in faults)) < 1
