"""The samples are what their manifest and README say, read with the standard library alone."""

import csv
import gzip
import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from td_currents_cli import catalog

SAMPLES: Final = Path(__file__).parents[2] / "sample_data"
PAYLOADS: Final = SAMPLES / "payloads"
ROWS: Final = SAMPLES / "rows"
MANIFEST: Final[dict[str, Any]] = json.loads((SAMPLES / "manifest.json").read_text(encoding="utf-8"))
DOCUMENTED: Final = "treasure_data_documented_shape.json"
MISSPELLED: Final = "users.message.email.Open"

Events = list[dict[str, Any]]


def payload_text(name: str) -> str:
    data = (PAYLOADS / name).read_bytes()
    return (gzip.decompress(data) if name.endswith(".gz") else data).decode()


def documents(name: str) -> list[str]:
    return payload_text(name).splitlines() if ".jsonl" in name else [payload_text(name)]


def row_cells(name: str) -> list[tuple[int, str]]:
    """The two columns of each row of a file of rows."""
    with (ROWS / name).open(newline="", encoding="utf-8") as file:
        rows = csv.DictReader(file, strict=True) if name.endswith(".csv") else map(json.loads, file)
        return [(int(row["time"]), row["events"]) for row in rows]


def counted(batches: list[Events]) -> dict[str, Any]:
    """The counts of batches as the manifest says them."""
    types = Counter(event["event_type"] for batch in batches for event in batch)
    return {"events": types.total(), "event_types": dict(types)}


def all_events() -> Iterator[dict[str, Any]]:
    for name in MANIFEST["payloads"]:
        for text in documents(name):
            yield from json.loads(text)["events"]


def test_every_sample_is_counted_and_described() -> None:
    """A sample that no count is kept for would be tested by nothing."""
    assert {path.name for path in PAYLOADS.iterdir()} == set(MANIFEST["payloads"])
    assert {path.name for path in ROWS.iterdir()} == set(MANIFEST["rows"])
    assert sum(path.stat().st_size for path in SAMPLES.rglob("*") if path.is_file()) < 400_000
    readme = (SAMPLES / "README.md").read_text(encoding="utf-8")
    assert all(f"`{name}`" in readme for name in (*MANIFEST["payloads"], *MANIFEST["rows"]))


def test_payload_files_have_the_counts_of_the_manifest() -> None:
    """No event is a duplicate of another: what is sent can be compared with what arrives by id."""
    total: list[Events] = []
    for name, counts in MANIFEST["payloads"].items():
        batches = [json.loads(text)["events"] for text in documents(name)]
        assert {"documents": len(batches), **counted(batches)} == counts, name
        total += batches
    assert {"documents": len(total), **counted(total)} == MANIFEST["total"]
    assert len({event["id"] for batch in total for event in batch}) == MANIFEST["total"]["events"]


@pytest.mark.parametrize("name", MANIFEST["rows"])
def test_each_row_is_a_document_byte_for_byte(name: str) -> None:
    """A row's cell is its document's own array, in the order of the file names, and no older than its events."""
    texts = [text for file in sorted(MANIFEST["payloads"]) for text in documents(file)]
    cells = row_cells(name)
    assert [cell for _time, cell in cells] == [text[text.index("[") : text.rindex("]") + 1] for text in texts]
    assert all(time > max(event["time"] for event in json.loads(cell)) for time, cell in cells)
    counts = {"rows": len(cells), **counted([json.loads(cell) for _time, cell in cells])}
    assert counts == MANIFEST["rows"][name]
    assert {"documents": counts.pop("rows"), **counts} == MANIFEST["total"]


def test_every_type_sent_over_http_is_there() -> None:
    """The samples show each of the types whose samples Braze publishes, and the misspelled one of Braze's page."""
    events = catalog.load().events.values()
    sent = {event.name for event in events if event.fields_published and event.category != "user_update"}
    assert len(sent) == 93
    assert set(MANIFEST["total"]["event_types"]) == sent | {MISSPELLED}


def test_the_documented_shape_is_the_only_odd_one() -> None:
    """One event, misspelled and without `external_user_id`; all other users have one, where their type knows it."""
    (odd,) = json.loads(payload_text(DOCUMENTED))["events"]
    assert odd["event_type"] == MISSPELLED
    assert "external_user_id" not in odd["user"]
    types = catalog.load().events
    for event in all_events():
        if event["event_type"] != MISSPELLED:
            known = {field.name for field in types[event["event_type"]].fields}
            assert ("external_user_id" in event["user"]) == ("external_user_id" in known), event["id"]


def test_the_forms_the_readme_names_are_there() -> None:
    """A pretty-printed document, JSON Lines of several batches, gzip, and a number wider than a double."""
    assert payload_text("canvas_journey.json").startswith('{\n  "events": [\n')
    assert len(documents("mobile_messaging.jsonl")) == 4
    assert (PAYLOADS / "sessions_and_subscriptions.json.gz").read_bytes()[:2] == b"\x1f\x8b"
    numbers = [int(number) for number in re.findall(r'"order_id":(\d+)', payload_text("purchases.json"))]
    assert any(int(float(number)) != number for number in numbers)


def test_nobody_real_is_in_them() -> None:
    """Addresses are under example.com and example.org, telephone numbers in the ranges kept for fiction."""
    text = "".join(payload_text(name) for name in MANIFEST["payloads"])
    assert set(re.findall(r"[\w.+-]+@([\w.-]+\w)", text)) <= {"example.com", "example.org"}
    hosts = set(re.findall(r"https?://([\w.-]+)", text))
    assert all(re.fullmatch(r"([\w-]+\.)*example\.(com|org)", host) for host in hosts)
    phones = set(re.findall(r'"(\+\d+)"', text))
    assert phones
    assert all(re.fullmatch(r"\+1\d{3}55501\d\d|\+447700900\d{3}|\+3363998\d{4}", phone) for phone in phones)
