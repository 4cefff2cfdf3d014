"""The rules of `tdcur validate`: what each code means, why it matters, and what to do about it.

The facts behind them are Braze's (documentation of Currents, its Avro schemas) and Treasure Data's (Postback API).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from td_currents_cli.catalog.constraints import JSON_TYPES, FieldLimit, Guard
from td_currents_cli.model import Code, Severity


class RuleScope(Enum):
    """What has to be looked at to see whether a rule is broken."""

    INPUT = auto()  # a file or a row, by those who read it
    DOCUMENT = auto()  # a payload, or the array of events in a row; `send` makes payloads of its own
    EVENT = auto()
    RUN = auto()  # all events of a run
    DELIVERY = auto()  # the answer of the endpoint


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule of `tdcur validate`; `tdcur send` holds back the events that break one that is an error.

    A rule about one of the five fields of every event declares `limits`, from which its check, the fast passes and the
    JSON Schema are derived. Any other one has a check of its own, and names in `fast` how the fast passes refuse what
    breaks it. With neither, each event gets the careful check, and the JSON Schema does not know the rule.
    """

    code: Code
    name: str
    severity: Severity
    scope: RuleScope
    why: str  # what goes wrong when it is broken
    fix: str
    bad: str = ""  # a payload, or the part of one, that breaks it; empty where no string can show it
    good: str = ""  # the same, corrected
    limits: tuple[FieldLimit, ...] = ()
    fast: Guard | None = None


