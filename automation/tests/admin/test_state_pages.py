"""Kept values and events in the admin."""

from __future__ import annotations

import pytest

from automation.engine.status import RunStatus
from automation.models import Event, StateValue
from automation.tests.admin.conftest import make_run, make_staff
from automation.tests.triggers.rows import make_workflow

pytestmark = pytest.mark.django_db

VALUES, EVENTS = "/admin/automation/statevalue/", "/admin/automation/event/"


def test_values_are_shown_by_their_beginning_and_cannot_be_edited(admin_of_all):
    workflow = make_workflow()
    row = StateValue.objects.create(workspace=workflow.workspace, key="last:order", value={"text": "x" * 500})

    html = admin_of_all.get(VALUES, {"q": "last"}).content.decode()

    assert "last:order" in html
    assert "x" * 300 not in html
    assert admin_of_all.get(f"{VALUES}{row.pk}/change/").status_code == 200
    assert admin_of_all.post(f"{VALUES}{row.pk}/change/", {"key": "other"}).status_code == 403


def test_events_lead_to_their_run_with_as_many_queries_however_many_there_are(admin_of_all, django_assert_num_queries):
    workflow = make_workflow()
    run = make_run(workflow, status=RunStatus.SUCCEEDED)
    for number in range(5):
        Event.objects.create(workspace=workflow.workspace, name=f"order.{number}", payload=number, run=run, path="a")
    Event.objects.create(workspace=workflow.workspace, name="of.a.pruned.run")

    html = admin_of_all.get(EVENTS).content.decode()

    assert html.count(f"/admin/automation/run/{run.uid}/") == 5
    assert "of.a.pruned.run" in html
    with django_assert_num_queries(5):  # session, user, the filter's workspaces, count, rows
        admin_of_all.get(EVENTS)


@pytest.mark.parametrize("page", [VALUES, EVENTS])
def test_staff_without_the_right_see_neither(page, db):
    assert make_staff().get(page).status_code == 403
