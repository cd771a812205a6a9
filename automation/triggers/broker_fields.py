"""The fields that all kinds of streams share: where the broker is, who we are there, how a message is read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from automation.engine.problem import Problem
from automation.triggers.contract import Config, Json
from automation.triggers.streaming import Joining
from brainops.core.egress.errors import EgressError
from brainops.core.egress.hosts import parse_host
from integrations.runner.brokers.place import Place, allow_list

BODY_FORMS = ("auto", "json", "text", "base64", "file")
MAX_BYTES, LARGEST_BYTES = 1 << 20, 16 << 20

BROKER: Mapping[str, Json] = {
    "host": {
        "type": "string",
        "title": "Host",
        "description": "Name or address of the broker. A private one has to be opened with BRAINOPS_EGRESS_ALLOW.",
        "minLength": 1,
        "maxLength": 253,
        "examples": ["broker.example.com"],
    },
    "port": {"type": "integer", "title": "Port", "minimum": 1, "maximum": 65535},
}
LOGIN: Mapping[str, Json] = {
    "tls": {
        "type": "boolean",
        "title": "TLS",
        "description": "Encrypts the connection and checks the broker's certificate.",
        "default": True,
    },
    "username": {"type": "string", "title": "User", "maxLength": 200},
    "password_secret": {
        "type": "string",
        "title": "Secret with the password",
        "description": "The name of a secret of the workspace; never the password itself.",
        "pattern": "^[A-Za-z_][A-Za-z0-9_]{0,99}$",
        "x-hint": "the name of a secret",
        "examples": ["broker_password"],
    },
}
BODY: Mapping[str, Json] = {
    "body": {
        "enum": list(BODY_FORMS),
        "title": "Read messages as",
        "description": "auto: JSON, else text, else base64. What cannot be read as chosen is refused, with the reason. "
        "file: kept as a file, the item is its reference.",
        "default": "auto",
    },
    "max_bytes": {
        "type": "integer",
        "title": "Largest message in bytes",
        "description": "A larger one is refused.",
        "minimum": 1,
        "maximum": LARGEST_BYTES,
        "default": MAX_BYTES,
    },
}
DEFAULTS: Mapping[str, Json] = {"tls": True, "body": "auto", "max_bytes": MAX_BYTES}


def address_problems(host: str, port: int, ports: frozenset[int], pointer: str) -> Iterator[Problem]:
    """Refuse a broker that could never be called."""
    try:
        allow_list().check_target(parse_host(host), port, ports=ports)
    except EgressError as error:
        yield Problem(error.code, error.message, pointer)


def login_problems(config: Config) -> Iterator[Problem]:
    """A password needs a user, except where the broker knows one without."""
    if config.get("username") and "password_secret" not in config:
        yield Problem("required", 'A user needs a password: name its secret as "password_secret".', "/password_secret")


def place_of(joining: Joining, host: str, port: int, ports: frozenset[int]) -> Place:
    """Where to connect to. Raises SourceError when the password cannot be read or may not be sent there."""
    config, name = joining.trigger.config, joining.trigger.config.get("password_secret", "")
    return Place(
        host=host,
        port=port,
        tls=config["tls"],
        username=config.get("username", ""),
        password=joining.secret(name, host=f"{host}:{port}") if name else "",
        ports=ports,
        permit=lambda other, its_port: _permit(joining, name, other, its_port),
    )


def _permit(joining: Joining, name: str, host: str, port: int) -> None:
    if name:
        joining.secret(name, host=f"{host}:{port}")


def client_name(trigger: Any) -> str:
    """A name that no other trigger has, for groups and sessions at the broker."""
    return f"brainops-{trigger.id}"
