"""TDC3xx: what Treasure Data, and the way to it, make of the payload."""

from typing import Final

from td_currents_cli.codes import Code
from td_currents_cli.model import Severity
from td_currents_cli.validate.rules.rule import Rule

RULES: Final = (
    Rule(
        code=Code.NO_EXTERNAL_USER_ID,
        name="no `external_user_id`",
        severity=Severity.WARNING,
        why="Braze's Treasure Data export sends no event of such a user; its custom HTTP export does.",
        mend="Identify the user, or use the custom HTTP export.",
        bad='{"user": {"user_id": "b-1"}, … }',
        good='{"user": {"user_id": "b-1", "external_user_id": "u-1"}, … }',
    ),
    Rule(
        code=Code.TOO_MANY_EVENTS,
        name="more than 100 events",
        severity=Severity.WARNING,
        why="Braze's batches have up to 100 events. `tdcur send` splits larger ones; other senders may not.",
        mend="Split the batch.",
    ),
    Rule(
        code=Code.BODY_TOO_LARGE,
        name="body over the limit",
        severity=Severity.WARNING,
        why="Version 2 of the Postback API answers 413 to bodies over 1,048,064 bytes. `tdcur send` splits them.",
        mend="Split the batch.",
    ),
    Rule(
        code=Code.EVENT_TOO_LARGE,
        name="event over the limit",
        severity=Severity.ERROR,
        why="Version 2 of the Postback API answers 413 to bodies over 1,048,064 bytes, and one event cannot be split.",
        mend="Shorten its custom properties.",
    ),
    Rule(
        code=Code.COLUMN_NAME,
        name="no column name as it stands",
        severity=Severity.INFO,
        why="Treasure Data's columns are named in lower case letters, digits and `_`, not first a digit, up to 128 "
        "characters. A custom property of another name has to be renamed once it is flattened into a column.",
        mend="Rename it where the event is logged, or when it is flattened.",
        bad='{"custom_properties": {"Plan Name": "gold"}, … }',
        good='{"custom_properties": {"plan_name": "gold"}, … }',
    ),
)
