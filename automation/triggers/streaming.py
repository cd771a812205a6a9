"""Streams: what a trigger kind declares that listens to a broker in the consumer process (`manage.py consume`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from integrations.runner.brokers.contract import Stream

Json = Any
Config = Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Joining:
    """What a kind gets to connect with.

    `trigger` is the stored trigger (`TriggerRow`), `cursor` what `Stream.cursor` returned when something was taken
    last, None at first. `secret(name, host=…)` is the value of a secret of the workspace; raises SourceError when there
    is none or when it may not be sent to that host.
    """

    trigger: Any
    cursor: Json
    secret: Callable[..., str]


@dataclass(frozen=True, slots=True)
class Streaming:
    """For kinds that listen to a broker.

    `join(joining)` connects; raises SourceError or BrokerError. `origin(config)` names the source: when it changes, the
    cursor begins anew. How bodies are read is the same for all (`broker_fields.BODY`).
    """

    join: Callable[[Joining], Stream]
    origin: Callable[[Config], Json]
