"""JSON documents as records: a payload, an event, or an ingested row whose columns are the fields of an object."""

from collections.abc import Iterator

from td_currents_cli.model import Batch, Problem, Record
from td_currents_cli.read.dead_letters import event_of_dead_letter
from td_currents_cli.read.documents import Document, documents_in
from td_currents_cli.read.options import DEFAULT, OBJECTS, ReadOptions, SourceFormat
from td_currents_cli.read.rows.flat import event_of_flat_row
from td_currents_cli.read.rows.jsonl import SEVERAL_DOCUMENTS, batch_of_row, column_of
from td_currents_cli.read.rows.native import SEVERAL_ROWS, json_row


def of_document(
    document: Document | Problem, source: str, rows: Iterator[int], options: ReadOptions = DEFAULT
) -> Iterator[Record]:
    """Yield the batch of a document, which may be an ingested row, or several of them on one line.

    `rows` numbers the ingested rows.
    """
    if isinstance(document, Problem):
        yield document
        return
    data = document.data
    batch = _batch_of_string(data, options.name)
    row = json_row(data, options.name) if batch is None and options.ingested else None
    if batch is SEVERAL_DOCUMENTS or row is SEVERAL_ROWS:
        for each in documents_in(data, document.location(source)):
            yield from of_document(each, source, rows, options)
    elif batch is not None:
        yield Batch(batch, document.location(source, next(rows)))
    elif row is not None:
        yield from row.records(data, document.location(source, next(rows)))
    elif (event := event_of_flat_row(data)) is not None:
        yield Batch(event, document.location(source, next(rows)))
    else:
        document = event_of_dead_letter(document) or document
        yield Batch(document.data, document.location(source))


def format_of(document: Document, options: ReadOptions) -> SourceFormat:
    """Return how a row that is a JSON object was read."""
    if batch_of_row(document.data, options.name) is not None:
        return SourceFormat(form=OBJECTS, column=options.name)
    column = column_of(document.data)
    row = json_row(document.data, options.name) if column is None and options.ingested else None
    return SourceFormat(form=OBJECTS, column=column if row is None else row.column)


def _batch_of_string(data: bytes, column: str) -> bytes | None:
    batch = batch_of_row(data, column)
    if batch is None and (other := column_of(data)) is not None:
        batch = batch_of_row(data, other)
    return batch
