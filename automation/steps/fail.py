"""fail: end with an error that the workflow's author worded."""

from __future__ import annotations

from automation.engine.kinds import Call, Effect, ErrorClass, Example, Fail, Kind, Outcome, StepError


def run(call: Call) -> Outcome:
    """Fail with class USER, which is not repeated by default."""
    config = call.config
    details = config.get("details", {})
    return Fail(StepError(config.get("code", "failed"), config["message"], ErrorClass.USER, details=details))


KIND = Kind(
    key="fail",
    title="Fail",
    description="End the run as failed, with a message for the people who look at it.",
    group="Flow",
    icon="error",
    effect=Effect.PURE,
    config_schema={
        "type": "object",
        "additionalProperties": False,
        "required": ["message"],
        "properties": {
            "message": {
                "title": "Message",
                "description": "What is wrong and what to do about it.",
                "type": "string",
                "minLength": 1,
                "maxLength": 5000,
                "examples": ["Order {{ inputs.order_id }} has no address. Ask the customer for it."],
            },
            "code": {
                "title": "Code",
                "description": "A stable word that programs can tell the failure by.",
                "type": "string",
                "pattern": "^[a-z][a-z0-9_]{0,62}$",
                "x-hint": "lower-case letters, digits and _, beginning with a letter",
                "default": "failed",
                "examples": ["no_address"],
            },
            "details": {
                "title": "Details",
                "description": "Values that help to understand the failure.",
                "type": "object",
                "examples": [{"order": "{{ inputs.order_id }}"}],
            },
        },
    },
    output_schema={"type": "null"},
    run=run,
    examples=(
        Example(
            title="Refuse an order without an address",
            config={
                "message": "Order {{ inputs.id }} has no address.",
                "code": "no_address",
                "details": {"id": "{{ inputs.id }}"},
            },
            scope={"inputs": {"id": 7}},
            expect=Fail(StepError("no_address", "Order 7 has no address.", ErrorClass.USER, details={"id": 7})),
        ),
    ),
)
