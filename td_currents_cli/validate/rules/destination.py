"""TDC3xx: the effect of the payload on Treasure Data, and on the way to it."""

from typing import Final

from td_currents_cli.catalog.constraints import Guard
from td_currents_cli.model import Code, Severity
from td_currents_cli.validate.rules.rule import Rule, RuleScope

DESTINATION_RULES: Final = (
    Rule(
        code=Code.NO_EXTERNAL_USER_ID,
        name="no `external_user_id`",
        severity=Severity.WARNING,
        scope=RuleScope.EVENT,
        why="Braze's Treasure Data export does not send events of such a user; its custom HTTP export does.",
        fix="Identify the user, or use the custom HTTP export.",
        bad='{"user": {"user_id": "b-1"}, … }',
        good='{"user": {"user_id": "b-1", "external_user_id": "u-1"}, … }',
        fast=Guard.EXTERNAL_USER_ID,
    ),
    Rule(
        code=Code.TOO_MANY_EVENTS,
        name="more than 100 events",
        severity=Severity.WARNING,
        scope=RuleScope.DOCUMENT,
        why="Braze's batches have up to 100 events. `tdcur send` splits larger ones; other senders may not.",
        fix="Split the batch.",
        fast=Guard.EVENT_COUNT,
    ),
    Rule(
        code=Code.BODY_TOO_LARGE,
        name="body over the limit",
        severity=Severity.WARNING,
        scope=RuleScope.DOCUMENT,
        why="Version 2 of the Postback API answers 413 to bodies over 1,048,064 bytes. `tdcur send` splits them.",
        fix="Split the batch.",
        fast=Guard.SIZE,
    ),
    Rule(
        code=Code.EVENT_TOO_LARGE,
        name="event over the limit",
        severity=Severity.ERROR,
        scope=RuleScope.EVENT,
        why="Version 2 of the Postback API answers 413 to bodies over 1,048,064 bytes, and one event cannot be split.",
        fix="Shorten its custom properties.",
        fast=Guard.SIZE,
    ),
    Rule(
        code=Code.COLUMN_NAME,
        name="not a column name",
        severity=Severity.INFO,
        scope=RuleScope.EVENT,
        why="Column names in Treasure Data have up to 128 lowercase letters, digits and `_`, and do not start with a "
        "digit. A custom property with another name must be renamed when it is flattened into a column.",
        fix="Rename it where the event is logged, or when it is flattened.",
        bad='{"custom_properties": {"Plan Name": "gold"}, … }',
        good='{"custom_properties": {"plan_name": "gold"}, … }',
        fast=Guard.COLUMN_NAMES,
    ),
)
