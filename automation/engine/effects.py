"""What one call of a kind does, once its `with` is rendered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from automation.engine.kinds import Effect, Idempotency, Kind

Config = Mapping[str, Any]


def effect_of(kind: Kind, config: Config) -> Effect:
    """The effect of a call with this rendered `with`."""
    return kind.effect_of(config) if kind.effect_of else kind.effect


def idempotency_of(kind: Kind, config: Config) -> Idempotency:
    """How safe a repeat of a call with this rendered `with` is."""
    return kind.idempotency_of(config) if kind.idempotency_of else kind.idempotency


def is_repeatable(kind: Kind, config: Config) -> bool:
    """True when a second attempt does no harm whatever became of the first: reads, natural and keyed writes."""
    return not effect_of(kind, config).is_write or idempotency_of(kind, config) is not Idempotency.NONE
