"""Bytes in: files, folders, globs and standard input become a stream of batches and problems."""

from td_currents_cli.read.options import Source
from td_currents_cli.read.reader import records
from td_currents_cli.read.sources import byte_size, sources

__all__ = ["Source", "byte_size", "records", "sources"]
