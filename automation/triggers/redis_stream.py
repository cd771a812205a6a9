"""Redis stream: starts a run for each entry of a stream in Redis or Valkey."""

from __future__ import annotations

from collections.abc import Iterator

from automation.engine.problem import Problem
from automation.triggers.broker_fields import (
    BODY,
    BROKER,
    DEFAULTS,
    LOGIN,
    address_problems,
    client_name,
    place_of,
)
from automation.triggers.contract import Config, TriggerKind
from automation.triggers.streaming import Joining, Streaming
from integrations.runner.brokers.contract import Stream

PORTS = frozenset({6379, 6380})


def check(config: Config) -> Iterator[Problem]:
    """Refuse a server that may not be called."""
    yield from address_problems(config["host"], config.get("port", 6379), PORTS, "/host")


def complete(config: Config) -> Config:
    """Fill in the defaults."""
    return {**DEFAULTS, "port": 6379, "database": 0, "start": "new", **config}


def join(joining: Joining) -> Stream:
    """Join the consumer group."""
    from integrations.runner.brokers.redis_stream import RedisStream  # noqa: PLC0415 - web does not need it

    config = joining.trigger.config
    return RedisStream(
        place_of(joining, config["host"], config["port"], PORTS),
        database=config["database"],
        stream=config["stream"],
        group=config.get("group") or client_name(joining.trigger),
        from_start=config["start"] == "all",
    )


KIND = TriggerKind(
    key="redis_stream",
    title="Redis stream",
    description="Starts a run for each entry of a stream in Redis or Valkey, read by a consumer group.",
    icon="stream",
    config_schema={
        "type": "object",
        "additionalProperties": False,
        "required": ["host", "stream"],
        "properties": {
            **BROKER,
            "port": {**BROKER["port"], "default": 6379},
            **LOGIN,
            "database": {"type": "integer", "title": "Database", "minimum": 0, "maximum": 9999, "default": 0},
            "stream": {
                "type": "string",
                "title": "Stream",
                "description": "Its key. Made when it is missing.",
                "minLength": 1,
                "maxLength": 500,
                "examples": ["orders"],
            },
            "group": {
                "type": "string",
                "title": "Consumer group",
                "description": "Left out, the trigger has one of its own. Members of a group share the entries.",
                "minLength": 1,
                "maxLength": 200,
            },
            "start": {
                "enum": ["new", "all"],
                "title": "Begin with",
                "description": "Where a new group begins: with new entries, or with all that are there.",
                "default": "new",
            },
            "field": {
                "type": "string",
                "title": "Field with the message",
                "description": "The field that is read as the message. Left out, the item is an object of all fields.",
                "minLength": 1,
                "maxLength": 200,
                "examples": ["payload"],
            },
            **BODY,
        },
    },
    check=check,
    complete=complete,
    streaming=Streaming(join, origin=lambda config: None),
    examples=({"host": "redis.example.com", "stream": "orders"},),
)
