"""Many deliveries of one endpoint: those named, or those a filter finds, to be replayed at a pace or rehearsed."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Q, QuerySet
from django.db.models.functions import Length

from automation.engine.status import RunStatus
from automation.models import Replay, Run
from automation.services import replays as orders
from automation.services.dry_runs import SIMULATE, DryRun
from automation.services.retries import LATEST, START, Repeat
from automation.services.rights import require_on_workflow
from brainops.accounts.caller import Caller
from brainops.accounts.policy import Permission
from brainops.audit.services import record
from brainops.core.errors import AppError, Conflict, InvalidInput, Problem
from webhooks.models import EventVerdict, WebhookEndpoint, WebhookEvent
from webhooks.services import events, replays
from webhooks.services.events import Wanted

MOST_REHEARSED = 50  # deliveries of one request
OUT_OF_TIME = {
    "code": "out_of_time",
    "message": "The others took all the time there is for one request. Choose fewer deliveries.",
    "problems": [],
}

Json = Any


@dataclass(frozen=True, slots=True)
class Chosen:
    """The deliveries meant: ids, or what the list of events takes as filters. Exactly one of both is given."""

    events: Sequence[UUID] | None = None
    wanted: Wanted = field(default_factory=Wanted)


@dataclass(frozen=True, slots=True)
class Preview:
    """What a replay would do: of `deliveries`, `replayable` start a run; `refused` counts the others by code."""

    deliveries: int
    replayable: int
    refused: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """One delivery of a rehearsal. `was` is how its run ended, None without one; `error` says why there is no plan."""

    event: WebhookEvent
    was: str | None
    plan: DryRun | None
    error: Mapping[str, Json] | None = None


def preview(caller: Caller, endpoint: WebhookEndpoint, chosen: Chosen) -> Preview:
    """Count what a replay would start. Raises as `order` does."""
    _require(caller, endpoint)
    found = list(_selected(endpoint, chosen, most=_most()))
    refused = Counter(code for event in found if (code := _refusal_of(event)))
    return Preview(len(found), len(found) - sum(refused.values()), dict(refused))


def order(
    caller: Caller, endpoint: WebhookEndpoint, chosen: Chosen, *, version: str = LATEST, per_minute: int
) -> Replay:
    """Order a replay; nothing is started yet. A filter finds what can be replayed, named ones are each answered for.

    Raises PermissionDenied, InvalidInput (`unknown_event`, `no_events`, `too_many_events`).
    """
    _require(caller, endpoint)
    found = _selected(endpoint, chosen, most=_most())
    ids = [event.id for event in found if chosen.events is not None or not _refusal_of(event)]
    if not ids:
        raise _refused("None of these events can be replayed; the preview says why.", "no_events")
    return orders.start_of(caller, replays.SOURCE, ids, Repeat(START, version), per_minute=per_minute)


def rehearse(
    caller: Caller,
    endpoint: WebhookEndpoint,
    chosen: Chosen,
    *,
    definition: Json = None,
    version: str | None = None,
    reads: str = SIMULATE,
) -> list[Rehearsed]:
    """Rehearse deliveries, the newest first, MOST_REHEARSED at most: a draft against what really came.

    All together take about as long as one dry run may; those for which no time is left say so.
    Raises PermissionDenied, InvalidInput as `order` does and for the draft.
    """
    _require(caller, endpoint)
    found = list(reversed(_selected(endpoint, chosen, most=MOST_REHEARSED, newest=True)))
    was = _endings(found)
    ends_at = time.monotonic() + settings.BRAINOPS_LIMITS["dry_run_seconds"]
    done: list[Rehearsed] = []
    for event in found:
        if done and time.monotonic() > ends_at:  # a read that is really made may take its time
            done.append(Rehearsed(event, was.get(event.run_uid), None, OUT_OF_TIME))
        else:
            done.append(_rehearsed(caller, event, was.get(event.run_uid), definition, version, reads))
    record(
        actor=caller,
        workspace_id=endpoint.workspace_id,
        action="webhook.dry_run",
        target_kind="webhook",
        target_id=endpoint.id,
        summary=f"Rehearsed {len(done)} deliveries of the webhook.",
    )
    return done


def _rehearsed(
    caller: Caller, event: WebhookEvent, was: str | None, definition: Json, version: str | None, reads: str
) -> Rehearsed:
    given = {"definition": definition, "version": version, "reads": reads}
    try:
        return Rehearsed(event, was, replays.rehearse(caller, event, **given, is_recorded=False))
    except (Conflict, InvalidInput) as refusal:
        if _is_about_the_draft(refusal):
            raise
        return Rehearsed(event, was, None, _said(refusal))


def _is_about_the_draft(refusal: AppError) -> bool:
    """Wrong for every delivery alike."""
    about = ("/definition", "/version")
    return any(str(problem.pointer).startswith(about) for problem in refusal.problems)


def _said(refusal: AppError) -> dict[str, Json]:
    problems = [{"code": one.code, "message": one.message, "pointer": one.pointer} for one in refusal.problems]
    return {"code": refusal.code, "message": refusal.message, "problems": problems}


def _endings(found: Sequence[WebhookEvent]) -> dict[UUID | None, str]:
    uids = [event.run_uid for event in found if event.run_uid]
    return {
        uid: RunStatus(status).word for uid, status in Run.objects.filter(uid__in=uids).values_list("uid", "status")
    }


def _selected(endpoint: WebhookEndpoint, chosen: Chosen, *, most: int, newest: bool = False) -> Sequence[WebhookEvent]:
    """The events, oldest first. Raises InvalidInput for unknown ones, none or too many.

    With `newest` a filter takes the newest `most` of what it finds.
    """
    rows = _named(endpoint, chosen.events) if chosen.events is not None else _found(endpoint, chosen.wanted)
    rows = rows.select_related("endpoint__trigger").annotate(kept_bytes=Length("body"))
    if newest:
        return list(reversed(rows.order_by("-received_at", "-id")[:most])) or _nothing()
    found = list(rows.order_by("received_at", "id").defer("body", "headers", "query")[: most + 1])
    if len(found) > most:
        raise _refused(f"More than {most} events fit. Narrow the filter, or replay them in parts.", "too_many_events")
    return found or _nothing()


def _nothing() -> Sequence[WebhookEvent]:
    raise _refused("No event fits. Widen the filter.", "no_events")


def _named(endpoint: WebhookEndpoint, ids: Sequence[UUID]) -> QuerySet[WebhookEvent]:
    rows = WebhookEvent.objects.filter(endpoint=endpoint, id__in=ids)
    known = set(rows.values_list("id", flat=True))
    said = "This webhook has no such event."
    missing = [place for place, id_ in enumerate(ids) if id_ not in known]
    if missing:
        raise InvalidInput.from_problems(Problem("unknown_event", said, f"/events/{place}") for place in missing[:100])
    return rows


def _found(endpoint: WebhookEndpoint, wanted: Wanted) -> QuerySet[WebhookEvent]:
    """What fits the filter and was ever proven: what strangers sent is not meant by "all of yesterday".

    Neither is what was passed over on purpose (a ping, a condition that did not hold), unless it is asked for.
    """
    proven = Q(is_verified=True) | Q(verdict=EventVerdict.ACCEPTED)
    found = events.find(endpoint, wanted).filter(proven).exclude(reason=replays.HANDSHAKE)
    return found if wanted.verdict is not None else found.exclude(verdict=EventVerdict.ACKNOWLEDGED)


def _refusal_of(event: Any) -> str:
    """The code with which one would be refused, empty when it would not."""
    return replays.unfit_code(event, kept_bytes=event.kept_bytes)


def _require(caller: Caller, endpoint: WebhookEndpoint) -> None:
    require_on_workflow(caller, Permission.WEBHOOKS_REPLAY, endpoint.trigger.workflow_id)


def _most() -> int:
    return int(settings.BRAINOPS_LIMITS["replay_runs"])


def _refused(said: str, code: str) -> InvalidInput:
    return InvalidInput(said, code=code, problems=[Problem(code, said, "/filter")])
