"""The work of the scenarios: what clients deliver, and the workflow that answers it."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

BODY = {"name": "Ada Lovelace", "amount": 21.5, "tags": ["new", "vip"]}


@dataclass(frozen=True)
class Load:
    """How many clients deliver how fast, and how long the target takes for each effect."""

    clients: int = 8
    pause_seconds: float = 0.08  # of a client between two deliveries: about 80 a second in all
    effect_seconds: float = 0.03
    copies: int = 1  # of each delivery, sent at the same moment
    patience: Callable[[random.Random], float] = lambda _random: 20.0  # seconds until a client hangs up
    extra: Callable[[random.Random], dict[str, Any]] = lambda _random: {}  # more of each delivery's body


def two_effects(target: str, *, linger: bool = False, **settings: Any) -> dict[str, Any]:
    """Shape, look, call the target twice. Each call says which step it is of which delivery, in which claim."""
    shape = {"id": "{{ trigger.body.id }}", "total": "{{ trigger.body.amount * 2 }}"}
    steps: list[dict[str, Any]] = [
        {"id": "shape", "uses": "transform", "with": {"set": shape}},
        {
            "id": "large",
            "uses": "condition",
            "needs": ["shape"],
            "with": {"when": "{{ steps.shape.output.total > 10 }}"},
        },
    ]
    before = "large.true"
    if linger:
        seconds = {"seconds": "{{ trigger.body.linger }}"}
        steps.append({"id": "linger", "uses": "linger", "needs": [before], "with": seconds})
        before = "linger"
    steps += [post(target, "first", before), post(target, "second", "first")]
    return {"schema": 1, "steps": steps, "settings": settings}


def signalled(target: str) -> dict[str, Any]:
    """An effect, a wait for a signal, an effect."""
    wait = {"id": "wait", "uses": "wait_signal", "needs": ["first"], "with": {"name": "go"}}
    return {"schema": 1, "steps": [post(target, "first"), wait, post(target, "second", "wait")]}


def each_item(target: str) -> dict[str, Any]:
    """One effect for each of the items that come with the start; each says which item it is for."""
    body = {"id": "item-{{ item }}", "step": "each", "claim": "{{ run.attempt }}"}
    step = {
        "id": "each",
        "for_each": {"items": "{{ inputs.items }}", "concurrency": 8, "batch": 100},
        "uses": "http.request",
        "with": {"method": "POST", "url": target, "json": body},
    }
    return {"schema": 1, "steps": [step]}


def post(target: str, name: str, *needs: str) -> dict[str, Any]:
    """A call of the target that says who it is."""
    body = {"id": "{{ trigger.body.id }}", "step": name, "claim": "{{ run.attempt }}"}
    step = {"id": name, "uses": "http.request", "with": {"method": "POST", "url": target, "json": body}}
    return step | ({"needs": list(needs)} if needs else {})
