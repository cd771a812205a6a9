"""Poll: looks at a service from time to time, by what a connector declares, and starts runs for what is new there."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from time import monotonic
from typing import Any

from automation.engine.durations import DURATION_PATTERN, duration_text, parse_duration
from automation.engine.problem import Problem
from automation.engine.wording import quoted
from automation.triggers.contract import Config, First, Item, Json, Poll, Polled, Polling, SourceError, TriggerKind
from brainops.core.egress.errors import EgressError
from brainops.core.egress.urls import parse_url
from brainops.core.redact import SecretValues
from integrations.contract import Failure, PollingTrigger, Shown
from integrations.registry import all_polls
from integrations.runner import run_poll

LOOK_SECONDS = 300.0  # all pages of one look
SHORTEST_SECONDS, LONGEST_SECONDS = 10.0, 86_400.0
MOST_ITEMS = 1_000  # of one look that are taken; the next look takes the rest
MOST_REMEMBERED = 5_000  # items of batches
ITEM, BATCH = "item", "batch"
DEFAULTS = {"every": "5m", "first": First.SKIP.value, "run_for": ITEM}
SECRET = re.compile(r"\{\{\s*secrets\.([A-Za-z_][A-Za-z0-9_]*)\s*\}\}")


def check(config: Config) -> Iterator[Problem]:
    """Refuse a rhythm that makes no sense, addresses that may not be called, and expressions other than secrets."""
    every = config.get("every", DEFAULTS["every"])
    if not SHORTEST_SECONDS <= parse_duration(every) <= LONGEST_SECONDS:
        span = f"{duration_text(SHORTEST_SECONDS)} to {duration_text(LONGEST_SECONDS)}"
        yield Problem("out_of_range", f'"every" must be {span}, got {every}.', "/every")
    poll = all_polls()[config["uses"]]
    for url in poll.urls(config["with"]):
        try:
            parse_url(url)
        except EgressError as error:
            yield Problem(error.code, error.message, "/with/url")
    for pointer, text in _texts(config["with"], "/with"):
        if "{{" in SECRET.sub("", text):
            said = f'Only "{{{{ secrets.<name> }}}}" can stand in a poll, got {quoted(text)}.'
            yield Problem("unknown_reference", said, pointer)


def complete(config: Config) -> Config:
    """Fill in the defaults, those of the poll too."""
    schema = all_polls()[config["uses"]].config_schema
    defaults = {name: field["default"] for name, field in schema["properties"].items() if "default" in field}
    return {**DEFAULTS, **config, "with": {**defaults, **config["with"]}}


def poll_once(poll: Poll) -> Polled:
    """Look once. Raises SourceError."""
    config = poll.trigger.config
    declared = all_polls().get(config["uses"])
    if declared is None:
        raise SourceError(f"There is no poll {config['uses']!r} here.", code="unknown_poll")
    opened = SecretValues()
    until = monotonic() + LOOK_SECONDS
    cursor = poll.cursor or {}
    outcome = run_poll(
        declared,
        _opened(config["with"], poll, declared, opened),
        cursor=cursor.get("source"),
        remaining_seconds=lambda: until - monotonic(),
        mask=opened.without,
    )
    if isinstance(outcome, Failure):
        raise SourceError(outcome.message, code=outcome.type, retry_after_seconds=outcome.retry_after_seconds)
    # a source may answer with what it was sent, and the ledger and the runs are read by more people than its secrets
    shown = [Shown(opened.mask(one.key), opened.without(one.data)) for one in outcome.items]
    if config["run_for"] == BATCH:
        return _batched(shown, cursor, outcome.cursor, has_more=outcome.has_more)
    return _each(poll, shown, cursor, outcome.cursor, has_more=outcome.has_more)


def _each(poll: Poll, shown: Sequence[Shown], before: Json, after: Json, *, has_more: bool) -> Polled:
    """One item for each thing that is not known. Of very many only the first; the same look again shows the rest."""
    known = poll.seen([one.key for one in shown])
    new = [Item(one.key, one.data) for one in shown if one.key not in known]
    if len(new) > MOST_ITEMS:
        return Polled(new[:MOST_ITEMS], before or None, has_more=True)
    return Polled(new, {"source": after}, has_more)


def _batched(shown: Sequence[Shown], before: Json, after: Json, *, has_more: bool) -> Polled:
    """One item for all that is new together. What was in earlier ones is remembered in the cursor."""
    known = before.get("known", [])
    new = {one.key: one for one in shown if _digest(one.key) not in set(known)}
    remembered = [*known, *map(_digest, new)][-MOST_REMEMBERED:]
    cursor = {"source": after, "known": remembered}
    if not new:
        return Polled((), cursor, has_more)
    data = {"items": [one.data for one in new.values()], "count": len(new)}
    return Polled([Item(f"batch-{_digest(*new)}", data)], cursor, has_more)


def _digest(*keys: str) -> str:
    return hashlib.sha256("\0".join(keys).encode("utf-8", "replace")).hexdigest()[:24]


def _opened(config: Mapping[str, Json], poll: Poll, declared: PollingTrigger, opened: SecretValues) -> dict[str, Json]:
    """The config with the values of its secrets, each of which may be sent to where the poll sends it."""
    targets = [parse_url(url).authority for url in declared.urls(config)]

    def value_of(found: re.Match[str]) -> str:
        value = ""
        for target in targets:
            value = poll.secret(found[1], host=target)
        opened.register(value)
        return value

    return {name: _mapped(value, lambda text: SECRET.sub(value_of, text)) for name, value in config.items()}


def _mapped(value: Json, change: Any) -> Json:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {name: _mapped(member, change) for name, member in value.items()}
    return [_mapped(member, change) for member in value] if isinstance(value, list) else value


def _texts(value: Json, pointer: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield pointer, value
    elif isinstance(value, dict | list):
        for name, member in value.items() if isinstance(value, dict) else enumerate(value):
            part = str(name).replace("~", "~0").replace("/", "~1")
            yield from _texts(member, f"{pointer}/{part}")


def _origin(config: Config) -> Json:
    declared = all_polls().get(config["uses"])
    return [config["uses"], config["run_for"], declared.origin(config["with"]) if declared else config["with"]]


def _choices() -> list[Json]:
    """What `with` may hold, by what is used."""
    return [
        {"if": {"properties": {"uses": {"const": name}}}, "then": {"properties": {"with": dict(poll.config_schema)}}}
        for name, poll in all_polls().items()
    ]


KIND = TriggerKind(
    key="poll",
    title="Poll",
    description="Looks at a service from time to time and starts runs for what is new there.",
    icon="sync",
    config_schema={
        "type": "object",
        "additionalProperties": False,
        "required": ["uses", "with"],
        "properties": {
            "uses": {
                "enum": sorted(all_polls()),
                "title": "What to look at",
                "description": "; ".join(f"{name}: {poll.title}" for name, poll in all_polls().items()) + ".",
            },
            "with": {
                "type": "object",
                "title": "How",
                "description": 'What the poll needs. "{{ secrets.<name> }}" stands for a secret of the workspace.',
            },
            "every": {
                "type": "string",
                "title": "Every",
                "description": "How often. A source that fails is asked less and less often, or when it says so.",
                "pattern": DURATION_PATTERN,
                "x-hint": 'a duration such as "5m"',
                "default": DEFAULTS["every"],
                "examples": ["30s", "5m", "1h"],
            },
            "first": {
                "enum": [choice.value for choice in First],
                "title": "What is there at first",
                "description": "skip: it is only remembered. all: it starts runs.",
                "default": DEFAULTS["first"],
            },
            "run_for": {
                "enum": [ITEM, BATCH],
                "title": "A run for",
                "description": "item: each new one. batch: all that a look found, as trigger.item.items.",
                "default": DEFAULTS["run_for"],
            },
        },
        "allOf": _choices(),
    },
    check=check,
    complete=complete,
    polling=Polling(
        poll=poll_once,
        every=lambda config: parse_duration(config["every"]),
        first=lambda config: str(config["first"]),
        origin=_origin,
    ),
    examples=(
        {
            "uses": "http.items",
            "with": {"url": "https://shop.example.com/api/orders", "items": "/orders", "key": "/id"},
            "every": "5m",
        },
    ),
)
