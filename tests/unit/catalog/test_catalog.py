import json
import os
import re
from collections import Counter
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
import sqlglot
from sqlglot import exp

from td_currents_cli import catalog
from td_currents_cli.catalog import EventType, FieldType, Where
from td_currents_cli.catalog.list_events import EventsRequest, run
from td_currents_cli.catalog.loader import decode
from td_currents_cli.catalog.model import channel_of
from td_currents_cli.choices import Dialect
from td_currents_cli.errors import UsageError
from td_currents_cli.render.events import print_catalog
from tests.catalogs import catalog_of
from tests.command import tdcur
from tests.rendering import screen_of

FACTS: Final = Path(
    os.environ.get("TDCUR_FACTS") or Path(__file__).parents[4] / "shared" / "facts" / "currents_events_12.json"
)
FILE: Final = Path(catalog.__file__).with_name("events.json")
CATALOG: Final = catalog.load()
EVENTS: Final = tuple(CATALOG.events.values())


@pytest.fixture(scope="module")
def facts() -> dict[str, Any]:
    if not FACTS.is_file():
        pytest.skip(f"no facts file at {FACTS} (TDCUR_FACTS names another place)")
    found: dict[str, Any] = json.loads(FACTS.read_bytes())
    return found


@pytest.fixture(scope="module")
def written() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(FILE.read_bytes())
    return found


def as_in_facts(event: EventType) -> dict[str, Any]:
    """A type in the form of the facts file, which leaves false and empty members out, all but `required`."""
    fields = [
        {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in msgspec.to_builtins(field).items()
            if value or name == "required"
        }
        for field in event.fields
    ]
    fields.sort(key=lambda field: (field["in"], field["name"]))
    left_out = {"event_type": event.name, "channel": event.channel, "description": event.description}
    usual = {"fields_published": True, "known_names": (), "may_hold_personal_data": (), "anonymous": False} | left_out
    attributes = {
        name: value for name, value in msgspec.to_builtins(event).items() if name not in usual or value != usual[name]
    }
    in_json: dict[str, Any] = json.loads(json.dumps(attributes))
    return in_json | {"fields": fields}


def test_facts_say_the_same(facts: dict[str, Any]) -> None:
    """Every type and every member of every field is as Braze publishes it, nothing more and nothing less."""
    expected = {
        name: event | {"fields": sorted(event["fields"], key=lambda field: (field["in"], field["name"]))}
        for name, event in facts["events"].items()
    }
    assert {event.name: as_in_facts(event) for event in EVENTS} == expected
    assert (CATALOG.release, CATALOG.released) == (facts["currents_release"], facts["released"])


def test_size() -> None:
    """Held to without the facts, too. The only place that changes with the number of the release."""
    assert (CATALOG.release, CATALOG.released) == ("12", "2026-09-02")
    sizes = len(EVENTS), sum(len(event.fields) for event in EVENTS), sum(event.http for event in EVENTS)
    assert sizes == (103, 2255, 102)


def test_descriptions_are_sentences_and_fields_in_order() -> None:
    """Fields of the event come first, then those of the user, then the properties; none twice."""
    for event in EVENTS:
        assert re.fullmatch(r"(?=.{30,125}$)[A-Z](?!.*\. ).*\.", event.description), event.name
        places = [list(Where).index(field.where) for field in event.fields]
        assert places == sorted(places), event.name
        assert len({(field.where, field.name) for field in event.fields}) == len(event.fields), event.name
    assert len({event.description for event in EVENTS}) == len(EVENTS)


def test_file_says_nothing_twice() -> None:
    def once(members: list[tuple[str, Any]]) -> dict[str, Any]:
        assert len(dict(members)) == len(members), members
        return dict(members)

    json.loads(FILE.read_bytes(), object_pairs_hook=once)


def test_file_says_nothing_in_vain(written: dict[str, Any]) -> None:
    """Each definition is used, each group by two types or more, and a type lists a field once."""
    used: Counter[str] = Counter()
    groups: Counter[str] = Counter()
    for name, event in written["events"].items():
        grouped = [field for group in event.get("groups", []) for field in written["groups"][group]]
        listed = [*grouped, *event.get("fields", [])]
        assert len(set(listed)) == len(listed), name
        used.update(listed)
        groups.update(event.get("groups", []))
    assert set(used) == set(written["fields"])
    assert set(groups) == set(written["groups"])
    assert min(groups.values()) >= 2
    assert not set(written["groups"]) & set(written["fields"]), "an exception could mean either"


