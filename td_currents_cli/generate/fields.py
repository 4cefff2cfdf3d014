"""Fields that belong together: of agents and tools, deliveries, aborts, bounces, clicks, and replies."""

import json
from typing import Final

from td_currents_cli.generate.random_values import FieldGroup, Record, SeededRandom, one_of

_AGENTS: Final = ("Subject line writer", "Product recommender", "Reply classifier", "Translation helper")
_MODELS: Final = (("model-large-2026-05", "example-ai"), ("model-small-2026-05", "example-ai"), ("fast-3", "other-ai"))
_QUESTIONS: Final = (
    "Recommend three products for {{${first_name}}}",
    'Is this reply positive?\n"Merci beaucoup !"',
    "Write a subject line for the spring sale",
    "新商品を紹介してください",
)
_OUTPUTS: Final = (
    "SKU-10442, SKU-20981, SKU-77310",
    '{"label": "positive", "score": 0.93}',
    "Spring is here 🌷",
    "はい",
)
_TOOLS: Final = ("catalog_lookup", "user_attributes", "recent_events", "translate")


def _agent(rng: SeededRandom) -> Record:
    number = rng.below(len(_AGENTS))
    return {
        "agent_id": SeededRandom(0, "agent", number).uuid(),
        "agent_name": _AGENTS[number],
        "invocation_source": rng.pick(("canvas", "catalog", "preview")),
    }


def _model(rng: SeededRandom) -> Record:
    name, provider = rng.pick(_MODELS)
    return {"model_name": name, "model_provider": provider, "llm_owned_by_customer": rng.chance(0.3)}


def _tokens(rng: SeededRandom) -> Record:
    prompt, completion = rng.between(120, 4000), rng.between(5, 900)
    reasoning = rng.between(0, 500)
    cached = rng.below(prompt) if rng.chance(0.4) else 0
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "reasoning_tokens": reasoning,
        "total_tokens": prompt + completion + reasoning,
        "cache_tokens": cached,
        "cache_hit": cached > 0,
    }


def _run(rng: SeededRandom) -> Record:
    failed = rng.chance(0.1)
    record: Record = {"duration": rng.between(180, 9000), "is_error": failed}
    if failed:
        record["error"] = rng.pick(("timeout", "rate limit of the provider", "invalid tool arguments"))
    return record


def _conversation(rng: SeededRandom) -> Record:
    return {"input": rng.pick(_QUESTIONS), "output": rng.pick(_OUTPUTS)}


def _tool(rng: SeededRandom) -> Record:
    arguments = {"query": rng.pick(("boots", "SKU-10442", "dernière commande")), "limit": rng.between(1, 10)}
    return {"tool_name": rng.pick(_TOOLS), "tool_arguments": json.dumps(arguments, ensure_ascii=False)}


AGENTS: Final = (
    FieldGroup(fields=("agent_id", "agent_name", "invocation_source"), make=_agent),
    FieldGroup(fields=("model_name", "model_provider", "llm_owned_by_customer"), make=_model),
    FieldGroup(
        fields=("prompt_tokens", "completion_tokens", "reasoning_tokens", "total_tokens", "cache_tokens", "cache_hit"),
        make=_tokens,
    ),
    FieldGroup(fields=("duration", "is_error", "error"), make=_run, size=100, of="agentconsole."),
    FieldGroup(fields=("input", "output"), make=_conversation, share=0.8),
    one_of("thinking_level", ("low", "medium", "high"), share=0.6),
    FieldGroup(fields=("tool_name", "tool_arguments"), make=_tool),
)


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


_PAGES: Final = ("sale/spring", "account/orders", "p/trail-runner-2", "caf%C3%A9", "help/returns", "")
_LINK_NAMES: Final = ("hero_image", "main_cta", "footer_logo", "product_2")
_REPLIES: Final = (
    ("STOP", "Unsubscribed"),
    ("START", "Subscribed"),
    ("Oui, merci 👍", "None"),
    ('Where is my order "A-1042"?', "None"),
    ("Line one\nline two", "None"),
    ("返品したいです", "None"),
    ("C:\\temp, 100% sure; yes", "None"),
)


def _click(rng: SeededRandom) -> Record:
    address = f"https://www.example.com/{rng.pick(_PAGES)}?utm_source=braze&utm_campaign={rng.hex(6)}"
    record: Record = {"url": address, "short_url": f"https://s.example.com/{rng.hex(7)}"}
    if rng.chance(0.7):
        record |= {"link_id": rng.hex(16), "link_alias": rng.pick(_LINK_NAMES)}
    return record


def _bot(rng: SeededRandom) -> Record:
    if rng.chance(0.9):
        return {"is_suspected_bot_click": False}
    reasons = ["user_agent", *rng.some(("ip_range", "clicked_every_link", "too_fast"), 2)]
    return {"is_suspected_bot_click": True, "suspected_bot_click_reason": reasons}


def _push_button(rng: SeededRandom) -> Record:
    text, action = rng.pick((("View", "uri"), ("Open app", "deep_link"), ("Not now", "close"), ("OK", "none")))
    return {"button_string": text, "button_action_type": action}


def _reply(rng: SeededRandom) -> Record:
    body, action = rng.pick(_REPLIES)
    pictures = [f"https://media.example.com/{rng.hex(12)}.jpg" for _ in range(rng.below(3))]
    return {"message_body": body, "action": action, "media_urls": pictures}


def _flow(rng: SeededRandom) -> Record:
    answer = {"flow_token": rng.hex(12), "rating": rng.between(1, 5), "comment": rng.pick(("très bien", "ok", ""))}
    return {"flow_response_json": json.dumps(answer, ensure_ascii=False)}


def _shop(rng: SeededRandom) -> Record:
    return {"catalog_id": rng.digits(15), "product_id": f"SKU-{rng.digits(5)}"}


def _element(rng: SeededRandom) -> Record:
    label = rng.pick(("Shop now", "Voir l'offre", "Call us"))
    return {
        "element_label": label,
        "element_type": rng.pick(("suggested_action", "suggested_reply")),
        "interaction_type": rng.pick(("click", "reply")),
    }


RESPONSES: Final = (
    one_of("is_amp", (False, False, False, True), share=0.6),
    one_of("is_unique", (True, True, False), share=0.9),
    one_of("has_url_parameters", (True, False), share=0.8),
    one_of("link_aliasing_enabled", (True, False), share=0.8),
    one_of("machine_open", ("true",), share=0.3),
    FieldGroup(fields=("url", "short_url", "link_id", "link_alias"), make=_click, size=400),
    FieldGroup(fields=("is_suspected_bot_click", "suspected_bot_click_reason"), make=_bot),
    one_of("button_id", ("0", "1", "close"), share=0.8),
    FieldGroup(fields=("button_string", "button_action_type"), make=_push_button, share=0.3),
    FieldGroup(fields=("message_body", "action", "media_urls"), make=_reply, size=100),
    one_of("quick_reply_text", ("Yes", "No", "Plus tard"), share=0.3),
    FieldGroup(fields=("flow_response_json",), make=_flow, share=0.3),
    FieldGroup(fields=("catalog_id", "product_id"), make=_shop, share=0.3),
    FieldGroup(fields=("element_label", "element_type", "interaction_type"), make=_element),
)
