"""`tdcur url`: which URL Braze gets, and when there is none."""

import pytest

from td_currents_cli.braze import Site
from td_currents_cli.errors import UsageError
from td_currents_cli.send.braze_url import BrazeUrlOutcome, run
from td_currents_cli.send.destination import Destination

KEY = "1/" + "5ec4e7" * 6 + "5ec4"
TABLE = Destination(site=Site.ap01, database="my_db", table="my_table")
V1 = "https://tokyo.in.treasuredata.com/postback/v3/event/my_db/my_table"


def url_of(destination: Destination, *, show_key: bool = True, key: str = KEY) -> tuple[BrazeUrlOutcome, list[str]]:
    told: list[str] = []
    return run(destination, {"TD_WRITE_KEY": key}, show_key=show_key, notice=told.append), told


@pytest.mark.parametrize(
    "destination",
    [
        TABLE,
        Destination(url=V1),
        Destination(url=f"{V1}?td_write_key={KEY}"),
        Destination(url="https://ap01.records.in.treasuredata.com/postback/v3/event/my_db/my_table"),
    ],
    ids=["names", "v1", "v1 with the key", "v2"],
)
def test_it_is_that_of_a_v1_host_with_the_encoded_key(destination: Destination) -> None:
    assert url_of(destination) == (
        BrazeUrlOutcome(url=f"{V1}?td_write_key={KEY.replace('/', '%2F')}", has_key=True),
        [],
    )
    assert url_of(destination, show_key=False)[0] == BrazeUrlOutcome(url=f"{V1}?td_write_key=***", has_key=False)


def test_a_key_of_another_form_is_encoded_and_reported() -> None:
    outcome, (warning,) = url_of(TABLE, key="a&b=c#d")
    assert outcome.url == f"{V1}?td_write_key=a%26b%3Dc%23d"
    assert "ACCOUNT/40 HEX DIGITS" in warning


@pytest.mark.parametrize(
    "url", ["https://example.com/hook", "https://braze-in-streaming.us01.treasuredata.com/v1/task/a"]
)
def test_another_endpoint_has_none(url: str) -> None:
    with pytest.raises(UsageError, match="not a URL of Treasure Data's Postback API"):
        url_of(Destination(url=url))


def test_without_a_key_there_is_none() -> None:
    with pytest.raises(UsageError, match="no write key"):
        url_of(TABLE, key="")
