"""Counts by several names in one pass: each is what a run of its own gives."""

import json
from pathlib import Path
from typing import Final

import pytest
from msgspec import structs

from td_currents_cli.count import CountOutcome, CountRequest, run
from td_currents_cli.count.regroup import counts_by
from td_currents_cli.events.filter import zone_of
from td_currents_cli.read import sources

SAMPLES: Final = str(Path(__file__).parents[3] / "sample_data" / "payloads")


def counted(
    *by: str, also: tuple[str, ...] = (), dedupe: bool = False, paths: tuple[str, ...] = (SAMPLES,)
) -> CountOutcome:
    zone = zone_of("Asia/Kolkata")
    return run(CountRequest(sources(paths), by=by, also=also, zone=zone, dedupe=dedupe, top=7))


@pytest.mark.parametrize("dedupe", [False, True])
def test_each_name_is_counted_as_in_a_run_of_its_own(dedupe: bool) -> None:
    paths = (SAMPLES, SAMPLES) if dedupe else (SAMPLES,)
    names = ("hour", "campaign_name", "event_type")
    outcome = counted("channel", also=names, dedupe=dedupe, paths=paths)
    for name in names:
        alone, again = counted(name, dedupe=dedupe, paths=paths), counts_by(outcome, name, top=7)
        strip = [structs.replace(each, duplicates=None) for each in alone.counts]
        assert [*again.counts] == strip
        assert (again.others, again.total.count, again.unknown_types) == (
            alone.others,
            alone.total.count,
            alone.unknown_types,
        )
    days = counts_by(outcome, "day", source="hour", value_of=lambda hour: hour[:10])
    assert [each.key for each in days.counts] == [each.key for each in counted("day").counts]
    assert outcome.as_dict() == counted("channel", dedupe=dedupe, paths=paths).as_dict()


def test_only_named(tmp_path: Path) -> None:
    """Events without a value are left out; the shares are those of the others."""
    events = [{"properties": {"campaign_name": name}} for name in ("a", "b", "a", None)]
    path = tmp_path / "events.json"
    path.write_text(json.dumps({"events": events}), encoding="utf-8")
    outcome = run(CountRequest(sources([str(path)]), also=("campaign_name",)))
    named = counts_by(outcome, "campaign_name", only_named=True)
    assert [(each.key, each.count, round(each.share, 3)) for each in named.counts] == [
        (("a",), 2, 0.667),
        (("b",), 1, 0.333),
    ]
    assert named.total.count == 3
