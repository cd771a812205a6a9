"""/events: what happened in the workspace, as CloudEvents 1.0. Send some, look them up, see where they went."""

from __future__ import annotations

import hashlib
from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from automation.api.cloud_event_bodies import BATCH, STRUCTURED, read_events
from automation.api.idempotent import REPLAYED, once
from automation.api.parameters import IDEMPOTENCY_KEY, read_parameters
from automation.engine.cloud_events import CloudEvent
from automation.models import Event
from automation.services import events
from automation.services.events import MOST_AT_ONCE
from automation.services.idempotency import Answer
from brainops.accounts.api.scope import ScopedViewSet
from brainops.accounts.policy import Permission
from brainops.core.api.serializers import ClosedSerializer

DUPLICATE = {"Brainops-Duplicate": "true"}
EVENT_EXAMPLE = {
    "specversion": "1.0",
    "id": "A234-1234-1234",
    "source": "https://shop.example.com/orders",
    "type": "order.paid",
    "subject": "4711",
    "time": "2026-11-23T17:31:00Z",
    "datacontenttype": "application/json",
    "data": {"order_id": 4711, "total": 129.9},
}
_STRUCTURED_SCHEMA = {
    "type": "object",
    "required": ["specversion", "id", "source", "type"],
    "description": "An event as CloudEvents 1.0 writes it in JSON; extension attributes stand beside the others.",
    "properties": {
        "specversion": {"const": "1.0"},
        "id": {"type": "string", "minLength": 1, "maxLength": 255},
        "source": {"type": "string", "format": "uri-reference", "minLength": 1, "maxLength": 1000},
        "type": {"type": "string", "minLength": 1, "maxLength": 200},
        "subject": {"type": "string", "minLength": 1, "maxLength": 500},
        "time": {"type": "string", "format": "date-time"},
        "datacontenttype": {"type": "string", "minLength": 1, "maxLength": 200},
        "dataschema": {"type": "string", "format": "uri", "maxLength": 1000},
        "data": {"description": "Any JSON."},
        "data_base64": {"type": "string", "contentEncoding": "base64"},
    },
    "additionalProperties": {"type": ["string", "boolean", "integer"]},
}
_REQUEST = {
    STRUCTURED: _STRUCTURED_SCHEMA,
    BATCH: {"type": "array", "items": _STRUCTURED_SCHEMA, "maxItems": MOST_AT_ONCE},
}


class EventShape(serializers.Serializer[Any]):
    """An event of the workspace."""

    id = serializers.UUIDField(help_text="Its id here; `event.id` is the one that its source gave it.")
    name = serializers.CharField(help_text="Its type.")
    payload = serializers.JSONField(allow_null=True, help_text="Its data; Base64 text where that is bytes.")
    event = serializers.DictField(help_text="All of it, as CloudEvents 1.0 writes it in JSON.")
    run_id = serializers.UUIDField(
        allow_null=True, help_text="The run that emitted it or that it is about; null when there is none any more."
    )
    path = serializers.CharField(help_text="The step that emitted it.")
    sent_by = serializers.CharField(help_text="`user:` or `key:` and the id of who sent it; empty for others.")
    hops = serializers.IntegerField(help_text="How many events led to it: 0 for one from outside.")
    created_at = serializers.DateTimeField()


class ChainShape(serializers.Serializer[Any]):
    """An event that led to another one."""

    id = serializers.UUIDField()
    type = serializers.CharField()
    run_id = serializers.UUIDField(allow_null=True, help_text="The run that emitted it.")


# What became of an event at its listeners; each says more in words of its own.
_WENT: dict[str, Any] = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["listener", "id", "state"],
        "additionalProperties": True,
        "properties": {
            "listener": {"type": "string", "description": "`trigger`, or another room that listens."},
            "id": {"type": "string", "format": "uuid", "description": "The delivery."},
            "state": {"type": "string"},
        },
    },
}


class EventDetailShape(EventShape):
    """An event, what led to it, and where it went."""

    chain = ChainShape(many=True, help_text="The events that led to it, the first one first.")
    deliveries = serializers.SerializerMethodField(help_text="Where it went.")

    @extend_schema_field(_WENT)
    def get_deliveries(self, row: Any) -> Any:
        """Shown as the listeners say it; here for its description."""
        return row["deliveries"]


class EventFilters(ClosedSerializer):
    """The query parameters of the list."""

    type = serializers.CharField(
        required=False, max_length=201, help_text="Only events of this type; `order.*` means all that begin like it."
    )
    name = serializers.CharField(required=False, max_length=201, help_text="The same as `type`.")
    # the parameter has the name of a property of serializers; DRF takes declared fields out of the class
    source = serializers.CharField(  # type: ignore[assignment]  # DRF takes it out of the class
        required=False, max_length=1001, help_text="Only of this source; `…*` as above."
    )
    subject = serializers.CharField(required=False, max_length=501, help_text="Only of this subject; `…*` as above.")
    since = serializers.DateTimeField(required=False, help_text="Only events from this instant on.")
    until = serializers.DateTimeField(required=False, help_text="Only events before this instant.")


