"""Approvals in the admin: staff see what asks them first, and decide by a form that asks once more."""

import pytest
from django.contrib.auth.models import Group
from django.urls import reverse

from automation.engine.status import RunStatus, StepStatus
from automation.models import Approval, StepRun
from automation.services import forms
from automation.tests.admin.conftest import EVIL, make_staff
from automation.tests.approvals.rows import ask, move, state
from brainops.accounts.models import Membership, Role, Workspace
from brainops.audit.models import AuditEntry
from brainops.core.errors import InvalidInput

LIST = "/admin/automation/approval/"
FORM = {
    "type": "object",
    "required": ["percent"],
    "properties": {
        "percent": {"type": "number", "maximum": 20, "title": "Discount"},
        "plan": {"enum": ["gold", "silver", 3]},
        "urgent": {"type": "boolean", "default": True},
        "until": {"type": "string", "format": "date"},
        "note": {"type": "string", "maxLength": 1000, "default": "none"},
        "extra": {"type": "object"},
    },
}


@pytest.fixture
def home(db):
    return Workspace.objects.create(name="Acme", slug="acme")


@pytest.fixture
def decider(home):
    """Staff who may look and decide."""
    return make_staff("view_approval", "decide_approval")


def page(approval, verb=None):
    if verb is None:
        return reverse("admin:automation_approval_page", args=[approval.id])
    return reverse("admin:automation_approval_decide", args=[approval.id, verb])


def shown(response):
    assert response.status_code == 200, response
    return response.content.decode()


def test_what_asks_me_comes_first_and_only_what_waits_is_shown(home, decider):
    decider.user.groups.add(Group.objects.create(name="sales"))
    mine = ask(home, title="For sales", assignees=("group:sales",))
    others = ask(home, title="For bob", assignees=("user:bob",))
    over = ask(home, title="Left behind")
    move(over.run, RunStatus.CANCELLED)

    text = shown(decider.get(LIST))
    every = shown(decider.get(LIST + "?state=all"))

    assert -1 < text.index("For sales") < text.index("For bob")
    assert "Left behind" not in text
    assert -1 < every.index("Left behind") < every.index("For bob") < every.index("For sales")
    assert "Left behind" in shown(decider.get(LIST + "?state=withdrawn"))
    assert str(mine.id) in text
    assert str(others.id) in text


def test_a_role_asks_the_members_who_have_it_in_that_workspace(home, decider):
    Membership.objects.create(user=decider.user, workspace=home, role=Role.ADMIN)
    elsewhere = Workspace.objects.create(name="Other", slug="other")
    ask(home, title="For admins here", assignees=("role:admin",))
    ask(elsewhere, title="For admins there", assignees=("role:admin",))

    text = shown(decider.get(LIST))

    assert text.index("For admins here") < text.index("For admins there")


def test_nothing_is_decided_before_it_is_confirmed(home, decider):
    approval = ask(home, form=FORM)
    entered = {"data.percent": "5", "data.urgent": "on", "data.plan": '"gold"', "comment": EVIL}

    opened = decider.get(page(approval, "approve"))
    asked = decider.post(page(approval, "approve"), entered)

    assert (opened.status_code, opened.url) == (302, page(approval))
    assert EVIL not in shown(asked)
    assert state(approval.run) == ("waiting", 0)
    decided = decider.post(page(approval, "approve"), {**entered, "confirmed": "yes"})
    assert (decided.status_code, decided.url) == (302, page(approval))
    approval.refresh_from_db()
    assert (approval.state, approval.comment) == ("approved", EVIL)
    assert approval.data == {"percent": 5, "urgent": True, "plan": "gold", "note": "none"}
    assert state(approval.run) == ("queued", 1)
    assert EVIL not in shown(decider.get(page(approval)))


def test_what_does_not_fit_is_said_and_what_was_entered_stays(home, decider):
    approval = ask(home, form=FORM)

    text = shown(decider.post(page(approval, "approve"), {"data.percent": "50", "comment": "as agreed"}))

    assert "must be at most 20, got 50" in text
    assert 'value="50"' in text
    assert "as agreed" in text
    assert state(approval.run) == ("waiting", 0)


def test_staff_who_may_only_look_get_no_buttons_and_decide_nothing(home):
    looker = make_staff("view_approval")
    approval = ask(home)

    text = shown(looker.get(page(approval)))
    answers = [
        looker.post(page(approval, "approve"), {"confirmed": "yes"}),
        looker.post(reverse("admin:automation_approval_reassign", args=[approval.id]), {"assignees": "role:viewer"}),
        make_staff("view_run").get(page(approval)),
    ]

    assert "Approve</button>" not in text
    assert [answer.status_code for answer in answers] == [403, 403, 403]
    assert state(approval.run) == ("waiting", 0)


