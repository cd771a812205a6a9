"""The shapes of work that `make load` mixes, each with its workflow and the request that starts it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from benchmarks import loads
from benchmarks.product import API, Product


@dataclass(frozen=True)
class Request:
    """One request to be sent with POST."""

    path: str
    body: bytes
    headers: str


@dataclass(frozen=True)
class Shape:
    """One kind of work. `request` takes a number that no other request has."""

    name: str
    what: str
    workflow: str
    request: Callable[[str], Request]
    has_effect: bool = True


@dataclass(frozen=True)
class Scheduled:
    """A workflow that many schedules start every minute."""

    product: Product
    workflow: str
    triggers: list[str]

    def stop(self) -> None:
        """Let nothing fire any more."""
        for trigger in self.triggers:
            self.product.call("PATCH", f"/triggers/{trigger}", {"is_active": False})


def install(product: Product, receiver: str) -> list[Shape]:
    """Make the workflows and their triggers; the shapes to send."""
    hook_workflow = product.workflow("Load: webhook", _document([_shape(), _post(receiver, "shape")]))
    hook = product.hook(hook_workflow)

    def deliver(number: str) -> Request:
        body = json.dumps({"id": number, **loads.BODY}).encode()
        return Request(hook.path, body, hook.headers(body, number))

    chain = [_step(n) for n in range(10)]
    each = {"items": "{{ inputs.items }}", "concurrency": 8}
    loop = {"id": "each", "for_each": each, "uses": "transform", "with": {"set": {"n": "{{ item * 2 }}"}}}
    rest = {"id": "rest", "uses": "delay", "with": {"for": "2s"}}
    items = {"items": list(range(200))}
    return [
        Shape("webhook", "signed webhook, transform, HTTP POST", hook_workflow, deliver),
        _api(product, "api", "API start, ten steps, HTTP POST", [*chain, _post(receiver, "s9")]),
        _api(product, "waits", "API start that waits for the result, ten steps", chain, wait=30, has_effect=False),
        _api(product, "loop", "API start, loop of 200 items, HTTP POST", [loop, _post(receiver, "each")], inputs=items),
        _api(product, "sleeps", "API start, sleeps 2 s, HTTP POST", [rest, _post(receiver, "rest")]),
        _api(
            product, "branches", "API start, four HTTP POSTs beside each other", _branches(receiver), has_effect=False
        ),
    ]


def schedule(product: Product, receiver: str, *, triggers: int) -> Scheduled:
    """One workflow that `triggers` schedules start every minute."""
    workflow = product.workflow("Load: schedules", _document([_shape(), _post(receiver, "shape")]))
    config = {"cron": "* * * * *", "timezone": "UTC"}
    made = [
        product.call(
            "POST", "/triggers", {"workflow_id": workflow, "kind": "schedule", "name": f"{n}", "config": config}
        )
        for n in range(triggers)
    ]
    return Scheduled(product, workflow, [trigger["id"] for trigger in made])


def _api(
    product: Product,
    name: str,
    what: str,
    steps: list[dict[str, Any]],
    *,
    inputs: dict[str, Any] | None = None,
    wait: int = 0,
    has_effect: bool = True,
) -> Shape:
    workflow = product.workflow(f"Load: {name}", _document(steps))
    path = f"{API}/workflows/{workflow}/execute" + (f"?wait={wait}" if wait else "")
    body = json.dumps({"inputs": inputs or {}}).encode()
    headers = f"Authorization: Bearer {product.key}\r\n"

    def start(number: str) -> Request:
        return Request(path, body, f"{headers}Idempotency-Key: {name}-{number}\r\n")

    return Shape(name, what, workflow, start, has_effect)


def _document(steps: list[dict[str, Any]]) -> dict[str, Any]:
    return {"schema": 1, "steps": steps}


def _shape() -> dict[str, Any]:
    return {"id": "shape", "uses": "transform", "with": {"set": {"id": "{{ run.id }}"}}}


def _step(number: int) -> dict[str, Any]:
    value = f"{{{{ steps.s{number - 1}.output.n + 1 }}}}" if number else 0
    needs = {"needs": [f"s{number - 1}"]} if number else {}
    return {"id": f"s{number}", "uses": "transform", "with": {"set": {"n": value}}, **needs}


def _post(receiver: str, after: str, *, id_: str = "send", said: str = "{{ run.id }}") -> dict[str, Any]:
    with_ = {"method": "POST", "url": receiver, "json": {"id": said}}
    return {"id": id_, "uses": "http.request", "needs": [after], "with": with_}


def _branches(receiver: str) -> list[dict[str, Any]]:
    return [_shape(), *(_post(receiver, "shape", id_=f"b{n}", said=f"{{{{ run.id }}}}/{n}") for n in range(4))]
