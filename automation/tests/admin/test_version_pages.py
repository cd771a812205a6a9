"""The page that compares versions."""

import pytest
from django.urls import reverse

from automation.services import workflows
from automation.services.workflow_drafts import Content, Draft
from automation.tests.admin.conftest import EVIL, make_staff
from automation.tests.triggers.rows import make_workspace
from brainops.accounts.caller import system_caller

pytestmark = pytest.mark.django_db


def say(message):
    return {"schema": 1, "steps": [{"id": "say", "uses": "log", "with": {"message": message}}]}


@pytest.fixture
def workflow():
    """1.0.0 says a; 1.0.1 says what somebody evil wrote."""
    caller = system_caller(make_workspace().id, "tests")
    row = workflows.create(caller, Draft(Content("Hello", say("a"))))
    return workflows.change(caller, row.id, lambda _row: Draft(Content("Hello", say(EVIL)), note="Why not"))


def page(client, workflow, **query):
    return client.get(reverse("admin:automation_workflow_versions", args=[workflow.id]), query)


def test_the_newest_version_is_compared_with_the_one_before(admin_of_all, workflow):
    answer = page(admin_of_all, workflow)

    (part,) = answer.context["parts"]
    assert (answer.context["before"].number, answer.context["after"].number) == ("1.0.0", "1.0.1")
    assert (part.title, part.word) == ("say", "changed")
    assert [(line.place, line.before, line.after) for line in part.lines] == [("/with/message", "a", EVIL)]
    assert EVIL not in answer.content.decode()


def test_any_two_versions_may_be_chosen(admin_of_all, workflow):
    answer = page(admin_of_all, workflow, before="1.0.1", after="1.0.0")

    assert answer.context["parts"][0].lines[0].before == EVIL


def test_the_first_version_stands_alone(admin_of_all, workflow):
    answer = page(admin_of_all, workflow, after="1.0.0")

    assert answer.context["parts"] == []
    assert "This is the first version" in answer.content.decode()


def test_a_version_that_does_not_exist_is_not_found(admin_of_all, workflow):
    assert page(admin_of_all, workflow, after="9.9.9").status_code == 404


def test_only_staff_who_may_look_at_workflows_compare_them(workflow):
    assert page(make_staff(), workflow).status_code == 403
    assert page(make_staff("view_workflow"), workflow).status_code == 200
