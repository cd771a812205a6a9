"""What leaves one workspace comes into another as it was."""

from __future__ import annotations

import pytest

from automation.models import Trigger, Workflow, WorkflowVersion
from automation.tests.exchange.conftest import Api, actions, export, exported, import_, say

FORMS = {
    "json": "application/json",
    "ndjson": "application/x-ndjson",
    "yaml": "application/yaml",
    "zip": "application/zip",
}


def make_with_history(who: Api, name: str = "Orders") -> str:
    """A workflow with three versions and a schedule."""
    id_ = who.make(name=name, definition=say("one"), tags=["a"], meta_data={"n": 1.5, "text": "no", "at": "12:30"})[
        "id"
    ]
    body = {"name": name, "definition": say("two"), "tags": ["a"], "note": "politer", "bump": "minor"}
    assert who.put(f"/workflows/{id_}", body).status_code == 200
    assert who.patch(f"/workflows/{id_}", {"definition": say("three\nlines ✓")}).status_code == 200
    body = {"workflow_id": id_, "kind": "schedule", "config": {"cron": "0 9 * * 1-5"}, "name": "Mornings"}
    body["condition"] = "{{ vars.is_on }}"
    assert who.post("/triggers", body).status_code == 201
    return id_


@pytest.mark.parametrize("form", FORMS)
def test_a_workflow_comes_back_with_its_history_and_triggers(owner: Api, other: Api, form: str):
    make_with_history(owner)

    answer = import_(other, export(owner, format=form), kind=FORMS[form])

    (result,) = answer["results"]
    assert (result["action"], result["version"], result["versions_added"], result["triggers_added"]) == (
        "create", "1.1.1", 3, 1,
    )  # fmt: skip
    made = Workflow.objects.get(workspace=other.workspace)
    source = Workflow.objects.get(workspace=owner.workspace)
    assert str(made.id) == result["workflow_id"] == answer["ids"][str(source.id)]
    same = ("name", "description", "definition", "tags", "meta_data", "version", "retention")
    assert [getattr(made, name) for name in same] == [getattr(source, name) for name in same]
    assert (made.is_active, made.owner_id, made.source_key) == (False, other.user.id, str(source.id))
    facts = ("ordinal", "number", "name", "definition", "tags", "meta_data", "note", "checksum")
    versions = [
        list(WorkflowVersion.objects.filter(workflow=row).order_by("ordinal").values_list(*facts))
        for row in (source, made)
    ]
    assert versions[0] == versions[1]
    trigger = Trigger.objects.get(workflow=made)
    assert (trigger.kind, trigger.name, trigger.config["cron"], trigger.condition, trigger.is_active) == (
        "schedule", "Mornings", "0 9 * * 1-5", "{{ vars.is_on }}", True,
    )  # fmt: skip


def test_who_made_a_version_and_when_is_told_as_a_fact_of_the_file(owner: Api, other: Api):
    make_with_history(owner)
    first = WorkflowVersion.objects.get(workflow__workspace=owner.workspace, ordinal=1)

    import_(other, export(owner))

    made = WorkflowVersion.objects.get(workflow__workspace=other.workspace, ordinal=1)
    assert made.imported_from == {"author": owner.user.get_full_name(), "created_at": first.created_at.isoformat()}
    assert made.author_id == other.user.id


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("strategy", ["merge", "overwrite", "skip"])
def test_the_same_file_again_changes_nothing(owner: Api, other: Api, form: str, strategy: str):
    make_with_history(owner, "Orders")
    make_with_history(owner, "Bills")
    file = export(owner, format=form)
    import_(other, file, kind=FORMS[form])
    before = list(Workflow.objects.order_by("id").values_list("id", "revision", "updated_at"))

    answer = import_(other, file, kind=FORMS[form], strategy=strategy)

    assert actions(answer) == ["unchanged", "unchanged"]
    assert list(Workflow.objects.order_by("id").values_list("id", "revision", "updated_at")) == before
    assert WorkflowVersion.objects.filter(workflow__workspace=other.workspace).count() == 6


def test_an_export_into_its_own_workspace_changes_nothing(owner: Api):
    make_with_history(owner)

    assert actions(import_(owner, export(owner))) == ["unchanged"]


def test_an_imported_workflow_is_exported_as_it_came(owner: Api, other: Api):
    make_with_history(owner)
    first = exported(owner)
    import_(other, export(owner))

    second = exported(other)

    first["workflows"][0]["is_active"] = False  # it arrived switched off
    for document in (first, second):
        del document["exported_at"], document["checksum"], document["workflows"][0]["checksum"]
    assert second == first


def test_a_renamed_workflow_is_found_by_its_key(owner: Api, other: Api):
    make_with_history(owner)
    file = export(owner)
    made = import_(other, file)["results"][0]["workflow_id"]
    other.patch(f"/workflows/{made}", {"name": "Renamed"})

    answer = import_(other, file, strategy="skip")

    assert [(result["action"], result["workflow_id"]) for result in answer["results"]] == [("skip", made)]