DOCUMENT_RULES: Final = (
    Rule(
        code=Code.UNREADABLE,
        name="input cannot be read",
        severity=Severity.ERROR,
        scope=RuleScope.INPUT,
        why="The input is truncated, damaged, or not permitted to be read. Everything before that point was checked.",
        fix="Get the file again and check its permissions. A truncated compressed file is often still being written.",
    ),
    Rule(
        code=Code.NOT_JSON,
        name="not JSON",
        severity=Severity.ERROR,
        scope=RuleScope.DOCUMENT,
        why="Treasure Data's endpoint answers 400 to anything that is not JSON, and Braze's sender drops such a batch.",
        fix="Fix the syntax at the position shown.",
        bad='{"events": [{"id": "e-1",}]}',
        good='{"events": [{"id": "e-1"}]}',
        fast=Guard.JSON,
    ),
    Rule(
        code=Code.NOT_UTF8,
        name="not UTF-8",
        severity=Severity.ERROR,
        scope=RuleScope.DOCUMENT,
        why="JSON is exchanged in UTF-8; other encodings arrive as broken characters or not at all.",
        fix="Convert the file, for example with `iconv -f LATIN1 -t UTF-8`.",
        fast=Guard.UTF8,
    ),
    Rule(
        code=Code.BYTE_ORDER_MARK,
        name="byte order mark, UTF-16 or UTF-32",
        severity=Severity.WARNING,
        scope=RuleScope.INPUT,
        why="JSON is exchanged as UTF-8 without a byte order mark; strict parsers reject anything else.",
        fix="Save the file as UTF-8 without BOM.",
    ),
    Rule(
        code=Code.EMPTY_INPUT,
        name="empty input",
        severity=Severity.ERROR,
        scope=RuleScope.INPUT,
        why="An empty file is usually the result of an earlier step that failed.",
        fix="Check the step that writes the file.",
    ),
    Rule(
        code=Code.UNKNOWN_FORM,
        name="unrecognized input",
        severity=Severity.ERROR,
        scope=RuleScope.INPUT,
        why="The input is not JSON and has no column of event batches, so nothing in it can be checked.",
        fix="Provide payloads as JSON, or ingested rows with their column names.",
    ),
    Rule(
        code=Code.TOO_DEEP,
        name="nested too deep",
        severity=Severity.ERROR,
        scope=RuleScope.DOCUMENT,
        why="Parsers limit the depth to protect themselves; no Currents event comes near that limit.",
        fix="Flatten the custom properties.",
        bad='{"events": [{"properties": {"a": {"a": {"a": … }}}}]}',
        good='{"events": [{"properties": {"a": 1}}]}',
        fast=Guard.DEPTH,
    ),
    Rule(
        code=Code.DUPLICATE_KEY,
        name="duplicate key in an object",
        severity=Severity.WARNING,
        scope=RuleScope.EVENT,
        why="Each parser decides which of the two values counts: one of them is lost, and not the same one everywhere.",
        fix="Remove or rename one of them.",
        bad='{"properties": {"app_id": "a", "app_id": "b"}}',
        good='{"properties": {"app_id": "b"}}',
        fast=Guard.UNIQUE_NAMES,
    ),
    Rule(
        code=Code.NOT_A_NUMBER,
        name="NaN or Infinity",
        severity=Severity.ERROR,
        scope=RuleScope.DOCUMENT,
        why="They are not JSON. Python writes them by default; most other parsers reject the document.",
        fix="Write null, or remove the field.",
        bad='{"properties": {"price": NaN}}',
        good='{"properties": {"price": null}}',
        fast=Guard.JSON,
    ),
    Rule(
        code=Code.NOT_AN_OBJECT,
        name="not a payload",
        severity=Severity.ERROR,
        scope=RuleScope.DOCUMENT,
        why="A payload is an object; Treasure Data's endpoint answers 400 to anything else.",
        fix='Wrap the events: `{"events": [ … ]}`.',
        bad="null",
        good='{"events": []}',
        fast=Guard.JSON,
    ),
    Rule(
        code=Code.EVENTS_MISSING,
        name="`events` missing",
        severity=Severity.ERROR,
        scope=RuleScope.DOCUMENT,
        why="Without `events` or `event_type` it is neither a batch nor an event: the row would have other columns.",
        fix="Name the array of events `events`.",
        bad='{"event": [ … ]}',
        good='{"events": [ … ]}',
        fast=Guard.JSON,
    ),
    Rule(
        code=Code.EVENTS_NOT_ARRAY,
        name="`events` is not an array",
        severity=Severity.ERROR,
        scope=RuleScope.DOCUMENT,
        why="Braze sends an array, even for one event; queries that unnest the column find nothing in anything else.",
        fix="Put the event into an array.",
        bad='{"events": {"event_type": "users.behaviors.Uninstall"}}',
        good='{"events": [{"event_type": "users.behaviors.Uninstall"}]}',
        fast=Guard.JSON,
    ),
    Rule(
        code=Code.EMPTY_BATCH,
        name="batch without events",
        severity=Severity.INFO,
        scope=RuleScope.DOCUMENT,
        why="Braze tests a connection with such a batch. It has no effect on data.",
        fix="No action is needed.",
        bad='{"events": []}',
        good='{"events": [{ … }]}',
        fast=Guard.EVENT_COUNT,
    ),
    Rule(
        code=Code.EMPTY_ARRAY,
        name="array without payloads",
        severity=Severity.WARNING,
        scope=RuleScope.INPUT,
        why="The input is valid but contains nothing, which is seldom intended.",
        fix="Check the step that writes the array.",
        bad="[]",
        good='[{"events": [{ … }]}]',
    ),
    Rule(
        code=Code.BARE_EVENT,
        name="event without a batch",
        severity=Severity.INFO,
        scope=RuleScope.DOCUMENT,
        why="Braze's own sample files look like this; over HTTP events always come in a batch. `tdcur send` wraps it.",
        fix='Wrap it for tools other than `tdcur`: `{"events": [ … ]}`.',
        bad='{"event_type": "users.behaviors.Uninstall", … }',
        good='{"events": [{"event_type": "users.behaviors.Uninstall", … }]}',
        fast=Guard.JSON,
    ),
    Rule(
        code=Code.OTHER_KEY,
        name="unexpected field next to `events`",
        severity=Severity.WARNING,
        scope=RuleScope.DOCUMENT,
        why="Each top-level field of a body becomes a separate column in Treasure Data.",
        fix="Remove it, unless the column is wanted.",
        bad='{"events": [ … ], "source": "test"}',
        good='{"events": [ … ]}',
        fast=Guard.ONLY_EVENTS,
    ),
    Rule(
        code=Code.NUMBER_TOO_LARGE,
        name="number beyond 64 bits",
        severity=Severity.WARNING,
        scope=RuleScope.EVENT,
        why="Parsers round it, turn it into infinity or reject the document; its exact value is lost.",
        fix="Send it as a string.",
        bad='{"properties": {"order": 123456789012345678901}}',
        good='{"properties": {"order": "123456789012345678901"}}',
        fast=Guard.INT64,
    ),
    Rule(
        code=Code.DOCUMENT_TOO_LARGE,
        name="document too large",
        severity=Severity.ERROR,
        scope=RuleScope.INPUT,
        why="A payload, row, event, or cell must fit into memory. What comes before it is checked, nothing after it.",
        fix="Export smaller documents, or use a larger `--max-document-size` if there is enough memory.",
    ),
    Rule(
        code=Code.LEFT_OUT,
        name="files left out",
        severity=Severity.INFO,
        scope=RuleScope.INPUT,
        why="Hidden files of a folder or an archive, and those that do not begin with events, are not read.",
        fix="No action is needed if they contain no events. A file that is named itself is always read.",
    ),
    Rule(
        code=Code.BAD_ROW,
        name="row is malformed",
        severity=Severity.ERROR,
        scope=RuleScope.INPUT,
        why="The row does not match its header, or its quotes do not match: its batch cannot be found.",
        fix="Export the rows again, as JSON Lines or as CSV with a header.",
        bad='time,events\n1782900000,"[…]",3',
        good='time,events\n1782900000,"[…]"',
    ),
    Rule(
        code=Code.CUT_OFF,
        name="cell is truncated",
        severity=Severity.ERROR,
        scope=RuleScope.DOCUMENT,
        why="The cell was longer than a column limit or a spreadsheet allows, or its file ends in it. Its complete "
        "events are used; the truncated event, and all events after it, are lost.",
        fix="Export the rows again, as JSON Lines or msgpack, and not through a spreadsheet.",
        bad='{"time": 1782900000, "events": "[{ … }, {\\"id\\": "}',
        good='{"time": 1782900000, "events": "[{ … }, { … }]"}',
        fast=Guard.JSON,
    ),
)


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
        name="`time` not in seconds",
        severity=Severity.ERROR,
        scope=RuleScope.EVENT,
        why="Interpreted as seconds, the timestamp is tens of thousands of years in the future.",
        fix="Divide milliseconds by 1,000, microseconds by 1,000,000, and nanoseconds by 1,000,000,000.",
        bad='{"time": 1782900000000, … }',
        good='{"time": 1782900000, … }',
        limits=tuple(
            FieldLimit(
                field="time",
                below=MILLISECONDS * factor // 1000,
                message=f"`time` is in {unit}, not in seconds",
                hint=f"Divide it by {factor:,}.",
            )
            for unit, factor in (("nanoseconds", 10**9), ("microseconds", 10**6), ("milliseconds", 10**3))
        ),
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


