"""POST /workflows/{id}/dry-run: the whole plan of effects, and nothing done."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.apps import apps
from django.db import connection

from automation.services import files
from automation.tests.api.conftest import HELLO, Api
from brainops.accounts.models import Role
from brainops.audit.models import AuditEntry
from brainops.core.egress import http
from tests.flows.server import Scripted, scripted

ORDER: dict[str, Any] = {
    "schema": 1,
    "inputs": {"type": "object", "properties": {"server": {"type": "string"}, "id": {"type": "integer"}}},
    "steps": [
        {"id": "order", "uses": "http.request", "with": {"url": "{{ inputs.server }}/orders/{{ inputs.id }}"}},
        {
            "id": "large",
            "uses": "condition",
            "needs": ["order"],
            "with": {"when": "{{ steps.order.output.body.total > 1000 }}"},
        },
        {
            "id": "charge",
            "uses": "http.request",
            "needs": ["large.true"],
            "with": {
                "method": "POST",
                "url": "{{ inputs.server }}/charges",
                "headers": {"Authorization": "Bearer abcdefghij"},
                "json": {"amount": "{{ steps.order.output.body.total }}"},
            },
        },
        {"id": "pause", "uses": "delay", "needs": ["charge"], "with": {"for": "2d"}},
        {"id": "small", "uses": "log", "needs": ["large.false"], "with": {"message": "A small order"}},
    ],
    "output": "{{ steps.charge.output.status }}",
}
INPUTS = {"server": "https://shop.example", "id": 7}


@pytest.fixture
def receiver(settings: Any) -> Iterator[Scripted]:
    """A server that would see whatever left the process."""
    settings.BRAINOPS_EGRESS_ALLOW = ["127.0.0.1:*"]
    http.client.cache_clear()
    with scripted({"GET /orders/7": [{"json": {"total": 1500}}], "POST /charges": [{"status": 201}]}) as server:
        yield server
    http.client.cache_clear()


def rehearse(api: Api, workflow_id: str, **body: Any) -> dict[str, Any]:
    response = api.post(f"/workflows/{workflow_id}/dry-run", body)
    assert response.status_code == 200, response.content
    return response.json()


def told(plan: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    """Path, effect, target and source of each effect."""
    return [(one["path"], one["effect"], one["target"], one["answer_source"]) for one in plan["effects"]]


def counts() -> dict[str, int]:
    """Rows of every table of the product; tests of other rooms make models of their own."""
    models = [model for model in apps.get_models() if ".tests." not in model.__module__]
    return {model._meta.db_table: model.objects.count() for model in models}


def test_the_plan_lists_effects_decisions_and_what_is_missing(owner: Api):
    plan = rehearse(owner, owner.make(definition=ORDER)["id"], inputs=INPUTS)

    assert (plan["status"], plan["output"], plan["version"], plan["mode"]) == ("succeeded", 200, "1.0.0", "dry_run")
    assert plan["effect_counts"] == {"read": 1, "create": 1}
    assert plan["lasts_seconds"] == 2 * 86_400
    assert told(plan) == [
        ("order", "read", "https://shop.example/orders/7", "simulated"),
        ("charge", "create", "POST https://shop.example/charges", "assumed"),
    ]
    assert plan["effects"][1]["request"] == {
        "method": "POST",
        "url": "https://shop.example/charges",
        "headers": {"Authorization": "•••"},
        "json": {"amount": "{{ steps.order.output.body.total }}"},
    }
    assert plan["effects"][1]["unresolved"] == ["{{ steps.order.output.body.total }}"]
    assert [(one["path"], one["taken"], one["is_assumed"]) for one in plan["decisions"]] == [("large", "true", True)]
    assert [(one["path"], one["code"], one["is_assumed"]) for one in plan["unresolved"]] == [
        ("large", "unresolved_expression", True),
        ("charge", "unresolved_expression", True),
    ]
    assert {step["path"]: step["status"] for step in plan["steps"]}["small"] == "skipped"


def test_samples_decide_what_was_in_doubt(owner: Api):
    samples = {"order": {"status": 200, "headers": {}, "body": {"total": 1500}}}

    plan = rehearse(owner, owner.make(definition=ORDER)["id"], inputs=INPUTS, samples=samples)

    assert told(plan) == [
        ("order", "read", "https://shop.example/orders/7", "sample"),
        ("charge", "create", "POST https://shop.example/charges", "simulated"),
    ]
    assert plan["effects"][1]["request"]["json"] == {"amount": 1500}
    assert plan["unresolved"] == []
    assert plan["decisions"] == [
        {
            "path": "large",
            "type": "condition",
            "taken": "true",
            "operands": {
                "expression": "{{ steps.order.output.body.total > 1000 }}",
                "value": True,
                "operands": [{"expression": "steps.order.output.body.total", "value": 1500}],
            },
            "is_assumed": False,
        }
    ]


def test_nothing_leaves_the_process_and_nothing_is_written_but_an_audit_entry(owner: Api, receiver: Scripted):
    workflow_id = owner.make(definition=ORDER)["id"]
    before = counts()

    plan = rehearse(owner, workflow_id, inputs={**INPUTS, "server": receiver.url})

    assert plan["status"] == "succeeded"
    assert receiver.requests == []
    assert {name: (before[name], now) for name, now in counts().items() if now != before[name]} == {
        "audit_auditentry": (before["audit_auditentry"], before["audit_auditentry"] + 1)
    }
    entry = AuditEntry.objects.get(action="workflow.dry_run")
    assert entry.summary == "Dry run of workflow 'Hello', version 1.0.0: succeeded."


def test_reads_are_performed_when_asked_and_writes_never(owner: Api, receiver: Scripted):
    inputs = {**INPUTS, "server": receiver.url}

    plan = rehearse(owner, owner.make(definition=ORDER)["id"], inputs=inputs, reads="perform")

    assert [(one["method"], one["path"]) for one in receiver.requests] == [("GET", "/orders/7")]
    assert [one["answer_source"] for one in plan["effects"]] == ["performed", "simulated"]
    assert plan["effects"][0]["answer"]["body"] == {"total": 1500}
    assert plan["effects"][1]["request"]["json"] == {"amount": 1500}


def test_a_file_is_read_when_asked(owner: Api):
    step = {"id": "read", "uses": "read_file", "with": {"file": "{{ inputs.file }}"}}
    definition = {
        "schema": 1,
        "inputs": {"properties": {"file": {}}},
        "steps": [step],
        "output": "{{ steps.read.output.items }}",
    }
    workflow_id = owner.make(definition=definition)["id"]
    file = files.keep(owner.workspace.id, "a.csv", "text/csv", b"n\n1\n")

    read = rehearse(owner, workflow_id, inputs={"file": file}, reads="perform")
    gone = rehearse(owner, workflow_id, inputs={"file": {"$file": "none"}}, reads="perform")
    made_up = rehearse(owner, workflow_id, inputs={"file": file})

    assert (read["status"], read["output"]) == ("succeeded", [{"n": "1"}])
    assert (gone["status"], made_up["status"]) == ("failed", "succeeded")


def test_a_read_that_fails_is_asked_once(owner: Api, receiver: Scripted):
    plan = rehearse(
        owner, owner.make(definition=ORDER)["id"], inputs={"server": receiver.url, "id": 404}, reads="perform"
    )

    assert len(receiver.requests) == 1
    assert (plan["status"], plan["effects"][0]["answer_source"]) == ("failed", "failed")
    assert plan["effects"][0]["error"]["type"] == "http_status"
    assert {step["path"]: step["status"] for step in plan["steps"]}["charge"] in ("not_reached", "skipped", "cancelled")


def test_an_unsaved_document_is_rehearsed_and_not_saved(owner: Api):
    workflow = owner.make()
    definition = {"schema": 1, "steps": [{"id": "a", "uses": "log", "with": {"message": "new"}}]}

    plan = rehearse(owner, workflow["id"], definition=definition)

    assert (plan["version"], plan["logs"]) == (None, [{"path": "a", "level": "info", "message": "new"}])
    assert owner.get(f"/workflows/{workflow['id']}").json()["definition"] == HELLO


def test_an_earlier_version_is_rehearsed(owner: Api):
    workflow_id = owner.make()["id"]
    newer = {**HELLO, "output": "newer"}
    owner.patch(f"/workflows/{workflow_id}", {"definition": newer})

    outputs = [rehearse(owner, workflow_id, **body)["output"] for body in ({"version": "1.0.0"}, {})]

    assert outputs == ["Hello world", "newer"]


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({"inputs": {"name": 7}}, "/inputs/name", "wrong_type"),
        ({"samples": {"nobody": 1}}, "/samples/nobody", "unknown_step"),
        ({"version": "9.9.9"}, "/version", "unknown_version"),
        ({"definition": {"schema": 1}}, "/definition", "required"),
        ({"reads": "maybe"}, "/reads", "invalid_value"),
        ({"nonsense": 1}, "/nonsense", "unknown_field"),
    ],
)
def test_what_cannot_be_rehearsed_is_refused_by_place(owner: Api, body: Any, pointer: str, code: str):
    response = owner.post(f"/workflows/{owner.make()['id']}/dry-run", body)

    assert response.status_code == 400
    assert [(one["pointer"], one["code"]) for one in response.json()["problems"]] == [(pointer, code)]


def test_the_trigger_of_a_dry_run_is_the_sample_given(owner: Api):
    definition = {"schema": 1, "steps": [{"id": "a", "uses": "log", "with": {"message": "{{ trigger.body.ref }}"}}]}

    plan = rehearse(owner, owner.make(definition=definition)["id"], trigger={"body": {"ref": "main"}})

    assert plan["logs"][0]["message"] == "main"


def test_called_workflows_are_rehearsed_too_with_their_effects_inside(owner: Api):
    owner.make(name="Billing", definition={**ORDER, "output": "{{ steps.order.output.body.total }}"})
    call = {"workflow": "Billing", "inputs": {"server": "https://shop.example", "id": "{{ inputs.id }}"}}
    outer = {
        "schema": 1,
        "inputs": {"type": "object", "properties": {"id": {"type": "integer"}}},
        "steps": [{"id": "billing", "call": call}],
    }

    plan = rehearse(owner, owner.make(name="Outer", definition=outer)["id"], inputs={"id": 7})

    (called,) = plan["effects"]
    assert (called["path"], called["kind"], called["target"], called["answer_source"]) == (
        "billing", "call", "Billing", "called",
    )  # fmt: skip
    assert [(one["path"], one["effect"]) for one in called["inside"]] == [
        ("billing/order", "read"),
        ("billing/charge", "create"),
    ]
    assert [one["path"] for one in plan["decisions"]] == ["billing/large"]
    assert plan["effect_counts"] == {"create": 2, "read": 1}


def test_a_call_of_nobody_is_told_as_missing(owner: Api):
    definition = {"schema": 1, "steps": [{"id": "sub", "call": {"workflow": "Nobody"}}]}

    plan = rehearse(owner, owner.make()["id"], definition=definition)

    assert plan["status"] == "failed"
    assert [(one["code"], one["path"]) for one in plan["unresolved"]] == [("missing_workflow", "sub")]


def test_a_connection_that_is_not_there_is_told_and_the_rest_rehearsed(owner: Api):
    step = {
        "id": "a",
        "uses": "http.request",
        "connection": "shop",
        "with": {"method": "PUT", "url": "https://x.example"},
    }

    plan = rehearse(owner, owner.make()["id"], definition={"schema": 1, "steps": [step]})

    assert [(one["code"], one["path"], one["pointer"]) for one in plan["unresolved"]] == [
        ("missing_connection", "a", "/definition/steps/0/connection")
    ]
    assert told(plan) == [("a", "update", "PUT https://x.example", "simulated")]


def test_a_workflow_of_another_workspace_is_nobody(owner: Api, stranger: Api):
    stranger.make(name="Theirs")
    definition = {"schema": 1, "steps": [{"id": "sub", "call": {"workflow": "Theirs"}}]}

    plan = rehearse(owner, owner.make()["id"], definition=definition)

    assert [one["code"] for one in plan["unresolved"]] == ["missing_workflow"]


def test_execute_rehearses_too_when_its_mode_says_so(owner: Api):
    workflow_id = owner.make()["id"]

    response = owner.post(f"/workflows/{workflow_id}/execute", {"mode": "dry_run", "inputs": {"name": "Ada"}})

    assert (response.status_code, response.json()["mode"], response.json()["output"]) == (200, "dry_run", "Hello Ada")
    with connection.cursor() as cursor:
        cursor.execute("select count(*) from automation_run")
        assert cursor.fetchone() == (0,)


def test_a_dry_run_ends_at_its_limits_and_says_which(owner: Api, settings: Any):
    settings.BRAINOPS_LIMITS = {**settings.BRAINOPS_LIMITS, "dry_run_steps": 3}
    definition = {
        "schema": 1,
        "steps": [
            {"id": "all", "for_each": {"items": [1, 2, 3, 4]}, "uses": "log", "with": {"message": "item {{ item }}"}}
        ],
    }

    plan = rehearse(owner, owner.make(definition=definition)["id"])

    assert (plan["status"], len(plan["logs"])) == ("stopped", 3)
    assert plan["stopped_by"] == "steps: a dry run attempts at most 3 (BRAINOPS_LIMIT_DRY_RUN_STEPS)."


@pytest.mark.parametrize(
    ("role", "saved", "unsaved"), [(Role.VIEWER, 403, 403), (Role.OPERATOR, 200, 403), (Role.BUILDER, 200, 200)]
)
def test_who_may_run_may_rehearse_and_who_may_change_may_rehearse_a_change(
    owner: Api, member: Callable[..., Api], role: Role, saved: int, unsaved: int
):
    workflow_id, caller = owner.make()["id"], member(role)

    statuses = [
        caller.post(f"/workflows/{workflow_id}/dry-run", body).status_code for body in ({}, {"definition": HELLO})
    ]

    assert statuses == [saved, unsaved]


def test_a_foreign_workflow_looks_like_a_missing_one(owner: Api, stranger: Api):
    answers = [
        stranger.post(f"/workflows/{id_}/dry-run", {}, x_request_id="the-same-request").content
        for id_ in (owner.make()["id"], uuid.uuid4())
    ]

    assert answers[0] == answers[1]
    assert b"not_found" in answers[0]


def test_a_key_that_may_only_execute_is_shown_no_plan(owner: Api, member: Callable[..., Api]):
    caller = member(Role.OPERATOR, scopes=("runs:execute",))

    assert caller.post(f"/workflows/{owner.make()['id']}/dry-run", {}).status_code == 403