def test_staff_who_were_not_asked_are_told_and_the_log_says_so(home, decider):
    approval = ask(home, assignees=("user:bob",))

    assert "This asks user:bob. You may decide as staff" in shown(decider.get(page(approval)))
    decider.post(page(approval, "reject"), {"confirmed": "yes"})

    assert AuditEntry.objects.get().summary.endswith(", as an admin who was not asked.")


def test_what_became_of_an_effect_is_answered_with_its_output(home, decider):
    approval = ask(home, kind="unknown", path="pay")

    assert "The output must be JSON" in shown(decider.post(page(approval, "happened"), {"output": "{"}))
    decider.post(page(approval, "happened"), {"output": '{"id": 7}', "confirmed": "yes"})

    approval.refresh_from_db()
    assert (approval.state, approval.data) == ("happened", {"id": 7})


def test_a_second_answer_is_refused_in_words(home, decider):
    approval = ask(home)
    decider.post(page(approval, "approve"), {"confirmed": "yes"})

    text = shown(decider.post(page(approval, "reject"), {"confirmed": "yes"}, follow=True))

    assert "has decided it already: approved" in text
    assert Approval.objects.get(id=approval.id).state == "approved"


def test_others_can_be_asked_instead(home, decider):
    Membership.objects.create(user=decider.user, workspace=home, role=Role.ADMIN)
    approval = ask(home, assignees=("user:bob",))
    address = reverse("admin:automation_approval_reassign", args=[approval.id])

    text = shown(decider.post(address, {"assignees": "user:nobody"}, follow=True))
    decider.post(address, {"assignees": "role:admin\r\n\r\n"})

    assert "Nobody in this workspace answers to &#x27;user:nobody&#x27;" in text
    assert Approval.objects.get(id=approval.id).assignees == ["role:admin"]


def test_the_page_of_a_run_leads_to_what_it_waits_for(home, admin_of_all):
    approval = ask(home, title="Refund 7 EUR?")
    StepRun.objects.create(run=approval.run, path="ask", status=StepStatus.WAITING, reason={"type": "approval"})

    text = shown(admin_of_all.get(reverse("admin:automation_run_page", args=[approval.run.uid])))

    assert page(approval) in text
    assert "Refund 7 EUR?" in text


def test_an_unknown_verb_and_an_unknown_approval_are_not_found(home, decider):
    approval = ask(home)

    assert decider.post(page(approval, "approve").replace("approve/", "burn/")).status_code == 404
    assert decider.get(page(approval).replace(str(approval.id)[:8], "00000000")).status_code == 404


def test_fields_are_made_for_simple_types():
    made = {field.name: (field.kind, field.value, field.is_required) for field in forms.fields(FORM)}

    assert made == {
        "percent": ("number", "", True),
        "plan": ("choice", "", False),
        "urgent": ("check", "on", False),
        "until": ("date", "", False),
        "note": ("area", "none", False),
        "extra": ("json", "", False),
    }


@pytest.mark.parametrize(
    ("form", "posted", "data"),
    [
        (None, {"data.": "1"}, None),
        ({"type": "array"}, {"data.": "[1, 2]"}, [1, 2]),
        ({"type": "object"}, {"data.": ""}, None),
        (FORM, {}, {"urgent": False}),
        (FORM, {"data.plan": "3", "data.extra": '{"a": 1}'}, {"plan": 3, "urgent": False, "extra": {"a": 1}}),
    ],
)
def test_what_was_entered_is_read(form, posted, data):
    assert forms.read(form, posted) == data


def test_everything_that_cannot_be_read_is_said_at_once():
    with pytest.raises(InvalidInput) as refusal:
        forms.read(FORM, {"data.percent": "five", "data.extra": "{"})

    assert [problem.message for problem in refusal.value.problems] == [
        "Discount must be a number, got 'five'.",
        "Extra must be JSON, got '{'.",
    ]


@pytest.mark.parametrize("text", ["x", "", "user:\x00", "\n".join(f"user:u{number}" for number in range(51))])
def test_who_cannot_be_asked_is_refused_and_nothing_changes(home, decider, text):
    approval = ask(home, assignees=("user:bob",))

    response = decider.post(reverse("admin:automation_approval_reassign", args=[approval.id]), {"assignees": text})

    approval.refresh_from_db()
    assert (response.status_code in (302, 400), approval.assignees) == (True, ["user:bob"])


def test_a_character_that_the_database_cannot_hold_is_refused_in_words(home, decider):
    approval = ask(home, form={"type": "object", "properties": {"note": {"type": "string"}}})

    response = decider.post(page(approval, "approve"), {"data.note": "a\x00b", "confirmed": "yes"}, follow=True)

    approval.refresh_from_db()
    assert ("NUL character" in shown(response), approval.state) == (True, "pending")
