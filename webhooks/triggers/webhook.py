"""Webhook: starts a run when an outside service posts a signed request to the trigger's own address."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache

from django.conf import settings

from automation.engine.problem import Problem
from automation.triggers.contract import Config, Json, Sampling, Saving, TriggerKind
from brainops.core.schemas import Schema
from webhooks.models import AnswerMode
from webhooks.services import answering, endpoints, front_schema, fronts, trigger_activity, trigger_samples
from webhooks.signatures import all_schemes
from webhooks.signatures.contract import Scheme

LONGEST_WAIT_SECONDS = 25  # most senders give up after 30
DEFAULTS: Mapping[str, Json] = {
    "answer": AnswerMode.ACCEPTED.value,
    "wait_seconds": 20,
    "tolerance_seconds": 300,
    "event_types": [],
    **front_schema.DEFAULTS,
}


def check(config: Config) -> Iterator[Problem]:
    """Refuse an unsigned webhook that nobody chose, a secret that cannot serve, and a size that is never read."""
    scheme = all_schemes()[config["scheme"]]
    if not scheme.is_signed and config.get("allow_unsigned") is not True:
        message = (
            f"Scheme {scheme.key!r} verifies nothing: whoever learns the address can start runs. "
            'Choose a scheme that signs, or send "allow_unsigned": true.'
        )
        yield Problem("unsigned", message, "/allow_unsigned")
    if scheme.is_signed and config.get("allow_unsigned"):
        message = f'"allow_unsigned" belongs to the scheme "none", not to {scheme.key!r}. Remove it.'
        yield Problem("unsigned", message, "/allow_unsigned")
    secret = config.get("secret")
    refusal = None if secret is None else scheme.refusal_of(secret)
    if refusal:
        yield Problem("invalid_secret", refusal, "/secret")
    yield from _option_problems(scheme, config.get("options"))
    if config.get("max_body_bytes", 0) > _most_bytes():
        message = f"This installation reads {_most_bytes():,} bytes at most, got {config['max_body_bytes']:,}."
        yield Problem("too_large", message, "/max_body_bytes")
    yield from fronts.problems_of(config)
    yield from answering.problems_of(config)


def complete(config: Config) -> Config:
    """Fill in the defaults, so that the stored config says everything."""
    tolerance = all_schemes()[config["scheme"]].tolerance_seconds
    return {**DEFAULTS, "tolerance_seconds": tolerance, "max_body_bytes": _most_bytes(), **config}


def on_save(saving: Saving) -> Mapping[str, Json]:
    """Make or change the endpoint; a secret that was generated is shown in this answer only.

    Raises InvalidInput for an order that the workflow's own limit would not let it keep.
    """
    endpoint, secret = endpoints.save_in_transaction(saving)
    facts = endpoints.public_facts(endpoint)
    return {"webhook": {**facts, "secret": secret} if secret else facts}


def _option_problems(scheme: Scheme, options: Json) -> Iterator[Problem]:
    if scheme.options is None:
        if options:
            yield Problem("unknown_key", f"Scheme {scheme.key!r} has no options. Remove them.", "/options")
        return
    given = options or {}
    problems = _options_schema(scheme.key).problems(given, pointer="/options")
    yield from (Problem(problem.code, problem.message, problem.pointer) for problem in problems)
    refusal = None if problems else scheme.refusal_of_options(given)
    if refusal:
        yield Problem("invalid_options", refusal, "/options")


@cache
def _options_schema(key: str) -> Schema:
    return Schema(all_schemes()[key].options or {})


def _gallery() -> list[dict[str, Json]]:
    """What a form shows to choose a scheme by, and what to do at the sender."""
    return [
        {
            "key": scheme.key,
            "title": scheme.title,
            "description": scheme.description,
            "setup": scheme.setup,
            "options": scheme.options,
            "secret": _whose(scheme),
            "tolerance_seconds": scheme.tolerance_seconds,
        }
        for scheme in all_schemes().values()
    ]


def _whose(scheme: Scheme) -> str:
    if not scheme.takes_secret:
        return "none"
    return "ours" if scheme.new_secret else "the sender's"


def _most_bytes() -> int:
    return int(settings.BRAINOPS_LIMITS["body_bytes"])


KIND = TriggerKind(
    key="webhook",
    title="Webhook",
    description="Starts a run when an outside service posts a signed request to an address of this trigger's own.",
    icon="webhook",
    config_schema={
        "type": "object",
        "required": ["scheme"],
        "additionalProperties": False,
        "properties": {
            "scheme": {
                "enum": list(all_schemes()),
                "title": "Signature scheme",
                "description": "How senders prove themselves. Each scheme of the gallery says what it checks and what "
                "to enter at the sender.",
                "x-gallery": _gallery(),
            },
            "options": {
                "type": "object",
                "title": "Options of the scheme",
                "description": "What the scheme needs to know beside the secret; its part of the gallery says which.",
            },
            "secret": {
                "type": "string",
                "title": "Secret",
                "description": "Write-only. Left out, a random one is made and shown once; a scheme whose sender makes "
                "it refuses every delivery until it is sent.",
                "minLength": 1,
                "maxLength": 2000,
                "writeOnly": True,
            },
            "allow_unsigned": {
                "type": "boolean",
                "title": "Accept unsigned requests",
                "description": 'Must be true for the scheme "none".',
            },
            "answer": {
                "enum": AnswerMode.values,
                "title": "Answer",
                "description": "accepted: 202 at once, or `reply`. respond: what the workflow's `respond` step says. "
                "last_step: the run's output. file: the file that is the run's output. stream: the run's progress, a "
                "line of JSON each. redirect: to the address of `redirect`, at once.",
                "default": DEFAULTS["answer"],
            },
            "wait_seconds": {
                "type": "integer",
                "title": "Longest wait, in seconds",
                "description": "How long a caller waits for the run's own answer before it gets 202.",
                "minimum": 1,
                "maximum": LONGEST_WAIT_SECONDS,
                "default": DEFAULTS["wait_seconds"],
            },
            "tolerance_seconds": {
                "type": "integer",
                "title": "Tolerated clock difference, in seconds",
                "description": "For schemes that sign a timestamp: how old, or how far ahead, a delivery may be. "
                "Left out: what the scheme's sender recommends, else 300.",
                "minimum": 1,
                "maximum": 900,
                "default": DEFAULTS["tolerance_seconds"],
            },
            "event_types": {
                "type": "array",
                "title": "Event types",
                "description": "Only these start a run, others are acknowledged. Empty: all of them.",
                "items": {"type": "string", "minLength": 1, "maxLength": 100},
                "uniqueItems": True,
                "maxItems": 100,
                "default": DEFAULTS["event_types"],
                "examples": [["push", "pull_request"]],
            },
            "max_body_bytes": {
                "type": "integer",
                "title": "Largest body, in bytes",
                "minimum": 1,
                "examples": [65536],
            },
            **front_schema.PROPERTIES,
        },
    },
    check=check,
    complete=complete,
    on_save=on_save,
    describe=endpoints.described,
    sampling=Sampling(captured=trigger_samples.captured, given=trigger_samples.given),
    activity=trigger_activity.activity,
    secret_keys=frozenset({"secret"}),
    examples=(
        {"scheme": "github", "event_types": ["push"]},
        {"scheme": "standard", "answer": "respond", "wait_seconds": 10},
        {"scheme": "stripe", "event_types": ["invoice.paid"]},
        {
            "scheme": "generic_hmac",
            "options": {"header": "X-Shop-Signature", "prefix": "sha256=", "encoding": "base64"},
        },
        {"scheme": "none", "allow_unsigned": True, "max_body_bytes": 65536},
        {
            "scheme": "header",
            "methods": ["POST", "PUT"],
            "path": "orders/{order_id}",
            "allow_ips": ["203.0.113.0/24", "2001:db8::/32"],
            "rate_per_minute": 600,
            "when_paused": "buffer",
            "order_by": "{{ trigger.path.order_id }}",
        },
        {
            "scheme": "none",
            "allow_unsigned": True,
            "methods": ["GET"],
            "answer": "redirect",
            "redirect": {"url": "https://shop.example/thanks"},
        },
    ),
)
