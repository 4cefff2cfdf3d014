"""TDC2xx: the event against the catalog of what Braze sends."""

from typing import Final

from td_currents_cli.catalog.constraints import Guard
from td_currents_cli.codes import Code
from td_currents_cli.model import Severity
from td_currents_cli.validate.rules.rule import Rule, RuleScope

CATALOG_RULES: Final = (
    Rule(
        code=Code.UNKNOWN_EVENT_TYPE,
        name="unknown event type",
        severity=Severity.WARNING,
        scope=RuleScope.EVENT,
        why="A misspelled type is counted and queried separately. Braze may add types, so it is not an error.",
        fix="Use the suggested name, or add the type with `--catalog`.",
        bad='{"event_type": "users.message.email.Open", … }',
        good='{"event_type": "users.messages.email.Open", … }',
        fast=Guard.KNOWN_TYPE,
    ),
    Rule(
        code=Code.FIELD_MISSING,
        name="required field missing",
        severity=Severity.ERROR,
        scope=RuleScope.EVENT,
        why="Braze always sends this field for this type and never removes a required one: queries rely on it.",
        fix="Add the field; `tdcur events TYPE` lists all fields of a type.",
        bad='{"event_type": "users.behaviors.Uninstall", "user": {"user_id": "u"}, "properties": {}, … }',
        good='{"event_type": "users.behaviors.Uninstall", "user": {"user_id": "u"}, "properties": {"app_id": "a"}, … }',
        fast=Guard.REQUIRED_FIELDS,
    ),
    Rule(
        code=Code.FIELD_TYPE,
        name="wrong type of field",
        severity=Severity.ERROR,
        scope=RuleScope.EVENT,
        why="A field never changes its type; a column with values of two types breaks queries and loads.",
        fix="Write the value in the required type.",
        bad='{"event_type": "users.behaviors.Purchase", "properties": {"price": "9.99", … }, … }',
        good='{"event_type": "users.behaviors.Purchase", "properties": {"price": 9.99, … }, … }',
        fast=Guard.FIELD_TYPES,
    ),
    Rule(
        code=Code.UNKNOWN_FIELD,
        name="unknown field",
        severity=Severity.INFO,
        scope=RuleScope.EVENT,
        why="Braze may add fields at any time, so this can be a new field or a misspelled one.",
        fix="Use the suggested name, or add the field with `--catalog`.",
        bad='{"properties": {"campain_name": "Spring"}, … }',
        good='{"properties": {"campaign_name": "Spring"}, … }',
        fast=Guard.ONLY_KNOWN_FIELDS,
    ),
    Rule(
        code=Code.STORAGE_ONLY_TYPE,
        name="type of the storage export",
        severity=Severity.WARNING,
        scope=RuleScope.EVENT,
        why="Braze writes this type to cloud storage only and never sends it over HTTP.",
        fix="Check where the payload comes from.",
        bad='{"event_type": "users.UserOrphan", … }',
        good='{"event_type": "users.behaviors.Uninstall", … }',
        fast=Guard.SENT_OVER_HTTP,
    ),
    Rule(
        code=Code.VALUE_NOT_IN_SET,
        name="value outside the documented set",
        severity=Severity.WARNING,
        scope=RuleScope.EVENT,
        why="Queries that group or filter by this field do not expect the value.",
        fix="Use one of the listed values.",
        bad='{"properties": {"subscription_status": "subscribed"}, … }',
        good='{"properties": {"subscription_status": "Subscribed"}, … }',
        fast=Guard.FIELD_VALUES,
    ),
    Rule(
        code=Code.MISPLACED_FIELD,
        name="field in the wrong object",
        severity=Severity.WARNING,
        scope=RuleScope.EVENT,
        why="Queries look for it in the other one of `user` and `properties` and find nothing.",
        fix="Move it to the other object.",
        bad='{"user": {}, "properties": {"external_user_id": "u-1"}, … }',
        good='{"user": {"external_user_id": "u-1"}, "properties": {}, … }',
        fast=Guard.ONLY_KNOWN_FIELDS,
    ),
    Rule(
        code=Code.FIELD_GONE,
        name="field of an old release",
        severity=Severity.WARNING,
        scope=RuleScope.EVENT,
        why="The catalog says that a later release of Currents no longer sends this field.",
        fix="Remove it, or use its replacement.",
        fast=Guard.SENT_OVER_HTTP,
    ),
)