def test_file_has_real_exceptions_only(written: dict[str, Any]) -> None:
    """An exception is about a field of its type, and differs from what the field usually is."""
    usual = {"required": False, "pii": False, "enum": [], "since": None, "storage_only": False, "http_only": False}
    for name, event in written["events"].items():
        fields = {field.name for field in CATALOG.events[name].fields}
        for excepted, changes in event.get("except", {}).items():
            for field in written["groups"].get(excepted, [excepted]):
                assert field in fields, name
                before = usual | written["fields"][field]
                assert all(before[member] != value for member, value in changes.items()), (name, field)


def test_catalog_is_shared_and_cannot_be_changed() -> None:
    """What all parts of the program share, none can alter."""
    assert catalog.load() is CATALOG
    event = EVENTS[0]
    with pytest.raises(AttributeError):
        event.fields[0].name = "other"  # type: ignore[misc]  # what is tested
    with pytest.raises(TypeError):
        CATALOG.events["other"] = event  # type: ignore[index]  # what is tested


def test_misspelt_file_is_refused(written: dict[str, Any]) -> None:
    """A slip in the file is an error, not a field that silently became optional."""
    written = json.loads(json.dumps(written))
    written["fields"]["id"]["requird"] = written["fields"]["id"].pop("required")
    with pytest.raises(msgspec.ValidationError, match="requird"):
        decode(json.dumps(written).encode())


def test_lookup_of_fields() -> None:
    event = CATALOG.get("users.messages.email.Open")
    assert event is not None
    field = event.field("external_user_id", Where.USER)
    assert field is not None
    assert (field.type, field.required, field.pii) == (FieldType.STRING, False, True)
    assert event.field("external_user_id", Where.PROPERTIES) is None
    required = [each.name for each in event.fields if each.required]
    assert required == ["event_type", "id", "time", "user_id", "email_address"]


@pytest.mark.parametrize(
    ("name", "channel"),
    [
        ("users.messages.email.Open", "email"),
        ("users.messages.pushnotification.Send", "pushnotification"),
        ("users.behaviors.pushnotification.TokenStateChange", "pushnotification"),
        ("users.behaviors.app.SessionEnd", "app"),
        ("users.behaviors.Purchase", "behaviors"),
        ("users.campaigns.Conversion", "campaigns"),
        ("users.canvas.exit.PerformedEvent", "canvas"),
        ("users.canvasstep.Progression", "canvas"),
        ("users.profile.Update", "profile"),
        ("users.UserOrphan", "users"),
        ("agentconsole.ToolInvocation", "agentconsole"),
        ("Unheard", "Unheard"),
    ],
)
def test_channel(name: str, channel: str) -> None:
    assert channel_of(name) == channel


def test_events_command_lists_all() -> None:
    outcome = run(EventsRequest())
    assert (outcome.is_one, outcome.events) == (False, EVENTS)
    counts = {"event_types": len(EVENTS), "sent_over_http": sum(event.http for event in EVENTS)}
    assert outcome.summary() == {"release": CATALOG.release, "released": CATALOG.released, **counts}
    events: Any = outcome.as_dict()["events"]
    assert [len(event["fields"]) for event in events] == [len(event.fields) for event in EVENTS]


@pytest.mark.parametrize("glob", ["users.messages.email.*", "*.EMAIL.*", "users.messages.emai[l].?*"])
def test_events_command_takes_a_glob(glob: str) -> None:
    outcome = run(EventsRequest(glob))
    assert [event.channel for event in outcome.events] == ["email"] * 11
    assert not outcome.is_one


@pytest.mark.parametrize(
    ("pattern", "hint"),
    [
        ("users.message.email.Open", "Did you mean users.messages.email.Open?"),
        ("email", "`tdcur events '*email*'` lists the types whose name contains it."),
        ("email*", "`tdcur events '*email*'` lists the types whose name contains it."),
        ("telegram", "`tdcur events` lists all types."),
        ("", "`tdcur events` lists all types."),
    ],
)
def test_events_command_says_what_next(pattern: str, hint: str) -> None:
    with pytest.raises(UsageError) as raised:
        run(EventsRequest(pattern))
    assert f"'{pattern}'" in raised.value.message
    assert raised.value.hint == hint


def printed(pattern: str | None, width: int) -> list[str]:
    """The lines `tdcur events` prints on a console of that width."""
    screen = screen_of(width)
    print_catalog(run(EventsRequest(pattern)), screen.terminal)
    assert f"release {CATALOG.release}" in screen.err
    return [line.rstrip() for line in screen.lines]


