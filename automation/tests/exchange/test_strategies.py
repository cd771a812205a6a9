"""What becomes of a workflow that is here already."""

from __future__ import annotations

import pytest

from automation.models import Trigger, Workflow, WorkflowVersion
from automation.tests.exchange.conftest import (
    Api,
    actions,
    codes,
    file_of,
    import_,
    rows_of_all_tables,
    say,
    send,
    workflow,
)
from brainops.accounts.models import Role
from brainops.audit.models import AuditEntry

SCHEDULE = {"kind": "schedule", "config": {"cron": "@daily"}}
OTHER_SCHEDULE = {"kind": "schedule", "config": {"cron": "@hourly"}, "name": "Often"}


def here(who: Api, **members: object) -> str:
    """A workflow named Hello with a schedule."""
    fields = {"tags": ["x"], "meta_data": {"a": {"b": 1}}, "description": "Old.", **members}
    id_ = who.make(definition=say("old"), **fields)["id"]
    assert who.post("/triggers", {"workflow_id": id_, **SCHEDULE}).status_code == 201
    return id_


def test_merging_puts_the_imported_content_on_top_and_unites_tags_and_meta_data(owner: Api):
    id_ = here(owner)
    told = workflow(definition=say("new"), tags=["y", "x"], meta_data={"a": {"c": 2}}, triggers=[OTHER_SCHEDULE])

    (result,) = import_(owner, file_of(told))["results"]

    body = owner.get(f"/workflows/{id_}").json()
    assert (result["action"], result["workflow_id"], result["version"], result["triggers_added"]) == (
        "update", id_, "1.0.1", 1,
    )  # fmt: skip
    assert (body["definition"], body["tags"], body["meta_data"], body["description"], body["is_active"]) == (
        say("new"), ["x", "y"], {"a": {"b": 1, "c": 2}}, "Old.", True,
    )  # fmt: skip
    assert sorted(Trigger.objects.values_list("config__cron", flat=True)) == ["@daily", "@hourly"]
    versions = WorkflowVersion.objects.filter(workflow_id=id_).order_by("ordinal")
    assert list(versions.values_list("number", "note")) == [("1.0.0", ""), ("1.0.1", "Imported.")]


def test_overwriting_takes_the_place_of_all_but_the_history(owner: Api):
    id_ = here(owner)
    told = workflow(definition=say("new"), tags=["y"], triggers=[OTHER_SCHEDULE], retention={"succeeded": "7d"})

    (result,) = import_(owner, file_of(told), strategy="overwrite")["results"]

    body = owner.get(f"/workflows/{id_}").json()
    assert (result["action"], result["triggers_added"], result["triggers_removed"]) == ("update", 1, 1)
    assert (body["definition"], body["tags"], body["meta_data"], body["description"], body["retention"]) == (
        say("new"), ["y"], {}, "", {"succeeded": "7d"},
    )  # fmt: skip
    assert list(Trigger.objects.values_list("name", flat=True)) == ["Often"]
    assert WorkflowVersion.objects.filter(workflow_id=id_).count() == 2


def test_skipping_leaves_it_as_it_is_and_creates_the_others(owner: Api):
    id_ = here(owner)
    before = owner.get(f"/workflows/{id_}").json()

    answer = import_(owner, file_of(workflow(definition=say("new")), workflow("Second")), strategy="skip")

    assert actions(answer) == ["skip", "create"]
    assert codes(answer["results"][0]) == [("exists", "/workflows/0")]
    assert owner.get(f"/workflows/{id_}").json() == before


@pytest.mark.parametrize(
    ("number", "made"), [("1.0.0", "1.0.1"), ("0.9.9", "1.0.1"), ("3.2.1", "3.2.1"), (None, "1.0.1")]
)
def test_the_files_number_counts_when_it_is_higher(owner: Api, number: str | None, made: str):
    here(owner)
    told = workflow(definition=say("new"), **({"version": number} if number else {}))

    assert import_(owner, file_of(told))["results"][0]["version"] == made


