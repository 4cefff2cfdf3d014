"""Braze's export compared with what arrived: another form of the same events, and users that Braze leaves out."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from td_currents_cli.errors import ExitCode
from td_currents_cli.read import sources
from td_currents_cli.reconcile import DiffKind, ReconcileOutcome, ReconcileRequest, run
from td_currents_cli.reconcile.file_side import FileSide
from td_currents_cli.render import render
from tests.exports import OPEN, avro_of, export_path, record, schema_of

CUSTOM = "users.behaviors.CustomEvent"


def over_http(number: int, **properties: Any) -> dict[str, Any]:
    """The event of `record`, with a field that only HTTP has, nulls, and its fields in another order."""
    user = {"user_id": f"user-{number}", "external_user_id": f"x{number}", "device_id": "d", "timezone": None}
    fields = {"email_address": "a@example.com", "campaign_id": None, **properties}
    return {
        "time": 1_782_864_000 + number,
        "id": f"id-{number}",
        "event_type": OPEN,
        "properties": fields,
        "user": user,
    }


def compare(folder: Path, arrived: Sequence[dict[str, Any]], **options: Any) -> ReconcileOutcome:
    ingested = folder / "rows.jsonl"
    ingested.write_text("".join(json.dumps({"time": 1, "events": json.dumps([each])}) + "\n" for each in arrived))
    sides = (FileSide(sources([str(path)])) for path in (folder / "export", ingested))
    return run(ReconcileRequest(*sides, **options))


def counts(outcome: ReconcileOutcome) -> dict[str, int]:
    found = {"matched": outcome.matched, "anonymous": outcome.anonymous.total()}
    found |= {str(kind): difference.count for kind, difference in outcome.differences.items()}
    return {name: number for name, number in found.items() if number}


def test_contents_compare_across_both_forms(tmp_path: Path) -> None:
    """Without fields that only one of them has; any other difference is a change."""
    records = [record(number, external_user_id=f"x{number}") for number in range(4)]
    export_path(tmp_path / "export").write_bytes(avro_of(records))
    arrived = [over_http(0), over_http(1), over_http(2, campaign_id="c"), over_http(3)]
    outcome = compare(tmp_path, arrived, show=3)
    assert counts(outcome) == {"matched": 3, "changed": 1}
    assert outcome.differences[DiffKind.CHANGED].examples == ("id-2",)
    assert outcome.balanced


def test_both_forms_are_compared_at_once_or_after_they_differ(tmp_path: Path) -> None:
    """With the same result, also if the names of the files suggest otherwise."""
    arrived = [over_http(0), over_http(1), over_http(2, campaign_id="c"), over_http(4)]
    path = export_path(tmp_path / "export")
    path.write_bytes(avro_of([record(number, external_user_id=f"x{number}") for number in range(4)]))
    expected = {"matched": 2, "changed": 1, "missing": 1, "unexpected": 1}
    assert counts(compare(tmp_path, arrived)) == expected
    path.rename(path.with_suffix(".avro.old"))
    assert counts(compare(tmp_path, arrived)) == expected
    # No export at all: what only one form has is a difference.
    sent = [over_http(number) for number in range(2)]
    path.with_suffix(".avro.old").unlink()
    path.write_text(json.dumps({"events": sent}))
    other_device = over_http(0) | {"user": over_http(0)["user"] | {"device_id": "other"}}
    assert counts(compare(tmp_path, [other_device, over_http(1)])) == {"matched": 1, "changed": 1}


def test_custom_properties_compare(tmp_path: Path) -> None:
    """A JSON string in the export; without any property, it may be empty there or missing."""
    texts = ['{"a": 1, "b": [true]}', '{"a": 1}', "{}", None]
    written = [record(n, external_user_id="x", name="n", app_id="a", properties=each) for n, each in enumerate(texts)]
    export_path(tmp_path / "export", event_type=CUSTOM).write_bytes(avro_of(written, schema=schema_of(CUSTOM)))
    arrived = []
    for number, custom in enumerate(({"b": [True], "a": 1.0}, {"a": 2}, {}, {})):
        user = {"user_id": f"user-{number}", "external_user_id": "x"}
        fields = {"name": "n", "app_id": "a", "custom_properties": custom}
        arrived.append({"event_type": CUSTOM, "id": f"id-{number}", "time": 1_782_864_000 + number, "user": user})
        arrived[-1]["properties"] = fields
    assert counts(compare(tmp_path, arrived)) == {"matched": 3, "changed": 1}


@pytest.mark.parametrize("expect_anonymous", [False, True])
def test_users_without_an_external_id_are_not_expected(expect_anonymous: bool, tmp_path: Path) -> None:
    """Not missing; what arrived of them all the same is compared."""
    names = ["x0", "x1", None, None, ""]
    records = [record(number, external_user_id=name) for number, name in enumerate(names)]
    export_path(tmp_path / "export").write_bytes(avro_of(records))
    anonymous = over_http(2)
    anonymous["user"]["external_user_id"] = None
    missing = tmp_path / "missing.jsonl"
    outcome = compare(tmp_path, [over_http(0), anonymous], expect_anonymous=expect_anonymous, resend=missing, show=9)
    some = {"missing": 3} if expect_anonymous else {"missing": 1, "anonymous": 2}
    assert counts(outcome) == {"matched": 2, **some}
    ids = ["id-1", "id-3", "id-4"][: some["missing"]]
    assert [event["id"] for line in missing.read_text().splitlines() for event in json.loads(line)["events"]] == ids
    assert outcome.balanced
    of_type = outcome.summary()["by_type"]
    assert isinstance(of_type, dict)
    assert of_type[OPEN]["matched"] == 2


def test_what_is_not_expected_is_no_difference(tmp_path: Path, screen: Any) -> None:
    records = [record(number, external_user_id="x0" if number == 0 else None) for number in range(3)]
    export_path(tmp_path / "export").write_bytes(avro_of(records))
    outcome = compare(tmp_path, [over_http(0)])
    assert outcome.exit_code is ExitCode.OK
    render(outcome, "table", screen.terminal)
    assert screen.lines[0] == "3 ids sent = 1 matched + 2 not expected"
    assert screen.lines[-2] == "All 1 expected event ids arrived."
    assert "2 ids of users without external_user_id not expected, as Braze does not send them" in screen.err


def test_payloads_without_an_external_id_are_expected(tmp_path: Path) -> None:
    """What was sent over HTTP has to arrive, whoever it is about."""
    event = over_http(0)
    event["user"]["external_user_id"] = None
    (tmp_path / "export").mkdir()
    (tmp_path / "export" / "a.json").write_text(json.dumps({"events": [event]}))
    assert counts(compare(tmp_path, [])) == {"missing": 1}
