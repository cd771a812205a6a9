"""What all kinds of triggers have in common: they travel, go with their workflow, are shown, and keep to their people."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.core.management import call_command
from django.db import connection
from django.urls import reverse

from automation.models import Trigger, Workflow
from automation.services import triggers
from automation.tests.admin.conftest import EVIL
from automation.tests.admin.conftest import admin_of_all as admin_of_all
from automation.tests.api.conftest import Api
from automation.tests.api.conftest import home as home
from automation.tests.api.conftest import member as member
from automation.tests.api.conftest import owner as owner
from automation.tests.api.conftest import stranger as stranger
from automation.tests.exchange.conftest import export, import_
from automation.tests.exchange.conftest import other as other
from automation.tests.triggers.test_database import groups as groups
from automation.triggers import all_trigger_kinds
from brainops.accounts.caller import system_caller
from brainops.accounts.models import Role

pytestmark = pytest.mark.django_db

KINDS = sorted(all_trigger_kinds())
each_kind = pytest.mark.parametrize("kind", KINDS)
ONLY_STAFF = "database"


def make(owner: Api, kind: str, *, name: str = "Mine") -> Trigger:
    """A trigger of that kind, like its first example, made by staff."""
    workflow = owner.make(name="Orders")
    caller = replace(system_caller(owner.workspace.id, "tests"), is_staff=True)
    config = all_trigger_kinds()[kind].examples[0]
    about = {"name": name, "inputs": {"name": "Ada"}, "condition": "{{ trigger.key != 'z' }}"}
    return triggers.create(caller, workflow_id=workflow["id"], kind=kind, config=config, **about).trigger


def rows_that_name(id_) -> dict[str, int]:
    """How many rows of each table hold this id in a column of ids; what was written for auditors stays."""
    sql = "select table_name, column_name from information_schema.columns where data_type = 'uuid'"
    found: dict[str, int] = {}
    with connection.cursor() as cursor:
        cursor.execute(sql)
        for table, column in cursor.fetchall():
            cursor.execute(f'select count(*) from "{table}" where "{column}" = %s', [id_])
            if (count := cursor.fetchone()[0]) and not table.startswith("audit_"):
                found[table] = found.get(table, 0) + count
    return found


@each_kind
def test_a_trigger_comes_through_an_export_as_it_was(owner, other, kind):
    trigger = make(owner, kind)

    (result,) = import_(other, export(owner))["results"]

    if kind == ONLY_STAFF:
        assert (result["triggers_added"], [note["code"] for note in result["notes"]]) == (0, ["trigger_left_out"])
        return
    made = Trigger.objects.get(workspace=other.workspace)
    same = ("kind", "name", "config", "inputs", "condition", "is_active")
    assert [getattr(made, name) for name in same] == [getattr(trigger, name) for name in same]
    assert made.id != trigger.id


@each_kind
def test_nothing_is_left_of_a_trigger_whose_workflow_is_deleted(owner, kind):
    trigger = make(owner, kind)
    assert rows_that_name(trigger.id)["automation_trigger"] == 1

    assert owner.delete(f"/workflows/{trigger.workflow_id}").status_code in (200, 204)

    assert rows_that_name(trigger.id) == {}


@each_kind
def test_nothing_is_left_of_a_trigger_that_is_deleted(owner, kind):
    trigger = make(owner, kind)

    assert owner.delete(f"/triggers/{trigger.id}").status_code == 204

    assert rows_that_name(trigger.id) == {}


@each_kind
def test_a_trigger_is_switched_off_and_on_and_changed_by_its_people_only(owner, member, stranger, kind):
    trigger = make(owner, kind)
    address, viewer = f"/triggers/{trigger.id}", member(Role.VIEWER)

    answers = [
        (
            who.get(address).status_code,
            who.patch(address, {"is_active": False}).status_code,
            who.delete(address).status_code,
        )
        for who in (viewer, stranger)
    ]
    assert answers == [(200, 403, 403), (404, 404, 404)]
    for is_active in (False, False, True):
        answer = owner.patch(address, {"is_active": is_active})
        assert (answer.status_code, answer.json()["is_active"]) == (200, is_active)
    before = Trigger.objects.get(id=trigger.id).config
    assert owner.patch(address, {"config": {}}).json()["config"] == owner.get(address).json()["config"]
    assert Trigger.objects.get(id=trigger.id).config == before
    broken = [
        {"config": None},
        {"config": []},
        {"config": {"no_such": 1}},
        {"inputs": "x"},
        {"is_active": None},
        {"x": 1},
    ]
    assert [owner.patch(address, body).status_code for body in broken] == [400] * len(broken)
    assert Trigger.objects.get(id=trigger.id).config == before


@each_kind
def test_a_trigger_rests_with_its_workflow(owner, kind):
    trigger = make(owner, kind)
    address = f"/workflows/{trigger.workflow_id}"

    for is_active in (False, True):
        answer = owner.patch(address, {"is_active": is_active})
        assert answer.status_code == 200, answer.content
    for action in ("deactivate", "activate"):
        answer = owner.post("/workflows/bulk", {"action": action, "ids": [str(trigger.workflow_id)]})
        assert answer.status_code == 200, answer.content
    assert Trigger.objects.get(id=trigger.id).is_active
    assert Workflow.objects.get(id=trigger.workflow_id).is_active


@each_kind
def test_staff_see_a_trigger_and_what_it_is_called_is_text(owner, admin_of_all, kind):
    trigger = make(owner, kind, name=EVIL)

    for address in (
        reverse("admin:automation_trigger_changelist"),
        reverse("admin:automation_trigger_change", args=[trigger.id]),
        reverse("admin:automation_trigger_health"),
        reverse("admin:automation_workflow_changelist"),
        reverse("admin:automation_workflow_change", args=[trigger.workflow_id]),
    ):
        answer = admin_of_all.get(address, follow=True)
        assert (answer.status_code, EVIL in answer.content.decode()) == (200, False), address


@each_kind
def test_the_check_of_all_workflows_knows_the_kind(owner, kind, capsys):
    make(owner, kind)

    call_command("validate_workflows")

    assert "unknown" not in capsys.readouterr().out
