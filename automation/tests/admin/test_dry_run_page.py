"""The dry run's page: asked by a form, shown as a table, and nothing done."""

from __future__ import annotations

import pytest
from django.urls import reverse

from automation.models import Run
from automation.tests.admin.conftest import EVIL, make_staff
from automation.tests.triggers.rows import make_workflow
from brainops.audit.models import AuditEntry

pytestmark = pytest.mark.django_db

DEFINITION = {
    "schema": 1,
    "inputs": {"type": "object", "properties": {"who": {"type": "string", "default": "ada"}}},
    "steps": [
        {"id": "look", "uses": "http.request", "with": {"url": "https://crm.example/{{ inputs.who }}"}},
        {
            "id": "mail",
            "uses": "http.request",
            "needs": ["look"],
            "with": {
                "method": "POST",
                "url": "https://mail.example/send",
                "headers": {"Authorization": "Bearer abcdefghij"},
                "json": {"to": "{{ steps.look.output.body.mail }}", "text": EVIL},
            },
        },
        {"id": "never", "uses": "log", "if": "{{ inputs.who == 'bob' }}", "with": {"message": "x"}},
        {"id": "last", "uses": "log", "needs": ["never"], "with": {"message": "x"}},
    ],
}


def address(workflow):
    return reverse("admin:automation_workflow_dry_run", args=[workflow.id])


@pytest.fixture
def workflow():
    row = make_workflow()
    row.definition = DEFINITION
    row.save()
    return row


def test_the_form_begins_with_the_declared_defaults(admin_of_all, workflow):
    page = admin_of_all.get(address(workflow))

    assert page.status_code == 200
    assert page.context["given"]["inputs"] == '{\n  "who": "ada"\n}'
    assert page.context["plan"] is None


def test_the_plan_shows_effects_missing_values_and_ways(admin_of_all, workflow):
    page = admin_of_all.post(address(workflow), {"inputs": '{"who": "ada"}'})

    text = page.content.decode()
    plan = page.context["plan"]
    assert [(line.effect["path"], line.effect["target"], line.answered) for line in plan.effects] == [
        ("look", "https://crm.example/ada", "simulated"),
        ("mail", "POST https://mail.example/send", "assumed: it hangs on answers that were made up"),
    ]
    assert "not known yet" in text
    assert "Give a sample of that step." in text
    assert [(one["path"], one["taken"]) for one in plan.report["decisions"]] == [("never", "skipped")]
    assert [step["path"] for step in plan.quiet_steps] == ["last"]
    assert "Bearer" not in text
    assert EVIL not in text
    assert Run.objects.count() == 0
    assert AuditEntry.objects.get(action="workflow.dry_run").actor_label == admin_of_all.user.email


def test_samples_make_the_plan_certain(admin_of_all, workflow):
    page = admin_of_all.post(
        address(workflow), {"inputs": "{}", "samples": '{"look": {"body": {"mail": "ada@example.com"}}}'}
    )

    assert "ada@example.com" in page.content.decode()
    assert page.context["plan"].report["unresolved"] == []


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({"inputs": "{"}, "The body is no JSON"),
        ({"inputs": "[1]"}, "Inputs are a JSON object in braces, got [1]."),
        ({"inputs": '{"who": 7}'}, "must be a text"),
        ({"samples": '{"nobody": 1}'}, "which is no step of this workflow"),
    ],
)
def test_what_cannot_be_rehearsed_is_said_and_kept(admin_of_all, workflow, form, message):
    page = admin_of_all.post(address(workflow), form)

    assert (page.status_code, page.context["plan"]) == (200, None)
    assert message in " ".join(str(one) for one in page.context["messages"])
    assert page.context["given"]["inputs"] == form.get("inputs", "")


def test_only_who_may_run_workflows_may_rehearse_them(looker, workflow):
    runner = make_staff("view_workflow", "run_workflow")
    page = reverse("admin:automation_workflow_page", args=[workflow.id])

    assert looker.get(address(workflow)).status_code == 403
    assert looker.post(address(workflow), {"inputs": "{}"}).status_code == 403
    assert runner.post(address(workflow), {"inputs": "{}"}).status_code == 200
    assert address(workflow) in runner.get(page).content.decode()
    assert address(workflow) not in looker.get(page).content.decode()


def test_nobody_is_sent_to_the_login(client, workflow):
    assert client.get(address(workflow)).status_code == 302
