"""TDC1xx: the event and its five fields."""

from typing import Final

from td_currents_cli.catalog.constraints import JSON_TYPES, FieldLimit, Guard
from td_currents_cli.model import Code, Severity
from td_currents_cli.validate.rules.rule import Rule, RuleScope

_NOT_STRING: Final = frozenset(JSON_TYPES.values()) - {"string", "null"}
_NOT_OBJECT: Final = frozenset(JSON_TYPES.values()) - {"object", "null"}

_BRAZE_FOUNDED: Final = 1_293_840_000
"""2011-01-01T00:00:00Z: in that year, as Appboy."""

MILLISECONDS: Final = 100_000_000_000
"""From here on a `time` is interpreted as milliseconds: as seconds, it would be in the year 5138."""

CLOCK_SKEW: Final = 86_400
"""Seconds that the clock of a device may be ahead before an event counts as being from the future."""

EVENT_RULES: Final = (
    Rule(
        code=Code.EVENT_NOT_OBJECT,
        name="event is not an object",
        severity=Severity.ERROR,
        scope=RuleScope.EVENT,
        why="Each element of `events` is one event, an object. Queries on the column fail on anything else.",
        fix="Put the event itself into the array, not a string or its id.",
        bad='{"events": ["e-1"]}',
        good='{"events": [{"event_type": "users.behaviors.Uninstall", "id": "e-1", … }]}',
        fast=Guard.JSON,
    ),
    Rule(
        code=Code.EVENT_TYPE_MISSING,
        name="`event_type` missing",
        severity=Severity.ERROR,
        scope=RuleScope.EVENT,
        why="Nothing downstream can tell what happened.",
        fix="Add the type; `tdcur events` lists all types.",
        bad='{"id": "e-1", "time": 1782900000, … }',
        good='{"event_type": "users.behaviors.Uninstall", "id": "e-1", "time": 1782900000, … }',
        limits=(FieldLimit(field="event_type", required=True, message="`event_type` is missing"),),
    ),
    Rule(
        code=Code.EVENT_TYPE_INVALID,
        name="`event_type` is not a name",
        severity=Severity.ERROR,
        scope=RuleScope.EVENT,
        why="The type is a string that is not empty.",
        fix="Use the name of the type; `tdcur events` lists all types.",
        bad='{"event_type": 7, … }',
        good='{"event_type": "users.behaviors.Uninstall", … }',
        limits=(
            FieldLimit(
                field="event_type", refused_types=_NOT_STRING, message="`event_type` must be a string, got {found}"
            ),
            FieldLimit(field="event_type", min_length=1, message="`event_type` is empty"),
        ),
    ),
    Rule(
        code=Code.ID_MISSING,
        name="`id` missing",
        severity=Severity.ERROR,
        scope=RuleScope.EVENT,
        why="Delivery is at least once: without an id, duplicates cannot be distinguished from new events.",
        fix="Give each event a unique id, such as a UUID.",
        bad='{"event_type": "users.behaviors.Uninstall", "time": 1782900000, … }',
        good='{"event_type": "users.behaviors.Uninstall", "id": "e-1", "time": 1782900000, … }',
        limits=(FieldLimit(field="id", required=True, message="`id` is missing"),),
    ),
    Rule(
        code=Code.ID_INVALID,
        name="`id` is not a string",
        severity=Severity.ERROR,
        scope=RuleScope.EVENT,
        why="The id is a string that is not empty; a number would be compared, and rounded, as a number.",
        fix="Write it in quotes.",
        bad='{"id": 7, … }',
        good='{"id": "7", … }',
        limits=(
            FieldLimit(field="id", refused_types=_NOT_STRING, message="`id` must be a string, got {found}"),
            FieldLimit(field="id", min_length=1, message="`id` is empty"),
        ),
    ),
    Rule(
        code=Code.TIME_MISSING,
        name="`time` missing",
        severity=Severity.ERROR,
        scope=RuleScope.EVENT,
        why="The `time` of an ingested row is when it was received: only this field says when the event happened.",
        fix="Add the time, an integer number of seconds since 1970, UTC.",
        bad='{"event_type": "users.behaviors.Uninstall", "id": "e-1", … }',
        good='{"event_type": "users.behaviors.Uninstall", "id": "e-1", "time": 1782900000, … }',
        limits=(FieldLimit(field="time", required=True, message="`time` is missing"),),
    ),
    Rule(
        code=Code.TIME_INVALID,
        name="`time` is not a time",
        severity=Severity.ERROR,
        scope=RuleScope.EVENT,
        why="The time is an integer number of seconds since 1970, UTC.",
        fix="Write it as an integer.",
        bad='{"time": true, … }',
        good='{"time": 1782900000, … }',
        limits=(
            FieldLimit(
                field="time",
                refused_types=frozenset({"boolean", "array", "object"}),
                message="`time` must be an integer, got {found}",
            ),
            FieldLimit(field="time", minimum=0, message="`time` is negative"),
        ),
    ),
    Rule(
        code=Code.USER_MISSING,
        name="`user` missing",
        severity=Severity.ERROR,
        scope=RuleScope.EVENT,
        why="Every event that Braze sends has this object, even if nothing is known about the user.",
        fix="Add `user`, with `external_user_id` in it.",
        bad='{"id": "e-1", "properties": {}, … }',
        good='{"id": "e-1", "user": {"external_user_id": "u-1"}, "properties": {}, … }',
        limits=(FieldLimit(field="user", required=True, message="`user` is missing"),),
    ),
    Rule(
        code=Code.USER_INVALID,
        name="`user` is not an object",
        severity=Severity.ERROR,
        scope=RuleScope.EVENT,
        why="The ids of the user are fields of this object.",
        fix="Make it an object.",
        bad='{"user": "u-1", … }',
        good='{"user": {"external_user_id": "u-1"}, … }',
        limits=(FieldLimit(field="user", refused_types=_NOT_OBJECT, message="`user` must be an object, got {found}"),),
    ),
    Rule(
        code=Code.PROPERTIES_MISSING,
        name="`properties` missing",
        severity=Severity.ERROR,
        scope=RuleScope.EVENT,
        why="Every event that Braze sends has this object: it contains the fields of the type.",
        fix="Add `properties`.",
        bad='{"id": "e-1", "user": {}, … }',
        good='{"id": "e-1", "user": {}, "properties": {}, … }',
        limits=(FieldLimit(field="properties", required=True, message="`properties` is missing"),),
    ),
    Rule(
        code=Code.PROPERTIES_INVALID,
        name="`properties` is not an object",
        severity=Severity.ERROR,
        scope=RuleScope.EVENT,
        why="The fields of the type are fields of this object.",
        fix="Make it an object.",
        bad='{"properties": [], … }',
        good='{"properties": {}, … }',
        limits=(
            FieldLimit(
                field="properties", refused_types=_NOT_OBJECT, message="`properties` must be an object, got {found}"
            ),
        ),
    ),
    Rule(
        code=Code.TIME_IN_MILLISECONDS,
        name="`time` in milliseconds",
        severity=Severity.ERROR,
        scope=RuleScope.EVENT,
        why="Interpreted as seconds, the timestamp is tens of thousands of years in the future.",
        fix="Divide it by 1,000.",
        bad='{"time": 1782900000000, … }',
        good='{"time": 1782900000, … }',
        limits=(FieldLimit(field="time", below=MILLISECONDS, message="`time` is in milliseconds, not in seconds"),),
    ),
    Rule(
        code=Code.TIME_AS_TEXT,
        name="`time` as a string",
        severity=Severity.ERROR,
        scope=RuleScope.EVENT,
        why="Queries that compare or convert it as a number fail or skip the event.",
        fix="Write it as an integer, in seconds since 1970, UTC.",
        bad='{"time": "2026-07-01T10:00:00Z", … }',
        good='{"time": 1782900000, … }',
        limits=(
            FieldLimit(
                field="time", refused_types=frozenset({"string"}), message="`time` must be an integer, got {found}"
            ),
        ),
    ),
    Rule(
        code=Code.TIME_AS_FLOAT,
        name="`time` with a fraction",
        severity=Severity.ERROR,
        scope=RuleScope.EVENT,
        why="The time is an integer number of seconds; a cast to an integer fails on a fraction.",
        fix="Remove the fraction.",
        bad='{"time": 1782900000.5, … }',
        good='{"time": 1782900000, … }',
        limits=(
            FieldLimit(
                field="time", refused_types=frozenset({"number"}), message="`time` must be an integer, got {found}"
            ),
        ),
    ),
    Rule(
        code=Code.TIME_IN_FUTURE,
        name="`time` in the future",
        severity=Severity.WARNING,
        scope=RuleScope.EVENT,
        why="Test data and devices with a wrong clock have such times; queries by day miss the event until then.",
        fix="Check the clock of the device, and whether this is test data.",
        bad='{"time": 4102444800, … }',
        good='{"time": 1782900000, … }',
        limits=(FieldLimit(field="time", max_ahead=CLOCK_SKEW, message="`time` is in the future"),),
    ),
    Rule(
        code=Code.TIME_TOO_OLD,
        name="`time` before 2011",
        severity=Severity.WARNING,
        scope=RuleScope.EVENT,
        why="Braze did not exist then. Test data and devices without a clock have such times.",
        fix="Check the clock of the device, and whether this is test data.",
        bad='{"time": 0, … }',
        good='{"time": 1782900000, … }',
        limits=(FieldLimit(field="time", minimum=_BRAZE_FOUNDED, message="`time` is before 2011"),),
    ),
    Rule(
        code=Code.REPEATED_ID,
        name="duplicate id",
        severity=Severity.INFO,
        scope=RuleScope.RUN,
        why="Delivery is at least once, so duplicates happen. They are counted twice unless they are removed.",
        fix="Remove duplicates with `tdcur parse --dedupe`, which keeps the first event.",
        bad='{"events": [{"id": "e-1", … }, {"id": "e-1", … }]}',
        good='{"events": [{"id": "e-1", … }, {"id": "e-2", … }]}',
    ),
    Rule(
        code=Code.UNKNOWN_MEMBER,
        name="unexpected top-level field in the event",
        severity=Severity.WARNING,
        scope=RuleScope.EVENT,
        why="An event has `event_type`, `id`, `time`, `user` and `properties`. Any other field is probably misplaced.",
        fix="Move it into `user` or `properties`.",
        bad='{"event_type": "…", "id": "e-1", "external_user_id": "u-1", … }',
        good='{"event_type": "…", "id": "e-1", "user": {"external_user_id": "u-1"}, … }',
        fast=Guard.ONLY_EVENT_FIELDS,
    ),
)
