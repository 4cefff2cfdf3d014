"""What a release added, and a catalog of one's own for all commands."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from td_currents_cli.catalog import load
from td_currents_cli.catalog.list_events import EventsRequest, run
from td_currents_cli.errors import UsageError
from td_currents_cli.render import render
from tests.rendering import screen_of


def test_a_release_added_types_and_fields_of_older_types() -> None:
    outcome = run(EventsRequest(new_in="11"))
    types = {event.name for event in outcome.events if event.since == "11"}
    assert types == {event.name for event in load().events.values() if event.since == "11"} != set()
    for event in outcome.events:
        known = load().events[event.name]
        new = known.fields if event.since == "11" else tuple(field for field in known.fields if field.since == "11")
        assert event.fields == new


def test_the_table_of_a_release_fits_a_terminal() -> None:
    """The number of fields of a new type stays on its line."""
    screen = screen_of(80)
    render(run(EventsRequest(new_in="11")), "table", screen.terminal)
    (line,) = (line for line in screen.lines if "users.messages.survey.Response" in line)
    assert line.split() == ["users.messages.survey.Response", "event", "type", "7", "fields"]


def test_an_unknown_release_is_an_error_that_lists_the_known_ones() -> None:
    with pytest.raises(UsageError) as failure:
        run(EventsRequest(new_in="99"))
    assert failure.value.message == "no release '99' of Currents is in the catalog"
    assert failure.value.hint.startswith("The catalog has release 12 and older ones: pre-1, 1, 2, ")


def tdcur(*arguments: str, catalog: Path, stdin: str = "") -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "td_currents_cli", *arguments]
    environment = os.environ | {"TDCUR_CATALOG": str(catalog) if catalog.name else ""}
    return subprocess.run(command, input=stdin, capture_output=True, text=True, check=False, env=environment)


def test_the_variable_names_a_catalog_for_all_commands(tmp_path: Path) -> None:
    fields = {"secret": {"type": "string", "pii": True}, "age": {"type": "int"}}
    overlay = {"event_types": {"mine.Own": {"description": "Mine.", "fields": fields}}}
    catalog = tmp_path / "catalog.json"
    catalog.write_text(json.dumps(overlay), encoding="utf-8")
    event = {"event_type": "mine.Own", "id": "1", "time": 1, "user": {}, "properties": {"secret": "s", "age": 2}}
    document = json.dumps({"events": [event]})
    ended = tdcur("parse", "--mask", "drop", catalog=catalog, stdin=document)
    assert json.loads(ended.stdout) == {"event_type": "mine.Own", "id": "1", "time": 1, "age": 2}, ended.stderr
    assert "not in the catalog" not in tdcur("count", catalog=catalog, stdin=document).stderr
    none = Path()
    ended = tdcur("parse", "--mask", "drop", "--catalog", str(catalog), catalog=none, stdin=document)
    assert json.loads(ended.stdout) == {"event_type": "mine.Own", "id": "1", "time": 1, "age": 2}, ended.stderr
    generated = tdcur("generate", "--type", "mine.Own", "--events", "1", "--catalog", str(catalog), catalog=none)
    assert '"event_type":"mine.Own"' in generated.stdout, generated.stderr
    assert tdcur("events", "mine.Own", catalog=catalog).returncode == 0
    missing = tdcur("count", catalog=tmp_path / "none.json", stdin=document)
    assert (missing.returncode, "cannot read the catalog" in missing.stderr) == (2, True), missing.stderr
