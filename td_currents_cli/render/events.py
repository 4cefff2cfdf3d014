"""The catalogue as tables: all types, or one type with its fields. Or as a JSON Schema, or as DDL."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final

from rich import box
from rich.table import Table
from rich.text import Text

from td_currents_cli.braze import CUSTOM_EVENT, PURCHASE
from td_currents_cli.catalog.event_types import EventType, Field
from td_currents_cli.catalog.listing import EventsOutcome, EventsView
from td_currents_cli.render import write_text
from td_currents_cli.render.figures import amount
from td_currents_cli.render.json_layout import laid_out
from td_currents_cli.render.terminal import UNCLIPPED, Terminal

WIDE: Final = 96
"""Columns from which the list has room for the category beside each type."""


def table(outcome: EventsOutcome, terminal: Terminal) -> None:
    """A list of types with its total, or one type with its fields."""
    if outcome.view is EventsView.FIELDS:
        _show_type(outcome.events[0], terminal)
        _show_custom(outcome, terminal)
    else:
        _show_list(outcome, terminal)
    terminal.say(f"Braze Currents release {outcome.catalog.release} of {outcome.catalog.released}", "dim")


def json_schema(outcome: EventsOutcome, _terminal: Terminal) -> None:
    """The JSON Schema by itself, without the envelope of other JSON: a file that validators take as it is."""
    from td_currents_cli.validate.rules import RULES  # noqa: PLC0415 -- no other output needs them

    write_text(laid_out(outcome.json_schema(RULES.values())))


def ddl(outcome: EventsOutcome, _terminal: Terminal) -> None:
    """The statement by itself, as it can be pasted."""
    write_text(outcome.ddl())


def _show_list(outcome: EventsOutcome, terminal: Terminal) -> None:
    columns = _with_category if terminal.out.width >= WIDE else _under_category
    listed = columns(outcome.events)
    listed.columns[0].footer = amount(len(outcome.events), "event type")
    listed.columns[-2].footer = f"{sum(len(event.fields) for event in outcome.events):,}"
    listed.columns[-1].footer = f"{outcome.sent_over_http}"
    _print(listed, terminal)


def _with_category(events: tuple[EventType, ...]) -> Table:
    listed = _table("event type", "category", "release", "fields", "HTTP")
    for event in events:
        listed.add_row(Text(event.name), Text(event.category), *_figures(event))
    return listed


def _under_category(events: tuple[EventType, ...]) -> Table:
    listed = _table("event type", "release", "fields", "HTTP")
    for category, members in groupby(events, key=lambda event: event.category):
        if listed.row_count:
            listed.add_row()
        listed.add_row(Text(category, style="cyan"))
        for event in members:
            listed.add_row(Text(event.name), *_figures(event))
    return listed


def _figures(event: EventType) -> tuple[str, str, str]:
    return event.since, str(len(event.fields)), "yes" if event.http else "no"


def _show_type(event: EventType, terminal: Terminal) -> None:
    # As Text: names and words of an overlay may have brackets, which rich would take for markup.
    terminal.out.print(Text(event.name, "bold"))
    terminal.out.print(Text(event.description))
    terminal.out.print(Text(f"{event.category}, {_age(event)}, {_sent(event)}", "dim"))
    _show_fields(event.fields, terminal)


def _show_custom(outcome: EventsOutcome, terminal: Terminal) -> None:
    """What an overlay says of the data that people name themselves."""
    name, catalog = outcome.events[0].name, outcome.catalog
    if name == CUSTOM_EVENT:
        for custom, fields in catalog.custom_events.items():
            terminal.show(custom, "bold")
            _show_fields(fields, terminal, place="custom_properties")
    if name == PURCHASE and catalog.purchase_properties:
        terminal.show("All purchases", "bold")
        _show_fields(catalog.purchase_properties, terminal, place="purchase_properties")


def _show_fields(fields: Sequence[Field], terminal: Terminal, *, place: str = "") -> None:
    listed = _table("in", "field", "type", "notes")
    for field in fields:
        name = Text(field.name, style="bold" if field.required else "")
        listed.add_row(place or field.where, name, field.type, Text(_notes(field)))
    listed.columns[1].footer = amount(len(fields), "field")
    listed.columns[-1].footer = f"{sum(field.required for field in fields)} required"
    _print(listed, terminal)


def _age(event: EventType) -> str:
    return "older than release 1" if event.since == "pre-1" else f"since release {event.since}"


def _sent(event: EventType) -> str:
    if event.http and event.storage:
        return "sent over HTTP and in the storage export"
    return "sent over HTTP only" if event.http else "in the storage export only"


def _notes(field: Field) -> str:
    return ", ".join(_remarks(field))


def _remarks(field: Field) -> Iterator[str]:
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


def _table(*columns: str) -> Table:
    listed = Table(box=box.SIMPLE_HEAD, show_footer=True, pad_edge=False)
    for column in columns:
        listed.add_column(column, justify="right" if column == "fields" else "left", no_wrap=column != "notes")
    return listed


def _print(listed: Table, terminal: Terminal) -> None:
    """Print a table without cutting a name: on a terminal too narrow for them its lines run over."""
    out = terminal.out
    needed = listed.__rich_measure__(out, out.options.update(width=UNCLIPPED)).minimum
    if needed > out.width:
        listed.width = needed
    out.print(listed, crop=False)
