"""One of everything that an address can name, in one workspace."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.utils import timezone

from automation.engine.status import RunStatus, StepStatus
from automation.models import (
    Approval,
    Arrival,
    Event,
    EventDelivery,
    NoticeDelivery,
    NoticeRule,
    Payload,
    Replay,
    Secret,
    StateValue,
    StepRun,
    Transfer,
    TransferChunk,
    Trigger,
    Variable,
    Workflow,
    WorkflowVersion,
)
from automation.models.transfer import Direction, TransferState
from automation.services import files
from automation.tests.admin.conftest import make_run
from automation.tests.approvals.rows import ask
from automation.tests.triggers.rows import make_schedule, make_workflow
from brainops.accounts.models import Invitation, LoginSession, Membership, Role, User, Workspace
from brainops.accounts.services import api_keys
from brainops.audit.actor import Actor
from brainops.audit.models import AuditEntry
from brainops.audit.services import record
from webhooks.models import EventVerdict, OutboundDelivery, Subscription, TestDelivery, WebhookEvent
from webhooks.tests import make as webhook_rows

TESTS = Actor.system("tests")


@dataclass
class Things:
    """The home of a person, and what was made there so far, by the place in the address that names it."""

    home: Workspace
    person: User
    made: dict[str, Any] = field(default_factory=dict)

    def named_by(self, place: str) -> str:
        """What stands in the address at a place. Raises KeyError that says where to add a maker."""
        if place not in MAKERS:
            raise KeyError(f"Nobody says what {place!r} names: add a maker in tests/security/things.py.")
        return str(MAKERS[place](self))

    def one(self, name: str, make: Callable[[], Any]) -> Any:
        """A thing that several places share."""
        if name not in self.made:
            self.made[name] = make()
        return self.made[name]

    @property
    def workflow(self) -> Any:
        return self.one("workflow", lambda: make_workflow(workspace=self.home, name="Orders"))

    @property
    def run(self) -> Any:
        return self.one("run", lambda: _run(self))

    @property
    def trigger(self) -> Any:
        return self.one("trigger", lambda: make_schedule(self.workflow))

    @property
    def endpoint(self) -> Any:
        return self.one("endpoint", lambda: webhook_rows.endpoint(self.workflow))


def _run(things: Things) -> Any:
    run = make_run(things.workflow, status=RunStatus.FAILED)
    ended = {"started_at": timezone.now(), "finished_at": timezone.now()}
    StepRun.objects.create(run=run, path="loop", kind="for_each", status=StepStatus.SUCCEEDED, output=[], **ended)
    Payload.objects.create(
        run=run, sha256="a" * 64, size=2, codec="zlib", data=b"x\x9c\x8b\x8e\x05\x00\x01\x15\x00\xb9"
    )
    return run


def _arrival(things: Things) -> uuid.UUID:
    return Arrival.objects.create(workspace=things.home, trigger=things.trigger, key="a", decision=1).id


def _approval(things: Things) -> uuid.UUID:
    approval: Approval = ask(things.home, title="Refund?")
    return approval.id


def _tried(things: Things) -> Any:
    """A request to the test address of the webhook."""
    kept = {"workspace": things.home, "endpoint": things.endpoint, "status": 202, "method": "POST"}
    return TestDelivery.objects.create(**kept, body=b"{}", size_bytes=2).id


def _event(things: Things) -> uuid.UUID:
    refused = {
        "verdict": EventVerdict.REJECTED,
        "status": 409,
        "reason": "workflow_inactive",
        "is_verified": True,
        "body": b"{}",
        "size_bytes": 2,
    }
    return WebhookEvent.objects.create(workspace=things.home, endpoint=things.endpoint, **refused).id


def deliveries(things: Things) -> dict[str, Any]:
    """A choice of deliveries."""
    return {"events": [str(things.named_by("webhooks/<uuid:webhook_id>/events/<uuid:event_id>"))]}


def _replay(things: Things) -> uuid.UUID:
    return Replay.objects.create(workspace=things.home, created_by=things.person).id


def _session(things: Things) -> uuid.UUID:
    until = timezone.now() + timedelta(days=1)
    return LoginSession.objects.create(user=things.person, expires_at=until).id


def _key(things: Things) -> uuid.UUID:
    return api_keys.issue(things.person, things.home, name="ci", role="viewer", scopes=["*"], by=TESTS).row.id


def _value(things: Things) -> str:
    return StateValue.objects.create(workspace=things.home, key="orders/last", value=7).key


def _member(things: Things) -> uuid.UUID:
    user = User.objects.create_user("grace@example.com")
    return Membership.objects.create(workspace=things.home, user=user, role=Role.VIEWER).id


def _invitation(things: Things) -> uuid.UUID:
    until = timezone.now() + timedelta(days=7)
    invited = {"email": "joan@example.com", "role": Role.VIEWER, "digest": b"d" * 32, "expires_at": until}
    return Invitation.objects.create(workspace=things.home, **invited).id


def _notice(things: Things) -> Any:
    return things.one("notice", lambda: NoticeRule.objects.create(workspace=things.home, name="Ops", **BY_MAIL))


def _delivery(things: Things) -> uuid.UUID:
    told = {"event": "first_failure", "channel": "email", "address": "ops@example.com", "content": {}}
    return NoticeDelivery.objects.create(workspace=things.home, rule=_notice(things), state="failed", **told).id


def _event_of_bus(things: Things) -> Event:
    return Event.objects.create(workspace=things.home, name="order.paid", source="/shop", payload={})


def _dead_letter(things: Things) -> uuid.UUID:
    trigger = Trigger.objects.create(
        workspace=things.home, workflow=things.workflow, kind="event", config={"type": "order.*"}
    )
    event = _event_of_bus(things)
    return EventDelivery.objects.create(
        workspace=things.home, event=event, trigger=trigger, position=1, state="dead", code="refused"
    ).id


def _transfer(things: Things, direction: Direction) -> uuid.UUID:
    until = timezone.now() + timedelta(days=1)
    made = {"direction": direction, "format": "json", "state": TransferState.DONE, "expires_at": until}
    transfer = Transfer.objects.create(workspace=things.home, created_by=things.person, **made)
    TransferChunk.objects.create(transfer=transfer, seq=0, data=b"{}")
    return transfer.id


def _entry(things: Things) -> uuid.UUID:
    said = {"action": "workflow.create", "target_kind": "workflow", "target_id": "1", "summary": "Made it."}
    record(actor=TESTS, workspace_id=things.home.id, **said)
    return AuditEntry.objects.filter(workspace_id=things.home.id).latest("id").uid


def _second_version(things: Things) -> str:
    flow = things.workflow
    made = {"number": "1.1.0", "name": flow.name, "definition": flow.definition, "checksum": "1" * 64}
    WorkflowVersion.objects.create(workspace=things.home, workflow=flow, ordinal=2, **made)
    return "1.1.0"


def subscription(things: Things) -> Any:
    said = {"url": "https://hook.invalid/", "types": ["*"], "secret": "whsec_c2VjcmV0"}
    return things.one("subscription", lambda: Subscription.objects.create(workspace=things.home, **said))


def _outbound(things: Things) -> uuid.UUID:
    told = {"event_id": "1", "type": "order.paid", "body": {}, "state": "failed", "ends_at": timezone.now()}
    made = {"workspace": things.home, "subscription": subscription(things), **told}
    return things.one("outbound", lambda: OutboundDelivery.objects.create(**made)).id


BY_MAIL = {"events": ["first_failure"], "channel": "email", "recipients": ["ops@example.com"]}
MAKERS: dict[str, Callable[[Things], object]] = {
    "admin/workflows/user/<uuid:user_id>": lambda things: things.person.id,
    "admin/workspaces/<uuid:id>": lambda things: things.home.id,
    "api-keys/<uuid:id>": _key,
    "approvals/<uuid:id>": _approval,
    "audit/<uuid:uid>": _entry,
    "event-deliveries/<uuid:id>": _dead_letter,
    "events/<uuid:id>": lambda things: _event_of_bus(things).id,
    "exports/<uuid:id>": lambda things: _transfer(things, Direction.EXPORT),
    "files/<uuid:id>": lambda things: files.keep(things.home.id, "a.csv", "text/csv", b"a,b\n")["$file"],
    "imports/<uuid:id>": lambda things: _transfer(things, Direction.IMPORT),
    "invitations/<uuid:id>": _invitation,
    "members/<uuid:id>": _member,
    "me/sessions/<uuid:id>": _session,
    "notices/<uuid:id>": lambda things: _notice(things).id,
    "notices/<uuid:id>/deliveries/<uuid:delivery_id>": _delivery,
    "replays/<uuid:id>": _replay,
    "runs/<uuid:id>": lambda things: things.run.uid,
    "runs/<uuid:id>/payloads/<str:sha256>": lambda things: "a" * 64,
    "runs/<uuid:id>/signals/<str:name>": lambda things: "paid",
    "runs/<uuid:id>/steps/<str:path>": lambda things: "loop",
    "secrets/<str:name>": lambda things: (
        Secret.objects.create(workspace=things.home, name="token", value="s3cret").name
    ),
    "state/<path:key>": _value,
    "subscriptions/<uuid:id>": lambda things: subscription(things).id,
    "subscriptions/<uuid:id>/deliveries/<uuid:delivery_id>": _outbound,
    "tags/<path:tag>": lambda things: _tagged(things.workflow, "old"),
    "triggers/<uuid:id>": lambda things: things.trigger.id,
    "triggers/<uuid:id>/arrivals/<uuid:arrival_id>": _arrival,
    "variables/<str:name>": lambda things: (
        Variable.objects.create(workspace=things.home, name="region", value="eu").name
    ),
    "webhooks/<uuid:webhook_id>": lambda things: things.endpoint.id,
    "webhooks/<uuid:webhook_id>/events/<uuid:event_id>": _event,
    "webhooks/<uuid:webhook_id>/test-deliveries/<uuid:delivery_id>": _tried,
    "workspaces/<uuid:id>": lambda things: things.home.id,
    "workflows/<uuid:id>": lambda things: things.workflow.id,
    "workflows/<uuid:id>/versions/<str:number>": lambda things: "1.0.0",
    "workflows/<uuid:id>/versions/<str:number>/diff/<str:other>": _second_version,
}


Body = Callable[[Things], dict[str, Any]]
DAILY = {"name": "Daily", "kind": "schedule", "config": {"cron": "0 9 * * *"}}


def last_day() -> dict[str, Any]:
    """The period of a backfill."""
    now = timezone.now()
    return {"from": (now - timedelta(days=1)).isoformat(), "until": now.isoformat(), "dry_run": False}


# Bodies of verbs that look at them before they ask whether the creator's verbs apply.
BODIES: dict[str, Body] = {
    "POST replays": lambda things: {"runs": [str(things.run.uid)]},
    "POST replays/preview": lambda things: {"runs": [str(things.run.uid)]},
    "POST webhooks/<uuid:webhook_id>/replay": deliveries,
    "POST webhooks/<uuid:webhook_id>/replay/dry-run": deliveries,
    "POST webhooks/<uuid:webhook_id>/replay/preview": deliveries,
    "POST triggers": lambda things: {"workflow_id": str(things.workflow.id), **DAILY},
    "POST triggers/<uuid:id>/backfill": lambda _: last_day(),
    "PUT triggers/<uuid:id>": lambda things: {"workflow_id": str(things.workflow.id), **DAILY},
}


def _tagged(workflow: Any, tag: str) -> str:
    Workflow.objects.filter(id=workflow.id).update(tags=[tag])
    return tag
