"""Braze's export in, payloads out: the backfill."""

import json
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from td_currents_cli.journal.keys import named_event_key, split_keys
from td_currents_cli.model import Batch, Location
from td_currents_cli.send.batching import Planner
from td_currents_cli.send.payload import Payload, PayloadLimits
from td_currents_cli.send.prefilter import SendFilter
from td_currents_cli.send.sender import parts_of
from tests.journals import delivered, opened

TYPE = "users.messages.email.Open"


def exported(numbers: Iterable[int], *, anonymous: Sequence[int] = (), source: str = "a.avro", **more: Any) -> Batch:
    events = []
    for number in numbers:
        user = {"user_id": "u"} if number in anonymous else {"user_id": "u", "external_user_id": f"x{number}"}
        properties: dict[str, Any] = {"email_address": "a@example.com", **more}
        fields: dict[str, Any] = {"event_type": TYPE, "id": f"id-{number}", "time": 1_782_864_000}
        events.append({**fields, "user": user, "properties": properties})
    return Batch(json.dumps({"events": events}).encode(), Location(source=source, row=1), is_export=True)


def payloads(planner: Planner, *records: Batch) -> list[Payload]:
    return [item for item in planner.plan(records) if isinstance(item, Payload)]


def ids_of(sent: Iterable[Payload]) -> list[list[str]]:
    return [[event["id"] for event in json.loads(payload.body)["events"]] for payload in sent]


def test_events_of_several_files_share_a_payload_of_up_to_100() -> None:
    """An hour may have files with a handful of events each."""
    records = [exported(range(first, first + 40), source=f"{first}.avro") for first in range(0, 240, 40)]
    sent = payloads(Planner(PayloadLimits()), *records)
    assert [payload.events for payload in sent] == [100, 100, 40]
    assert [each for ids in ids_of(sent) for each in ids] == [f"id-{number}" for number in range(240)]
    assert [payload.body for payload in payloads(Planner(PayloadLimits()), *records)] == [each.body for each in sent]


def test_the_journal_knows_events_by_id_and_type(tmp_path: Path) -> None:
    """So nothing is sent twice when a field has moved, or is written in another way."""
    with closing(opened(tmp_path / "journal")) as journal:
        (first,) = payloads(Planner(PayloadLimits(), SendFilter(journal)), exported(range(5)))
    assert split_keys(first.keys) == [named_event_key(f"id-{number}", TYPE) for number in range(5)]
    delivered(tmp_path / "journal", first.keys)
    with closing(opened(tmp_path / "journal")) as journal:
        planner = Planner(PayloadLimits(), SendFilter(journal))
        assert ids_of(payloads(planner, exported(range(3, 8), is_new=True))) == [["id-5", "id-6", "id-7"]]
        assert (planner.read, planner.already_delivered) == (5, 2)
        other = replace(exported(range(1)), data=exported(range(1)).data.replace(b"email.Open", b"email.Read"))
        assert ids_of(payloads(Planner(PayloadLimits(), SendFilter(journal)), other)) == [["id-0"]]


def test_parts_of_a_refused_payload_are_known_as_well(tmp_path: Path) -> None:
    with closing(opened(tmp_path / "journal")) as journal:
        (whole,) = payloads(Planner(PayloadLimits(), SendFilter(journal)), exported(range(4)))
    halves = list(parts_of(whole, (0, 2, 4)))
    assert b"".join(half.keys for half in halves) == whole.keys
    assert [list(parts_of(half, (0, 1, 2)))[1].keys for half in halves] == split_keys(whole.keys)[1::2]


def test_users_without_an_external_id_are_counted_or_left_out(tmp_path: Path) -> None:
    """Braze sends no events of them to Treasure Data."""
    record = exported(range(6), anonymous=(1, 4))
    planner = Planner(PayloadLimits())
    assert len(ids_of(payloads(planner, record))[0]) == 6
    assert (planner.read, planner.anonymous, planner.left_out) == (6, 2, 0)
    plain = replace(record, location=Location(source="a.json", line=1), is_export=False)
    with closing(opened(tmp_path / "journal")) as journal:
        for batch in (record, plain):
            planner = Planner(PayloadLimits(), SendFilter(journal), identified_only=True)
            assert ids_of(payloads(planner, batch)) == [["id-0", "id-2", "id-3", "id-5"]]
            assert (planner.read, planner.anonymous, planner.left_out) == (6, 0, 2)


def test_other_payloads_are_not_searched_for_such_users() -> None:
    plain = replace(exported(range(6), anonymous=(1,)), location=Location(source="a.json", line=1), is_export=False)
    planner = Planner(PayloadLimits())
    (payload,) = payloads(planner, plain)
    assert (payload.body, planner.anonymous) == (plain.data, 0)