@pytest.mark.parametrize("width", [40, 80, 200])
def test_list_shows_every_type_in_full(width: int) -> None:
    """However narrow the terminal, no name is cut, and the total says how many there are."""
    lines = printed(None, width)
    assert {event.name for event in EVENTS} <= {word for line in lines for word in line.split()}
    assert any(line.split()[:3] == [str(len(EVENTS)), "event", "types"] for line in lines)
    if width == 80:
        assert max(map(len, lines)) <= 80


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.name)
def test_type_fits_a_terminal(event: EventType) -> None:
    """Each type can be read on 80 columns, all of its fields by their full names."""
    lines = printed(event.name, 80)
    words = {word for line in lines for word in line.split()}
    assert max(map(len, lines)) <= 80
    assert {field.name for field in event.fields} <= words
    assert event.description in " ".join(lines)


def test_type_shows_what_a_field_is() -> None:
    rows = (line.split(maxsplit=3) for line in printed("users.messages.banner.Click", 200))
    lines = {row[1]: row for row in rows if row and row[0] in set(Where)}
    assert lines["user_id"][2:] == ["string", "required, personal data"]
    assert lines["gender"][3] == "personal data, one of M F O N P, storage only"
    assert lines["canvas_step_message_variation_api_id"][3] == "since release 7, HTTP only"


@pytest.mark.parametrize("dialect", list(Dialect))
def test_types_as_a_table(dialect: Dialect) -> None:
    """A column for each field of the types, each once; the table of one type is named for it."""
    made = sqlglot.parse_one(run(EventsRequest("users.behaviors.Purchase", dialect=dialect)).ddl(), read=dialect)
    assert [table.name for table in made.find_all(exp.Table)] == ["users_behaviors_purchase"]
    columns = {column.name: column.kind.sql(dialect) for column in made.find_all(exp.ColumnDef) if column.kind}
    assert columns["time"] == "BIGINT"
    assert columns["properties_price"] == "DOUBLE"
    assert columns["properties_purchase_properties"] in {"VARCHAR", "STRING"}
    assert len(columns) == len(CATALOG.events["users.behaviors.Purchase"].fields) + 2
    assert columns["received_time"] == "BIGINT"
    assert columns["other_fields"] in {"VARCHAR", "STRING"}
    several = sqlglot.parse_one(run(EventsRequest("*.email.*", dialect=dialect)).ddl(), read=dialect)
    assert [table.name for table in several.find_all(exp.Table)] == ["currents"]


def test_fields_that_would_share_a_column(tmp_path: Path) -> None:
    mine = tmp_path / "mine.json"
    fields = {"Points": {"type": "int"}, "points": {"type": "int"}}
    types = {"users.behaviors.Mine": {"description": "Mine.", "fields": fields}}
    mine.write_text(json.dumps({"event_types": types}), encoding="utf-8")
    with catalog_of(mine), pytest.raises(UsageError, match="several fields map to the column `properties_points`"):
        run(EventsRequest("users.behaviors.Mine")).ddl()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(("--dialect", "hive"), b"--format ddl"), (("--strict",), b"--format json-schema")],
)
def test_options_of_another_form_are_refused(arguments: tuple[str, ...], said: bytes) -> None:
    """An option that means nothing to the form is refused, not passed over."""
    bad = tdcur("events", "users.behaviors.Uninstall", *arguments)
    assert (bad.returncode, said in bad.stderr) == (2, True)


def test_events_command_in_a_shell() -> None:
    """Off a terminal the statement or the JSON is on standard output alone, and an unknown type exits 2."""
    ddl = tdcur("events", "users.behaviors.Uninstall", "--dialect", "hive", "--format", "ddl")
    assert ddl.stdout.startswith(b"CREATE TABLE IF NOT EXISTS `users_behaviors_uninstall` (\n  `event_type` STRING,\n")
    good = tdcur("events", "--format", "json", "users.messages.email.Open")
    assert json.loads(good.stdout)["events"][0]["event_type"] == "users.messages.email.Open"
    for ended in (ddl, good):
        assert (ended.returncode, ended.stderr) == (0, b"")
    bad = tdcur("events", "--format", "json", "users.message.email.Open")
    assert bad.returncode == 2
    assert json.loads(bad.stdout)["error"]["hint"] == "Did you mean users.messages.email.Open?"
    assert b"Did you mean" in bad.stderr
