"""Approvals that wait too long: others are asked, too; then they expire."""

from datetime import timedelta

from django.utils import timezone

from automation.engine.status import RunStatus
from automation.models import Approval
from automation.services.approval_decisions import approve
from automation.services.approvals_due import approvals_due
from automation.tests.approvals.rows import ask, looks, move, state
from brainops.audit.models import AuditEntry


def pass_time(approval: Approval, **fields: bool) -> None:
    """Let the named instants have passed."""
    past = timezone.now() - timedelta(seconds=1)
    Approval.objects.filter(id=approval.id).update(**dict.fromkeys(fields, past))


def test_nothing_is_due_before_its_time(home):
    approval = ask(home, assignees=("user:ada",), expires_seconds=60, escalate_seconds=30, escalate_to=("role:admin",))

    assert approvals_due() == 0
    assert state(approval.run) == ("waiting", 0)


def test_what_nobody_decided_expires_and_the_run_goes_on_once(home):
    approval = ask(home, expires_seconds=60)
    pass_time(approval, expires_at=True)

    assert [approvals_due(), approvals_due()] == [1, 0]

    assert state(approval.run) == ("queued", 1)
    assert looks(approval)["state"] == "expired"


def test_others_are_asked_once_and_those_asked_before_still_may(home, ada, admin):
    approval = ask(home, assignees=("user:ada",), escalate_seconds=60, escalate_to=("role:admin", "user:ada"))
    pass_time(approval, escalates_at=True)

    assert [approvals_due(), approvals_due()] == [0, 0]

    approval.refresh_from_db()
    assert approval.assignees == ["user:ada", "role:admin"]
    assert state(approval.run) == ("waiting", 0)
    (entry,) = AuditEntry.objects.all()
    said = "Nobody decided 'Refund?' in time; it asks user:ada, role:admin now."
    assert (entry.action, entry.actor_kind, entry.summary) == ("approval.escalate", "system", said)
    assert approve(admin, approval.id).state == "approved"


def test_what_an_ended_run_left_is_withdrawn_and_looked_at_once(home):
    approval = ask(home, expires_seconds=60)
    pass_time(approval, expires_at=True)
    move(approval.run, RunStatus.CANCELLED)

    assert approvals_due() == 0

    approval.refresh_from_db()
    assert approval.state == "withdrawn"
    assert state(approval.run) == ("cancelled", 0)


def test_a_decided_one_is_left_alone(home, ada):
    approval = ask(home, expires_seconds=60, escalate_seconds=1)
    approve(ada, approval.id)
    pass_time(approval, expires_at=True, escalates_at=True)

    assert approvals_due() == 0
    approval.refresh_from_db()
    assert approval.state == "approved"
