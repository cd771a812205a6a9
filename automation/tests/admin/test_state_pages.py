"""Kept values in the admin."""

from __future__ import annotations

import pytest

from automation.models import StateValue
from automation.tests.admin.conftest import make_staff
from automation.tests.triggers.rows import make_workflow

pytestmark = pytest.mark.django_db

VALUES = "/admin/automation/statevalue/"


def test_values_are_shown_by_their_beginning_and_cannot_be_edited(admin_of_all):
    workflow = make_workflow()
    row = StateValue.objects.create(workspace=workflow.workspace, key="last:order", value={"text": "x" * 500})

    html = admin_of_all.get(VALUES, {"q": "last"}).content.decode()

    assert "last:order" in html
    assert "x" * 300 not in html
    assert admin_of_all.get(f"{VALUES}{row.pk}/change/").status_code == 200
    assert admin_of_all.post(f"{VALUES}{row.pk}/change/", {"key": "other"}).status_code == 403


def test_staff_without_the_right_see_none(db):
    assert make_staff().get(VALUES).status_code == 403
