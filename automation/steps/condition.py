"""condition: take one of several ways."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from automation.engine.fields import CONDITION, PORT
from automation.engine.kinds import Call, Done, Effect, Example, Json, Kind, Outcome

TRUE, FALSE, DEFAULT = "true", "false", "default"
WHEN = {"title": "When", **CONDITION, "examples": ["{{ inputs.total > 100 }}"]}


def ports(config: Mapping[str, Json]) -> Iterable[str]:
    """`true` and `false`, or the ports of the cases and the default."""
    if "cases" not in config:
        return (TRUE, FALSE)
    return tuple(dict.fromkeys([*(case["port"] for case in config["cases"]), config.get("default", DEFAULT)]))


def run(call: Call) -> Outcome:
    """Decide, and keep the operands that decided."""
    if "cases" in call.config:
        return _switch(call)
    when = call.config["when"]
    holds = bool(call.render(when, {}))
    port = TRUE if holds else FALSE
    return Done({"result": holds, "port": port}, port=port, reason=_reason(call, when, holds))


def _switch(call: Call) -> Outcome:
    """The first case that holds; cases behind it are not evaluated."""
    looked_at = []
    for case in call.config["cases"]:
        holds = bool(call.render(case["when"], {}))
        looked_at.append({"port": case["port"], **_reason(call, case["when"], holds)})
        if holds:
            return Done({"result": True, "port": case["port"]}, port=case["port"], reason={"cases": looked_at})
    port = call.config.get("default", DEFAULT)
    return Done({"result": False, "port": port}, port=port, reason={"cases": looked_at})


def _reason(call: Call, when: Json, holds: bool) -> dict[str, Json]:
    return {"expression": when, "value": holds, "operands": call.explain(when, {})}


KIND = Kind(
    key="condition",
    title="Condition",
    description="Go on at one of several ports: true or false, or the first case that holds.",
    group="Flow",
    icon="call_split",
    effect=Effect.PURE,
    lazy=frozenset({"when", "cases"}),
    ports=ports,
    config_schema={
        "type": "object",
        "additionalProperties": False,
        "oneOf": [{"required": ["when"]}, {"required": ["cases"]}],
        "dependentRequired": {"default": ["cases"]},
        "properties": {
            "when": {**WHEN, "description": "One expression: the step takes the port true or false."},
            "cases": {
                "title": "Cases",
                "description": "Looked at in order; the first that holds names the port.",
                "type": "array",
                "minItems": 1,
                "maxItems": 100,
                "examples": [[{"port": "gold", "when": "{{ inputs.level == 'gold' }}"}]],
                "items": {
                    "type": "object",
                    "additionalProperties": False,
                    "required": ["port", "when"],
                    "properties": {"port": PORT, "when": WHEN},
                },
            },
            "default": {
                **PORT,
                "title": "Default",
                "description": "The port when no case holds.",
                "default": DEFAULT,
                "examples": ["others"],
            },
        },
    },
    output_schema={
        "type": "object",
        "additionalProperties": False,
        "required": ["result", "port"],
        "properties": {
            "result": {"title": "Whether it, or any case, held", "type": "boolean"},
            "port": {"title": "The port taken", "type": "string"},
        },
    },
    run=run,
    examples=(
        Example(
            title="Is the order large?",
            config={"when": "{{ inputs.total > 1000 }}"},
            scope={"inputs": {"total": 1200}},
            expect=Done(
                {"result": True, "port": "true"},
                port="true",
                reason={
                    "expression": "{{ inputs.total > 1000 }}",
                    "value": True,
                    "operands": [{"expression": "inputs.total", "value": 1200}],
                },
            ),
        ),
        Example(
            title="A way for each kind of customer",
            config={
                "cases": [
                    {"port": "gold", "when": "{{ inputs.level == 'gold' }}"},
                    {"port": "business", "when": "{{ inputs.is_business }}"},
                ],
                "default": "others",
            },
            scope={"inputs": {"level": "tin", "is_business": False}},
            expect=Done(
                {"result": False, "port": "others"},
                port="others",
                reason={
                    "cases": [
                        {
                            "port": "gold",
                            "expression": "{{ inputs.level == 'gold' }}",
                            "value": False,
                            "operands": [{"expression": "inputs.level", "value": "tin"}],
                        },
                        {
                            "port": "business",
                            "expression": "{{ inputs.is_business }}",
                            "value": False,
                            "operands": [{"expression": "inputs.is_business", "value": False}],
                        },
                    ]
                },
            ),
        ),
    ),
)
