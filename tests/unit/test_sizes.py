"""Numbers of bytes for people."""

import pytest

from td_currents_cli.sizes import format_size


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (45_056, "45.1 kB"),
        (999_949, "999.9 kB"),
        (999_950, "1.0 MB"),
        (3_500_000, "3.5 MB"),
        (77_900_000_000, "77.9 GB"),
        (12_345_678_900_000_000, "12,345.7 TB"),
    ],
)
def test_a_size_for_people_has_the_unit_that_fits_it(size: int, text: str) -> None:
    """Not `0.0 MB` for what is there."""
    assert format_size(size) == text
