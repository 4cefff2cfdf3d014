"""The catalog as tables: all event types, or one with its fields."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final

from rich import box
from rich.table import Table
from rich.text import Text

from td_currents_cli.braze import CANARY, CUSTOM_EVENT, PURCHASE
from td_currents_cli.catalog.list_events import EventsOutcome
from td_currents_cli.catalog.model import EventType, Field
from td_currents_cli.catalog_diff import CatalogDiffOutcome
from td_currents_cli.events.filter import moment_of
from td_currents_cli.render.layout import print_hanging, print_trimmed
from td_currents_cli.render.terminal import (
    UNCLIPPED,
    Terminal,
    amount,
    print_problems,
    printable,
    write_json,
    write_text,
)
from td_currents_cli.validate.rules import RULES

WIDE: Final = 96
"""Columns from which the list has room for the category next to each type."""


def print_catalog(outcome: EventsOutcome | CatalogDiffOutcome, terminal: Terminal) -> None:
    """Print a list of event types with its total, or one type with its fields, or what is not in the catalog."""
    if isinstance(outcome, CatalogDiffOutcome):
        _print_unknown(outcome, terminal)
        return
    if outcome.new_in is not None:
        _print_added(outcome.events, outcome.new_in, terminal)
    elif outcome.is_one:
        _print_event_type(outcome.events[0], terminal)
        _print_overlay_fields(outcome, terminal)
    else:
        listed = _list_of(outcome.events, is_wide=terminal.out.width >= WIDE)
        listed.columns[0].footer = amount(len(outcome.events), "event type")
        listed.columns[-2].footer = f"{sum(len(event.fields) for event in outcome.events):,}"
        listed.columns[-1].footer = f"{outcome.sent_over_http}"
        _print_table(listed, terminal)
    terminal.report(f"Braze Currents release {outcome.catalog.release} of {outcome.catalog.released}", "dim")


def _print_unknown(outcome: CatalogDiffOutcome, terminal: Terminal) -> None:
    print_problems(outcome.problems, terminal)
    if outcome.names:
        listed = _new_table("event type", "field", "events", "first (UTC)")
        for (event_type, name), each in outcome.names.items():
            first = moment_of(each.first)
            what = Text("unknown event type", "bold") if name is None else Text(printable(name))
            shown = printable(event_type) if event_type else "(none)"
            listed.add_row(Text(shown), what, f"{each.count:,}", f"{first:%Y-%m-%d %H:%M:%S}" if first else "")
        listed.show_footer = False
        _print_table(listed, terminal)
    types = sum(name is None for _, name in outcome.names)
    compared = amount(outcome.balance.events_read - outcome.balance.canaries, "event")
    left_out = f" ({outcome.balance.canaries:,} {CANARY} left out)" if outcome.balance.canaries else ""
    terminal.report(
        f"{compared}{left_out} compared with release {outcome.release} of the catalog: "
        f"{amount(types, 'unknown event type')}, {amount(len(outcome.names) - types, 'unknown field')}",
        "" if outcome.names else "green",
    )


def write_ddl(outcome: EventsOutcome, _terminal: Terminal) -> None:
    write_text(outcome.ddl())


def write_json_schema(outcome: EventsOutcome, _terminal: Terminal) -> None:
    write_json(outcome.json_schema(RULES.values()))


def _list_of(events: tuple[EventType, ...], *, is_wide: bool) -> Table:
    """The types, each next to its category if there is room for it, else under it."""
    listed = _new_table("event type", *(["category"] if is_wide else []), "release", "fields", "HTTP")
    for category, members in groupby(events, key=lambda event: event.category):
        if not is_wide:
            if listed.row_count:
                listed.add_row()
            listed.add_row(Text(category, style="cyan"))
        for event in members:
            names = [event.name, category] if is_wide else [event.name]
            number = str(len(event.fields)) if event.fields_published else "?"
            listed.add_row(*map(Text, names), event.since, number, "yes" if event.http else "no")
    return listed


def _print_added(events: tuple[EventType, ...], release: str, terminal: Terminal) -> None:
    """Print what a release added, a line for each new type, and for each new field of an older type."""
    listed = _new_table("event type", "added", "type", "notes")
    types = fields = 0
    for event in events:
        if event.since == release:
            types += 1
            listed.add_row(Text(event.name), Text("event type", "bold"), f"{len(event.fields)} fields")
            continue
        fields += len(event.fields)
        for index, field in enumerate(event.fields):
            notes = ", ".join(note for note in _notes(field) if not note.startswith("since"))
            listed.add_row(Text("" if index else event.name), Text(field.name), field.type, Text(notes))
    listed.columns[0].footer = amount(types, "new event type")
    listed.columns[1].footer = amount(fields, "new field")
    _print_table(listed, terminal)


def _print_event_type(event: EventType, terminal: Terminal) -> None:
    # As Text: names and descriptions of an overlay may have brackets, which rich would take for markup.
    terminal.out.print(Text(event.name, "bold"))
    print_hanging("", event.description, terminal.out)
    age = "older than release 1" if event.since == "pre-1" else f"since release {event.since}"
    sent = "sent over HTTP only" if event.http else "only in the storage export"
    if event.http and event.storage:
        sent = "sent over HTTP and in the storage export"
    print_hanging("", Text(f"{event.category}, {age}, {sent}", "dim"), terminal.out)
    _print_fields(event.fields, terminal)
    if not event.fields_published:
        mentioned = f"; it mentions {', '.join(event.known_names)}" if event.known_names else ""
        print_hanging("", f"Braze has not published the properties of this type{mentioned}.", terminal.out)


def _print_overlay_fields(outcome: EventsOutcome, terminal: Terminal) -> None:
    """Print the properties of custom events and purchases that an overlay declares."""
    name, catalog = outcome.events[0].name, outcome.catalog
    if name == CUSTOM_EVENT:
        for custom, fields in catalog.custom_events.items():
            terminal.print(custom, "bold")
            _print_fields(fields, terminal, place="custom_properties")
    if name == PURCHASE and catalog.purchase_properties:
        terminal.print("All purchases", "bold")
        _print_fields(catalog.purchase_properties, terminal, place="purchase_properties")


def _print_fields(fields: Sequence[Field], terminal: Terminal, *, place: str = "") -> None:
    listed = _new_table("in", "field", "type", "notes")
    for field in fields:
        name = Text(field.name, style="bold" if field.required else "")
        listed.add_row(place or field.where, name, field.type, Text(", ".join(_notes(field))))
    listed.columns[1].footer = amount(len(fields), "field")
    listed.columns[-1].footer = f"{sum(field.required for field in fields)} required"
    _print_table(listed, terminal)


def _notes(field: Field) -> Iterator[str]:
    if field.required:
        yield "required"
    if field.pii:
        yield "personal data"
    if field.enum:
        yield f"one of {' '.join(field.enum)}"
    if field.since is not None:
        yield f"since release {field.since}"
    if field.until is not None:
        yield f"not sent since release {field.until}"
    if field.storage_only:
        yield "storage only"
    if field.http_only:
        yield "HTTP only"


def _new_table(*columns: str) -> Table:
    listed = Table(box=box.SIMPLE_HEAD, show_footer=True, pad_edge=False)
    for column in columns:
        listed.add_column(
            column, justify="right" if column in {"fields", "events"} else "left", no_wrap=column != "notes"
        )
    return listed


def _print_table(listed: Table, terminal: Terminal) -> None:
    """Print a table without truncating names: on a terminal that is too narrow, its lines run over."""
    out = terminal.out
    needed = listed.__rich_measure__(out, out.options.update(width=UNCLIPPED)).minimum
    print_trimmed(listed, out, max(needed, out.width))
