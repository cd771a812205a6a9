"""AMQP: starts a run for each message of a queue in RabbitMQ or another AMQP 0.9.1 broker."""

from __future__ import annotations

from collections.abc import Iterator

from automation.engine.problem import Problem
from automation.triggers.broker_fields import (
    BODY,
    BROKER,
    DEFAULTS,
    LOGIN,
    address_problems,
    login_problems,
    place_of,
)
from automation.triggers.contract import Config, TriggerKind
from automation.triggers.streaming import Joining, Streaming
from integrations.runner.brokers.contract import Stream

PORTS = frozenset({5671, 5672})


def check(config: Config) -> Iterator[Problem]:
    """Refuse a broker that may not be called, and a binding without a queue of ours."""
    port = config.get("port", 5671 if config.get("tls", True) else 5672)
    yield from address_problems(config["host"], port, PORTS, "/host")
    yield from login_problems(config)
    if "exchange" in config and not config.get("declare"):
        said = 'A queue is bound to an exchange when it is declared here: add "declare": true, or leave it out.'
        yield Problem("not_declared", said, "/exchange")


def complete(config: Config) -> Config:
    """Fill in the defaults."""
    given = {**DEFAULTS, "virtual_host": "/", "prefetch": 20, "declare": False, **config}
    return {"port": 5671 if given["tls"] else 5672, **given}


def join(joining: Joining) -> Stream:
    """Connect and consume."""
    from integrations.runner.brokers.amqp_queue import AmqpQueue, Queue  # noqa: PLC0415 - web does not need it

    config = joining.trigger.config
    queue = Queue(
        name=config["queue"],
        virtual_host=config["virtual_host"],
        prefetch=config["prefetch"],
        declare=config["declare"],
        exchange=config.get("exchange", ""),
        routing_key=config.get("routing_key", ""),
    )
    return AmqpQueue(place_of(joining, config["host"], config["port"], PORTS), queue, cursor=joining.cursor)


KIND = TriggerKind(
    key="amqp",
    title="AMQP queue",
    description="Starts a run for each message of a queue in RabbitMQ or another AMQP 0.9.1 broker.",
    icon="move_to_inbox",
    config_schema={
        "type": "object",
        "additionalProperties": False,
        "required": ["host", "queue"],
        "properties": {
            **BROKER,
            "port": {**BROKER["port"], "description": "Left out: 5671 with TLS, 5672 without."},
            **LOGIN,
            "virtual_host": {"type": "string", "title": "Virtual host", "maxLength": 255, "default": "/"},
            "queue": {
                "type": "string",
                "title": "Queue",
                "minLength": 1,
                "maxLength": 255,
                "examples": ["orders"],
            },
            "prefetch": {
                "type": "integer",
                "title": "Messages at once",
                "description": "How many the broker hands over before the first is acknowledged.",
                "minimum": 1,
                "maximum": 1000,
                "default": 20,
            },
            "declare": {
                "type": "boolean",
                "title": "Make the queue",
                "description": "Declares it, durable, where it is missing.",
                "default": False,
            },
            "exchange": {
                "type": "string",
                "title": "Exchange",
                "description": "What a declared queue is bound to.",
                "minLength": 1,
                "maxLength": 255,
            },
            "routing_key": {"type": "string", "title": "Routing key", "maxLength": 255, "examples": ["orders.#"]},
            **BODY,
        },
    },
    check=check,
    complete=complete,
    streaming=Streaming(
        join, origin=lambda config: [config[name] for name in ("host", "port", "virtual_host", "queue")]
    ),
    examples=({"host": "rabbit.example.com", "username": "brainops", "password_secret": "rabbit", "queue": "orders"},),
)