def test_a_file_that_goes_on_where_the_history_ends_brings_the_versions_between(owner: Api, other: Api):
    one = {"number": "1.0.0", "name": "Hello", "definition": say("1")}
    two = {"number": "1.0.1", "name": "Hello", "definition": say("2")}
    import_(other, file_of(workflow(definition=say("1"), version="1.0.0")))

    (result,) = import_(other, file_of(workflow(definition=say("3"), version="1.1.0", history=[one, two])))["results"]

    assert (result["action"], result["versions_added"], result["version"]) == ("update", 2, "1.1.0")
    numbers = WorkflowVersion.objects.order_by("ordinal").values_list("ordinal", "number", "definition")
    assert list(numbers) == [(1, "1.0.0", say("1")), (2, "1.0.1", say("2")), (3, "1.1.0", say("3"))]


@pytest.mark.parametrize("query", [{}, {"strategy": "overwrite"}, {"strategy": "skip"}, {"activate": True}])
def test_a_dry_run_writes_no_row_and_says_what_the_import_then_does(owner: Api, query: dict):
    here(owner)
    broken = workflow("Broken", {"schema": 1, "steps": [{"id": "a", "uses": "nothing"}]})
    file = file_of(workflow(definition=say("new"), triggers=[OTHER_SCHEDULE]), workflow("Second"), broken, {})
    import_(owner, file, dry_run=True, **query)  # the key's last use is noted once a minute
    before = rows_of_all_tables()

    rehearsed = import_(owner, file, dry_run=True, **query)

    assert rows_of_all_tables() == before
    assert (rehearsed["dry_run"], rehearsed["applied"]) == (True, False)
    done = import_(owner, file, **query)
    told = [
        (one["action"], one["versions_added"], one["triggers_added"], one["reasons"]) for one in rehearsed["results"]
    ]
    assert told == [
        (one["action"], one["versions_added"], one["triggers_added"], one["reasons"]) for one in done["results"]
    ]
    assert rehearsed["counts"] == done["counts"]


def test_all_or_nothing_imports_nothing_when_one_cannot_be(owner: Api):
    broken = workflow("Broken", {"schema": 1, "steps": [{"id": "a", "uses": "nothing"}]})

    response = send(owner, file_of(workflow(), broken), all_or_nothing=True)

    body = response.json()
    assert (response.status_code, body["code"], body["counts"]["create"], body["counts"]["refused"]) == (
        409, "nothing_imported", 1, 1,
    )  # fmt: skip
    assert [result["name"] for result in body["results"]] == ["Broken"]
    assert Workflow.objects.count() == 0


def test_what_is_wrong_is_told_with_places_in_the_file(owner: Api):
    old = {"number": "1.0.0", "name": "Old", "definition": {"schema": 1, "steps": [{"id": "a", "uses": "nothing"}]}}
    told = [
        workflow("Broken", {"schema": 1, "steps": [{"id": "a", "uses": "nothing"}]}),
        workflow("Old", history=[old], version="1.0.1"),
        workflow("", tags="x"),
        workflow("Timed", triggers=[{"kind": "schedule", "config": {"cron": "61 * * * *"}}]),
        workflow("Strange", triggers=[{"kind": "pigeon"}]),
        workflow("Numbers", version="1.0.0", history=[{"number": "2.0.0", "name": "N", "definition": say()}]),
        workflow("Kept", retention={"succeeded": "1s"}),
    ]

    answer = import_(owner, file_of(*told))

    places = [codes(result)[0] for result in answer["results"]]
    assert actions(answer) == ["refused"] * 7
    assert places == [
        ("unknown_kind", "/workflows/0/definition/steps/0/uses"),
        ("unknown_kind", "/workflows/1/history/0/definition/steps/0/uses"),
        ("invalid_value", "/workflows/2/name"),
        ("invalid_cron", "/workflows/3/triggers/0/config/cron"),
        ("unknown_kind", "/workflows/4/triggers/0/kind"),
        ("version_order", "/workflows/5/version"),
        ("invalid_retention", "/workflows/6/retention/succeeded"),
    ]
    assert answer["missing"] == {"kinds": ["nothing"]}


