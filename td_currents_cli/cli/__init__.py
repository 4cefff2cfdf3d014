"""The command line: options in, a frozen request to the verb, its outcome rendered, an exit code out."""

from td_currents_cli.cli.app import main

__all__ = ["main"]
