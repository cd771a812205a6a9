"""/triggers: what starts runs of a workflow by itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from automation.models import Trigger
from automation.services import triggers
from automation.services.trigger_checks import NAME_CHARACTERS
from automation.services.triggers import SavedTrigger
from brainops.accounts.api.scope import ScopedViewSet
from brainops.accounts.policy import Permission
from brainops.core.api.json import JsonParser, MergePatchParser
from brainops.core.api.serializers import ClosedModelSerializer, ClosedSerializer
from brainops.core.errors import InvalidInput, Problem


class TriggerSerializer(ClosedModelSerializer):
    """A trigger. Beside these fields stands one that is called like the kind and holds what only that kind has."""

    workflow_id = serializers.UUIDField()
    created_by_id = serializers.UUIDField(allow_null=True)
    schedule = serializers.DictField(
        required=False, help_text="For schedules: the expression in words and the next ten fire times."
    )
    webhook = serializers.DictField(
        required=False, help_text="For webhooks: the address; a generated secret, in the answer that made it only."
    )

    class Meta:
        model = Trigger
        fields = [
            "id",
            "workflow_id",
            "kind",
            "name",
            "config",
            "inputs",
            "is_active",
            "next_fire_at",
            "last_fired_at",
            "created_by_id",
            "created_at",
            "updated_at",
            "schedule",
            "webhook",
        ]
        read_only_fields = fields


class TriggerFields(ClosedSerializer):
    """What may change."""

    name = serializers.CharField(max_length=NAME_CHARACTERS, allow_blank=True, required=False)
    config = serializers.DictField(help_text="Checked by the kind; see GET /triggers for examples of each.")
    inputs = serializers.DictField(required=False, help_text="Fixed inputs of the runs it starts.")
    is_active = serializers.BooleanField(required=False)


class NewTrigger(TriggerFields):
    """A trigger to create."""

    workflow_id = serializers.UUIDField()
    kind = serializers.CharField(max_length=50, help_text="schedule or webhook.")


class ReplacedTrigger(TriggerFields):
    """A trigger to save. Workflow and kind may be sent, but cannot change."""

    workflow_id = serializers.UUIDField(required=False)
    kind = serializers.CharField(max_length=50, required=False)


class PatchedTrigger(ReplacedTrigger):
    """A merge patch (RFC 7396): only what is sent changes; null inside config and inputs removes."""

    config = serializers.DictField(required=False)


_FILTERS = [
    OpenApiParameter("workflow_id", UUID, description="Only triggers of this workflow."),
    OpenApiParameter("kind", str, description="Only triggers of this kind."),
    OpenApiParameter("is_active", bool, description="Only those that are switched on, or off."),
]


@extend_schema(tags=["Triggers"])
class TriggerViewSet(ScopedViewSet):
    """Triggers of the workspace's workflows."""

    queryset = Trigger.objects.all()
    serializer_class = TriggerSerializer
    parser_classes = (JsonParser, MergePatchParser)
    creator_may = True
    permissions = {
        "list": Permission.TRIGGERS_READ,
        "retrieve": Permission.TRIGGERS_READ,
        "create": Permission.TRIGGERS_CREATE,
        "update": Permission.TRIGGERS_UPDATE,
        "partial_update": Permission.TRIGGERS_UPDATE,
        "destroy": Permission.TRIGGERS_DELETE,
    }

    @extend_schema(summary="List triggers", parameters=_FILTERS)
    def list(self, request: Request) -> Response:
        """The triggers of the workspace, newest first."""
        rows = triggers.find(self.caller).filter(**_filters(request.query_params))
        return self.get_paginated_response(answers(self.paginate_queryset(rows) or []))

    @extend_schema(summary="Read a trigger")
    def retrieve(self, request: Request, id: UUID) -> Response:
        """One trigger with its next fire times or its address."""
        return Response(answer(SavedTrigger(triggers.get(self.caller, id))))

    @extend_schema(summary="Create a trigger", request=NewTrigger, responses={201: TriggerSerializer})
    def create(self, request: Request) -> Response:
        """Create a trigger. A generated secret stands in this answer and nowhere else."""
        saved = triggers.create(self.caller, **_checked(NewTrigger, request))
        return Response(
            answer(saved),
            status=status.HTTP_201_CREATED,
            headers={"Location": f"{request.path.rstrip('/')}/{saved.trigger.id}"},
        )

    @extend_schema(summary="Replace a trigger", request=ReplacedTrigger)
    def update(self, request: Request, id: UUID) -> Response:
        """Save all of a trigger; what is left out gets its default. A secret that is left out stays."""
        return Response(answer(triggers.replace(self.caller, id, **_checked(ReplacedTrigger, request))))

    @extend_schema(summary="Change a trigger", request=PatchedTrigger)
    def partial_update(self, request: Request, id: UUID) -> Response:
        """Change parts of a trigger."""
        return Response(answer(triggers.change(self.caller, id, _checked(PatchedTrigger, request))))

    @extend_schema(summary="Delete a trigger", responses={204: None})
    def destroy(self, request: Request, id: UUID) -> Response:
        """Delete a trigger with its ledger or its address. The runs it started stay."""
        triggers.delete(self.caller, id)
        return Response(status=status.HTTP_204_NO_CONTENT)


def answer(saved: SavedTrigger) -> dict[str, Any]:
    """One trigger as the API shows it, with what is shown this once."""
    return {**answers([saved.trigger])[0], **saved.shown_once}


def answers(rows: Iterable[Trigger]) -> list[dict[str, Any]]:
    """Triggers as the API shows them."""
    page = list(rows)
    details = triggers.described(page)
    return [{**_fields(row), **details.get(row.id, {})} for row in page]


def _fields(row: Trigger) -> dict[str, Any]:
    return {
        "id": row.id,
        "workflow_id": row.workflow_id,
        "kind": row.kind,
        "name": row.name,
        "config": row.config,
        "inputs": row.inputs,
        "is_active": row.is_active,
        "next_fire_at": row.next_fire_at,
        "last_fired_at": row.last_fired_at,
        "created_by_id": row.created_by_id,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
    }


def _checked(shape: type[ClosedSerializer], request: Request) -> dict[str, Any]:
    given = shape(data=request.data)
    given.is_valid(raise_exception=True)
    return dict(given.validated_data)


def _filters(query: Mapping[str, str]) -> dict[str, Any]:
    """The filters of a list. Values that make no sense are refused, not ignored."""
    found: dict[str, Any] = {}
    if kind := query.get("kind"):
        found["kind"] = kind
    if "is_active" in query:
        found["is_active"] = {"true": True, "false": False}.get(query["is_active"])
        if found["is_active"] is None:
            raise _invalid("is_active", f"is_active must be true or false, got {query['is_active'][:20]!r}.")
    if "workflow_id" in query:
        try:
            found["workflow_id"] = UUID(query["workflow_id"])
        except ValueError as error:
            raise _invalid("workflow_id", f"workflow_id must be a UUID, got {query['workflow_id'][:60]!r}.") from error
    return found


def _invalid(parameter: str, message: str) -> InvalidInput:
    return InvalidInput(message, problems=[Problem("invalid_parameter", message, parameter=parameter)])
