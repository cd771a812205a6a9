"""POST /runs/{id}/signals/{name}: send a run a signal."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from automation.api.bodies import Body
from automation.services import signals
from automation.services.signals import SentSignal
from brainops.accounts.api.scope import CallerView
from brainops.accounts.policy import Permission

SIGNAL = Body(
    {
        "payload": {"description": "What the step gets; any JSON."},
        "key": {
            "type": "string",
            "minLength": 1,
            "maxLength": 200,
            "description": "The sender's own: the same signal with the same key is taken in once.",
        },
    }
)


class SentSignalShape(serializers.Serializer[Any]):
    """A signal that was taken in."""

    run_id = serializers.UUIDField()
    name = serializers.CharField()
    key = serializers.CharField(allow_null=True)
    is_duplicate = serializers.BooleanField(help_text="An earlier call with this key sent it.")


class SignalView(CallerView):
    """Sends signals."""

    permissions = {"post": Permission.RUNS_SIGNAL}
    creator_may = True

    @extend_schema(
        summary="Send a signal",
        tags=["Approvals"],
        parameters=[
            OpenApiParameter("id", UUID, OpenApiParameter.PATH, description="The run."),
            OpenApiParameter("name", str, OpenApiParameter.PATH, description="The name a step waits for."),
        ],
        request=SIGNAL.media,
        responses={
            202: OpenApiResponse(SentSignalShape, "It stands in the run; a step that waits for it goes on."),
            200: OpenApiResponse(SentSignalShape, "It was sent before."),
            409: OpenApiResponse(description="run_is_final, signal_key_reused or too_many_signals."),
            413: OpenApiResponse(description="The payload is too large."),
        },
    )
    def post(self, request: Request, id: UUID, name: str) -> Response:
        """Send a run a signal. One that comes before its step waits is kept for it; each is taken by one step."""
        sent = signals.send(self.caller, id, name, **SIGNAL.read(request))
        return Response(shown(sent), status.HTTP_200_OK if sent.is_duplicate else status.HTTP_202_ACCEPTED)


def shown(sent: SentSignal) -> dict[str, Any]:
    """What was taken in."""
    return {"run_id": sent.run_uid, "name": sent.name, "key": sent.key, "is_duplicate": sent.is_duplicate}
