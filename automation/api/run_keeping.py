"""/runs/{id}/payloads/{sha256} and /runs/{id}/pin: what is kept of a run, whole and for longer."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, OpenApiTypes, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request

from automation.api.bodies import NOTHING
from automation.models import Run
from automation.services import payloads, pins
from brainops.accounts.api.scope import ScopedViewSet
from brainops.accounts.policy import Permission

RUN_ID = OpenApiParameter("id", UUID, OpenApiParameter.PATH, description="The run.")
SHA256 = OpenApiParameter(
    "sha256", str, OpenApiParameter.PATH, description="`output_ref` or `input_ref`: the checksum of the JSON text."
)
IF_NONE_MATCH = OpenApiParameter("If-None-Match", str, OpenApiParameter.HEADER, description="The ETag that is known.")
FOR_EVER = "private, max-age=31536000, immutable"  # another value would have another address


@extend_schema(tags=["Runs"])
class RunKeepingViewSet(ScopedViewSet):
    """Large values, and pins."""

    queryset = Run.objects.all()
    serializer_class = serializers.Serializer
    creator_may = True
    permissions = {
        "payload": Permission.RUNS_READ,
        "pin": Permission.RUNS_RETRY,
        "unpin": Permission.RUNS_RETRY,
    }

    @extend_schema(
        summary="Read a large value of a run",
        parameters=[RUN_ID, SHA256, IF_NONE_MATCH],
        responses={
            200: OpenApiTypes.ANY,
            304: OpenApiResponse(description="The caller has it already."),
            409: OpenApiResponse(description="payload_broken: what was kept is damaged."),
        },
    )
    def payload(self, request: Request, id: UUID, sha256: str) -> HttpResponse:
        """The whole JSON of a value that is too large for its row; the address names its checksum."""
        tag = f'"{sha256}"'
        text = payloads.read(self.caller, id, sha256)
        headers = {"ETag": tag, "Cache-Control": FOR_EVER}
        if tag in request.META.get("HTTP_IF_NONE_MATCH", ""):
            return HttpResponse(status=status.HTTP_304_NOT_MODIFIED, headers=headers)
        return HttpResponse(text, content_type="application/json", headers=headers)

    @extend_schema(summary="Pin a run", parameters=[RUN_ID], request=None, responses={204: None})
    def pin(self, request: Request, id: UUID) -> HttpResponse:
        """Keep a run whatever its age."""
        NOTHING.read(request)
        pins.pin(self.caller, id)
        return HttpResponse(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(summary="Unpin a run", parameters=[RUN_ID], request=None, responses={204: None})
    def unpin(self, request: Request, id: UUID) -> HttpResponse:
        """Leave a run to retention again."""
        NOTHING.read(request)
        pins.pin(self.caller, id, is_pinned=False)
        return HttpResponse(status=status.HTTP_204_NO_CONTENT)
