"""Calls, variables, secrets and connections: names that mean something else in another workspace."""

from __future__ import annotations

from automation.models import Variable, Workflow
from automation.tests.exchange.conftest import (
    Api,
    actions,
    calling,
    codes,
    export,
    exported,
    file_of,
    import_,
    say,
    workflow,
)

READS = say("{{ vars.greeting ~ vars['other'] ~ 'vars.greeting' }}")


def test_a_call_by_id_leads_to_the_imported_workflow(owner: Api, other: Api):
    callee = owner.make(name="Callee", definition=say())["id"]
    owner.make(name="Caller", definition=calling(callee))

    answer = import_(other, export(owner))

    caller = Workflow.objects.get(workspace=other.workspace, name="Caller")
    assert caller.definition == calling(answer["ids"][callee])
    assert actions(import_(other, export(owner))) == ["unchanged", "unchanged"]


def test_callers_may_stand_before_those_they_call(owner: Api):
    answer = import_(owner, file_of(workflow("A", calling("B", "C")), workflow("B", calling("C")), workflow("C")))

    assert actions(answer) == ["create", "create", "create"]


def test_a_circle_of_calls_is_named_and_refused(owner: Api):
    owner.make(name="Here", definition=say())
    circle = [workflow("A", calling("B")), workflow("B", calling("Here")), workflow("Here", calling("A"))]

    answer = import_(owner, file_of(*circle, workflow("Alone", calling("Alone"))))

    assert actions(answer) == ["refused"] * 4
    assert [codes(result)[0][0] for result in answer["results"]] == ["call_cycle"] * 4
    assert "'A' → 'B' → 'Here' → 'A'" in answer["results"][0]["reasons"][0]["message"]
    assert "'Alone' → 'Alone'" in answer["results"][3]["reasons"][0]["message"]


def test_a_call_of_what_is_nowhere_is_refused_unless_it_is_mapped(owner: Api):
    owner.make(name="Here", definition=say())
    file = file_of(workflow("Caller", calling("Gone")))

    refused = import_(owner, file)
    mapped = import_(owner, file, mapping='{"workflows": {"Gone": "Here"}}')

    assert codes(refused["results"][0]) == [("unknown_workflow", "/workflows/0/definition")]
    assert actions(mapped) == ["create"]
    assert Workflow.objects.get(name="Caller").definition == calling("Here")


def test_a_workflow_that_is_called_by_id_and_left_out_is_found_by_the_name_it_had(owner: Api, other: Api):
    callee = owner.make(name="Callee", definition=say())["id"]
    caller = owner.make(name="Caller", definition=calling(callee))["id"]
    other.make(name="Callee", definition=say())

    answer = import_(other, export(owner, ids=[caller]))

    assert actions(answer) == ["create"]
    assert Workflow.objects.get(workspace=other.workspace, name="Caller").definition == calling("Callee")


def test_what_is_missing_is_told_and_the_workflow_imported_all_the_same(owner: Api):
    answer = import_(owner, file_of(workflow("Reader", READS)))

    assert actions(answer) == ["create"]
    assert answer["missing"] == {"variables": ["greeting", "other"]}
    Variable.objects.create(workspace=owner.workspace, name="greeting", value="Hi")
    assert import_(owner, file_of(workflow("Reader", READS)))["missing"] == {"variables": ["other"]}


def test_mapped_names_are_written_into_every_version(owner: Api):
    history = [{"number": "1.0.0", "name": "Reader", "definition": READS}]
    file = file_of(workflow("Reader", READS, version="1.0.1", history=history))

    answer = import_(owner, file, mapping='{"variables": {"greeting": "hello", "other": "two words"}}')

    wanted = "{{ vars.hello ~ vars[\"two words\"] ~ 'vars.greeting' }}"
    row = Workflow.objects.get()
    assert row.definition == say(wanted)
    assert [version.definition for version in row.versions.all()] == [say(wanted), say(wanted)]
    assert answer["missing"] == {"variables": ["hello", "two words"]}


def test_an_export_says_what_a_workflow_needs_by_name(owner: Api):
    for name in ("greeting", "other"):
        Variable.objects.create(workspace=owner.workspace, name=name, value="canary-of-a-variable")
    callee = owner.make(name="Callee", definition=say())["id"]
    steps = [*READS["steps"], *calling(callee, "Callee")["steps"]]
    owner.make(name="Caller", definition={"schema": 1, "steps": steps})

    file = exported(owner)

    (caller,) = [one for one in file["workflows"] if one["name"] == "Caller"]
    assert caller["references"] == {
        "variables": ["greeting", "other"],
        "workflows": [{"named": callee, "name": "Callee"}, {"named": "Callee"}],
    }


def test_one_key_or_one_target_counts_once(owner: Api):
    answer = import_(owner, file_of(workflow("A", key="k"), workflow("B", key="k"), workflow("C"), workflow("C")))

    assert actions(answer) == ["create", "conflict", "create", "create"]
    again = import_(owner, file_of(workflow("C")))
    assert codes(again["results"][0]) == [("ambiguous_workflow", "/workflows/0/name")]


def test_two_workflows_of_one_name_stay_two(owner: Api, other: Api):
    owner.make(name="Same", definition=say("one"))
    owner.make(name="Same", definition=say("two"))
    file = export(owner)

    assert actions(import_(other, file)) == ["create", "create"]
    assert actions(import_(other, file)) == ["unchanged", "unchanged"]
