"""/triggers: what starts runs of a workflow by itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from automation.api import trigger_shape
from automation.api.bodies import Body
from automation.api.idempotent import REPLAYED, once
from automation.api.parameters import IDEMPOTENCY_KEY, IF_MATCH, read_parameters
from automation.api.trigger_shape import FIELDS, IDENTITY, TriggerShape, without_sent_back
from automation.models import Trigger
from automation.services import triggers
from automation.services.idempotency import Answer
from automation.services.trigger_health import HealthState, in_state
from automation.services.triggers import SavedTrigger
from brainops.accounts.api.scope import ScopedViewSet
from brainops.accounts.policy import Permission
from brainops.audit.services.history import history_of
from brainops.core.api.etag import check_if_match
from brainops.core.api.json import JsonParser, MergePatchParser
from brainops.core.api.serializers import ClosedSerializer

NEW = Body({**IDENTITY, **FIELDS}, required=("workflow_id", "kind", "config"))
REPLACED = Body({**IDENTITY, **FIELDS}, required=("config",))
PATCH = Body({**IDENTITY, **FIELDS})
ANSWERS = {200: TriggerShape}
MOST_TOLD = 5  # changes by others, in a refusal


class TriggerFilters(ClosedSerializer):
    """The query parameters of the list."""

    workflow_id = serializers.UUIDField(required=False, help_text="Only triggers of this workflow.")
    kind = serializers.CharField(required=False, max_length=50, help_text="Only triggers of this kind.")
    is_active = serializers.BooleanField(required=False, help_text="Only those that are switched on, or off.")
    health = serializers.ChoiceField(
        [state.value for state in HealthState], required=False, help_text="Only those that are doing so."
    )


@extend_schema(tags=["Triggers"])
class TriggerViewSet(ScopedViewSet):
    """Triggers of the workspace's workflows."""

    queryset = Trigger.objects.all()
    serializer_class = TriggerShape
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

    @extend_schema(summary="List triggers", parameters=[TriggerFilters])
    def list(self, request: Request) -> Response:
        """The triggers of the workspace, newest first."""
        said = read_parameters(TriggerFilters, request)
        state = said.pop("health", None)
        rows = triggers.find(self.caller).filter(**said)
        if state is not None:
            rows = rows.filter(id__in=in_state(self.caller, HealthState(state)))
        return self.get_paginated_response(trigger_shape.many(self.paginate_queryset(rows) or []))

    @extend_schema(
        summary="Create a trigger", request=NEW.media, responses={201: TriggerShape}, parameters=[IDEMPOTENCY_KEY]
    )
    def create(self, request: Request) -> Response:
        """Create a trigger. A generated secret stands in this answer and nowhere else, not even in a repeated one."""
        body = NEW.read(request)
        shown_once: dict[str, Any] = {}

        def work() -> Answer:
            saved = triggers.create(self.caller, **body)
            shown_once.update(saved.shown_once)
            address = f"{request.path.rstrip('/')}/{saved.trigger.id}"
            return Answer(
                status.HTTP_201_CREATED, trigger_shape.one(SavedTrigger(saved.trigger)), {"Location": address}
            )

        answer = once(request, self.caller, work)
        extra = REPLAYED if answer.is_replay else {}
        return Response({**answer.body, **shown_once}, answer.status, headers={**answer.headers, **extra})

    @extend_schema(summary="Read a trigger", responses=ANSWERS)
    def retrieve(self, request: Request, id: UUID) -> Response:
        """One trigger with its next fire times or its address."""
        return shown(SavedTrigger(triggers.get(self.caller, id)))

    @extend_schema(summary="Replace a trigger", parameters=[IF_MATCH], request=REPLACED.media, responses=ANSWERS)
    def update(self, request: Request, id: UUID) -> Response:
        """Save all of a trigger; what is left out gets its default. A secret that is left out stays.

        Workflow and kind may be sent, but cannot change.
        """
        body = REPLACED.checked(self._without_sent_back(request))
        return shown(triggers.replace(self.caller, id, **body, check=self._require_match))

    @extend_schema(summary="Change a trigger", parameters=[IF_MATCH], request=PATCH.media)
    def partial_update(self, request: Request, id: UUID) -> Response:
        """Apply a JSON Merge Patch (RFC 7396): only what is sent changes; null inside config and inputs removes."""
        body = PATCH.checked(self._without_sent_back(request))
        return shown(triggers.change(self.caller, id, body, check=self._require_match))

    @extend_schema(
        summary="Delete a trigger",
        parameters=[IF_MATCH],
        responses={204: OpenApiResponse(description="It is gone.")},
    )
    def destroy(self, request: Request, id: UUID) -> Response:
        """Delete a trigger with its ledger or its address. The runs it started stay."""
        triggers.delete(self.caller, id, check=self._require_match)
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _require_match(self, trigger: Trigger) -> None:
        """Raise VersionMismatch, with the last changes, when If-Match names another state of the trigger."""
        state = trigger_shape.state_of(trigger)

        def details(tags: Sequence[str]) -> dict[str, Any]:
            changes = history_of("trigger", trigger.id, most=MOST_TOLD)
            return {"your_version": "".join(tags[:1]), "current_version": state, "changes": changes}

        check_if_match(self.request, state, details=details, part=lambda tag: tag.partition(".")[0])

    def _without_sent_back(self, request: Request) -> Any:
        """A client may change what it read and send all of it back."""
        return without_sent_back(request.data, trigger_shape.one(SavedTrigger(self.get_object())))


def shown(saved: SavedTrigger) -> Response:
    """The answer that shows a trigger."""
    body = trigger_shape.one(saved)
    return Response(body, headers={"ETag": trigger_shape.tag_of(saved.trigger, body)})
