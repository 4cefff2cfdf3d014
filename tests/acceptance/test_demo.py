"""`tdcur demo`, the first thing that a new user sees."""

from td_currents_cli.demo import NEXT
from tests.command import PLAIN, tdcur_text


def test_the_demo_ends_with_what_to_do_next_whatever_is_set() -> None:
    """Its own endpoint accepts any key, and is the destination also where another is set."""
    variables = {"TD_WRITE_KEY": "1/another", "TDCUR_SITE": "us01", "TDCUR_DATABASE": "other", "TDCUR_TABLE": "other"}
    ended = tdcur_text("demo", env=PLAIN | variables)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.endswith(f" all 130 sent event ids arrived.\n{NEXT}")
    commands = [line for line in ended.stdout.splitlines() if line.startswith(("$ ", "    --url", "  tdcur "))]
    names = [each.split()[2] for each in commands if each.startswith("$ tdcur")]
    assert names == ["validate", "serve", "parse", "count", "reconcile"]
    assert "$ TD_WRITE_KEY=any tdcur send sample_data/payloads --no-journal \\" in commands
    assert max(map(len, commands)) <= 80
