"""Who leaves a workspace leaves its workflows and open questions to others; who deletes it takes all of it along."""

from __future__ import annotations

from itertools import count
from typing import Any
from uuid import UUID

import pytest

from automation.engine.status import RunStatus
from automation.models import Approval, Run, StepRun, Trigger, Workflow
from automation.tests.approvals.rows import ask, make_run, member
from brainops.accounts.caller import Caller
from brainops.accounts.models import Membership, Role, User, Workspace
from brainops.accounts.services import departures, profile, workspace_deletion
from brainops.audit.models import AuditEntry
from brainops.core.errors import Conflict

_numbers = count()


@pytest.fixture
def home(transactional_db: None) -> Workspace:
    return Workspace.objects.create(name="Acme", slug="acme")


@pytest.fixture
def ada(home: Workspace) -> Caller:
    return member(home, "ada", Role.OWNER)


@pytest.fixture
def bob(home: Workspace) -> Caller:
    return member(home, "bob", Role.BUILDER)


def owned(by: Caller) -> Workflow:
    return Workflow.objects.create(
        workspace_id=by.workspace_id, owner_id=by.user_id, name=f"Flow {next(_numbers)}", definition={}
    )


def leave(by: Caller, who: Caller, **how: Any) -> departures.Farewell:
    return departures.remove(by, member_id(who), **how)


def member_id(who: Caller) -> UUID:
    return Membership.objects.get(user=who.user_id, workspace=who.workspace_id).id


def test_workflows_go_to_whoever_removes_without_a_new_version(ada: Caller, bob: Caller):
    mine, theirs = owned(ada), owned(bob)

    found = leave(ada, bob)

    theirs.refresh_from_db()
    assert (found.handed_over, found.successor.id) == ({"workflows": 1, "approvals": 0}, ada.user_id)
    assert (theirs.owner_id, theirs.version, theirs.revision) == (ada.user_id, "1.0.0", 2)
    assert Workflow.objects.get(id=mine.id).revision == 1
    entry = AuditEntry.objects.get(action="workflow.assign")
    assert (entry.target_id, entry.changes) == (str(theirs.id), {"owner": [str(bob.user_id), str(ada.user_id)]})


def test_workflows_go_to_who_is_named(home: Workspace, ada: Caller, bob: Caller):
    carol = member(home, "carol", Role.BUILDER)
    flow = owned(bob)

    leave(ada, bob, reassign_to=member_id(carol))

    assert Workflow.objects.get(id=flow.id).owner_id == carol.user_id


def test_workflows_in_other_workspaces_stay(home: Workspace, ada: Caller, bob: Caller):
    elsewhere = Workspace.objects.create(name="Other", slug="other")
    Membership.objects.create(user_id=bob.user_id, workspace=elsewhere, role=Role.OWNER)
    there = Workflow.objects.create(workspace=elsewhere, owner_id=bob.user_id, name="There", definition={})

    leave(ada, bob)

    assert Workflow.objects.get(id=there.id).owner_id == bob.user_id


def test_a_dry_run_counts_the_same_and_changes_nothing(home: Workspace, ada: Caller, bob: Caller):
    flow = owned(bob)
    ask(home, assignees=("user:bob",))

    found = departures.what_goes_with(ada, member_id(bob))

    assert found.handed_over == {"workflows": 1, "approvals": 1}
    assert Workflow.objects.get(id=flow.id).owner_id == bob.user_id
    assert leave(ada, bob).handed_over == found.handed_over


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (["user:bob"], ["user:ada"]),
        (["user:bob@example.com", "role:operator"], ["user:ada", "role:operator"]),
        (["user:ada", "user:bob"], ["user:ada"]),
        (["user:bobby"], ["user:bobby"]),
        (["role:builder"], ["role:builder"]),
    ],
)
def test_open_approvals_ask_the_successor_instead(
    home: Workspace, ada: Caller, bob: Caller, before: list[str], after: list[str]
):
    approval = ask(home, assignees=tuple(before))

    leave(ada, bob)

    assert Approval.objects.get(id=approval.id).assignees == after
    assert AuditEntry.objects.filter(action="approval.reassign").count() == (before != after)


def test_decided_approvals_keep_who_was_asked(home: Workspace, ada: Caller, bob: Caller):
    approval = ask(home, assignees=("user:bob",))
    Approval.objects.filter(id=approval.id).update(state="approved")

    leave(ada, bob)

    assert Approval.objects.get(id=approval.id).assignees == ["user:bob"]


def test_escalations_follow_too(home: Workspace, ada: Caller, bob: Caller):
    approval = ask(home, assignees=("role:viewer",))
    Approval.objects.filter(id=approval.id).update(escalate_to=["user:bob"])

    leave(ada, bob)

    assert Approval.objects.get(id=approval.id).escalate_to == ["user:ada"]


def test_a_new_user_name_takes_open_approvals_along(home: Workspace, ada: Caller, bob: Caller):
    approval = ask(home, assignees=("user:bob", "user:ada"))

    profile.change(bob, {"username": "Robert"})
    profile.change(ada, {"username": "bob"})  # who takes the old name is not asked in his place

    assert Approval.objects.get(id=approval.id).assignees == ["user:robert", "user:bob"]


def test_a_workspace_goes_with_its_runs_and_nothing_of_another(home: Workspace, ada: Caller):
    other = Workspace.objects.create(name="Other", slug="other")
    stays = make_run(other, status=RunStatus.SUCCEEDED)
    run = make_run(home, status=RunStatus.SUCCEEDED)
    StepRun.objects.create(run_id=run.id, path="ask", status=50)
    Trigger.objects.create(workspace=home, workflow=run.workflow, kind="schedule", config={})

    told = workspace_deletion.what_goes_with(ada)
    done = workspace_deletion.delete(ada, confirm="acme")

    assert told == done
    assert {name: told[name] for name in ("memberships", "runs", "triggers", "workflows")} == {
        "memberships": 1,
        "runs": 1,
        "triggers": 1,
        "workflows": 1,
    }
    assert list(Run.objects.all()) == [stays]
    assert StepRun.objects.count() == 0
    assert list(Workspace.objects.all()) == [other]
    assert User.objects.filter(id=ada.user_id).exists()


def test_active_runs_keep_a_workspace_unless_asked(home: Workspace, ada: Caller):
    make_run(home, status=RunStatus.WAITING)

    with pytest.raises(Conflict) as refusal:
        workspace_deletion.delete(ada, confirm="acme")
    workspace_deletion.delete(ada, confirm="acme", with_active_runs=True)

    assert (refusal.value.code, refusal.value.details) == ("runs_active", {"active_runs": 1})
    assert not Workspace.objects.exists()
    assert not Run.objects.exists()