_STORED = {
    "id": "0199a6f2-6a55-7d20-8f0e-5d4f3b1c2a10",
    "name": "order.paid",
    "payload": EVENT_EXAMPLE["data"],
    "event": EVENT_EXAMPLE,
    "run_id": None,
    "path": "",
    "sent_by": "key:0199a6f2-0000-7d20-8f0e-5d4f3b1c2a10",
    "hops": 0,
    "created_at": "2026-11-23T17:31:00.120Z",
}
_ONE = {"$ref": "#/components/schemas/EventShape"}
_TAKEN = {"oneOf": [_ONE, {"type": "array", "items": _ONE}]}
_SENT = OpenApiExample("An order was paid", EVENT_EXAMPLE, request_only=True, media_type=STRUCTURED)
_SENT_TOGETHER = OpenApiExample("Several", [EVENT_EXAMPLE], request_only=True, media_type=BATCH)
_ANSWERED = OpenApiExample("It stands", _STORED, response_only=True, status_codes=["201"])


@extend_schema(tags=["Events"])
class EventViewSet(ScopedViewSet):
    """What happened in the workspace: said by runs, sent by programs, noted by BrainOps itself."""

    queryset = Event.objects.select_related("run")
    serializer_class = EventShape
    permissions = {
        "list": Permission.EVENTS_READ,
        "retrieve": Permission.EVENTS_READ,
        "create": Permission.EVENTS_WRITE,
    }

    @extend_schema(summary="List events", parameters=[EventFilters])
    def list(self, request: Request) -> Response:
        """The events of the workspace, newest first."""
        said = read_parameters(EventFilters, request)
        if "type" in said:
            said["name"] = said.pop("type")
        rows = self.paginate_queryset(events.find(self.caller, **said)) or []
        return self.get_paginated_response([_shown(row) for row in rows])

    @extend_schema(summary="Read an event", responses=EventDetailShape)
    def retrieve(self, request: Request, id: UUID) -> Response:
        """One event, the events that led to it, and where it went."""
        row = events.get(self.caller, id)
        return Response({**_shown(row), "chain": events.chain_of(row), "deliveries": events.where_it_went(row)})

    @extend_schema(
        summary="Send events",
        parameters=[IDEMPOTENCY_KEY],
        request=_REQUEST,
        responses={
            201: OpenApiResponse(_TAKEN, "It stands, and listeners are told of it; of a batch, a list."),
            200: OpenApiResponse(_TAKEN, "It stood already: this is the first one, with Brainops-Duplicate."),
            413: OpenApiResponse(description="The data is larger than BRAINOPS_LIMIT_STATE_BYTES."),
        },
        examples=[_SENT, _SENT_TOGETHER, _ANSWERED],
    )
    def create(self, request: Request) -> Response:
        """Send an event: structured, several as a batch, or in binary mode with `ce-` headers and any body.

        An event with the source and the id of an earlier one is that one: nothing happens again. A batch is taken as a
        whole or not at all. Types that begin with `brainops.` are of what BrainOps itself says.
        """
        said, is_batch = read_events(request)

        def work() -> Answer:
            taken = events.send(self.caller, said, is_batch=is_batch)
            code = status.HTTP_201_CREATED if any(one.is_new for one in taken) else status.HTTP_200_OK
            may_read = self.caller.may(Permission.EVENTS_READ)
            pairs = zip(taken, said, strict=True)
            shown = [_shown(one.row) if may_read else _echoed(one.row, event) for one, event in pairs]
            if is_batch:
                return Answer(code, shown, {})
            address = {"Location": f"{request.path.rstrip('/')}/{taken[0].row.id}"}
            return Answer(code, shown[0], address | ({} if taken[0].is_new else DUPLICATE))

        sums = [hashlib.sha256(repr(one).encode()).hexdigest() for one in said]
        answer = once(request, self.caller, work, said=["batch" if is_batch else "event", *sums])
        extra = REPLAYED if answer.is_replay else {}
        return Response(answer.body, answer.status, headers={**answer.headers, **extra})


def _echoed(row: Event, said: CloudEvent) -> dict[str, Any]:
    """For a key that may only send: what it said, never what somebody else had said under the same name."""
    kept = {"id": row.id, "run_id": None, "path": "", "sent_by": "", "hops": 0, "created_at": row.created_at}
    return {**kept, "name": said.type, "payload": said.data, "event": said.structured}


def _shown(row: Event) -> dict[str, Any]:
    return {
        "id": row.id,
        "name": row.name,
        "payload": row.payload,
        "event": events.said_by(row).structured,
        "run_id": row.run.uid if row.run else None,
        "path": row.path,
        "sent_by": row.sent_by,
        "hops": row.hops,
        "created_at": row.created_at,
    }
