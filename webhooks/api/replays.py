"""/webhooks/{id}/replay and beside it: deliveries run again or rehearsed, one, several, or all that a filter finds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from automation.api import dry_runs
from automation.api.bodies import Body
from automation.api.dry_runs import DryRunShape
from automation.api.idempotent import REPLAYED, once
from automation.api.parameters import IDEMPOTENCY_KEY, WAIT, read_wait_seconds
from automation.api.replay_shape import ReplayShape, show
from automation.api.replays import read_filter, read_uids
from automation.api.run_schema import AcceptedRun
from automation.api.starting import start_and_answer
from automation.models import RunMode
from automation.services.dry_runs import PERFORM, SIMULATE
from automation.services.idempotency import Answer
from automation.services.replays import DEFAULT_PER_MINUTE, MOST_PER_MINUTE
from automation.services.retries import LATEST, SAME
from automation.services.version_numbers import NUMBER_PATTERN
from automation.services.workflow_drafts import FIELDS
from brainops.accounts.api.scope import ScopedViewSet
from brainops.accounts.policy import Permission
from brainops.core.errors import InvalidInput, Problem
from webhooks.api.events import EventFilters, as_wanted
from webhooks.models import WebhookEvent
from webhooks.services import curl, endpoints, event_selection, events, replays
from webhooks.services.event_selection import Chosen, Preview, Rehearsed

WEBHOOK_ID = OpenApiParameter("webhook_id", UUID, OpenApiParameter.PATH)
EVENT_ID = OpenApiParameter("event_id", UUID, OpenApiParameter.PATH)
UUID_TEXT = {"type": "string", "format": "uuid", "maxLength": 36}
MOMENT = {"type": "string", "format": "date-time", "maxLength": 40}
VERSION = {
    "enum": [LATEST, SAME],
    "default": LATEST,
    "description": "The newest version, or the one that the delivery's first run ran.",
}
WHICH: dict[str, Any] = {
    "events": {"type": "array", "items": UUID_TEXT, "minItems": 1, "maxItems": 100_000, "uniqueItems": True},
    "filter": {
        "type": "object",
        "additionalProperties": False,
        "description": "Deliveries whose sender had proven itself and that fit all of this.",
        "properties": {
            "verdict": {"enum": ["accepted", "rejected", "acknowledged"]},
            "event_type": {"type": "string", "maxLength": 100},
            "reason": {"type": "string", "maxLength": 100},
            "search": {"type": "string", "maxLength": 200},
            "is_test": {"type": "boolean"},
            "since": MOMENT,
            "until": MOMENT,
        },
    },
}
REHEARSAL: dict[str, Any] = {
    "definition": {"description": f"An unsaved document instead of a version. {FIELDS['definition']['description']}"},
    "version": {
        "type": "string",
        "pattern": NUMBER_PATTERN,
        "x-hint": 'a version number such as "1.4.2"',
        "description": "This version instead of the newest one.",
    },
    "reads": {
        "enum": [SIMULATE, PERFORM],
        "default": SIMULATE,
        "description": "Whether steps that only read are really asked. Writes never are.",
    },
}
PER_MINUTE = {
    "type": "integer",
    "minimum": 1,
    "maximum": MOST_PER_MINUTE,
    "default": DEFAULT_PER_MINUTE,
    "description": "How many runs are started a minute.",
}
ONE, MANY = Body({"version": VERSION}), Body({**WHICH, "version": VERSION, "per_minute": PER_MINUTE})
COUNTED, REHEARSE_ONE, REHEARSE_MANY = Body(WHICH), Body(REHEARSAL), Body({**WHICH, **REHEARSAL})


class CurlShape(serializers.Serializer[Any]):
    """A delivery as a command."""

    command = serializers.CharField()
    notes = serializers.ListField(child=serializers.CharField(), help_text="What to know before sending it.")


class EventReplayPreview(serializers.Serializer[Any]):
    """What a replay would start."""

    deliveries = serializers.IntegerField()
    replayable = serializers.IntegerField()
    refused = serializers.DictField(child=serializers.IntegerField(), help_text="The others, by code.")


class RehearsedShape(serializers.Serializer[Any]):
    """What would happen with one delivery."""

    event_id = serializers.UUIDField()
    event_type = serializers.CharField()
    received_at = serializers.DateTimeField()
    was = serializers.CharField(allow_null=True, help_text="How the run of this delivery stands; null without one.")
    status = serializers.CharField(allow_null=True, help_text="How the run would end; null when there is no plan.")
    effect_counts = serializers.DictField(child=serializers.IntegerField())
    unresolved = serializers.IntegerField(help_text="How many things were missing; the rehearsal of one names them.")
    error = serializers.JSONField(allow_null=True)


class RehearsalShape(serializers.Serializer[Any]):
    """What would happen with several deliveries."""

    deliveries = serializers.IntegerField()
    statuses = serializers.DictField(child=serializers.IntegerField(), help_text="Plans by how the run would end.")
    effect_counts = serializers.DictField(child=serializers.IntegerField())
    results = RehearsedShape(many=True)


@extend_schema(tags=["Webhooks"])
class EventReplayViewSet(ScopedViewSet):
    """Deliveries of one endpoint, again."""

    queryset = WebhookEvent.objects.all()
    serializer_class = ReplayShape
    creator_may = True
    permissions = {
        "curl": Permission.WEBHOOKS_READ,
        "replay": Permission.WEBHOOKS_REPLAY,
        "replay_many": Permission.WEBHOOKS_REPLAY,
        "preview": Permission.WEBHOOKS_REPLAY,
        "dry_run": Permission.WEBHOOKS_REPLAY,
        "dry_run_many": Permission.WEBHOOKS_REPLAY,
    }
    rate_kinds = {"replay": "starts", "replay_many": "starts", "dry_run": "starts", "dry_run_many": "starts"}

    @extend_schema(
        summary="Show a delivery as a command of curl", parameters=[WEBHOOK_ID, EVENT_ID], responses={200: CurlShape}
    )
    def curl(self, request: Request, webhook_id: UUID, event_id: UUID) -> Response:
        """The delivery as a command to send it by hand; masked proofs stand in it as variables of the shell."""
        event = self._event(webhook_id, event_id)
        return Response({"command": curl.command(event), "notes": curl.notes(event)})

    @extend_schema(
        summary="Replay a delivery",
        parameters=[WEBHOOK_ID, EVENT_ID, WAIT, IDEMPOTENCY_KEY],
        request=ONE.media,
        responses={
            202: AcceptedRun,
            409: OpenApiResponse(description="event_not_verified, event_is_handshake, body_not_kept."),
        },
    )
    def replay(self, request: Request, webhook_id: UUID, event_id: UUID) -> Response:
        """Start a run of a stored delivery. It sees `trigger.is_replay` and `trigger.replay_of`."""
        body, event = ONE.read(request), self._event(webhook_id, event_id)
        wait_seconds = read_wait_seconds(request)
        mode = RunMode.SYNC if wait_seconds else RunMode.ASYNC

        def start() -> Any:
            return replays.replay(self.caller, event, body.get("version", LATEST), mode=mode)

        return start_and_answer(request, self.caller, start, wait_seconds=wait_seconds)

    @extend_schema(
        summary="Rehearse a delivery",
        parameters=[WEBHOOK_ID, EVENT_ID],
        request=REHEARSE_ONE.media,
        responses={200: DryRunShape},
    )
    def dry_run(self, request: Request, webhook_id: UUID, event_id: UUID) -> Response:
        """What a draft, a version or the newest one would do with a stored delivery. Starts nothing."""
        body, event = REHEARSE_ONE.read(request), self._event(webhook_id, event_id)
        return Response(dry_runs.shown(replays.rehearse(self.caller, event, **body)))

    @extend_schema(
        summary="Replay many deliveries",
        parameters=[WEBHOOK_ID, IDEMPOTENCY_KEY],
        request=MANY.media,
        responses={202: ReplayShape},
        examples=[
            OpenApiExample(
                "What was refused over the weekend",
                {"filter": {"reason": "workflow_inactive", "since": "2026-11-21T00:00:00Z"}, "per_minute": 60},
                request_only=True,
            )
        ],
    )
    def replay_many(self, request: Request, webhook_id: UUID) -> Response:
        """Start runs of stored deliveries at a bounded pace; `GET /replays/{id}` tells how far it is."""
        body = MANY.read(request)
        endpoint, chosen = endpoints.get(self.caller, webhook_id), read_chosen(body)
        how = {"version": body.get("version", LATEST), "per_minute": body.get("per_minute", DEFAULT_PER_MINUTE)}

        def work() -> Answer:
            shown = show(event_selection.order(self.caller, endpoint, chosen, **how))
            return Answer(status.HTTP_202_ACCEPTED, shown, {"Location": shown["url"]})

        answer = once(request, self.caller, work)
        extra = REPLAYED if answer.is_replay else {}
        return Response(answer.body, answer.status, headers={**answer.headers, **extra})

    @extend_schema(
        summary="Preview a replay of deliveries",
        parameters=[WEBHOOK_ID],
        request=COUNTED.media,
        responses={200: EventReplayPreview},
    )
    def preview(self, request: Request, webhook_id: UUID) -> Response:
        """How many deliveries a replay would run, and why it would not run the others. Nothing is started."""
        chosen = read_chosen(COUNTED.read(request))
        found = event_selection.preview(self.caller, endpoints.get(self.caller, webhook_id), chosen)
        return Response(_shown_preview(found))

    @extend_schema(
        summary="Rehearse many deliveries",
        parameters=[WEBHOOK_ID],
        request=REHEARSE_MANY.media,
        responses={200: RehearsalShape},
    )
    def dry_run_many(self, request: Request, webhook_id: UUID) -> Response:
        """What a draft would have done with what really came: the newest 50 of the choice. Starts nothing."""
        body = REHEARSE_MANY.read(request)
        chosen, how = read_chosen(body), {name: body[name] for name in REHEARSAL if name in body}
        done = event_selection.rehearse(self.caller, endpoints.get(self.caller, webhook_id), chosen, **how)
        return Response(_shown_rehearsal(done))

    def _event(self, webhook_id: UUID, event_id: UUID) -> WebhookEvent:
        endpoint = endpoints.get(self.caller, webhook_id)
        event = events.get(endpoint, event_id)
        event.endpoint = endpoint
        return event


def read_chosen(body: Mapping[str, Any]) -> Chosen:
    """Which deliveries a body means. Raises InvalidInput."""
    if ("events" in body) == ("filter" in body):
        said = "Say which deliveries: either `events` (ids) or `filter`."
        raise InvalidInput(said, problems=[Problem("which_events", said, "")])
    if "events" in body:
        return Chosen(events=read_uids(body["events"], place="events", what="an event"))
    return Chosen(wanted=as_wanted(read_filter(EventFilters, body["filter"])))


def _shown_preview(found: Preview) -> dict[str, Any]:
    return {"deliveries": found.deliveries, "replayable": found.replayable, "refused": found.refused}


def _shown_rehearsal(done: list[Rehearsed]) -> dict[str, Any]:
    statuses: dict[str, int] = {}
    effects: dict[str, int] = {}
    for one in done:
        word = one.plan.report["status"] if one.plan else "refused"
        statuses[word] = statuses.get(word, 0) + 1
        for effect, count in (one.plan.effect_counts if one.plan else {}).items():
            effects[effect] = effects.get(effect, 0) + count
    results = [_shown_one(one) for one in done]
    return {"deliveries": len(done), "statuses": statuses, "effect_counts": effects, "results": results}


def _shown_one(one: Rehearsed) -> dict[str, Any]:
    return {
        "event_id": one.event.id,
        "event_type": one.event.event_type,
        "received_at": one.event.received_at,
        "was": one.was,
        "status": one.plan.report["status"] if one.plan else None,
        "effect_counts": one.plan.effect_counts if one.plan else {},
        "unresolved": len(one.plan.report["unresolved"]) if one.plan else 0,
        "error": one.error or (one.plan.report["error"] if one.plan else None),
    }
