"""What the catalogue says about a kind: its declaration as plain JSON."""

from __future__ import annotations

from typing import Any

from automation.engine.kinds import Done, Example, Fail, Kind, Outcome, Sleep, Wait

Json = Any


def describe(kind: Kind) -> dict[str, Json]:
    """The kind for people, forms and programs. `ports` are those of its first example that has any, as a sample."""
    return {
        "key": kind.key,
        "title": kind.title,
        "description": kind.description,
        "group": kind.group,
        "icon": kind.icon,
        "effect": kind.effect.value,
        "idempotency": kind.idempotency.value,
        "is_effect_dynamic": kind.effect_of is not None,
        "default_timeout_seconds": kind.default_timeout_seconds,
        "lazy": sorted(kind.lazy),
        "ports": _ports(kind),
        "config_schema": kind.config_schema,
        "output_schema": kind.output_schema,
        "examples": [_example(kind, example) for example in kind.examples],
    }


def _ports(kind: Kind) -> list[str]:
    for example in kind.examples:
        ports = [port for port in kind.ports(example.config) if port]
        if ports:
            return ports
    return []


def _example(kind: Kind, example: Example) -> dict[str, Json]:
    said: dict[str, Json] = {
        "title": example.title,
        "step": {"id": "example", "uses": kind.key, "with": dict(example.config)},
        "ports": [port for port in kind.ports(example.config) if port],
    }
    if example.scope:
        said["scope"] = dict(example.scope)
    if example.expect is not None:
        said["result"] = _result(example.expect)
    return said


def _result(outcome: Outcome) -> dict[str, Json]:
    match outcome:
        case Done(output=output, port=port):
            return {"status": "succeeded", "output": output, "port": port}
        case Sleep(seconds=seconds, output=output):
            return {"status": "waiting", "seconds": seconds, "output": output}
        case Wait(kind=kind):
            return {"status": "waiting", "for": kind}
        case Fail(error=error):
            return {"status": "failed", "error": {"type": error.type, "message": error.message}}
