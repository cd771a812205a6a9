"""How the audit log is asked for and shown."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from brainops.audit.models.entry import ActorKind
from brainops.audit.services.exporting import FORMS
from brainops.audit.services.verifying import Part
from brainops.core.api.serializers import ClosedSerializer

FAULTS = ("edited", "deleted", "inserted", "reordered", "cut")


class AuditFilters(ClosedSerializer):
    """The query parameters of the list."""

    action = serializers.CharField(
        required=False, max_length=64, help_text="One, such as `workflow.update`, or all of a noun: `workflow.*`."
    )
    actor = serializers.CharField(required=False, max_length=254, help_text="The beginning of the actor's name.")
    actor_id = serializers.UUIDField(required=False, help_text="A user or an API key.")
    actor_kind = serializers.ChoiceField(ActorKind.values, required=False)
    target_kind = serializers.CharField(required=False, max_length=64)
    target_id = serializers.CharField(required=False, max_length=64)
    request_id = serializers.CharField(required=False, max_length=64)
    ip = serializers.IPAddressField(required=False)
    since = serializers.DateTimeField(required=False)
    until = serializers.DateTimeField(required=False, help_text="Exclusive.")


class AdminAuditFilters(AuditFilters):
    """Those of staff's list."""

    workspace = serializers.UUIDField(required=False, help_text="Only of this workspace.")


class ExportParameters(AuditFilters):
    """Those of the export."""

    format = serializers.ChoiceField(list(FORMS), required=False, help_text="ndjson unless said otherwise.")


class EntryShape(serializers.Serializer[Any]):
    """One thing that was done."""

    id = serializers.UUIDField()
    at = serializers.DateTimeField()
    workspace_id = serializers.UUIDField(allow_null=True, help_text="null: of the installation itself.")
    actor_kind = serializers.ChoiceField(ActorKind.values)
    actor_id = serializers.UUIDField(allow_null=True)
    actor = serializers.CharField(help_text="Readable after the account is gone.")
    ip = serializers.CharField(allow_null=True)
    request_id = serializers.CharField(help_text="That of the answer and of the server's log; empty for commands.")
    action = serializers.CharField(help_text="noun.verb")
    target_kind = serializers.CharField()
    target_id = serializers.CharField()
    summary = serializers.CharField()
    changes = serializers.DictField(allow_null=True, help_text="Field: [before, after]; secrets are masked.")


class HeadShape(ClosedSerializer):
    """Where a chain ended."""

    position = serializers.IntegerField(min_value=1, max_value=2**62)
    seal = serializers.RegexField(r"\A[0-9a-f]{64}\Z", help_text="64 hexadecimal digits.")


class VerifyBody(ClosedSerializer):
    """Where to begin."""

    after = HeadShape(required=False, help_text="A head noted earlier; the beginning without it.")


class FindingShape(serializers.Serializer[Any]):
    """One thing that does not fit."""

    fault = serializers.ChoiceField(FAULTS)
    position = serializers.IntegerField(help_text="The place in the chain; 0 for an entry outside of it.")
    message = serializers.CharField()


class VerdictShape(serializers.Serializer[Any]):
    """What the verification saw."""

    is_intact = serializers.BooleanField()
    is_complete = serializers.BooleanField(help_text="False: go on with `head` as `after`.")
    sealed = serializers.IntegerField(help_text="Entries that were checked.")
    unsealed = serializers.IntegerField(help_text="Written within the last seconds, not chained yet.")
    head = HeadShape(allow_null=True)
    findings = FindingShape(many=True)


def shown_part(part: Part) -> dict[str, Any]:
    """The verdict on a stretch of a chain."""
    return {
        "is_intact": part.is_intact,
        "is_complete": part.is_complete,
        "sealed": part.sealed,
        "unsealed": part.unsealed,
        "head": part.head and {"position": part.head[0], "seal": part.head[1]},
        "findings": [
            {"fault": found.fault, "position": found.position, "message": found.message} for found in part.findings
        ],
    }
