"""Synthetic payloads from the catalogue: the same bytes for the same request, on every machine.

The package itself holds only what can be asked for, so that the command's help loads no generator: see `run`.
"""

from td_currents_cli.generate.request import START, GenerateFormat, GenerateRequest

__all__ = ["START", "GenerateFormat", "GenerateRequest"]
