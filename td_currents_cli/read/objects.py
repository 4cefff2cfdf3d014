"""JSON documents as records: a payload, an event, or an ingested row whose columns are the members of an object."""

from collections.abc import Iterator

from td_currents_cli.model import Batch, Problem, Record
from td_currents_cli.read import dead_letters
from td_currents_cli.read.documents import Document, documents_in
from td_currents_cli.read.options import DEFAULT, OBJECTS, ReadOptions, SourceFormat
from td_currents_cli.read.rows import flat, jsonl, native


def of_document(
    document: Document | Problem, source: str, rows: Iterator[int], options: ReadOptions = DEFAULT
) -> Iterator[Record]:
    """The batch of a document, which may be an ingested row, or several of them on one line.

    Args:
        document: as it stands in the source.
        source: its name.
        rows: numbers for the ingested rows.
        options: the column that holds the batches, and whether rows are what is read.
    """
    if isinstance(document, Problem):
        yield document
        return
    data = document.data
    batch = _batch_of_text(data, options.name)
    row = native.row_of(data, options.name) if batch is None and options.ingested else None
    if batch is jsonl.SEVERAL or row is native.SEVERAL:
        for each in documents_in(data, document.location(source)):
            yield from of_document(each, source, rows, options)
    elif batch is not None:
        yield Batch(batch, document.location(source, next(rows)))
    elif row is not None:
        yield from row.records(data, document.location(source, next(rows)))
    elif (event := flat.event_of(data)) is not None:
        yield Batch(event, document.location(source, next(rows)))
    else:
        document = dead_letters.event_of(document) or document
        yield Batch(document.data, document.location(source))


def shape_of(document: Document, options: ReadOptions) -> SourceFormat:
    """How a row was read that is a JSON object."""
    if jsonl.batch_of_row(document.data, options.name) is not None:
        return SourceFormat(form=OBJECTS, column=options.name)
    column = jsonl.column_of(document.data)
    row = native.row_of(document.data, options.name) if column is None and options.ingested else None
    return SourceFormat(form=OBJECTS, column=column if row is None else row.column)


def _batch_of_text(data: bytes, column: str) -> bytes | None:
    batch = jsonl.batch_of_row(data, column)
    if batch is None and (other := jsonl.column_of(data)) is not None:
        batch = jsonl.batch_of_row(data, other)
    return batch
