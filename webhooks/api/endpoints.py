"""/webhooks: the endpoints of a workspace, the rotation of their secrets, and samples."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import mixins
from rest_framework.request import Request
from rest_framework.response import Response

from automation.api.idempotent import REPLAYED, once
from automation.api.parameters import IDEMPOTENCY_KEY
from automation.services.documents import canonical
from automation.services.idempotency import Answer
from brainops.accounts.api.scope import ScopedViewSet
from brainops.accounts.policy import Permission
from brainops.audit.services.history import history_of
from brainops.core.api.etag import check_if_match, entity_tag
from brainops.core.api.parameters import IF_MATCH
from webhooks.api.serializers import EndpointSerializer, RotatedEndpoint, RotationRequest, SampleReport, SampleRequest
from webhooks.models import WebhookEndpoint
from webhooks.services import endpoints, samples
from webhooks.services.outcomes import Accepted, Acknowledged, Answered, Buffered, Outcome, Refused, Repeated

MOST_TOLD = 5  # rotations by others, in a refusal


@extend_schema(tags=["Webhooks"])
class EndpointViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ScopedViewSet):
    """Endpoints are made, changed and deleted with their trigger (`/triggers`)."""

    queryset = WebhookEndpoint.objects.select_related("trigger")
    serializer_class = EndpointSerializer
    lookup_url_kwarg = "webhook_id"
    creator_may = True
    permissions = {
        "list": Permission.WEBHOOKS_READ,
        "retrieve": Permission.WEBHOOKS_READ,
        "rotate": Permission.WEBHOOKS_UPDATE,
        "test": Permission.WEBHOOKS_TEST,
    }
    rate_kinds = {"test": "starts"}

    @extend_schema(summary="List webhook endpoints")
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """The endpoints of the workspace, newest first."""
        return super().list(request, *args, **kwargs)

    @extend_schema(summary="Read a webhook endpoint")
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """One endpoint. Its secret is not in the answer."""
        endpoint = self.get_object()
        body = EndpointSerializer(endpoint).data
        whole = hashlib.sha256(canonical(body)).hexdigest()[:8]
        return Response(body, headers={"ETag": entity_tag(f"r{endpoint.revision}.{whole}")})

    @extend_schema(
        summary="Rotate the secret", parameters=[IF_MATCH], request=RotationRequest, responses={200: RotatedEndpoint}
    )
    def rotate(self, request: Request, webhook_id: UUID) -> Response:
        """Give the endpoint a new secret. The previous one is taken for `grace_seconds` more."""
        given = RotationRequest(data=request.data)
        given.is_valid(raise_exception=True)
        rotated = endpoints.rotate(self.caller, webhook_id, **given.validated_data, check=self._require_match)
        return Response({**EndpointSerializer(rotated.endpoint).data, "secret": rotated.secret})

    @extend_schema(
        summary="Send a signed sample",
        parameters=[IDEMPOTENCY_KEY],
        request=SampleRequest,
        responses={200: SampleReport, 409: OpenApiResponse(description="idempotency_key_reused.")},
    )
    def test(self, request: Request, webhook_id: UUID) -> Response:
        """Send a signed sample through the real intake, marked as a test, and report what a sender would have got."""
        given = SampleRequest(data=request.data)
        given.is_valid(raise_exception=True)

        def work() -> Answer:
            return Answer(200, report(samples.send(self.caller, webhook_id, **given.validated_data)))

        answer = once(request, self.caller, work)
        return Response(answer.body, answer.status, headers=REPLAYED if answer.is_replay else {})

    def _require_match(self, endpoint: WebhookEndpoint) -> None:
        """Raise VersionMismatch, with the last rotations, when If-Match names another state of the endpoint."""
        present = f"r{endpoint.revision}"

        def details(tags: Sequence[str]) -> dict[str, Any]:
            changes = history_of("webhook", endpoint.id, most=MOST_TOLD)
            return {"your_version": "".join(tags[:1]), "current_version": present, "changes": changes}

        check_if_match(self.request, present, details=details, part=lambda tag: tag.partition(".")[0])


def report(outcome: Outcome) -> dict[str, Any]:
    """What became of a sample."""
    facts: dict[str, Any] = {"run": None, "event": outcome.event_id, "reason": "", "detail": ""}
    match outcome:
        case Accepted():
            facts |= {"status": 202, "run": outcome.run_uid}
        case Acknowledged():
            facts |= {"status": 200, "reason": outcome.reason, "detail": outcome.detail}
        case Answered():
            facts |= {"status": 200, "reason": "handshake", "detail": outcome.reply.note, "outcome": "acknowledged"}
        case Refused():
            facts |= {"status": outcome.error.status, "reason": outcome.error.code, "detail": outcome.error.message}
        case Buffered():
            facts |= {"status": 202, "reason": "buffered", "detail": "It waits until the webhook is switched on."}
        case Repeated():
            facts |= {"status": 200, "run": outcome.run_uid}
    return {"outcome": type(outcome).__name__.lower(), **facts}
