"""filter: keep the items of a list that a condition holds for."""

from __future__ import annotations

from automation.engine.fields import CONDITION
from automation.engine.kinds import Call, Done, Effect, Example, Json, Kind, Outcome

MAX_ITEMS = 100_000


def run(call: Call) -> Outcome:
    """Keep the order; with `limit` stop looking once enough are kept. `dropped` counts all that were not kept."""
    items = call.config["items"]
    where = call.config["where"]
    limit = call.config.get("limit", len(items))
    kept: list[Json] = []
    for index, item in enumerate(items):
        if len(kept) >= limit:
            break
        if call.render(where, {"item": item, "index": index}):
            kept.append(item)
    return Done({"items": kept, "count": len(kept), "dropped": len(items) - len(kept)})


KIND = Kind(
    key="filter",
    title="Filter a list",
    description="Keep the items that a condition holds for, in their order.",
    group="Data",
    icon="filter_alt",
    effect=Effect.PURE,
    lazy=frozenset({"where"}),
    config_schema={
        "type": "object",
        "additionalProperties": False,
        "required": ["items", "where"],
        "properties": {
            "items": {
                "title": "Items",
                "description": "The list to look through.",
                "type": "array",
                "maxItems": MAX_ITEMS,
                "examples": ["{{ steps.orders.output.body }}"],
            },
            "where": {
                "title": "Where",
                "description": "One expression over item and index; the items for which it is true are kept.",
                **CONDITION,
                "x-item": True,
                "x-hint": 'one expression such as "{{ item.total > 100 }}"',
                "examples": ["{{ item.total > 100 }}"],
            },
            "limit": {
                "title": "Limit",
                "description": "Keep at most this many.",
                "type": "integer",
                "minimum": 0,
                "examples": [10],
            },
        },
    },
    output_schema={
        "type": "object",
        "additionalProperties": False,
        "required": ["items", "count", "dropped"],
        "properties": {
            "items": {"title": "Kept items", "type": "array"},
            "count": {"title": "How many were kept", "type": "integer"},
            "dropped": {"title": "How many were not", "type": "integer"},
        },
    },
    run=run,
    examples=(
        Example(
            title="Orders above 100",
            config={"items": "{{ inputs.orders }}", "where": "{{ item.total > 100 }}"},
            scope={"inputs": {"orders": [{"total": 250}, {"total": 20}, {"total": 101}]}},
            expect=Done({"items": [{"total": 250}, {"total": 101}], "count": 2, "dropped": 1}),
        ),
        Example(
            title="The first two even numbers",
            config={"items": [1, 2, 4, 6], "where": "{{ item % 2 == 0 }}", "limit": 2},
            expect=Done({"items": [2, 4], "count": 2, "dropped": 2}),
        ),
    ),
)
