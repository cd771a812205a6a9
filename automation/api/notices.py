"""/notices: who is told when runs fail, recover, are slow or ask somebody."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from automation.api import notice_examples as examples
from automation.api import notice_shape
from automation.api.bodies import NOTHING, Body
from automation.api.idempotent import REPLAYED, once
from automation.api.notice_shape import FIELDS, DeliveryShape, NoticeShape, SavedNoticeShape, TestShape
from automation.api.parameters import IDEMPOTENCY_KEY, read_parameters
from automation.models import DeliveryState, NoticeChannel, NoticeRule
from automation.services import notice_acts, notices
from automation.services.idempotency import Answer
from brainops.accounts.api.scope import ScopedViewSet
from brainops.accounts.policy import Permission
from brainops.core.api.json import JsonParser, MergePatchParser
from brainops.core.api.serializers import ClosedSerializer

NEW = Body(FIELDS, required=("name", "events", "channel"))
PATCH = Body(FIELDS)
SAVED = {200: SavedNoticeShape}
NOTICE_ID = OpenApiParameter("id", UUID, OpenApiParameter.PATH, description="The notice rule.")


class NoticeFilters(ClosedSerializer):
    """The query parameters of the list."""

    channel = serializers.ChoiceField(NoticeChannel.values, required=False)
    is_active = serializers.BooleanField(required=False, help_text="Only those that are switched on, or off.")


class DeliveryFilters(ClosedSerializer):
    """The query parameters of the list of deliveries."""

    state = serializers.ChoiceField(DeliveryState.values, required=False)


class MuteRequest(ClosedSerializer):
    """How long to be silent."""

    until = serializers.DateTimeField(allow_null=True, help_text="An instant ahead; null: speak again.")
    workflow_id = serializers.UUIDField(required=False, allow_null=True, help_text="About this workflow only.")


@extend_schema(tags=["Notices"])
class NoticeViewSet(ScopedViewSet):
    """The notice rules of the workspace, and what they sent."""

    queryset = NoticeRule.objects.all()
    serializer_class = NoticeShape
    parser_classes = (JsonParser, MergePatchParser)
    permissions = {
        **dict.fromkeys(("list", "retrieve", "deliveries"), Permission.NOTICES_READ),
        **dict.fromkeys(("create", "update", "partial_update", "destroy"), Permission.NOTICES_WRITE),
        **dict.fromkeys(("test", "mute", "rotate", "redeliver"), Permission.NOTICES_WRITE),
    }

    @extend_schema(summary="List notice rules", parameters=[NoticeFilters])
    def list(self, request: Request) -> Response:
        """The notice rules of the workspace, newest first."""
        rows = notices.find(self.caller).filter(**read_parameters(NoticeFilters, request))
        page = self.paginate_queryset(rows) or []
        return self.get_paginated_response([notice_shape.one(rule) for rule in page])

    @extend_schema(
        summary="Create a notice rule",
        request=NEW.media,
        responses={201: SavedNoticeShape},
        parameters=[IDEMPOTENCY_KEY],
        examples=[examples.REQUEST, examples.RULE],
    )
    def create(self, request: Request) -> Response:
        """Create a rule. The secret of a webhook stands in this answer and nowhere else, not even in a repeated one."""
        body = NEW.read(request)
        shown_once: dict[str, Any] = {}

        def work() -> Answer:
            saved = notices.create(self.caller, **body)
            shown_once.update({"secret": saved.secret} if saved.secret else {})
            address = f"{request.path.rstrip('/')}/{saved.rule.id}"
            return Answer(status.HTTP_201_CREATED, notice_shape.one(saved.rule), {"Location": address})

        answer = once(request, self.caller, work)
        extra = REPLAYED if answer.is_replay else {}
        return Response({**answer.body, **shown_once}, answer.status, headers={**answer.headers, **extra})

    @extend_schema(
        summary="Read a notice rule", parameters=[NOTICE_ID], responses={200: NoticeShape}, examples=[examples.RULE]
    )
    def retrieve(self, request: Request, id: UUID) -> Response:
        """One rule, and until when it is muted."""
        return Response(notice_shape.one(notices.get(self.caller, id)))

    @extend_schema(
        summary="Replace a notice rule",
        request=NEW.media,
        responses=SAVED,
        parameters=[NOTICE_ID],
        examples=[examples.REQUEST, examples.RULE],
    )
    def update(self, request: Request, id: UUID) -> Response:
        """Save all of a rule; what is left out gets its default."""
        body = NEW.checked(self._without_sent_back(request, id))
        return Response(notice_shape.saved(notices.replace(self.caller, id, **body)))

    @extend_schema(
        summary="Change a notice rule",
        request=PATCH.media,
        responses=SAVED,
        parameters=[NOTICE_ID],
        examples=[examples.CHANGE, examples.RULE],
    )
    def partial_update(self, request: Request, id: UUID) -> Response:
        """Change what is named; what belonged to another channel or scope goes with it."""
        body = PATCH.checked(self._without_sent_back(request, id))
        return Response(notice_shape.saved(notices.change(self.caller, id, body)))

    @extend_schema(
        summary="Delete a notice rule",
        parameters=[NOTICE_ID],
        responses={204: OpenApiResponse(description="It is gone.")},
    )
    def destroy(self, request: Request, id: UUID) -> Response:
        """Delete a rule with its deliveries."""
        notices.delete(self.caller, id)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(
        summary="Test a notice rule",
        request=NOTHING.media,
        parameters=[NOTICE_ID],
        responses=TestShape,
        examples=[examples.TESTED],
    )
    def test(self, request: Request, id: UUID) -> Response:
        """Send a notice that is marked as a test, once, to at most five receivers, and say what became of it."""
        NOTHING.read(request)
        request._request.may_wait = True  # type: ignore[attr-defined]  # a long answer is no slow one
        made = notice_acts.test(self.caller, id)
        is_sent = all(row.state == DeliveryState.SENT for row in made)
        return Response({"is_sent": is_sent, "deliveries": notice_shape.deliveries(made)})

    @extend_schema(
        summary="Mute a notice rule",
        request=MuteRequest,
        parameters=[NOTICE_ID],
        responses=NoticeShape,
        examples=[examples.MUTE, examples.MUTED],
    )
    def mute(self, request: Request, id: UUID) -> Response:
        """Silence a rule, or a rule about one workflow. What happens meanwhile is counted into the next notice."""
        given = MuteRequest(data=request.data)
        given.is_valid(raise_exception=True)
        return Response(notice_shape.one(notice_acts.mute(self.caller, id, **given.validated_data)))

    @extend_schema(
        summary="Rotate the secret",
        request=NOTHING.media,
        parameters=[NOTICE_ID],
        responses={200: SavedNoticeShape, 409: OpenApiResponse(description="no_secret: it is no webhook.")},
        examples=[examples.ROTATED],
    )
    def rotate(self, request: Request, id: UUID) -> Response:
        """Sign with a new secret from now on; it stands in this answer and nowhere else."""
        NOTHING.read(request)
        return Response(notice_shape.saved(notices.rotate(self.caller, id)))

    @extend_schema(
        summary="List the deliveries of a notice rule",
        parameters=[NOTICE_ID, DeliveryFilters],
        responses={200: DeliveryShape(many=True)},
    )
    def deliveries(self, request: Request, id: UUID) -> Response:
        """What the rule sent and has to send, newest first; kept for 30 days."""
        wanted = read_parameters(DeliveryFilters, request)
        page = self.paginate_queryset(notice_acts.deliveries(self.caller, id).filter(**wanted)) or []
        return self.get_paginated_response(notice_shape.deliveries(page))

    @extend_schema(
        summary="Send a delivery again",
        request=NOTHING.media,
        parameters=[NOTICE_ID, OpenApiParameter("delivery_id", UUID, OpenApiParameter.PATH)],
        responses={202: DeliveryShape, 409: OpenApiResponse(description="delivery_pending: it is under way.")},
        examples=[examples.DELIVERY],
    )
    def redeliver(self, request: Request, id: UUID, delivery_id: UUID) -> Response:
        """Send a delivery again under the same id, within about a second."""
        NOTHING.read(request)
        row = notice_acts.redeliver(self.caller, id, delivery_id)
        return Response(notice_shape.delivery(row), status.HTTP_202_ACCEPTED)

    def _without_sent_back(self, request: Request, id: UUID) -> Any:
        """A client may change what it read and send all of it back."""
        return notice_shape.without_sent_back(request.data, notice_shape.one(notices.get(self.caller, id)))
