"""How the API shows what changed between two versions."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from automation.engine.document.parse import StepDocument
from automation.services.version_diff import ChangedStep, Difference, Moved


class ChangeShape(serializers.Serializer[Any]):
    """One place. A side that has nothing there is left out; null is a value."""

    pointer = serializers.CharField(help_text="A JSON pointer (RFC 6901) into the version.")
    before = serializers.JSONField(required=False)
    after = serializers.JSONField(required=False)


class StepNamed(serializers.Serializer[Any]):
    """A step that only one side has."""

    id = serializers.CharField()
    uses = serializers.CharField(allow_null=True)
    pointer = serializers.CharField()


class StepChanged(serializers.Serializer[Any]):
    """A step that both sides have, with what differs in it."""

    id = serializers.CharField()
    pointer = serializers.CharField()
    changes = ChangeShape(many=True)


class StepRenamed(StepChanged):
    """A step under a new name. What only follows from the name is not told again."""

    was = serializers.CharField(help_text="Its id before.")


class StepMoved(serializers.Serializer[Any]):
    """A step at another place."""

    id = serializers.CharField()
    before = serializers.CharField(help_text="Its pointer before.")
    after = serializers.CharField(help_text="Its pointer now.")


class StepsDiffer(serializers.Serializer[Any]):
    """The steps."""

    added = StepNamed(many=True)
    removed = StepNamed(many=True)
    renamed = StepRenamed(many=True)
    changed = StepChanged(many=True)
    moved = StepMoved(many=True)


class DifferenceShape(serializers.Serializer[Any]):
    """What changed between two versions. Pointers lead into the later one; of what is gone, into the earlier."""

    before = serializers.CharField(help_text="The number of the earlier side.")
    after = serializers.CharField(help_text="The number of the later side; `draft` for what was sent.")
    is_same = serializers.BooleanField()
    # the answer's member has the name of a property of serializers; DRF takes declared fields out of the class
    fields = ChangeShape(  # type: ignore[assignment]  # DRF takes it out of the class
        many=True, help_text="Name, description, tags, meta_data, inputs, settings, output."
    )
    steps = StepsDiffer()


def difference(found: Difference, *, before: str, after: str) -> dict[str, Any]:
    """A difference as the API shows it."""
    return {
        "before": before,
        "after": after,
        "is_same": found.is_empty,
        "fields": [change.shown() for change in found.fields],
        "steps": {
            "added": [_named(step) for step in found.added],
            "removed": [_named(step) for step in found.removed],
            "renamed": [{"was": step.was, **_changed(step)} for step in found.renamed],
            "changed": [_changed(step) for step in found.changed],
            "moved": [_moved(step) for step in found.moved],
        },
    }


def _named(step: StepDocument) -> dict[str, Any]:
    return {"id": step.id, "uses": step.uses, "pointer": f"/definition{step.pointer}"}


def _changed(step: ChangedStep) -> dict[str, Any]:
    return {"id": step.id, "pointer": step.pointer, "changes": [change.shown() for change in step.changes]}


def _moved(step: Moved) -> dict[str, Any]:
    return {"id": step.id, "before": step.before, "after": step.after}
