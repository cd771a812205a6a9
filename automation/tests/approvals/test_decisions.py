"""Approvals are decided by the right people, once."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.contrib.auth.models import Group
from django.utils import timezone

from automation.engine.status import RunStatus, StepStatus
from automation.models import Approval, StepRun
from automation.services.approval_decisions import answer, approve, reassign, reject
from automation.tests.approvals.rows import ask, looks, make_run, member, move, state
from brainops.accounts.models import Role, User
from brainops.audit.models import AuditEntry
from brainops.core.errors import Conflict, InvalidInput, NotFound, PermissionDenied, TooLarge

FORM = {
    "type": "object",
    "required": ["percent"],
    "properties": {"percent": {"type": "number", "maximum": 20}, "note": {"type": "string", "default": "none"}},
}


def audit() -> list[tuple[str, str]]:
    return list(AuditEntry.objects.order_by("id").values_list("action", "summary"))


def test_an_approval_wakes_the_run_and_its_step_sees_who_decided(home, ada):
    approval = ask(home, form=FORM)

    decided = approve(ada, approval.id, comment="Fine.", data={"percent": 5})

    assert (decided.state, decided.decided_by, decided.comment) == ("approved", "ada", "Fine.")
    assert state(approval.run) == ("queued", 1)
    seen = looks(approval)
    (vote,) = seen.pop("votes")
    assert vote.pop("at")
    data = {"percent": 5, "note": "none"}
    assert vote == {"voter": "ada", "verdict": "approved", "comment": "Fine.", "data": data}
    assert seen == {
        "id": str(approval.id),
        "state": "approved",
        "decided_by": "ada",
        "comment": "Fine.",
        "data": data,
        "assignees": [],
        "expires_at": None,
        "is_new": False,
    }
    assert audit() == [("approval.approve", f"Approved 'Refund?' of run {approval.run.uid}.")]


def test_the_same_answer_twice_is_answered_alike_and_done_once(home, ada):
    approval = ask(home)

    first, second = approve(ada, approval.id), approve(ada, approval.id)

    assert (first.state, first.decided_at) == (second.state, second.decided_at)
    assert state(approval.run) == ("queued", 1)
    assert len(audit()) == 1


@pytest.mark.parametrize("late", [approve, reject])
def test_what_is_decided_stays_decided(home, ada, bob, late):
    approval = ask(home)
    reject(ada, approval.id)

    with pytest.raises(Conflict, match="ada has decided it already: rejected"):
        late(bob, approval.id)

    assert state(approval.run) == ("queued", 1)


def test_a_quorum_needs_different_people(home, ada, bob):
    approval = ask(home, quorum=2)

    approve(ada, approval.id)
    approve(ada, approval.id)
    assert state(approval.run) == ("waiting", 0)
    decided = approve(bob, approval.id)

    assert (decided.state, decided.decided_by) == ("approved", "bob")
    assert state(approval.run) == ("queued", 1)
    assert [summary.rpartition("run ")[2][36:] for _, summary in audit()] == [", 1 of 2.", "."]


def test_one_rejection_rejects_whatever_the_others_said(home, ada, bob):
    approval = ask(home, quorum=3)
    approve(ada, approval.id)

    decided = reject(bob, approval.id, comment="No budget.")

    assert (decided.state, decided.comment) == ("rejected", "No budget.")


def test_a_person_may_change_a_vote_until_it_is_decided(home, ada):
    approval = ask(home, quorum=2)
    approve(ada, approval.id)

    assert reject(ada, approval.id).state == "rejected"
    assert [(vote.voter, vote.verdict) for vote in approval.votes.all()] == [("ada", "rejected")]


@pytest.mark.parametrize(
    ("assignees", "may"),
    [
        (("user:ada",), True),
        (("user:ada@example.com",), True),
        (("user:bob",), False),
        (("role:operator",), True),
        (("role:viewer",), True),
        (("role:builder",), False),
        (("group:sales",), True),
        (("group:finance",), False),
        (("user:bob", "group:sales"), True),
    ],
)
def test_those_it_is_assigned_to_may_decide(home, ada, assignees, may):
    User.objects.get(username="ada").groups.add(Group.objects.create(name="sales"))
    approval = ask(home, assignees=assignees)

    if may:
        assert approve(ada, approval.id).state == "approved"
    else:
        with pytest.raises(PermissionDenied, match=r"This approval asks .*, and you are none of them"):
            approve(ada, approval.id)
        assert state(approval.run) == ("waiting", 0)


def test_a_viewer_may_decide_what_names_the_viewer_and_nothing_else(home):
    vera = member(home, "vera", Role.VIEWER)

    assert approve(vera, ask(home, assignees=("user:vera",)).id).state == "approved"
    with pytest.raises(PermissionDenied, match="The role viewer does not include approvals:decide"):
        approve(vera, ask(home).id)


def test_a_key_without_the_scope_decides_nothing_even_for_its_owner(home):
    narrow = member(home, "ned", Role.OWNER, scopes=frozenset({"approvals:read", "runs:*"}))

    with pytest.raises(PermissionDenied, match="no scope for approvals:decide"):
        approve(narrow, ask(home, assignees=("user:ned",)).id)


def test_an_admin_may_decide_for_others_and_the_log_says_so(home, admin):
    approval = ask(home, assignees=("user:bob",))

    approve(admin, approval.id)

    said = f"Approved 'Refund?' of run {approval.run.uid}, as an admin who was not asked."
    assert audit() == [("approval.approve", said)]


@pytest.mark.parametrize("act", [approve, reject, lambda who, id_: reassign(who, id_, ["user:mallory"])])
def test_for_another_workspace_it_does_not_exist(home, stranger, act):
    approval = ask(home)

    with pytest.raises(NotFound):
        act(stranger, approval.id)
    with pytest.raises(NotFound):
        act(stranger, uuid4())
    assert state(approval.run) == ("waiting", 0)


@pytest.mark.parametrize("status", [RunStatus.CANCELLED, RunStatus.TIMED_OUT, RunStatus.FAILED, RunStatus.SUCCEEDED])
def test_after_the_end_of_its_run_it_is_withdrawn(home, ada, status):
    approval = ask(home)
    move(approval.run, status)

    with pytest.raises(Conflict, match=f"withdrawn: its run is {status.word} and waits for it no more") as refusal:
        approve(ada, approval.id)

    assert refusal.value.code == "approval_withdrawn"
    assert approval.votes.count() == 0


def test_it_is_withdrawn_when_its_step_ended_without_it(home, ada):
    approval = ask(home)
    StepRun.objects.create(run=approval.run, path="ask", status=StepStatus.CANCELLED)

    with pytest.raises(Conflict, match="withdrawn"):
        reject(ada, approval.id)


def test_after_its_time_it_is_expired_though_no_tick_came(home, ada):
    approval = ask(home, expires_seconds=60)
    Approval.objects.filter(id=approval.id).update(expires_at=timezone.now() - timedelta(seconds=1))

    with pytest.raises(Conflict, match="The approval expired before it was decided"):
        approve(ada, approval.id)

    assert looks(approval)["state"] == "expired"


@pytest.mark.parametrize(
    ("data", "message", "pointer"),
    [
        ({"percent": 50}, '"percent" must be at most 20, got 50.', "/data/percent"),
        (None, '"percent" is required. Add it.', "/data"),
        ([], "must be an object", "/data"),
    ],
)
def test_data_that_does_not_fit_the_form_decides_nothing(home, ada, data, message, pointer):
    approval = ask(home, form=FORM)

    with pytest.raises(InvalidInput) as refusal:
        approve(ada, approval.id, data=data)

    (problem,) = refusal.value.problems
    assert (message in problem.message, problem.pointer) == (True, pointer)
    assert approval.votes.count() == 0


def test_data_without_a_form_and_too_much_data_are_refused(home, ada):
    with pytest.raises(InvalidInput, match="This approval has no form"):
        approve(ada, ask(home).id, data={})
    with pytest.raises(TooLarge, match=r"The data takes 300,011 bytes as JSON, more than 262,144"):
        approve(ada, ask(home, form={"type": "object"}).id, data={"text": "x" * 300_000})


@pytest.mark.parametrize(("word", "output"), [("happened", {"id": 7}), ("repeat", None), ("fail", None)])
def test_what_became_of_an_effect_is_answered_once(home, ada, word, output):
    approval = ask(home, kind="unknown", path="pay")

    answer(ada, approval.id, word, output=output)
    answer(ada, approval.id, word, output=output)

    seen = looks(approval)
    assert (seen["state"], seen["data"], seen["decided_by"]) == (word, output, "ada")
    assert audit() == [("approval.answer", f"Answered \"{word}\" to 'Refund?' of run {approval.run.uid}.")]


def test_each_question_takes_its_own_answers(home, ada):
    with pytest.raises(Conflict, match="asks what became of an effect: answer it"):
        approve(ada, ask(home, kind="unknown").id)
    with pytest.raises(Conflict, match="asks for a yes or no: approve or reject it"):
        answer(ada, ask(home).id, "repeat")
    with pytest.raises(InvalidInput, match='"output" goes with the answer "happened" only'):
        answer(ada, ask(home, kind="unknown").id, "fail", output=1)


def test_an_assignee_hands_on_the_own_share_only(home, ada, bob, admin):
    approval = ask(home, assignees=("user:ada", "user:bob"), quorum=2)

    with pytest.raises(PermissionDenied, match="Keep user:bob"):
        reassign(ada, approval.id, ["user:ada"])
    handed = reassign(ada, approval.id, ["user:ROOT", "user:bob"])
    assert handed.assignees == ["user:root", "user:bob"]
    with pytest.raises(PermissionDenied):
        approve(ada, approval.id)
    assert reassign(admin, approval.id, ["role:admin"]).assignees == ["role:admin"]
    assert [action for action, _ in audit()] == ["approval.reassign", "approval.reassign"]


def test_it_is_not_handed_to_nobody(home, ada, stranger):
    approval = ask(home, assignees=("user:ada",))

    with pytest.raises(InvalidInput) as refusal:
        reassign(ada, approval.id, ["user:mallory", "group:nobody", "role:owner", "role:viewer"])

    said = [(problem.message.partition(".")[0], problem.pointer) for problem in refusal.value.problems]
    assert said == [
        ("Nobody in this workspace answers to 'user:mallory'", "/assignees/0"),
        ("Nobody in this workspace answers to 'group:nobody'", "/assignees/1"),
        ("Nobody in this workspace answers to 'role:owner'", "/assignees/2"),
    ]


def test_a_step_that_asks_again_opens_nothing_new(home):
    run = make_run(home)

    first = ask(home, run=run)
    second = ask(home, run=run)

    assert (first.id, Approval.objects.filter(run=run).count()) == (second.id, 1)
