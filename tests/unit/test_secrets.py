"""What looks like a secret is masked, and nothing else is."""

from io import BytesIO
from pathlib import Path
from urllib.parse import quote

import pytest

from td_currents_cli.errors import UsageError
from td_currents_cli.secrets import MaskedOutput, mask, masked, read_secret, redact

HEX = "5ec4e7" * 6 + "5ec4"
KEY = f"4711/{HEX}"
QUOTED = quote(KEY, safe="")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"no file {KEY}.", "no file ***."),
        (f"/x/{KEY}.json", "/x/***.json"),
        (QUOTED, "***"),
        (quote(QUOTED, safe=""), "***"),
        (KEY.replace("/", "\\/"), "***"),
        (KEY.upper(), "***"),
        (f"--{KEY}", "--***"),
        (f"4711:{HEX}", "***"),
        ("/p;td_write_key=abc", "/p;td_write_key=***"),
        ("/p?a=b&td_write_key=1%2Fabc&TD%5fWRITE_ke%79=1/abc", "/p?a=b&td_write_key=***&TD%5fWRITE_ke%79=***"),
        (f"/p/{KEY}?a=b", "/p/***?a=b"),
        ("TD%5FWRITE-key%3Dabc&b=1", "TD%5FWRITE-key%3D***&b=1"),
        ("%74d_write_key=abc", "%74d_write_key=***"),
        ("X-TD-Write-Key: abc def", "X-TD-Write-Key: *** def"),
        ('{"td_write_key": "abc"}', '{"td_write_key": "***"}'),
        ("Authorization: Bearer t0ken-5ecret", "Authorization: Bearer ***"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIi.abc", "***"),
        ("a Bearer token, or a token file", None),
        ("Authorization: Bearer $TDCUR_TOKEN", None),
        ("td_write_key=***", None),
        ("Set TD_WRITE_KEY, or give --write-key-file FILE.", None),
        ("TD_WRITE_KEY=any tdcur send", None),
        ("TD_WRITE_KEY=anything tdcur send", "TD_WRITE_KEY=*** tdcur send"),
        (f"objects/{HEX}.json", None),
        (f"12/{HEX}{HEX}", None),
        ("a.json:100:5", None),
        ("100 %", None),
    ],
)
def test_what_looks_like_a_secret_is_masked(text: str, shown: str | None) -> None:
    """And other text, whose row has None, stays as it is."""
    shown = text if shown is None else shown
    assert mask(text) == shown
    assert masked({text: [text, 1]}) == {shown: [shown, 1]}


def test_a_masked_stream_keeps_what_is_written_as_bytes() -> None:
    """Data is never changed."""
    raw = BytesIO()
    stream = MaskedOutput(raw, "utf-8", line_buffering=True)
    assert stream.write(f"{KEY}\n") == len(KEY) + 1
    stream.buffer.write(KEY.encode())
    assert raw.getvalue() == b"***\n" + KEY.encode()


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (f"https://h/p;td_write_key={QUOTED}", "https://h/p;td_write_key=***"),
        (f"https://h/{KEY}/x", "https://h/***/x"),
        (f"https://{KEY}@h/p", "https://4711/***@h/p"),
        (f"https://h/{HEX}", "https://h/***"),
    ],
)
def test_keys_in_the_path_of_a_url(url: str, shown: str) -> None:
    assert redact(url) == shown


@pytest.mark.parametrize("given", [KEY, QUOTED, HEX, "t0ken-5ecret", "x" * 5000 + "1"])
def test_a_secret_instead_of_its_file(given: str) -> None:
    """The message does not repeat it, and says what it looks like."""
    with pytest.raises(UsageError) as caught:
        read_secret(given, "write key")
    assert given not in caught.value.message
    assert caught.value.message.endswith("; that looks like the write key itself")


@pytest.mark.parametrize("name", ["write.key", "keys/production1", "write-key-2026.txt"])
def test_a_missing_file_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match=name):
        read_secret(str(tmp_path / name), "write key")
