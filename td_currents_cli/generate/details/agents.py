"""Fields of Braze's agents and their tools."""

import json
from typing import Final

from td_currents_cli.generate.dice import Record, SeededRandom
from td_currents_cli.generate.fragments import FieldGroup

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
        fields=(
            "prompt_tokens",
            "completion_tokens",
            "reasoning_tokens",
            "total_tokens",
            "cache_tokens",
            "cache_hit",
        ),
        make=_tokens,
    ),
    FieldGroup(fields=("duration", "is_error", "error"), make=_run, size=100, of="agentconsole."),
    FieldGroup(fields=("input", "output"), make=_conversation, share=0.8),
    FieldGroup(fields=("tool_name", "tool_arguments"), make=_tool),
)
