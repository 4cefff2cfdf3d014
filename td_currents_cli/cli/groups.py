"""The commands and topics of `tdcur --help`, which imports none of them."""

from typing import Final

GROUPS: Final = {
    "Commands": {
        "validate": "Check payloads by Braze's catalog and Treasure Data's limits.",
        "send": "Send payloads to Treasure Data or another endpoint, like Braze.",
        "parse": "Turn ingested rows back into flat events: JSON Lines or a table.",
        "count": "Count events by type or any other field, in payloads and rows.",
        "reconcile": "Compare sent with ingested events: what is missing or changed.",
        "verify": "Query a table until all events that were sent are stored.",
        "report": "Write a page with charts: counts, problems, and what is missing.",
        "watch": "Watch a table: report silence, and fewer events than usual.",
        "show": "Show single events of payload files or ingested rows.",
    },
    "To try it without Treasure Data": {
        "demo": "Validate, send, parse, count, and reconcile sample events.",
        "serve": "Run a local Postback endpoint that acts like Treasure Data's.",
        "generate": "Generate synthetic payloads with every type that Braze sends.",
    },
    "To look things up": {
        "events": "List the event types of Braze Currents, or the fields of one.",
        "rules": "List the rules of `tdcur validate`, or explain one.",
        "sql": "Print a query for Treasure Data's console, a workflow, or dbt.",
        "workflow": "Write a project that flattens, counts, and watches a table.",
        "help": "Show the help of a command, or a topic.",
    },
    "Set-up": {
        "url": "Print the URL to paste into Braze's Treasure Data export.",
        "config": "Show the settings that apply here, and where each comes from.",
        "doctor": "Check the set-up: settings, keys, extras, journals, leftovers.",
        "journal": "List, show, or remove journals of what `tdcur send` delivered.",
    },
}
"""All commands with the first line of their help, in its order."""

COMMANDS: Final = tuple(name for group in GROUPS.values() for name in group)

TOPICS: Final = {
    "environment": "Environment variables, and what they mean.",
    "exit-codes": "Exit codes, and what they mean.",
    "formats": "Input and output formats.",
}
"""Topics of `tdcur help`."""
