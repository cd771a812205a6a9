"""What was seen of a run, and whether it is what a flow file expects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

STEP_KEYS = frozenset({"status", "output", "port", "attempt", "reason", "error", "kept", "items"})
PARTS = frozenset({"error", "response", "requests", "children", "events"})
WHOLES = frozenset({"output", "logs", "values"})
RUN_KEYS = PARTS | WHOLES | {"status", "steps", "keys", "takes"}


@dataclass(frozen=True)
class Observed:
    """A run as a runner saw it.

    `steps` maps paths to `{status, output, port, attempt, reason, error, kept, items}`; `items` is what the row of a
    batch says of its items. `logs` are those of steps, `[step, level, message]`. `requests` is what the server got:
    `{method, path, json, key}` in order, `key` its idempotency key. `values` is what the workspace keeps in the end,
    `events` are `[name, payload]`, `children` the runs it called by path: `{workflow, status, output}`.
    """

    status: str
    output: Any
    error: Any
    steps: Mapping[str, Mapping[str, Any]]
    logs: list[list[str]] = field(default_factory=list)
    response: Any = None
    requests: list[dict[str, Any]] = field(default_factory=list)
    values: Mapping[str, Any] = field(default_factory=dict)
    events: list[list[Any]] = field(default_factory=list)
    children: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def differences(expect: Mapping[str, Any], seen: Observed) -> list[str]:
    """Every way in which a run is not what was expected.

    Outputs, logs, values and statuses are compared whole. `error`, `reason`, `items`, `response`, children and each
    request and event are compared by the keys the file names. `keys` says whether the requests' idempotency keys are
    all the `same` or all `different`. Once `steps` is given, it names every step, and `children` every called run:
    `skipped` is short for `{status: skipped}`, `none` stands for a step without a row.
    """
    unknown = expect.keys() - RUN_KEYS
    return [f"unknown expectation {key!r}" for key in sorted(unknown)] + [*_run(expect, seen)]


def _run(expect: Mapping[str, Any], seen: Observed) -> Iterator[str]:
    yield from _whole("status", expect["status"], seen.status)
    for key in sorted(expect.keys() & WHOLES):
        yield from _whole(key, expect[key], getattr(seen, key))
    for key in sorted(expect.keys() & PARTS):
        yield from _part(key, expect[key], getattr(seen, key))
    if "children" in expect:
        yield from _whole("children", sorted(expect["children"]), sorted(seen.children))
    if "keys" in expect:
        yield from _whole("keys", expect["keys"], _kinship([request["key"] for request in seen.requests]))
    if "steps" in expect:
        yield from _steps(expect["steps"], seen.steps)


def _steps(expect: Mapping[str, Any], seen: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    for path in sorted(seen.keys() - expect.keys()):
        yield f"steps.{path}: not expected, got {seen[path]['status']}"
    for path, wanted in expect.items():
        known = wanted if isinstance(wanted, dict) else {"status": wanted}
        for key in known.keys() - STEP_KEYS:
            yield f"steps.{path}: unknown expectation {key!r}"
        row = seen.get(path, {"status": "none"})
        for key in sorted(known.keys() & STEP_KEYS):
            compare = _part if key in ("error", "reason", "items") else _whole
            yield from compare(f"steps.{path}.{key}", known[key], row.get(key))


def _kinship(keys: list[str | None]) -> str:
    if None in keys:
        return "missing"
    return {1: "same", len(keys): "different"}.get(len(set(keys)), "mixed")


def _whole(place: str, wanted: Any, got: Any) -> Iterator[str]:
    if wanted != got or type(wanted) is not type(got):
        yield f"{place}: wanted {wanted!r}, got {got!r}"


def _part(place: str, wanted: Any, got: Any) -> Iterator[str]:
    """Objects by the keys wanted, lists item by item, other values whole."""
    if isinstance(wanted, dict) and isinstance(got, dict):
        for key, value in wanted.items():
            yield from _part(f"{place}.{key}", value, got.get(key))
    elif isinstance(wanted, list) and isinstance(got, list) and len(wanted) == len(got):
        for index, value in enumerate(wanted):
            yield from _part(f"{place}[{index}]", value, got[index])
    else:
        yield from _whole(place, wanted, got)
