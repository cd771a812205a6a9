"""transform: build a value, or every item of a list anew."""

from __future__ import annotations

from automation.engine.kinds import Call, Done, Effect, Example, Kind, Outcome

MAX_ITEMS = 100_000


def run(call: Call) -> Outcome:
    """`set` is already rendered; `each` is rendered once per item, in order."""
    if "set" in call.config:
        return Done(call.config["set"])
    template = call.config["each"]
    render = call.render
    items = [render(template, {"item": item, "index": index}) for index, item in enumerate(call.config["items"])]
    return Done({"items": items, "count": len(items)})


KIND = Kind(
    key="transform",
    title="Transform",
    description="Build an object from other values, or turn each item of a list into something new.",
    group="Data",
    icon="swap_horiz",
    effect=Effect.PURE,
    lazy=frozenset({"each"}),
    config_schema={
        "type": "object",
        "additionalProperties": False,
        "oneOf": [{"required": ["set"]}, {"required": ["items", "each"]}],
        "properties": {
            "set": {
                "title": "Set",
                "description": "The fields of the output. Each value may hold expressions.",
                "type": "object",
                "examples": [{"name": "{{ inputs.first }} {{ inputs.last }}", "total": "{{ inputs.net * 1.19 }}"}],
            },
            "items": {
                "title": "Items",
                "description": "The list to go through.",
                "type": "array",
                "maxItems": MAX_ITEMS,
                "examples": ["{{ steps.orders.output.body }}"],
            },
            "each": {
                "title": "Each",
                "description": "What an item becomes: any value. Expressions read item and index.",
                "x-item": True,
                "examples": [{"id": "{{ item.id }}", "position": "{{ index + 1 }}"}],
            },
        },
    },
    output_schema={
        "title": "The fields of `set`, or the new items and their count",
        "type": "object",
        "properties": {"items": {"type": "array"}, "count": {"type": "integer"}},
    },
    run=run,
    examples=(
        Example(
            title="Build a greeting",
            config={"set": {"text": "Hello {{ inputs.name }}", "is_long": "{{ inputs.name | length > 3 }}"}},
            scope={"inputs": {"name": "Ada"}},
            expect=Done({"text": "Hello Ada", "is_long": False}),
        ),
        Example(
            title="Keep two fields of each order",
            config={"items": "{{ inputs.orders }}", "each": {"id": "{{ item.id }}", "row": "{{ index + 1 }}"}},
            scope={"inputs": {"orders": [{"id": "a", "x": 1}, {"id": "b", "x": 2}]}},
            expect=Done({"items": [{"id": "a", "row": 1}, {"id": "b", "row": 2}], "count": 2}),
        ),
    ),
)
