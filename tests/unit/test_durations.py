"""Durations as option values."""

import pytest

from td_currents_cli.durations import duration
from td_currents_cli.errors import UsageError


@pytest.mark.parametrize(
    ("text", "seconds"), [("30s", 30), ("15m", 900), ("2h", 7200), ("500ms", 0.5), ("1.5h", 5400), ("0", 0)]
)
def test_durations(text: str, seconds: float) -> None:
    assert duration(text, "--retry-for") == seconds


@pytest.mark.parametrize("text", ["", "15", "m", "15 parsecs", "-1s", "1e3s", "nan", "5w"])
def test_an_invalid_duration_is_a_usage_error(text: str) -> None:
    """A bare number is refused: seconds or minutes?"""
    with pytest.raises(UsageError, match="--retry-for"):
        duration(text, "--retry-for")
