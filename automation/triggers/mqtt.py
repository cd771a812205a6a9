"""MQTT: starts a run for each message of the topics it subscribes to."""

from __future__ import annotations

from collections.abc import Iterator

from automation.engine.problem import Problem
from automation.engine.wording import quoted
from automation.triggers.broker_fields import (
    BODY,
    BROKER,
    DEFAULTS,
    LOGIN,
    address_problems,
    client_name,
    login_problems,
    place_of,
)
from automation.triggers.contract import Config, TriggerKind
from automation.triggers.streaming import Joining, Streaming
from integrations.runner.brokers.contract import Stream

PORTS = frozenset({1883, 8883})


def check(config: Config) -> Iterator[Problem]:
    """Refuse a broker that may not be called, and topic filters that no broker takes."""
    port = config.get("port", 8883 if config.get("tls", True) else 1883)
    yield from address_problems(config["host"], port, PORTS, "/host")
    yield from login_problems(config)
    for index, topic in enumerate(config["topics"]):
        if not _is_filter(topic):
            said = f"{quoted(topic)} is no topic filter: + stands for one level, # for all that follow, at the end."
            yield Problem("invalid_topic", said, f"/topics/{index}")


def _is_filter(topic: str) -> bool:
    """MQTT 3.1.1, section 4.7: wildcards take whole levels, and # is the last one."""
    levels = topic.split("/")
    wild = [level for level in levels if "+" in level or "#" in level]
    return all(level in ("+", "#") for level in wild) and "#" not in levels[:-1] and "\0" not in topic


def complete(config: Config) -> Config:
    """Fill in the defaults."""
    given = {**DEFAULTS, "qos": 1, "retained": "skip", **config}
    return {"port": 8883 if given["tls"] else 1883, **given}


def join(joining: Joining) -> Stream:
    """Take up the session, and subscribe."""
    from integrations.runner.brokers.mqtt_topics import MqttTopics, Topics  # noqa: PLC0415 - web does not need it

    config = joining.trigger.config
    topics = Topics(
        filters=config["topics"],
        client_id=config.get("client_id") or client_name(joining.trigger),
        qos=config["qos"],
        take_retained=config["retained"] == "take",
    )
    return MqttTopics(place_of(joining, config["host"], config["port"], PORTS), topics, cursor=joining.cursor)


KIND = TriggerKind(
    key="mqtt",
    title="MQTT topics",
    description="Starts a run for each message of the topics it subscribes to, in a session that stays at the broker.",
    icon="sensors",
    config_schema={
        "type": "object",
        "additionalProperties": False,
        "required": ["host", "topics"],
        "properties": {
            **BROKER,
            "port": {**BROKER["port"], "description": "Left out: 8883 with TLS, 1883 without."},
            **LOGIN,
            "topics": {
                "type": "array",
                "title": "Topics",
                "description": "Topic filters: + stands for one level, # for all that follow.",
                "items": {"type": "string", "minLength": 1, "maxLength": 500},
                "minItems": 1,
                "maxItems": 50,
                "examples": [["plant/+/temperature"]],
            },
            "qos": {
                "enum": [0, 1],
                "title": "Quality of service",
                "description": "1: also what comes while we are away. 0: that is lost.",
                "default": 1,
            },
            "client_id": {
                "type": "string",
                "title": "Client id",
                "description": "Names the session. Left out, the trigger has one of its own.",
                "minLength": 1,
                "maxLength": 200,
            },
            "retained": {
                "enum": ["skip", "take"],
                "title": "Retained messages",
                "description": "What the broker kept of a topic: left aside, or one run for each content.",
                "default": "skip",
            },
            **BODY,
        },
    },
    check=check,
    complete=complete,
    streaming=Streaming(join, origin=lambda config: [config["host"], config["port"], config.get("client_id", "")]),
    examples=({"host": "mqtt.example.com", "topics": ["plant/+/temperature"]},),
)
