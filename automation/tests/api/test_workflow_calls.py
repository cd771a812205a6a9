"""Workflows that call one another, when they are saved: unknown names and circles are refused."""

from __future__ import annotations

from typing import Any

import pytest

from automation.models import Run, Workflow
from automation.tests.api.conftest import HELLO, Api
from brainops.accounts.models import Role

pytestmark = pytest.mark.django_db


def calling(workflow: str, **settings: Any) -> dict[str, Any]:
    return {"schema": 1, "steps": [{"id": "bill", "call": {"workflow": workflow}}], "settings": settings}


def refused(answer: Any) -> list[tuple[str, str, str]]:
    assert answer.status_code == 400, answer.content
    return [(one["pointer"], one["code"], one["message"]) for one in answer.json()["problems"]]


def save(api: Api, name: str, definition: Any) -> Any:
    return api.post("/workflows", {"name": name, "definition": definition})


def test_a_workflow_may_call_another_by_name_or_id_wherever_it_stands(owner):
    billing = owner.make(name="Billing")
    nested = {"schema": 1, "steps": [{"id": "group", "steps": calling("Billing")["steps"]}]}

    assert save(owner, "By name", calling("Billing")).status_code == 201
    assert save(owner, "By id", calling(billing["id"])).status_code == 201
    assert save(owner, "Nested", nested).status_code == 201
    assert save(owner, "On failure", {**HELLO, "settings": {"on_failure": "Billing"}}).status_code == 201


def test_an_unknown_name_is_refused_with_what_was_meant(owner, stranger):
    owner.make(name="Billing")
    stranger.make(name="Payroll")

    answer = save(owner, "Order", calling("Biling", on_failure="Payroll"))

    assert refused(answer) == [
        (
            "/definition/steps/0/call/workflow",
            "unknown_workflow",
            'Step "bill": this workspace has no workflow \'Biling\'. Did you mean "Billing"?',
        ),
        (
            "/definition/settings/on_failure",
            "unknown_workflow",
            "settings.on_failure: this workspace has no workflow 'Payroll'.",
        ),
    ]


def test_a_name_that_several_workflows_have_is_refused(owner):
    ids = {owner.make(name="Billing")["id"] for _ in range(2)}

    [(_, code, message)] = refused(save(owner, "Order", calling("Billing")))

    assert code == "ambiguous_workflow"
    assert any(id_ in message for id_ in ids)


def test_an_archived_workflow_leaves_its_name_to_a_living_one(owner):
    Workflow.objects.filter(id=owner.make(name="Billing")["id"]).update(archived_at="2026-01-01T00:00:00Z")
    assert save(owner, "Before", calling("Billing")).status_code == 201
    owner.make(name="Billing")

    assert save(owner, "After", calling("Billing")).status_code == 201


def test_a_workflow_that_calls_itself_is_refused(owner):
    [(pointer, code, _)] = refused(save(owner, "Order", calling("Order")))

    assert (pointer, code) == ("/definition/steps/0/call/workflow", "call_cycle")


def test_a_circle_is_refused_step_by_step(owner):
    first = owner.make(name="A")
    owner.make(name="B", definition=calling("A"))
    owner.make(name="C", definition={**HELLO, "settings": {"on_failure": "B"}})

    answer = owner.put(f"/workflows/{first['id']}", {"name": "A", "definition": calling("C")})

    assert refused(answer) == [
        (
            "/definition/steps/0/call/workflow",
            "call_cycle",
            'Step "bill": the calls go round in a circle: "A" step "bill" → "C" settings.on_failure → '
            '"B" step "bill" → "A". Take one of them out.',
        )
    ]


def test_a_change_that_leaves_the_document_alone_does_not_ask_again(owner):
    billing = owner.make(name="Billing")
    order = owner.make(name="Order", definition=calling("Billing"))
    Workflow.objects.filter(id=billing["id"]).update(name="Renamed")

    assert owner.patch(f"/workflows/{order['id']}", {"description": "x"}).status_code == 200


def test_the_validation_tells_of_unknown_names_too(owner):
    answer = owner.post("/workflows/validate", {"definition": calling("Nobody")}).json()

    assert (answer["valid"], [problem["code"] for problem in answer["problems"]]) == (False, ["unknown_workflow"])


def test_the_runs_that_a_run_called_are_listed_to_members_only(owner, member, stranger):
    order = owner.make(name="Order")
    above, below, aside = (owner.post(f"/workflows/{order['id']}/execute").json()["id"] for _ in range(3))
    top = Run.objects.get(uid=above)
    Run.objects.filter(uid=below).update(called_by_run=top, called_by_path="bill#2", depth=1)

    answer = owner.get(f"/runs/{above}/children")

    [child] = answer.json()["results"]
    told = {name: child[name] for name in ("id", "called_by_run_id", "called_by_path", "depth")}
    assert told == {"id": below, "called_by_run_id": above, "called_by_path": "bill", "depth": 1}
    assert owner.get(f"/runs/{below}").json()["called_by_path"] == "bill"
    assert [run["id"] for run in owner.get("/runs", called_by_run_id=above).json()["results"]] == [below]
    assert owner.get(f"/runs/{aside}/children").json()["results"] == []
    assert member(Role.VIEWER).get(f"/runs/{above}/children").status_code == 200
    assert stranger.get(f"/runs/{above}/children").status_code == 404
