"""Where requests go, checked before the first one; nothing secret is shown."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from td_currents_cli.braze import Site
from td_currents_cli.errors import UsageError
from td_currents_cli.secrets import Secret, redact
from td_currents_cli.send.destination import Destination
from td_currents_cli.send.endpoint import Endpoint, EndpointKind, resolve

HEX = "5ec4e7" * 6 + "5ec4"
KEY = f"4711/{HEX}"
QUOTED = f"4711%2F{HEX}"
V2 = "https://us01.records.in.treasuredata.com/postback/v3/event/my_db/my_table"
V1 = "https://in.treasuredata.com/postback/v3/event/my_db/my_table"
STREAMING = "https://braze-in-streaming.us01.treasuredata.com/v1/task/abc"


def test_a_site_builds_the_v2_url() -> None:
    """The forms of FACTS.md, section 2."""
    endpoint = resolve(Destination(site=Site.eu01, database="my_db", table="my_table"), {"TD_WRITE_KEY": KEY})
    assert endpoint.url.reveal() == "https://eu01.records.in.treasuredata.com/postback/v3/event/my_db/my_table"
    assert endpoint.kind is EndpointKind.POSTBACK_V2
    assert endpoint.headers() == {
        "Content-Type": "application/json",
        "Braze-Currents-Version": "1",
        "User-Agent": endpoint.headers()["User-Agent"],
        "X-TD-Write-Key": KEY,
    }


@pytest.mark.parametrize("host", ["in", "tokyo.in", "eu01.in", "ap02.in", "ap03.in"])
def test_v1_hosts(host: str) -> None:
    url = f"https://{host}.treasuredata.com/postback/v3/event/my_db/my_table"
    assert resolve(Destination(url=url), {}).kind is EndpointKind.POSTBACK_V1


@pytest.mark.parametrize("url", [V1, V2, "http://127.0.0.1:8080/postback/v3/event/my_db/my_table"])
@pytest.mark.parametrize("key", [QUOTED, KEY])
def test_a_key_in_the_url_moves_into_the_header(url: str, key: str) -> None:
    endpoint = resolve(Destination(url=f"{url}?a=1%2F2&td_write_key={key}&b"), {})
    assert endpoint.url.reveal() == f"{url}?a=1%2F2&b"
    assert endpoint.headers()["X-TD-Write-Key"] == KEY
    assert "td_write_key=***" in endpoint.shown


def test_a_key_in_the_url_of_a_custom_endpoint_stays_there() -> None:
    url = f"https://example.com/hook?td_write_key={QUOTED}"
    endpoint = resolve(Destination(url=url), {})
    assert endpoint.url.reveal() == url
    assert "X-TD-Write-Key" not in endpoint.headers()
    assert HEX not in endpoint.shown


def test_nothing_shows_a_secret() -> None:
    destination = Destination(url=f"{V2}?td_write_key={QUOTED}")
    endpoint = resolve(destination, {})
    shown = f"{destination!r} {endpoint!r} {endpoint} {endpoint.write_key} {endpoint.shown} {Secret(KEY)!r}"
    assert HEX not in shown


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (f"{V2}?td_write_key={QUOTED}", f"{V2}?td_write_key=***"),
        (f"{V2}?td%5Fwrite_key={QUOTED}", f"{V2}?td_write_key=***"),
        ("https://h/p?token=abc&x=&abc", "https://h/p?token=***&x=&***"),
        ("https://user:abc@h/p#abc", "https://***@h/p#***"),
        ("https://[abc/p", "***"),
    ],
)
def test_redaction(url: str, shown: str) -> None:
    assert redact(url) == shown


def test_the_key_of_the_environment_only_goes_where_a_key_is_expected() -> None:
    environ = {"TD_WRITE_KEY": KEY}
    assert resolve(Destination(url="https://example.com/hook"), environ).write_key is None
    assert resolve(Destination(url=STREAMING), environ).write_key is None
    local = "http://localhost:8080/postback/v3/event/my_db/my_table"
    assert resolve(Destination(url=local), environ).write_key == Secret(KEY)


def test_keys_and_tokens_from_files(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(f" {KEY}\n")
    given = Destination(url=V2, write_key_file=str(file))
    assert resolve(given, {"TD_WRITE_KEY": "1/other"}).headers()["X-TD-Write-Key"] == KEY
    token = Destination(url=STREAMING, token_file=str(file))
    assert resolve(token, {"TDCUR_TOKEN": "other"}).headers()["Authorization"] == f"Bearer {KEY}"
    assert "X-TD-Write-Key" not in resolve(token, {}).headers()
    assert resolve(Destination(url="https://example.com/"), {"TDCUR_TOKEN": "t"}).token == Secret("t")


def test_flags_win_over_the_environment() -> None:
    environ = {"TDCUR_URL": V1, "TDCUR_TOKEN": "t"}
    assert resolve(Destination(), environ).shown == V1
    assert resolve(Destination(url=V2), environ).shown == V2
    assert resolve(Destination(site=Site.us01, database="my_db", table="my_table"), environ).shown == V2
    assert resolve(Destination(), environ).token is None


def refused(destination: Destination, environ: Mapping[str, str] | None = None) -> UsageError:
    with pytest.raises(UsageError) as caught:
        resolve(destination, environ or {}).require_credentials()
    assert HEX not in f"{caught.value.message} {caught.value.hint}"
    return caught.value


@pytest.mark.parametrize(
    ("url", "message", "hint"),
    [
        (f"https://us01.records.in.treasuredata.com/db/{HEX}", "path", "/postback/v3/event/DATABASE/TABLE"),
        (f"{V2}/", "path", "https://us01.records.in.treasuredata.com/postback"),
        (V2.replace("my_db", "My-DB"), "name", "lowercase"),
        (V2.replace("my_table", "t"), "name", "3 to 128"),
        ("http://127.0.0.1:8888/postback/v3/event/DATABASE/TABLE", "name", "lowercase"),
        ("https://gateway.example/postback/v3/event/my_db/TABLE", "name", "lowercase"),
        (V2.replace("https", "http"), "plain http", V2),
        (f"{V2.replace('https', 'http')}?td_write_key={QUOTED}", "plain http", f"{V2}?td_write_key=***"),
        ("https://api.treasuredata.com/postback/v3/event/my_db/my_table", "not a host", "us01.records.in"),
        ("https://us01.records.in.treasuredata.com.evil.com:99999/x", "malformed", "form"),
        ("http://example.com/hook", "plain http", "--allow-http"),
        (f"https://user:{HEX}@example.com/", "user name or password", "--write-key-file"),
        (f"{V2}#{HEX}", "fragment", "%23"),
        (f"{V2}?td_write_key={QUOTED}&td_write_key=1%2Fother", "two different write keys", ""),
        (f"{V2}?td_write_key=", "empty", ""),
        (f"{V2}?td_write_key={QUOTED}%0A%0Ax", "printable", ""),
        ("us01.records.in.treasuredata.com/postback", "malformed", "https://"),
        ("ftp://example.com/", "malformed", "https://"),
        (f"https://[{HEX}/", "malformed", "https://"),
        (f"https://exa mple/{HEX}", "malformed", "https://"),
        (f"https://a..b/{HEX}", "malformed", "https://"),
        (f"https://{'a' * 64}.com/{HEX}", "malformed", "https://"),
        ("", "malformed", "https://"),
        (STREAMING + f"?td_write_key={QUOTED}", "Bearer", "--token-file"),
        (STREAMING, "no token", "TDCUR_TOKEN"),
        (V2, "no write key", "TD_WRITE_KEY"),
    ],
)
def test_a_wrong_url_is_refused_with_the_expected_format(url: str, message: str, hint: str) -> None:
    error = refused(Destination(url=url))
    assert message in error.message
    assert hint in error.hint


def test_conflicts_are_usage_errors(tmp_path: Path) -> None:
    other, missing = tmp_path / "key", str(tmp_path / "no")
    other.write_text(f"4712/{HEX}")
    with_key = f"{V2}?td_write_key={QUOTED}"
    for destination, environ, message in (
        (Destination(url=V2, site=Site.us01), {}, "--site"),
        (Destination(site=Site.us01), {}, "missing --database and --table"),
        (Destination(database="my_db", table="my_table"), {}, "missing --site"),
        (Destination(url=with_key, write_key_file=str(other)), {}, "different write keys"),
        (Destination(url=with_key), {"TD_WRITE_KEY": f"4712/{HEX}"}, "different write keys"),
        (Destination(url=V2, token_file=str(other)), {}, "not a token"),
        (Destination(url=STREAMING, write_key_file=str(other)), {}, "Bearer"),
        (Destination(url=V2, write_key_file=missing), {}, "cannot read"),
        (Destination(), {}, "no endpoint"),
    ):
        assert message in refused(destination, environ).message


@pytest.mark.parametrize("content", ["", " \n", f"{HEX}\n{HEX}\n", f"key = {HEX}", f"{HEX}é", "x" * 5000])
def test_a_file_without_a_secret_is_refused(tmp_path: Path, content: str) -> None:
    file = tmp_path / "key"
    file.write_text(content, encoding="utf-8")
    assert str(file) in refused(Destination(url=V2, write_key_file=str(file))).message


def test_a_url_encoded_key_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(QUOTED)
    for error in (
        refused(Destination(url=V2, write_key_file=str(file))),
        refused(Destination(url=V2), {"TD_WRITE_KEY": QUOTED.lower()}),
    ):
        assert "URL-encoded" in error.message
        assert "%2F" in error.hint


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.8.8", "[::1]", "x.localhost", "10.0.0.1"])
def test_plain_http_is_for_this_machine_or_on_request(host: str) -> None:
    url = f"http://{host}:8080/x"
    endpoint = resolve(Destination(url=url, allow_http=host == "10.0.0.1"), {})
    assert (endpoint.kind, endpoint.shown) == (EndpointKind.OTHER, url)


def test_a_key_in_the_url_of_a_v2_host_is_a_warning() -> None:
    """It is sent in the header, but Braze itself would be refused with that URL."""
    (warning,) = resolve(Destination(url=f"{V2}?td_write_key={QUOTED}"), {}).warnings
    assert "rejects a write key in the URL" in warning
    assert "X-TD-Write-Key" in warning
    assert HEX not in warning
    assert resolve(Destination(url=f"{V1}?td_write_key={QUOTED}"), {}).warnings == ()


def test_an_unusual_write_key_is_a_warning_but_sent() -> None:
    def warnings(key: str) -> tuple[str, ...]:
        endpoint: Endpoint = resolve(Destination(url=V2), {"TD_WRITE_KEY": key})
        assert endpoint.headers()["X-TD-Write-Key"] == key
        return endpoint.warnings

    assert warnings(KEY) == ()
    (warning,) = warnings("5ec4e7-not-a-key")
    assert "5ec4e7" not in warning
    assert "200" in warning
