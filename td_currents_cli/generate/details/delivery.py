"""Fields of message delivery: aborts, retries, bounces, rejections."""

from typing import Final

from td_currents_cli.generate.dice import Record, SeededRandom
from td_currents_cli.generate.fragments import FieldGroup, one_of

_BOUNCES: Final = (
    "550 5.1.1 <{address}> mailbox does not exist",
    "552 5.2.2 mailbox full",
    "421 4.7.0 too many connections, try again later",
    "554 5.7.1 message refused by local policy",
)
_PROVIDER_ERRORS: Final = (
    ("30003", "Unreachable destination handset"),
    ("30006", "Landline or unreachable carrier"),
    ("30007", "Carrier violation"),
    ("131026", "Message undeliverable"),
    ("131047", "Re-engagement message"),
)
_HOOKS: Final = ("/v1/braze", "/hooks/orders?source=braze", "/api/notify")
_HOOK_ANSWERS: Final = ((500, "Internal Server Error"), (502, "Bad Gateway"), (404, '{"error":"no such route"}'))


def _abort(rng: SeededRandom) -> Record:
    kind = rng.pick(("liquid_abort_message", "liquid_abort_message", "quiet_hours", "rate_limit"))
    log = {
        "liquid_abort_message": "abort_message('no coupon left') in line 3",
        "quiet_hours": "quiet hours 22:00 to 07:00 in the user's time zone",
        "rate_limit": "more than 5,000 messages a minute",
    }[kind]
    return {"abort_type": kind, "abort_log": log}


def _retry(rng: SeededRandom) -> Record:
    seconds = rng.pick((15, 30, 60, 120))
    return {"retry_type": rng.pick(("rate_limit", "provider_error")), "retry_log": f"trying again in {seconds} s"}


def _bounce(rng: SeededRandom) -> Record:
    reason = rng.pick(_BOUNCES).format(address=f"user{rng.digits(4)}@example.com")
    return {"bounce_reason": reason, "is_drop": rng.chance(0.2)}


def _deferral(rng: SeededRandom) -> Record:
    wait = rng.pick((60, 300, 900))
    return {"deferral_reason": f"451 4.7.1 greylisted, wait {wait} s", "attempt_count": rng.between(1, 6)}


def _refusal(rng: SeededRandom) -> Record:
    code, title = rng.pick(_PROVIDER_ERRORS)
    return {"provider_error_code": code, "provider_error_title": title, "error": title}


def _webhook_failure(rng: SeededRandom) -> Record:
    host, path = rng.pick(("hooks.example.com", "api.example.org")), rng.pick(_HOOKS)
    status, answer = rng.pick(_HOOK_ANSWERS)
    retries = rng.below(6)
    return {
        "endpoint_url": f"https://{host}{path}",
        "host": host,
        "url_path": path,
        "http_status_code": status,
        "raw_response": answer,
        "content_length": len(answer),
        "retry_count": retries,
        "is_terminal": retries == 5,
        "webhook_duration": rng.between(40, 30_000),
        "webhook_failure_source": rng.pick(("endpoint", "network", "rate_limit")),
    }


DELIVERY: Final = (
    FieldGroup(fields=("abort_type", "abort_log"), make=_abort),
    FieldGroup(fields=("retry_type", "retry_log"), make=_retry),
    FieldGroup(fields=("bounce_reason", "is_drop"), make=_bounce, size=100),
    FieldGroup(fields=("deferral_reason", "attempt_count"), make=_deferral),
    FieldGroup(fields=("provider_error_code", "provider_error_title", "error"), make=_refusal, share=0.9),
    FieldGroup(
        fields=(
            "endpoint_url",
            "host",
            "url_path",
            "http_status_code",
            "raw_response",
            "content_length",
            "retry_count",
            "is_terminal",
            "webhook_duration",
            "webhook_failure_source",
        ),
        make=_webhook_failure,
    ),
    one_of("is_sms_fallback", (False, False, True), share=0.5),
    one_of("live_activity_event_type", ("start", "update", "update", "end")),
    one_of("live_activity_event_outcome", ("delivered", "delivered", "token_expired", "dismissed")),
    FieldGroup(fields=("activity_id",), make=lambda rng: {"activity_id": rng.uuid()}, size=100),
)
