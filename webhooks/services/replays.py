"""Replays: a stored delivery starts another run, or is rehearsed. Only what its sender had proven is ever run.

The new run sees what the first one saw, with `is_replay` and `replay_of` beside it; the delivery's own id stays.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any
from uuid import UUID

from django.db import transaction

from automation.engine.inputs import Inputs
from automation.engine.keep import KeptPaths
from automation.engine.limits import BULK
from automation.models import Run, RunMode
from automation.services import dry_runs, files, payloads, runs
from automation.services.dry_runs import SIMULATE, DryRun
from automation.services.dry_runs import Wanted as Rehearsal
from automation.services.retries import LATEST, SAME, Repeat
from automation.services.rights import require_on_workflow
from automation.services.runs import Kept, StartedRun
from brainops.accounts.caller import Caller
from brainops.accounts.policy import Permission
from brainops.accounts.scoping import get_scoped
from brainops.audit.services import record
from brainops.core.errors import Conflict
from webhooks.models import EventVerdict, WebhookEndpoint, WebhookEvent
from webhooks.services import rows
from webhooks.services.judging import given_by
from webhooks.services.outcomes import Genuine, Incoming
from webhooks.services.parts import FilePart, placed
from webhooks.services.readings import Reading
from webhooks.services.states import EndpointState, load
from webhooks.store.buffer import Waiting

SOURCE = "webhook_events"
HANDSHAKE = "handshake"

Json = Any


@dataclass(frozen=True, slots=True)
class Contents:
    """What a delivery says. `run` is the run that it started, with these inputs; None when there is none any more."""

    inputs: Json
    trigger: dict[str, Json]
    run: Run | None


def replay(
    caller: Caller,
    event: WebhookEvent,
    version: str = LATEST,
    *,
    mode: RunMode = RunMode.ASYNC,
    dedupe_key: str | None = None,
    queue: str | None = None,
) -> StartedRun:
    """Start a run of a delivery, with the version of its first run (SAME) or the newest one (LATEST).

    A delivery without a run of which the version could be told goes to the newest one. Raises PermissionDenied,
    Conflict (`event_not_verified`, `event_is_handshake`, `body_not_kept`, and those of a start) and InvalidInput for
    what that version does not take.
    """
    endpoint = event.endpoint
    workflow_id = endpoint.trigger.workflow_id
    require_on_workflow(caller, Permission.WEBHOOKS_REPLAY, workflow_id)
    refuse_unfit(event)
    state = load(endpoint.id)

    def keep(part: FilePart) -> Json:
        return files.keep(endpoint.workspace_id, part.name, part.content_type, part.data)

    with transaction.atomic():
        found = contents_of(state, event, keep)
        is_same = version == SAME and found.run is not None
        started = runs.start(
            workflow_id,
            workspace_id=endpoint.workspace_id,
            inputs=found.inputs if is_same else inputs_of(state.inputs, state, found.trigger),
            trigger={**found.trigger, "is_replay": True, "replay_of": str(event.id)},
            trigger_id=endpoint.trigger_id,
            created_by_id=caller.user_id,
            mode=RunMode.TEST if event.is_test else mode,
            version=found.run.version.number if is_same and found.run else None,
            dedupe_key=dedupe_key,
            kept=Kept(found.run.id, KeptPaths()) if found.run else None,
            queue=queue,
        )
        _record(caller, endpoint, f"Replayed delivery {event.delivery_id or event.id} as run {started.uid}.")
    return started


def repeat_event(caller: Caller, event_id: UUID, repeat: Repeat, dedupe_key: str) -> StartedRun:
    """One delivery of a replay of many (see `automation.services.replay_sources`). Raises NotFound, too."""
    related = WebhookEvent.objects.select_related("endpoint__trigger")
    event = get_scoped(related, caller, event_id)
    return replay(caller, event, repeat.version, dedupe_key=dedupe_key, queue=BULK)


def rehearse(
    caller: Caller,
    event: WebhookEvent,
    *,
    definition: Json = None,
    version: str | None = None,
    reads: str = SIMULATE,
    is_recorded: bool = True,
) -> DryRun:
    """What a draft (`definition`), a version or the newest one would do with a delivery. Starts nothing.

    Raises as `replay` does, and InvalidInput for the draft.
    """
    endpoint = event.endpoint
    workflow_id = endpoint.trigger.workflow_id
    require_on_workflow(caller, Permission.WEBHOOKS_REPLAY, workflow_id)
    refuse_unfit(event)
    state = load(endpoint.id)
    found = contents_of(state, event, FilePart.outline)
    inputs = inputs_of(_declared(definition, state), state, found.trigger)
    wanted = Rehearsal(inputs=inputs, trigger=found.trigger, reads=reads, version=version, definition=definition)
    plan = dry_runs.dry_run if is_recorded else dry_runs.rehearsed
    return plan(caller, workflow_id, wanted)


def unfit_code(event: WebhookEvent, *, kept_bytes: int) -> str:
    """The code with which an event of which so much is kept would be refused; empty for one that can be replayed."""
    if event.reason == HANDSHAKE:
        return "event_is_handshake"
    if event.verdict == EventVerdict.REJECTED and not event.is_verified:
        return "event_not_verified"
    if event.verdict == EventVerdict.BUFFERED:
        return "event_waits"
    return "body_not_kept" if kept_bytes < event.size_bytes else ""


def refuse_unfit(event: WebhookEvent) -> None:
    """Raise Conflict unless the event is a delivery that was proven, is kept whole, and does not wait."""
    code = unfit_code(event, kept_bytes=len(event.body))
    if not code:
        return
    why = {
        "event_is_handshake": "A handshake starts no run, so there is nothing to replay.",
        "event_not_verified": f"This request was refused ({event.reason}) before its sender had proven itself, so it "
        "is never run. Repair what the reason says and have the sender deliver it again.",
        "event_waits": "This delivery waits and starts its own run once the webhook and its workflow are switched on.",
        "body_not_kept": f"Only {len(event.body):,} of {event.size_bytes:,} bytes of this delivery were kept. "
        "Have it sent again.",
    }
    raise Conflict(why[code], code=code)


def contents_of(state: EndpointState, event: WebhookEvent, keep: Callable[[FilePart], Json]) -> Contents:
    """What the run of a delivery was started with; read from the delivery where there is no run any more.

    `keep` says what stands in the place of a file that came with it. Raises Conflict for a payload that is broken, and
    what reading a body raises.
    """
    run = _run_of(event)
    if run is not None:
        whole = payloads.whole_input(run)
        return Contents(whole.get("inputs"), whole.get("trigger") or {}, run)
    headers, raw = {**event.headers, "content-type": event.content_type}, bytes(event.body)
    reading = Reading(Incoming(headers, raw, len(raw)), state.scheme, most=state.max_body_bytes)
    body, path = placed(reading.body(), keep), state.front.path_of(event.path) or {}
    genuine = Genuine(event.delivery_id, event.event_type, body, {}, path, reading.text())
    return Contents(None, rows.trigger_scope(rows.stored_event(_as_waiting(event)), genuine, event.received_at), None)


def _run_of(event: WebhookEvent) -> Run | None:
    if event.run_uid is None:
        return None
    known = Run.objects.select_related("data", "version").filter(workspace_id=event.workspace_id)
    return known.filter(uid=event.run_uid).first()


def inputs_of(inputs: Inputs, state: EndpointState, trigger: Mapping[str, Json]) -> dict[str, Json]:
    """The inputs that a version gets of a delivery: what this gives where it declares any, and what is fixed."""
    path, query = trigger.get("path") or {}, trigger.get("query") or {}
    given = given_by(replace(state, takes_body_as_inputs=bool(inputs.names)), trigger.get("body"), path, query)
    fields = given if inputs.names and isinstance(given, dict) else {}
    return {**fields, **state.fixed_inputs}


def _declared(definition: Json, state: EndpointState) -> Inputs:
    if definition is None:
        return state.inputs
    schema = definition.get("inputs") if isinstance(definition, Mapping) else None
    return Inputs(schema if isinstance(schema, Mapping) else {})


def _as_waiting(event: WebhookEvent) -> Waiting:
    names = [field.name for field in fields(Waiting)]
    return Waiting(**{name: getattr(event, name) for name in names})


def _record(caller: Caller, endpoint: WebhookEndpoint, summary: str) -> None:
    record(
        actor=caller,
        workspace_id=endpoint.workspace_id,
        action="webhook.replay",
        target_kind="webhook",
        target_id=endpoint.id,
        summary=summary,
    )
