"""Listeners: what waits for the outside world in the consumer process, one thread each.

A room registers a provider when its app is ready; the consumer asks every provider again every few seconds, starts
what is new, stops what is gone and starts anew what has changed. So a trigger that is made, changed or deleted counts
within a few seconds, without news from anybody.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from threading import Event
from typing import Any

import orjson

from automation.models import Tick
from brainops.core import clock
from brainops.core.health import Component
from brainops.core.metrics import Counter, Sample
from brainops.core.registry import Registry

TICK = "consumer"
LATE_SECONDS = 20.0

FAILED = Counter("brainops_listener_failures_total", "Listeners that broke and were started again.", ("kind",))


@dataclass(frozen=True, slots=True)
class Listener:
    """One thing to listen to.

    `key` is `<kind>` or `<kind>:<id>`, unique and stable. `fingerprint` is compared as it is: another one means stop,
    then start anew. `listen(stop)` runs in a thread of its own and listens until `stop` is set; it looks at `stop` at
    least every second. When it returns or raises before, it broke: it is started again after 1 s, 2 s … 60 s, or after
    `error.retry_after_seconds` when the exception has that. With `is_alone` at most one process of the installation
    listens at a time; without it every consumer process does.
    """

    key: str
    fingerprint: str
    listen: Callable[[Event], None]
    is_alone: bool = True

    @property
    def kind(self) -> str:
        """The part of the key that may become a label of a metric."""
        return self.key.partition(":")[0]


# Functions without arguments that return what is to be listened to now: one indexed query each, asked all the time.
listeners: Registry[Callable[[], Iterable[Listener]]] = Registry("listener")


def fingerprint(*parts: Any) -> str:
    """A short text that is another one when any of the parts (plain JSON, ids, times) is."""
    return hashlib.sha256(orjson.dumps(parts, default=str, option=orjson.OPT_SORT_KEYS)).hexdigest()[:32]


def wanted() -> dict[str, Listener]:
    """Everything that is to be listened to now, by key. Raises what a provider raises."""
    return {listener.key: listener for provide in listeners.values() for listener in provide()}


def component() -> Component:
    """Somebody listens, where there is something to listen to. Without it messages wait where they are."""
    count = len(wanted())
    age = tick_age_seconds()
    if count == 0:
        return Component(TICK, is_up=True, note="nothing to listen to")
    is_up = age is not None and age < LATE_SECONDS
    return Component(TICK, is_up=is_up, note=f"{count} to listen to" if is_up else "no consumer process is running")


def samples() -> Iterable[Sample]:
    """How much there is to listen to, and how long ago a consumer process said that it lives."""
    yield Sample("brainops_listeners_wanted", "What the consumer is to listen to.", len(wanted()), {})
    age = tick_age_seconds()
    if age is not None:
        yield Sample("brainops_consumer_tick_age_seconds", "Time since a consumer process last looked.", age, {})


def tick_age_seconds() -> float | None:
    """Seconds since a consumer process said that it lives, None before the first."""
    ran_at = Tick.objects.filter(name=TICK).values_list("ran_at", flat=True).first()
    return None if ran_at is None else max(0.0, (clock.now() - ran_at).total_seconds())
