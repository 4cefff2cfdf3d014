"""Addresses of tables, and the settings that open them."""

from pathlib import Path

import pytest

from td_currents_cli.braze import Site
from td_currents_cli.errors import UsageError
from td_currents_cli.treasure_data.address import is_address, parse_address
from td_currents_cli.treasure_data.settings import td_settings

KEY = "1/fedcba9876543210fedcba9876543210fedcba98"


@pytest.mark.parametrize(
    ("text", "given", "found"),
    [
        ("td://br_4ze/c_1", (None, None), (None, "events")),
        ("td://br_4ze/c_1?site=ap01", (None, None), (Site.ap01, "events")),
        ("td://br_4ze/c_1?column=body&site=eu01", (None, None), (Site.eu01, "body")),
        ("td://br_4ze/c_1", (Site.eu01, "body"), (Site.eu01, "body")),
        ("td://br_4ze/c_1?site=us01", (Site.eu01, "body"), (Site.us01, "body")),
        ("td://br_4ze/c_1?column=a", (Site.eu01, "body"), (Site.eu01, "a")),
    ],
)
def test_an_address(text: str, given: tuple[Site | None, str | None], found: tuple[Site | None, str]) -> None:
    """Options stand in for what the address itself does not say."""
    address = parse_address(text, site=given[0], column=given[1])
    assert (address.database, address.table) == ("br_4ze", "c_1")
    assert (address.site, address.column) == found
    assert (is_address(text), str(address)) == (True, "td://br_4ze/c_1")


@pytest.mark.parametrize(
    "rest",
    [
        "",
        "braze",
        "braze/",
        "/currents",
        "braze/currents/more",
        "braze/currents#x",
        "braze:99/currents",
        "1:secret@braze/currents",
        "[braze/currents",
        "Braze/currents",
        "br/currents",
        "braze/" + "t" * 129,
        *(f"braze/cur{sign}rents" for sign in (" ", '"', ";", "\n")),
        *(f"braze/currents?{option}" for option in ("site=mars", "colum=x", "column=", "column=a%22b")),
        "braze/currents?column=a&column=b",
    ],
)
def test_what_is_no_address(rest: str) -> None:
    """It is refused with the form an address has, and nothing of it is repeated: it may hold a key."""
    for text in (f"td://{rest}", f"td:{rest}", f"http://{rest}"):
        with pytest.raises(UsageError) as caught:
            parse_address(text)
        assert caught.value.hint
        assert "secret" not in caught.value.message + caught.value.hint


@pytest.mark.parametrize(
    ("site", "server"),
    [
        (None, "https://api.treasuredata.com/"),
        (Site.us01, "https://api.treasuredata.com/"),
        (Site.ap01, "https://api.treasuredata.co.jp/"),
        (Site.eu01, "https://api.eu01.treasuredata.com/"),
        (Site.ap02, "https://api.ap02.treasuredata.com/"),
        (Site.ap03, "https://api.ap03.treasuredata.com/"),
    ],
)
def test_sites(site: Site | None, server: str, tmp_path: Path) -> None:
    """Each has its own host."""
    assert td_settings(site, None, {"TD_API_KEY": KEY, "HOME": str(tmp_path)}).server == server


CONF = f"""# kept by `td account`

[account]
  user = jane@example.com

  apikey = {KEY}
  endpoint = https://api.treasuredata.co.jp
[other]
apikey = no
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with a `td.conf`, which has blank lines."""
    (tmp_path / ".td").mkdir()
    (tmp_path / ".td" / "td.conf").write_text(CONF, encoding="utf-8")
    return tmp_path


def test_settings_that_td_keeps(home: Path) -> None:
    """Key and endpoint of the section `account`. The key is not in the repr, which a traceback may print."""
    settings = td_settings(None, None, {"HOME": str(home)})
    assert (settings.server, settings.key.reveal()) == ("https://api.treasuredata.co.jp/", KEY)
    assert settings.host == "api.treasuredata.co.jp"
    assert KEY not in repr(settings)
    elsewhere = home / "td.conf"
    elsewhere.write_text("[account]\napikey=1/2\n", encoding="utf-8")
    environ = {"HOME": str(home), "TD_CONFIG_PATH": str(elsewhere)}
    assert td_settings(None, None, environ).key.reveal() == "1/2"


@pytest.mark.parametrize(
    ("site", "file", "key", "found"),
    [
        (None, None, "3/environment", ("3/environment", "https://api.eu01.treasuredata.com/")),
        (Site.ap02, "2/file", "3/environment", ("2/file", "https://api.ap02.treasuredata.com/")),
        (None, None, " ", (KEY, "https://api.eu01.treasuredata.com/")),
    ],
)
def test_which_settings_count(home: Path, site: Site | None, file: str | None, key: str, found: object) -> None:
    """A flag, else the environment, else what `td` keeps."""
    (home / "key").write_text(f"{file}\n", encoding="utf-8")
    environ = {"HOME": str(home), "TD_API_KEY": key, "TD_API_SERVER": "api.eu01.treasuredata.com"}
    settings = td_settings(site, str(home / "key") if file else None, environ)
    assert (settings.key.reveal(), settings.server) == found


@pytest.mark.parametrize(
    ("conf", "message"),
    [
        ("apikey 1/2\n", "td.conf:2: expected [section] or name = value"),
        ("user = jane\n", "no Treasure Data API key"),
        ("apikey = 1/2 3\n", "must be one line of printable ASCII without spaces"),
        ("apikey = 1/2\nendpoint = ftp://x\n", "TD_API_SERVER is not a server URL"),
        ("apikey = 1/2\nendpoint = http://example.com\n", "TD_API_SERVER uses http"),
        ("apikey = 1/2\nendpoint = https://x/path\n", "TD_API_SERVER is not a server URL"),
        ("apikey = 1/2\nendpoint = https://key@x\n", "TD_API_SERVER is not a server URL"),
        ("apikey = 1/2\nendpoint = https://[x\n", "TD_API_SERVER is not a server URL"),
    ],
)
def test_settings_that_make_no_sense(home: Path, conf: str, message: str) -> None:
    """Each is said with its place and without its value."""
    (home / ".td" / "td.conf").write_text(f"[account]\n{conf}", encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        td_settings(None, None, {"HOME": str(home)})
    assert message in caught.value.message
    assert "1/2" not in caught.value.message + caught.value.hint


def test_no_settings_at_all(tmp_path: Path) -> None:
    """The message names all ways to give a key."""
    with pytest.raises(UsageError) as caught:
        td_settings(None, None, {"HOME": str(tmp_path)})
    assert all(way in caught.value.hint for way in ("TD_API_KEY", "--api-key-file", "td account"))
