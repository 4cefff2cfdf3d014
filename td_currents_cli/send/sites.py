"""Treasure Data's endpoints for Currents: their hosts, and what a valid URL looks like.

From Treasure Data's pages on the Postback API (v1 and v2) and on the Braze Currents Streaming connector.
"""

import re
from enum import Enum, auto
from typing import Final

from td_currents_cli.braze import Site, check_name
from td_currents_cli.errors import UsageError

POSTBACK_PATH: Final = "/postback/v3/event/"
_POSTBACK: Final = re.compile(r"/postback/v3/event/(?P<database>[^/]+)/(?P<table>[^/]+)")
_WRITE_KEY: Final = re.compile(r"\d+/[0-9a-f]{40}", re.ASCII)
_V1_HOST: Final = re.compile(r"(?:tokyo\.|[a-z]{2}\d{2}\.)?in\.treasuredata\.com")
_V2_HOST: Final = re.compile(r"[a-z]{2}\d{2}\.records\.in\.treasuredata\.com")
_STREAMING_HOST: Final = re.compile(r"braze-in-streaming\.(?:[a-z0-9-]+\.)*treasuredata\.(?:com|co\.jp)")
_TREASURE_DATA: Final = (".treasuredata.com", ".treasuredata.co.jp")


class EndpointKind(Enum):
    """What is at a host."""

    POSTBACK_V1 = auto()
    POSTBACK_V2 = auto()
    STREAMING = auto()
    OTHER = auto()

    @property
    def is_postback(self) -> bool:
        """Whether it is Treasure Data's own Postback API, which expects a write key."""
        return self in {EndpointKind.POSTBACK_V1, EndpointKind.POSTBACK_V2}


def postback_url(site: Site, database: str, table: str) -> str:
    check_name(database, "--database")
    check_name(table, "--table")
    return f"https://{site}.records.in.treasuredata.com{POSTBACK_PATH}{database}/{table}"


def kind_of(host: str) -> EndpointKind:
    if _V1_HOST.fullmatch(host):
        return EndpointKind.POSTBACK_V1
    if _V2_HOST.fullmatch(host):
        return EndpointKind.POSTBACK_V2
    if _STREAMING_HOST.fullmatch(host):
        return EndpointKind.STREAMING
    if host.endswith(_TREASURE_DATA):
        raise UsageError(
            f"{host} is not a host of Treasure Data's Postback API",
            hint=f"Expected format: {_expected_url('us01.records.in.treasuredata.com')}",
        )
    return EndpointKind.OTHER


def check_postback_path(host: str, path: str) -> None:
    match = _POSTBACK.fullmatch(path)
    if match is None:
        raise UsageError(
            f"the path of the URL is not a Postback path of {host}",
            hint=f"Expected format: {_expected_url(host)}",
        )
    check_name(match["database"], "the URL")
    check_name(match["table"], "the URL")


def is_write_key(text: str) -> bool:
    return _WRITE_KEY.fullmatch(text) is not None


def _expected_url(host: str) -> str:
    return f"https://{host}{POSTBACK_PATH}DATABASE/TABLE"
