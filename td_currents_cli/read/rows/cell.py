"""The `events` cell of an ingested row, which holds a whole Braze batch as JSON text."""

from typing import Final

EMPTY_BATCH: Final = b"[]"


def batch_text(cell: str) -> bytes:
    """The JSON text of a batch from the text of a cell; an empty cell and `null` are an empty batch.

    The text may be an array of events or a whole `{"events": […]}` object: nothing here looks into it.
    """
    text = cell.strip()
    if text in {"", "null"}:
        return EMPTY_BATCH
    # A lone surrogate cannot be UTF-8; whoever decodes the batch reports the bytes it leaves.
    return text.encode(errors="surrogatepass")
