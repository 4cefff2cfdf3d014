"""Synthetic payloads from the catalog: the same request gives the same bytes on every machine.

The package itself contains only the request, so that the command's help does not load the generator: see `run`.
"""

from td_currents_cli.generate.request import START, GenerateFormat, GenerateRequest

__all__ = ["START", "GenerateFormat", "GenerateRequest"]
