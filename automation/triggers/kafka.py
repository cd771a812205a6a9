"""Kafka: starts a run for each record of a topic, exactly once."""

from __future__ import annotations

from collections.abc import Iterator

from automation.engine.problem import Problem
from automation.engine.wording import quoted
from automation.triggers.broker_fields import (
    BODY,
    DEFAULTS,
    LOGIN,
    address_problems,
    login_problems,
    place_of,
)
from automation.triggers.contract import Config, TriggerKind
from automation.triggers.streaming import Joining, Streaming
from integrations.runner.brokers.contract import Stream

PORTS = frozenset({9092, 9093, 9094, 9095, 9096, 9098})  # also those of the large clouds
MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")


def check(config: Config) -> Iterator[Problem]:
    """Refuse brokers that may not be called, and a login without its parts."""
    for index, server in enumerate(config["servers"]):
        host, _, port = server.rpartition(":")
        if not host or not 1 <= int(port) <= 65535:
            said = f"{quoted(server)} is no address: write host:port, such as kafka.example.com:9092."
            yield Problem("invalid_address", said, f"/servers/{index}")
            continue
        yield from address_problems(host, int(port), PORTS, f"/servers/{index}")
    yield from login_problems(config)
    if ("username" in config) != ("mechanism" in config):
        yield Problem("required", "A user and a mechanism (SASL) go together; give both or none.", "/mechanism")


def complete(config: Config) -> Config:
    """Fill in the defaults."""
    return {**DEFAULTS, "start": "new", **config}


def join(joining: Joining) -> Stream:
    """Connect to the cluster and go on where the last run was stored."""
    from integrations.runner.brokers.kafka_topic import KafkaTopic, Topic  # noqa: PLC0415 - web does not need it

    config = joining.trigger.config
    host, _, port = config["servers"][0].rpartition(":")
    topic = Topic(
        name=config["topic"],
        servers=config["servers"],
        mechanism=config.get("mechanism", ""),
        from_start=config["start"] == "all",
        max_bytes=config["max_bytes"],
    )
    return KafkaTopic(place_of(joining, host, int(port), PORTS), topic, cursor=joining.cursor)


KIND = TriggerKind(
    key="kafka",
    title="Kafka topic",
    description="Starts a run for each record of a Kafka topic, once: offsets are stored with the runs.",
    icon="dynamic_feed",
    config_schema={
        "type": "object",
        "additionalProperties": False,
        "required": ["servers", "topic"],
        "properties": {
            "servers": {
                "type": "array",
                "title": "Brokers",
                "description": "The first ones to ask, as host:port. All that the cluster names have to be reachable.",
                "items": {"type": "string", "pattern": "^[^\\s:]+:[0-9]{1,5}$", "maxLength": 260},
                "minItems": 1,
                "maxItems": 20,
                "examples": [["kafka-1.example.com:9092"]],
            },
            **LOGIN,
            "mechanism": {"enum": list(MECHANISMS), "title": "SASL mechanism"},
            "topic": {
                "type": "string",
                "title": "Topic",
                "pattern": "^[A-Za-z0-9._-]{1,249}$",
                "x-hint": "letters, digits, dots, underscores and hyphens",
                "examples": ["orders"],
            },
            "start": {
                "enum": ["new", "all"],
                "title": "Begin with",
                "description": "New records, or all that the cluster still has.",
                "default": "new",
            },
            **BODY,
        },
    },
    check=check,
    complete=complete,
    streaming=Streaming(join, origin=lambda config: [sorted(config["servers"]), config["topic"]]),
    examples=({"servers": ["kafka-1.example.com:9092"], "topic": "orders"},),
)
