"""Addresses of tables, and the settings that open them."""

from pathlib import Path

import pytest

from td_currents_cli.braze import Site
from td_currents_cli.errors import UsageError
from td_currents_cli.treasure_data.address import TableAddress, is_address, parse_address
from td_currents_cli.treasure_data.settings import td_settings

KEY = "1/fedcba9876543210fedcba9876543210fedcba98"


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("td://braze/currents", TableAddress(database="braze", table="currents")),
        ("td://br_4ze/c_1?site=ap01", TableAddress(database="br_4ze", table="c_1", site=Site.ap01)),
        (
            "td://braze/currents?column=body&site=eu01",
            TableAddress(database="braze", table="currents", site=Site.eu01, column="body"),
        ),
    ],
)
def test_an_address(text: str, address: TableAddress) -> None:
    """Database, table, and what differs from the usual."""
    assert is_address(text)
    assert parse_address(text) == address
    assert text.startswith(str(address))


def test_options_stand_in_for_what_an_address_does_not_say() -> None:
    """What it says itself is nearer to the table."""
    assert parse_address("td://braze/currents", site=Site.eu01, column="body").site is Site.eu01
    assert parse_address("td://braze/currents?site=us01", site=Site.eu01).site is Site.us01
    assert parse_address("td://braze/currents?column=a", column="body").column == "a"


@pytest.mark.parametrize(
    "text",
    [
        "td://",
        "td:braze/currents",
        "td://braze",
        "td://braze/",
        "td:///currents",
        "td://braze/currents/more",
        "td://braze/currents#x",
        "td://braze:99/currents",
        "td://1:secret@braze/currents",
        "td://[braze/currents",
        "td://Braze/currents",
        "td://br/currents",
        "td://braze/cur rents",
        'td://braze/cur"rents',
        "td://braze/currents;drop",
        "td://braze/currents?site=mars",
        "td://braze/currents?colum=x",
        "td://braze/currents?column=",
        "td://braze/currents?column=a%22b",
        "td://braze/currents?column=a&column=b",
        "td://braze/" + "t" * 129,
    ],
)
def test_what_is_no_address(text: str) -> None:
    """It is refused with the form an address has, and nothing of it is repeated: it may hold a key."""
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
    """Key and endpoint of the section `account`."""
    settings = td_settings(None, None, {"HOME": str(home)})
    assert (settings.server, settings.key.reveal()) == ("https://api.treasuredata.co.jp/", KEY)
    assert settings.host == "api.treasuredata.co.jp"
    elsewhere = home / "td.conf"
    elsewhere.write_text("[account]\napikey=1/2\n", encoding="utf-8")
    environ = {"HOME": str(home), "TD_CONFIG_PATH": str(elsewhere)}
    assert td_settings(None, None, environ).key.reveal() == "1/2"


def test_which_settings_count(home: Path) -> None:
    """A flag, else the environment, else what `td` keeps."""
    file = home / "key"
    file.write_text("2/file\n", encoding="utf-8")
    environ = {"HOME": str(home), "TD_API_KEY": "3/environment", "TD_API_SERVER": "api.eu01.treasuredata.com"}
    assert td_settings(None, None, environ).key.reveal() == "3/environment"
    assert td_settings(None, None, environ).server == "https://api.eu01.treasuredata.com/"
    assert td_settings(Site.ap02, str(file), environ).key.reveal() == "2/file"
    assert td_settings(Site.ap02, str(file), environ).server == "https://api.ap02.treasuredata.com/"
    assert td_settings(None, None, {**environ, "TD_API_KEY": " "}).key.reveal() == KEY


@pytest.mark.parametrize(
    ("conf", "message"),
    [
        ("[account]\napikey 1/2\n", "td.conf:2: expected [section] or name = value"),
        ("[account]\nuser = jane\n", "no Treasure Data API key"),
        ("[account]\napikey = 1/2 3\n", "must be one line of printable ASCII without spaces"),
        ("[account]\napikey = 1/2\nendpoint = ftp://x\n", "TD_API_SERVER is not a server URL"),
        ("[account]\napikey = 1/2\nendpoint = http://example.com\n", "TD_API_SERVER uses http"),
        ("[account]\napikey = 1/2\nendpoint = https://x/path\n", "TD_API_SERVER is not a server URL"),
        ("[account]\napikey = 1/2\nendpoint = https://key@x\n", "TD_API_SERVER is not a server URL"),
    ],
)
def test_settings_that_make_no_sense(home: Path, conf: str, message: str) -> None:
    """Each is said with its place and without its value."""
    (home / ".td" / "td.conf").write_text(conf, encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        td_settings(None, None, {"HOME": str(home)})
    assert message in caught.value.message
    assert "1/2" not in caught.value.message + caught.value.hint


def test_no_settings_at_all(tmp_path: Path) -> None:
    """The message names all ways to give a key."""
    with pytest.raises(UsageError) as caught:
        td_settings(None, None, {"HOME": str(tmp_path)})
    assert all(way in caught.value.hint for way in ("TD_API_KEY", "--api-key-file", "td account"))


def test_a_key_is_not_shown(home: Path) -> None:
    """Not in the repr of the settings, which a traceback may print."""
    assert KEY not in repr(td_settings(None, None, {"HOME": str(home)}))