CATALOG_RULES: Final = (
    Rule(
        code=Code.UNKNOWN_EVENT_TYPE,
        name="unknown event type",
        severity=Severity.WARNING,
        scope=RuleScope.EVENT,
        why="A misspelled type is counted and queried separately. Braze may add types, so it is not an error.",
        fix="Check the spelling. If the type is new, add it with `--catalog`.",
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
        fix="Check the spelling. If the field is new, add it with `--catalog`.",
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
        bad='{"event_type": "users.RandomBucketNumberUpdate", … }',
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
    Rule(
        code=Code.EVENT_DROPPED,
        name="event that Braze drops",
        severity=Severity.WARNING,
        scope=RuleScope.EVENT,
        why="Braze drops events over 900 KB (921,600 bytes) without sending them, whatever the endpoint accepts.",
        fix="Shorten its custom properties.",
        fast=Guard.EVENT_SIZE,
    ),
)


DELIVERY_RULES: Final = (
    Rule(
        code=Code.BATCH_REFUSED,
        name="batch rejected by the endpoint",
        severity=Severity.ERROR,
        scope=RuleScope.DELIVERY,
        why="The endpoint answered 400 or 413: sending the same batch again would get the same answer.",
        fix="Run `tdcur validate` to see what is wrong with it.",
    ),
)


__all__ = ["RULES", "Rule", "RuleScope"]

RULES: Final[Mapping[Code, Rule]] = {
    rule.code: rule for rule in (*DOCUMENT_RULES, *EVENT_RULES, *CATALOG_RULES, *DESTINATION_RULES, *DELIVERY_RULES)
}
"""All rules by their code, in its order."""
