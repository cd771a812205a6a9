"""emit_event: say that something happened."""

from __future__ import annotations

from automation.engine.commands import EmitEvent
from automation.engine.kinds import Call, Done, Effect, Example, Kind, Outcome
from automation.steps._state import config_schema, would


def run(call: Call) -> Outcome:
    """Record it, exactly once however often the step is repeated."""
    return Done(
        call.perform(EmitEvent(call.config["name"], call.config.get("payload"), call.config.get("subject", "")))
    )


def simulate(call: Call) -> Outcome:
    """Nothing is recorded."""
    return would(f"emit the event {call.config['name']!r}", {"event_id": "dry-run"})


KIND = Kind(
    key="emit_event",
    title="Emit an event",
    description="Say in the workspace that something happened. Triggers that listen to events of this name start their "
    "workflows; GET /events lists what was emitted.",
    group="State",
    icon="campaign",
    effect=Effect.CREATE,
    is_deterministic=False,
    config_schema=config_schema(
        ("name",),
        {
            "name": {
                "title": "Name",
                "description": "What happened, the type of the event: letters, digits, dots, colons, dashes and "
                "underscores. Names that begin with brainops. are of what BrainOps itself says.",
                "type": "string",
                "minLength": 1,
                "maxLength": 200,
                "examples": ["order.paid", "import:finished"],
            },
            "payload": {
                "title": "Payload",
                "description": "What there is to know about it: any JSON value.",
                "examples": [{"order_id": "{{ inputs.order_id }}"}],
            },
            "subject": {
                "title": "Subject",
                "description": "What it happened to, for those who listen to certain subjects only.",
                "type": "string",
                "maxLength": 500,
                "examples": ["orders/{{ inputs.order_id }}"],
            },
        },
    ),
    output_schema={
        "type": "object",
        "additionalProperties": False,
        "required": ["event_id"],
        "properties": {"event_id": {"title": "The id of the event", "type": "string"}},
    },
    run=run,
    simulate=simulate,
    examples=(
        Example(
            title="An order was paid",
            config={"name": "order.paid", "payload": {"order_id": "{{ inputs.order_id }}"}},
            scope={"inputs": {"order_id": 7}},
        ),
    ),
)
