"""The committed OpenAPI document equals the code, and says about every answer what the answer holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings
from django.core.management import call_command

from automation.api import run_schema, workflow_shape
from automation.tests.api.conftest import Api


@pytest.fixture(scope="module")
def document() -> str:
    return (Path(settings.BASE_DIR) / "docs" / "openapi.yaml").read_text(encoding="utf-8")


def test_the_committed_document_is_what_the_code_says():
    call_command("export_schema", check=True)


def test_every_endpoint_that_was_asked_for_is_in_it(document: str):
    asked = {
        *("POST /workflows", "GET /workflows", "GET /workflows/{id}", "PUT /workflows/{id}", "DELETE /workflows/{id}"),
        *("POST /workflows/{id}/execute", "GET /workflows/{id}/runs", "GET /runs/{id}", "POST /runs/{id}/cancel"),
        *("POST /runs/{id}/retry", "POST /triggers", "GET /triggers", "PUT /triggers/{id}", "DELETE /triggers/{id}"),
        *("POST /webhooks/{webhook_id}/receive", "POST /webhooks/{webhook_id}/test"),
        *("GET /webhooks/{webhook_id}/events", "GET /health"),
    }
    prefix = "/api/v1/automation"
    found = {
        f"{method.upper()} {path.removeprefix(prefix)}"
        for path, methods in yaml.safe_load(document)["paths"].items()
        for method in methods
    }

    assert asked - found == set()


def members(shape: Any) -> set[str]:
    return set(shape().fields)


def test_answers_have_the_members_that_are_described(owner: Api):
    workflow = owner.make()
    accepted = owner.post(f"/workflows/{workflow['id']}/execute").json()
    run = owner.get(f"/runs/{accepted['id']}").json()
    version = owner.get(f"/workflows/{workflow['id']}/versions/1.0.0").json()

    assert set(workflow) == members(workflow_shape.WorkflowShape)
    assert set(version) == members(workflow_shape.VersionShape)
    assert set(accepted) == members(run_schema.AcceptedRun)
    assert set(run) == members(run_schema.RunShape)
    assert set(run["timing"]) == members(run_schema.Timing)
    assert set(owner.get("/runs").json()["results"][0]) == members(run_schema.RunSummary)
    assert set(owner.post(f"/runs/{accepted['id']}/cancel").json()) == {"id", "status", "detail", "url"}
