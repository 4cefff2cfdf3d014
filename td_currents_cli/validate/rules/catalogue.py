"""TDC2xx: the event against the catalogue of what Braze sends."""

from typing import Final

from td_currents_cli.codes import Code
from td_currents_cli.model import Severity
from td_currents_cli.validate.rules.rule import Rule

RULES: Final = (
    Rule(
        code=Code.UNKNOWN_EVENT_TYPE,
        name="unknown event type",
        severity=Severity.WARNING,
        why="A misspelt type is counted and queried as a type of its own. Braze adds types too, so it is no error.",
        mend="Take the name that is suggested, or add the type with `--catalog`.",
        bad='{"event_type": "users.message.email.Open", … }',
        good='{"event_type": "users.messages.email.Open", … }',
    ),
    Rule(
        code=Code.FIELD_MISSING,
        name="required field missing",
        severity=Severity.ERROR,
        why="Braze always sends this field for this type and never removes a required one: queries rely on it.",
        mend="Add the field; `tdcur events TYPE` lists all of a type.",
        bad='{"event_type": "users.behaviors.Uninstall", "user": {"user_id": "u"}, "properties": {}, … }',
        good='{"event_type": "users.behaviors.Uninstall", "user": {"user_id": "u"}, "properties": {"app_id": "a"}, … }',
    ),
    Rule(
        code=Code.FIELD_TYPE,
        name="field of another type",
        severity=Severity.ERROR,
        why="A field never changes its type; a column that gets two kinds of values breaks queries and loads.",
        mend="Write the value in the type that is named.",
        bad='{"event_type": "users.behaviors.Purchase", "properties": {"price": "9.99", … }, … }',
        good='{"event_type": "users.behaviors.Purchase", "properties": {"price": 9.99, … }, … }',
    ),
    Rule(
        code=Code.UNKNOWN_FIELD,
        name="unknown field",
        severity=Severity.INFO,
        why="Braze adds fields at any time, so this may be a new one, or a misspelt one.",
        mend="Take the name that is suggested, or add the field with `--catalog`.",
        bad='{"properties": {"campain_name": "Spring"}, … }',
        good='{"properties": {"campaign_name": "Spring"}, … }',
    ),
    Rule(
        code=Code.STORAGE_ONLY_TYPE,
        name="type of the storage export",
        severity=Severity.WARNING,
        why="Braze writes this type to cloud storage only and never sends it over HTTP.",
        mend="Check where the payload comes from.",
        bad='{"event_type": "users.UserOrphan", … }',
        good='{"event_type": "users.behaviors.Uninstall", … }',
    ),
    Rule(
        code=Code.VALUE_NOT_IN_SET,
        name="value outside the documented set",
        severity=Severity.WARNING,
        why="Queries that group by this field or choose by its values will not expect it.",
        mend="Take one of the values that are listed.",
        bad='{"properties": {"subscription_status": "subscribed"}, … }',
        good='{"properties": {"subscription_status": "Subscribed"}, … }',
    ),
    Rule(
        code=Code.MISPLACED_FIELD,
        name="field in the wrong object",
        severity=Severity.WARNING,
        why="Queries look for it in the other of `user` and `properties` and find nothing.",
        mend="Move it to where it belongs.",
        bad='{"user": {}, "properties": {"external_user_id": "u-1"}, … }',
        good='{"user": {"external_user_id": "u-1"}, "properties": {}, … }',
    ),
    Rule(
        code=Code.FIELD_GONE,
        name="field of an old release",
        severity=Severity.WARNING,
        why="The catalogue says that a later release of Currents no longer sends this field.",
        mend="Leave it out, or use what has replaced it.",
    ),
)
