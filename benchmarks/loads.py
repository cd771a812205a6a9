"""The common work of the peers table, as workflows of ours."""

from __future__ import annotations

from typing import Any

BODY = {"name": "Ada Lovelace", "email": "ada@example.com", "amount": 21.5, "tags": ["new", "vip"]}


def w3(receiver: str) -> dict[str, Any]:
    """Transform to a new object, condition `total > 10`, POST the result."""
    return {
        "schema": 1,
        "steps": [
            {
                "id": "shape",
                "uses": "transform",
                "with": {
                    "set": {
                        "id": "{{ trigger.body.id }}",
                        "customer": "{{ trigger.body.name | upper }}",
                        "total": "{{ trigger.body.amount * 2 }}",
                        "tags": "{{ trigger.body.tags | join(',') }}",
                    }
                },
            },
            {
                "id": "large",
                "uses": "condition",
                "needs": ["shape"],
                "with": {"when": "{{ steps.shape.output.total > 10 }}"},
            },
            _post(receiver, "{{ steps.shape.output }}", needs=["large.true"]),
        ],
    }


def w1k(receiver: str) -> dict[str, Any]:
    """Trivial transform of each of 1,000 items, then one POST. Items come with the trigger."""
    return {
        "schema": 1,
        "steps": [
            {
                "id": "each",
                "uses": "transform",
                "with": {"items": "{{ trigger.body.items }}", "each": {"n": "{{ item.n + 1 }}"}},
            },
            _post(
                receiver, {"id": "{{ trigger.body.id }}", "count": "{{ steps.each.output | length }}"}, needs=["each"]
            ),
        ],
    }


def chain(receiver: str, *, length: int = 50, **settings: Any) -> dict[str, Any]:
    """`length` trivial steps one after the other, then one POST."""
    steps: list[dict[str, Any]] = []
    for number in range(length):
        value = f"{{{{ steps.s{number - 1}.output.n + 1 }}}}" if number else 0
        step: dict[str, Any] = {"id": f"s{number}", "uses": "transform", "with": {"set": {"n": value}}}
        steps.append(step | ({"needs": [f"s{number - 1}"]} if number else {}))
    last = _post(receiver, {"id": "{{ trigger.body.id }}"}, needs=[f"s{length - 1}"])
    return {"schema": 1, "steps": [*steps, last], "settings": settings}


def two_effects(receiver: str) -> dict[str, Any]:
    """Three steps, two of them calls that the receiver answers after about 15 ms."""
    return {
        "schema": 1,
        "steps": [
            {"id": "shape", "uses": "transform", "with": {"set": {"id": "{{ inputs.id }}", "n": "{{ inputs.n * 2 }}"}}},
            _post(receiver, "{{ steps.shape.output }}", needs=["shape"], id_="first"),
            _post(receiver, "{{ steps.shape.output }}", needs=["first"], id_="second"),
        ],
    }


def _post(receiver: str, body: Any, *, needs: list[str], id_: str = "send") -> dict[str, Any]:
    return {
        "id": id_,
        "uses": "http.request",
        "needs": needs,
        "with": {"method": "POST", "url": receiver, "json": body},
    }