def test_new_workflows_arrive_switched_off_unless_it_is_asked(owner: Api):
    on, off = workflow("On", is_active=True), workflow("Off", is_active=False)

    import_(owner, file_of(on, off))
    assert list(Workflow.objects.order_by("name").values_list("name", "is_active")) == [("Off", False), ("On", False)]
    answer = import_(owner, file_of(on, off), activate=True)

    assert actions(answer) == ["update", "unchanged"]
    assert list(Workflow.objects.order_by("name").values_list("name", "is_active")) == [("Off", False), ("On", True)]


def test_each_change_is_audited(owner: Api):
    here(owner)
    import_(owner, file_of(workflow(definition=say("new")), workflow("Second")))

    entries = AuditEntry.objects.filter(action="workflow.import").order_by("summary")

    assert [(entry.summary, entry.changes) for entry in entries] == [
        ("Changed workflow 'Hello' by an import.", {"version": ["1.0.0", "1.0.1"]}),
        ("Created workflow 'Second' by an import.", {"version": [None, "1.0.0"]}),
    ]


def test_a_repeated_request_is_answered_again_and_shows_no_secret(owner: Api):
    file = file_of(workflow(triggers=[{"kind": "webhook", "config": {"scheme": "github"}}]))

    first = send(owner, file, key="k1").json()
    second = send(owner, file, key="k1")

    (hook,) = first["results"][0].pop("shown_once")
    assert hook["webhook"]["secret"]
    assert (second.headers["Brainops-Duplicate"], second.json()) == ("true", first)
    assert Workflow.objects.count() == 1


@pytest.mark.parametrize(
    ("role", "scopes", "status"),
    [
        (Role.OWNER, ("*",), 200),
        (Role.BUILDER, ("*",), 200),
        (Role.OPERATOR, ("*",), 403),
        (Role.VIEWER, ("*",), 403),
        (Role.OWNER, ("workflows:read",), 403),
        (Role.OWNER, ("workflows:import",), 200),
    ],
)
def test_importing_takes_its_own_permission(member, role: Role, scopes: tuple[str, ...], status: int):
    assert send(member(role, scopes=scopes), file_of(workflow())).status_code == status


def test_a_key_that_may_only_import_changes_nothing_that_is_here(owner: Api, member):
    here(owner)
    narrow = member(Role.OWNER, scopes=("workflows:import",))

    answer = import_(narrow, file_of(workflow(definition=say("new")), workflow("Second", triggers=[SCHEDULE])))

    assert actions(answer) == ["refused", "create"]
    assert codes(answer["results"][0]) == [("permission_denied", "/workflows/0")]
    assert codes(answer["results"][1], "notes") == [("permission_denied", "/workflows/1/triggers")]
    assert send(narrow, file_of(workflow("Third")), activate=True).status_code == 403


def test_a_strangers_workflow_of_the_same_name_or_id_is_not_touched(owner: Api, stranger: Api):
    foreign = stranger.make(name="Hello", definition=say("theirs"))

    (result,) = import_(owner, file_of(workflow(key=foreign["id"])))["results"]

    assert (result["action"], result["workflow_id"] == foreign["id"]) == ("create", False)
    assert stranger.get(f"/workflows/{foreign['id']}").json() == foreign


@pytest.mark.parametrize("triggers", [[], [OTHER_SCHEDULE]])
def test_overwriting_deletes_no_trigger_for_who_may_delete_none(owner: Api, member, triggers):
    here(owner)
    narrow = member(Role.OWNER, scopes=("workflows:*", "triggers:create"))

    (result,) = import_(narrow, file_of(workflow(triggers=triggers)), strategy="overwrite")["results"]

    assert (result["action"], result["triggers_removed"], codes(result, "notes")) == (
        "update", 0, [("permission_denied", "/workflows/0/triggers")],
    )  # fmt: skip
    assert Trigger.objects.filter(config__cron="@daily").count() == 1
