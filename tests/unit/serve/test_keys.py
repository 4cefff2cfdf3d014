"""Write keys: where they are looked for, and that they are never shown."""

from pathlib import Path

import pytest

from td_currents_cli.errors import InputError, UsageError
from td_currents_cli.serve.app import expected_key, presented_key
from td_currents_cli.serve.settings import HttpError, PostbackApi, ServeSettings

HEADER = {b"x-td-write-key": b"1/header"}
BEARER = {b"authorization": b"Bearer 1/bearer"}
TD1 = {b"authorization": b"TD1 1/td1"}
URL = b"a=b&td_write_key=1%2Furl"


@pytest.mark.parametrize(
    ("api", "headers", "query", "key"),
    [
        ("v1", HEADER, b"", b"1/header"),
        ("v1", {}, URL, b"1/url"),
        ("v1", {}, b"td_write_key=1/url", b"1/url"),
        ("v1", HEADER, URL, b"1/header"),
        ("v1", TD1 | HEADER, b"", b"1/header"),
        ("v1", {}, b"", None),
        ("v1", TD1, b"", None),
        ("v1", {}, b"td_write_key=", None),
        ("v1", {b"x-td-write-key": b" "}, b"", None),
        ("v2", HEADER, b"", b"1/header"),
        ("v2", TD1, b"", b"1/td1"),
        ("v2", {b"authorization": b"td1  1/td1 "}, b"", b"1/td1"),
        ("v2", TD1 | HEADER, b"", b"1/td1"),
        ("v2", BEARER | HEADER, b"", b"1/header"),
        ("v2", {b"authorization": b"TD1 "} | HEADER, b"", b"1/header"),
        ("v2", {}, b"", None),
        ("v2", BEARER, b"", None),
        ("v2", {}, URL, None),
        ("v2", HEADER, URL, None),
        ("v2", TD1, b"td_write_key=", None),
    ],
)
def test_the_key_that_counts(api: str, headers: dict[bytes, bytes], query: bytes, key: bytes | None) -> None:
    """v1: the header wins over the URL. v2: `Authorization: TD1` wins over the header, and any key in the URL is 403.

    Without a key the response is 403, too; the reason contains no key.
    """
    if key is not None:
        assert presented_key(headers, query, PostbackApi(api)) == key
        return
    with pytest.raises(HttpError) as refused:
        presented_key(headers, query, PostbackApi(api))
    assert refused.value.status == 403
    assert "1/" not in refused.value.reason


def test_the_file_wins_over_the_environment(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("  1/file\n")
    assert expected_key(file, {"TD_WRITE_KEY": "1/environment"}) == "1/file"
    assert expected_key(None, {"TD_WRITE_KEY": "1/environment\n"}) == "1/environment"
    assert expected_key(None, {"TD_WRITE_KEY": ""}) is None
    assert expected_key(None, {}) is None


@pytest.mark.parametrize("content", [b"", b"\n", b"1/secret\n1/secret\n", b"\xffsecret"])
def test_a_file_without_one_key(tmp_path: Path, content: bytes) -> None:
    """A file that does not hold one key stops the run, and is not quoted."""
    file = tmp_path / "key"
    file.write_bytes(content)
    with pytest.raises(UsageError, match="does not contain one write key") as failed:
        expected_key(file, {})
    assert "secret" not in failed.value.message + failed.value.hint


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        expected_key(tmp_path / "key", {})


def test_settings_do_not_show_the_key(tmp_path: Path) -> None:
    """A traceback or an assertion that prints the settings keeps the key to itself."""
    assert "secret" not in repr(ServeSettings(store=tmp_path / "rows.jsonl", write_key="1/secret"))
