"""What each write of the API is called in the audit log, and what it takes to do it once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.contrib.auth.hashers import make_password

from automation.engine.status import RunStatus
from automation.models import NoticeRule, Run
from automation.tests.admin.conftest import make_run
from brainops.accounts.models import User
from brainops.core import clock
from tests.security.things import DAILY, Things, deliveries, last_day

FLOW = {
    "name": "Hello",
    "definition": {"schema": 1, "steps": [{"id": "say", "uses": "log", "with": {"message": "hello"}}]},
}
BY_MAIL = {"name": "Ops", "events": ["first_failure"], "channel": "email", "recipients": ["ops@example.com"]}
SUBSCRIPTION = {"url": "https://example.com/hook", "types": ["run.failed"]}
PASSWORD, NEXT_PASSWORD = "correct horse battery", "staple of another horse"
FILE = {"format": "brainops/export", "version": 1, "workflows": []}

# What is no act of somebody on something, and why.
WITHOUT_ENTRY = {
    "POST audit/verify": "reads and answers",
    "POST admin/audit/verify": "reads and answers",
    "POST workflows/validate": "reads and answers; nothing is stored",
    "POST workflows/<uuid:id>/versions/<str:number>/diff": "reads and answers",
    "POST runs/<uuid:id>/retry/preview": "reads and answers; nothing is started",
    "POST replays/preview": "reads and answers; nothing is started",
    "POST webhooks/<uuid:webhook_id>/replay/preview": "reads and answers; nothing is started",
    "POST workflows/<uuid:id>/execute": "the run is the record: who asked, when, which version, with what",
    "POST me/mfa": "only begins; what counts is that it is confirmed",
    "POST events": "the event is the record: who sent it, when, with what",
}
# Whose entry is asserted where the state that it takes is made: file::test.
ELSEWHERE = {
    "POST me/mfa/confirm": "brainops/accounts/tests/test_second_factors.py"
    "::test_an_app_is_set_up_over_the_api_and_counts_for_this_login_at_once",
    "POST me/mfa/recovery-codes": "brainops/accounts/tests/test_second_factors.py"
    "::test_new_recovery_codes_end_the_old_ones",
    "POST me/mfa/remove": "brainops/accounts/tests/test_second_factors.py::test_removing_the_factor_asks_for_a_code",
    "POST triggers/<uuid:id>/arrivals/<uuid:arrival_id>/run": "automation/tests/api/test_arrivals.py"
    "::test_what_was_passed_over_runs_once_when_it_may_by_now",
    "POST triggers/<uuid:id>/poll": "automation/tests/api/test_arrivals.py::test_a_look_can_be_asked_for_at_once",
    "POST approvals/<uuid:id>/answer": "automation/tests/approvals/test_decisions.py"
    "::test_what_became_of_an_effect_is_answered_once",
    "POST workflows/import": "automation/tests/exchange/test_strategies.py::test_each_change_is_audited",
}

Made = Callable[[Things], Any]


def _under_way(things: Things) -> Run:
    return things.one("run", lambda: make_run(things.workflow, status=RunStatus.QUEUED))


def _pinned(things: Things) -> None:
    Run.objects.filter(id=things.run.id).update(is_pinned=True)


def _with_password(things: Things) -> None:
    User.objects.filter(id=things.person.id).update(password=make_password(PASSWORD))


def _tagged(things: Things) -> None:
    things.workflow.tags = ["old"]
    things.workflow.save()


def _hooked(things: Things) -> None:
    hook = {"events": ["first_failure"], "channel": "webhook", "url": "https://example.com/hook", "secret": "s" * 32}
    things.one("notice", lambda: NoticeRule.objects.create(workspace=things.home, name="Hook", **hook))


def _changed(things: Things) -> dict[str, Any]:
    """The workflow differs from its first version, so that restoring it changes something."""
    things.workflow.name = "Changed"
    things.workflow.save()
    return {}


# What has to be so beforehand.
BEFORE: dict[str, Made] = {
    "DELETE runs/<uuid:id>/pin": _pinned,
    "POST me/password": _with_password,
    "POST notices/<uuid:id>/rotate": _hooked,
    "POST runs/<uuid:id>/cancel": _under_way,
    "POST runs/<uuid:id>/signals/<str:name>": _under_way,
    "DELETE tags/<path:tag>": _tagged,
    "POST tags/rename": _tagged,
}

# What stands behind the address.
QUERIES: dict[str, str] = {"DELETE workspaces/<uuid:id>": "?confirm=acme&with_active_runs=true"}

BODIES: dict[str, Made] = {
    "PATCH admin/workspaces/<uuid:id>/quotas": lambda _: {"max_workflows": 7},
    "PATCH api-keys/<uuid:id>": lambda _: {"name": "other"},
    "PATCH me": lambda _: {"name": "Ada"},
    "PATCH members/<uuid:id>": lambda _: {"role": "builder"},
    "PATCH secrets/<str:name>": lambda _: {"description": "other"},
    "PATCH triggers/<uuid:id>": lambda _: {"name": "other"},
    "PATCH variables/<str:name>": lambda _: {"description": "other"},
    "PATCH workflows/<uuid:id>": lambda _: {"name": "Other"},
    "PATCH workspaces/<uuid:id>": lambda _: {"name": "Other"},
    "PATCH notices/<uuid:id>": lambda _: {"name": "Other"},
    "POST admin/workflows/bulk": lambda things: {"action": "archive", "ids": [str(things.workflow.id)]},
    "POST api-keys": lambda _: {"name": "ci"},
    "POST approvals/<uuid:id>/reassign": lambda things: {"assignees": [f"user:{things.person.username}"]},
    "POST invitations": lambda _: {"email": "new@example.com", "role": "viewer"},
    "POST me/password": lambda _: {"old_password": PASSWORD, "new_password": NEXT_PASSWORD},
    "POST notices": lambda _: BY_MAIL,
    "POST notices/<uuid:id>/mute": lambda _: {"until": (clock.now() + timedelta(days=1)).isoformat()},
    "POST replays": lambda things: {"runs": [str(things.run.uid)]},
    "POST webhooks/<uuid:webhook_id>/replay": deliveries,
    "POST webhooks/<uuid:webhook_id>/replay/dry-run": deliveries,
    "POST runs/bulk": lambda things: {"action": "cancel", "ids": [str(_under_way(things).uid)]},
    "POST secrets": lambda _: {"name": "fresh", "value": "s3cret-value"},
    "PATCH subscriptions/<uuid:id>": lambda _: {"description": "other"},
    "POST subscriptions": lambda _: SUBSCRIPTION,
    "POST subscriptions/<uuid:id>/replay": lambda _: {"since": (clock.now() - timedelta(days=1)).isoformat()},
    "PUT subscriptions/<uuid:id>": lambda _: {**SUBSCRIPTION, "description": "other"},
    "POST tags/rename": lambda _: {"from": "old", "to": "new"},
    "POST triggers": lambda things: {"workflow_id": str(things.workflow.id), **DAILY},
    "POST triggers/<uuid:id>/backfill": lambda _: last_day(),
    "POST triggers/<uuid:id>/test": lambda _: {"data": {}, "run": True},
    "POST variables": lambda _: {"name": "fresh", "value": 1},
    "POST workflows": lambda _: FLOW,
    "POST workflows/<uuid:id>/versions/<str:number>/restore": _changed,
    "POST workflows/bulk": lambda things: {"action": "archive", "ids": [str(things.workflow.id)]},
    "POST workflows/export": lambda things: {"ids": [str(things.workflow.id)]},
    "POST workspaces": lambda _: {"name": f"Team {uuid4().hex[:6]}"},
    "POST workspaces/<uuid:id>/transfer": lambda things: {"to": things.named_by("members/<uuid:id>")},
    "PUT notices/<uuid:id>": lambda _: {**BY_MAIL, "name": "Other"},
    "PUT secrets/<str:name>": lambda _: {"value": "another-s3cret"},
    "PUT state/<path:key>": lambda _: {"value": 1},
    "PUT triggers/<uuid:id>": lambda things: {"workflow_id": str(things.workflow.id), **DAILY},
    "PUT variables/<str:name>": lambda _: {"value": 1},
    "PUT workflows/<uuid:id>": lambda _: FLOW,
}


# What the entry is called.
ACTIONS: dict[str, str] = {
    "POST admin/workflows/bulk": "workflow.bulk",
    "PATCH admin/workspaces/<uuid:id>/quotas": "workspace.update",
    "POST api-keys": "api_key.create",
    "DELETE api-keys/<uuid:id>": "api_key.revoke",
    "PATCH api-keys/<uuid:id>": "api_key.update",
    "POST api-keys/<uuid:id>/rotate": "api_key.rotate",
    "POST approvals/<uuid:id>/approve": "approval.approve",
    "POST approvals/<uuid:id>/reassign": "approval.reassign",
    "POST approvals/<uuid:id>/reject": "approval.reject",
    "POST auth/logout": "login.end",
    "DELETE exports/<uuid:id>": "export.delete",
    "DELETE imports/<uuid:id>": "import.delete",
    "POST event-deliveries/<uuid:id>/discard": "event.discard",
    "POST event-deliveries/<uuid:id>/redeliver": "event.redeliver",
    "POST invitations": "invitation.create",
    "DELETE invitations/<uuid:id>": "invitation.revoke",
    "POST invitations/<uuid:id>/resend": "invitation.resend",
    "PATCH me": "user.update",
    "POST me/password": "user.password",
    "DELETE me/sessions/<uuid:id>": "login.end",
    "POST me/sessions/revoke-all": "login.end",
    "DELETE members/<uuid:id>": "member.delete",
    "PATCH members/<uuid:id>": "member.update",
    "POST notices": "notice.create",
    "DELETE notices/<uuid:id>": "notice.delete",
    "PATCH notices/<uuid:id>": "notice.update",
    "PUT notices/<uuid:id>": "notice.update",
    "POST notices/<uuid:id>/deliveries/<uuid:delivery_id>/redeliver": "notice.redeliver",
    "POST notices/<uuid:id>/mute": "notice.mute",
    "POST notices/<uuid:id>/rotate": "notice.rotate",
    "POST notices/<uuid:id>/test": "notice.test",
    "POST replays": "replay.start",
    "POST replays/<uuid:id>/cancel": "replay.cancel",
    "POST runs/<uuid:id>/cancel": "run.cancel",
    "DELETE runs/<uuid:id>/pin": "run.unpin",
    "POST runs/<uuid:id>/pin": "run.pin",
    "POST runs/<uuid:id>/retry": "run.retry",
    "POST runs/<uuid:id>/signals/<str:name>": "run.signal",
    "POST runs/bulk": "run.bulk",
    "POST secrets": "secret.create",
    "DELETE secrets/<str:name>": "secret.delete",
    "PATCH secrets/<str:name>": "secret.update",
    "PUT secrets/<str:name>": "secret.update",
    "DELETE state/<path:key>": "state.delete",
    "PUT state/<path:key>": "state.set",
    "POST subscriptions": "subscription.create",
    "DELETE subscriptions/<uuid:id>": "subscription.delete",
    "PATCH subscriptions/<uuid:id>": "subscription.update",
    "PUT subscriptions/<uuid:id>": "subscription.update",
    "POST subscriptions/<uuid:id>/deliveries/<uuid:delivery_id>/redeliver": "subscription.redeliver",
    "POST subscriptions/<uuid:id>/replay": "subscription.replay",
    "POST subscriptions/<uuid:id>/rotate": "subscription.rotate",
    "POST subscriptions/<uuid:id>/test": "subscription.test",
    "DELETE tags/<path:tag>": "workflow.bulk",
    "POST tags/rename": "workflow.bulk",
    "POST triggers": "trigger.create",
    "POST triggers/<uuid:id>/backfill": "trigger.backfill",
    "POST triggers/<uuid:id>/test": "trigger.test",
    "DELETE triggers/<uuid:id>": "trigger.delete",
    "PATCH triggers/<uuid:id>": "trigger.update",
    "PUT triggers/<uuid:id>": "trigger.update",
    "POST variables": "variable.create",
    "DELETE variables/<str:name>": "variable.delete",
    "PATCH variables/<str:name>": "variable.update",
    "PUT variables/<str:name>": "variable.update",
    "POST webhooks/<uuid:webhook_id>/events/<uuid:event_id>/dry-run": "workflow.dry_run",
    "POST webhooks/<uuid:webhook_id>/events/<uuid:event_id>/replay": "webhook.replay",
    "POST webhooks/<uuid:webhook_id>/listen": "webhook.listen",
    "DELETE webhooks/<uuid:webhook_id>/listen": "webhook.stop_listening",
    "POST webhooks/<uuid:webhook_id>/replay": "replay.start",
    "POST webhooks/<uuid:webhook_id>/replay/dry-run": "webhook.dry_run",
    "POST webhooks/<uuid:webhook_id>/rotate": "webhook.rotate",
    "POST webhooks/<uuid:webhook_id>/test": "webhook.test",
    "POST workflows": "workflow.create",
    "DELETE workflows/<uuid:id>": "workflow.delete",
    "PATCH workflows/<uuid:id>": "workflow.update",
    "PUT workflows/<uuid:id>": "workflow.update",
    "POST workflows/<uuid:id>/dry-run": "workflow.dry_run",
    "POST workflows/<uuid:id>/versions/<str:number>/restore": "workflow.update",
    "POST workflows/bulk": "workflow.bulk",
    "POST workflows/export": "workflow.export",
    "POST workspaces": "workspace.create",
    "DELETE workspaces/<uuid:id>": "workspace.delete",
    "PATCH workspaces/<uuid:id>": "workspace.update",
    "POST workspaces/<uuid:id>/transfer": "workspace.transfer",
}
