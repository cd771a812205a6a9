"""Workflows, their versions, tags, variables, secrets and state, and files of them."""

from __future__ import annotations

from typing import Any

import orjson

from automation.services.transfers_due import work_on_next
from tests.api.story.teller import Voice

GREET: dict[str, Any] = {
    "schema": 1,
    "inputs": {"type": "object", "properties": {"name": {"type": "string", "default": "world"}}},
    "steps": [
        {"id": "greeting", "uses": "transform", "with": {"set": {"text": "Hello {{ inputs.name }}"}}},
        {"id": "say", "uses": "log", "needs": ["greeting"], "with": {"message": "{{ steps.greeting.output.text }}"}},
    ],
    "output": "{{ steps.greeting.output.text }}",
}
FLOW = {"name": "Greet", "description": "Says hello.", "definition": GREET, "tags": ["examples"]}
AS_YAML = """\
definition:
  schema: 1
  steps:
    - {id: say, uses: log, with: {message: Hello}}
"""
FILE_AS_YAML = """\
format: brainops/export
format_version: 1
workflows:
  - name: Good morning
    definition:
      schema: 1
      steps:
        - {id: say, uses: log, with: {message: Good morning}}
"""


def of(said: Any, name: str = "id") -> str:
    """What an answer calls a thing."""
    return str(said[name])


def make(ada: Voice, name: str, *steps: dict[str, Any], **document: Any) -> str:
    """A workflow of the story's own; returns its id."""
    return of(ada.ask("workflows_create", {"name": name, "definition": {"schema": 1, "steps": [*steps], **document}}))


def versions(ada: Voice) -> str:
    """A workflow with a history; returns its id."""
    id_ = of(ada.ask("workflows_create", {**FLOW, "note": "First version."}))
    ada.ask("workflows_list", query={"limit": 2})
    ada.ask("workflows_retrieve", id=id_)
    greeted = {**GREET, "output": {"said": "{{ steps.greeting.output.text }}"}}
    ada.ask("workflows_update", {**FLOW, "definition": greeted, "bump": "minor", "note": "An object."}, id=id_)
    change = {"description": "Says hello to somebody.", "tags": ["examples", "shop"]}
    ada.ask("workflows_partial_update", change, id=id_)
    ada.ask("workflows_versions_list", id=id_)
    ada.ask("workflows_versions_retrieve", id=id_, number="1.0.0")
    ada.ask("workflows_versions_diff_retrieve", id=id_, number="1.0.0", query={"against": "1.1.0"})
    ada.ask("workflows_versions_diff_pair_retrieve", id=id_, number="1.0.0", other="1.1.0")
    ada.ask("workflows_versions_diff_create", {"name": "Greet", "definition": GREET}, id=id_, number="1.1.0")
    ada.ask("workflows_versions_restore_create", id=id_, number="1.0.0")
    return id_


def around(ada: Voice, id_: str) -> None:
    """What one asks about workflows, and what is done to many at once."""
    ada.ask("catalogue_retrieve")
    ada.ask("workflow_schema_retrieve")
    ada.ask("workflows_validate_create", {"definition": GREET, "inputs": {"name": "Ada"}})
    ada.ask("workflows_validate_create", AS_YAML, kind="application/yaml")
    ada.ask("tags_list")
    ada.ask("tags_rename_create", {"from": "examples", "to": "samples"})
    ada.ask("tags_destroy", tag="samples")
    ada.ask("workflows_bulk_create", {"action": "tag", "ids": [id_], "tags": ["greeting"]})
    doomed = make(ada, "Old greeting", GREET["steps"][0])
    ada.ask("workflows_destroy", id=doomed, query={"dry_run": "true"})
    ada.ask("workflows_destroy", id=doomed)


def values(ada: Voice) -> None:
    """Variables, secrets and state."""
    ada.ask("variables_create", {"name": "region", "value": "eu-west", "description": "Where we sell."})
    ada.ask("variables_update", {"value": 25}, name="page_size")
    ada.ask("variables_update", {"value": 50, "description": "Rows of a page."}, name="page_size")
    ada.ask("variables_partial_update", {"description": "Rows on a page."}, name="page_size")
    ada.ask("variables_list")
    ada.ask("variables_retrieve", name="region")
    ada.ask("variables_destroy", name="page_size")
    secret = {"value": "the-value-that-nobody-reads-again", "hosts": ["api.example.com"]}
    ada.ask("secrets_create", {"name": "shop_token", "description": "Of the shop.", **secret})
    ada.ask("secrets_update", {**secret, "expires_on": "2027-03-01"}, name="mail_token")
    ada.ask("secrets_update", secret, name="mail_token")
    ada.ask("secrets_partial_update", {"description": "Of the mail server."}, name="mail_token")
    ada.ask("secrets_list")
    ada.ask("secrets_retrieve", name="shop_token")
    ada.ask("secrets_destroy", name="mail_token")
    ada.ask("state_update", {"value": {"page": 7}, "expires_seconds": 86400}, key="orders/cursor")
    ada.ask("state_update", {"value": {"page": 8}, "if_version": 1}, key="orders/cursor")
    ada.ask("state_list")
    ada.ask("state_retrieve", key="orders/cursor")
    ada.ask("state_destroy", key="orders/cursor")


def files(ada: Voice, id_: str) -> None:
    """Files out and in, at once and by a worker."""
    ada.ask("export_schema_retrieve")
    for kind in ("json", "ndjson", "yaml", "zip"):
        ada.ask("workflows_export_retrieve", id=id_, query={"format": kind, "versions": "current"})
        ada.ask("workflows_export_create", {"ids": [id_], "format": kind, "versions": "current"})
        begun = ada.ask("workflows_export_create", {"ids": [id_], "format": kind, "versions": "current", "async": True})
        work_on_next()
        ada.ask("exports_download_retrieve", id=begun["id"])
    ada.ask("exports_list", query={"limit": 2})
    ada.ask("exports_retrieve", id=begun["id"])
    ada.ask("exports_destroy", id=begun["id"])
    _imports(ada)


def _imports(ada: Voice) -> None:
    say = {"id": "bye", "uses": "log", "with": {"message": "Bye"}}
    flow = {"name": "Farewell", "definition": {"schema": 1, "steps": [say]}}
    frame = {"format": "brainops/export", "format_version": 1}
    file = {**frame, "workflows": [flow]}
    ada.ask("workflows_import_create", file, query={"strategy": "merge"})
    lines = [orjson.dumps(line).decode() for line in (frame, {"workflow": flow}, {"end": {}})]
    ada.ask("workflows_import_create", "\n".join(lines), kind="application/x-ndjson")
    ada.ask("workflows_import_create", FILE_AS_YAML, kind="application/yaml")
    begun = ada.ask("workflows_import_create", file, query={"strategy": "skip", "async": "true"})
    work_on_next()
    ada.ask("imports_list")
    ada.ask("imports_retrieve", id=begun["id"])
    ada.ask("imports_items_list", id=begun["id"])
    ada.ask("imports_destroy", id=begun["id"])
