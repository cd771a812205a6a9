"""The catalogue, the document schema and the validator."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from automation.engine.schema import document_schema
from automation.models import Workflow
from automation.steps import all_kinds
from automation.tests.api.conftest import HELLO, Api
from automation.triggers import all_trigger_kinds
from brainops.accounts.models import Role


def test_the_catalogue_lists_every_kind_with_its_schema(owner: Api):
    body = owner.get("/catalogue").json()

    assert [kind["key"] for kind in body["steps"]] == list(all_kinds())
    assert {"http.request", "transform", "condition", "filter", "delay", "fail", "respond", "log"} <= set(all_kinds())
    assert [kind["key"] for kind in body["triggers"]] == list(all_trigger_kinds())
    assert [kind["key"] for kind in body["steps"] if not (kind["config_schema"] and kind["examples"])] == []


def test_whoever_has_the_catalogue_is_not_sent_it_again(owner: Api):
    tag = owner.get("/catalogue").headers["ETag"]

    again = owner.send("GET", "/catalogue", if_none_match=tag)

    assert (again.status_code, again.content) == (304, b"")


def test_every_example_of_the_catalogue_is_a_valid_step(owner: Api, settings):
    settings.BRAINOPS_CODE_STEPS = True
    steps = [example["step"] for kind in owner.get("/catalogue").json()["steps"] for example in kind["examples"]]
    inputs = {"type": "object"}

    refused = [
        (step["uses"], problem["message"])
        for step in steps
        for problem in owner.post(
            "/workflows/validate", {"definition": {"schema": 1, "inputs": inputs, "steps": [step]}}
        ).json()["problems"]
        if problem["code"] not in ("unknown_reference", "unknown_step")  # examples read steps that stand elsewhere
    ]

    assert refused == []


def test_the_published_schema_is_the_one_that_checks(owner: Api):
    response = owner.get("/workflow-schema")

    assert response.headers["Content-Type"] == "application/schema+json"
    assert response.json() == document_schema()


def test_a_valid_workflow_is_answered_with_its_plan(owner: Api, member: Any):
    response = member(Role.VIEWER).post("/workflows/validate", {"definition": HELLO, "inputs": {"name": "Ada"}})

    body = response.json()
    assert (response.status_code, body["valid"], body["problems"]) == (200, True, [])
    assert body["steps"] == [
        {"id": "greeting", "uses": "transform", "needs": []},
        {"id": "say", "uses": "log", "needs": ["greeting"]},
    ]
    assert len(body["checksum"]) == 64
    assert Workflow.objects.count() == 0


def test_everything_wrong_is_listed_and_the_answer_is_still_200(owner: Api):
    definition = copy.deepcopy(HELLO)
    definition["steps"][0]["needs"] = ["say"]
    definition["steps"][1]["uses"] = "lgo"

    response = owner.post("/workflows/validate", {"definition": definition})

    body = response.json()
    assert (response.status_code, body["valid"], body["steps"], body["checksum"]) == (200, False, [], None)
    assert {problem["pointer"] for problem in body["problems"]} >= {"/definition/steps/1/uses"}
    assert [p for p in body["problems"] if p["code"] == "cycle"] != []


def test_inputs_are_checked_too(owner: Api):
    body = owner.post("/workflows/validate", {"definition": HELLO, "inputs": {"name": 5}}).json()

    assert [(problem["pointer"], problem["code"]) for problem in body["problems"]] == [("/inputs/name", "wrong_type")]


@pytest.mark.parametrize("definition", [None, 5, "text", [], {}])
def test_anything_can_be_asked_about(owner: Api, definition: Any):
    response = owner.post("/workflows/validate", {"definition": definition})

    assert (response.status_code, response.json()["valid"]) == (200, False)
