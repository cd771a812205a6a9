"""What an export holds, who may have it, and what it never holds."""

from __future__ import annotations

import base64
import json

import jsonschema_rs
import pytest
import yaml

from automation.engine.checker import Checker
from automation.models import Secret, Workflow
from automation.services import exports
from automation.services.exchange.form import export_schema
from automation.tests.exchange.conftest import Api, export, exported, import_, say
from brainops.accounts.caller import system_caller
from brainops.accounts.models import Role
from brainops.audit.models import AuditEntry

CANARY = "canary-8f3b1c-secret-value"
FORMS = {
    "json": "application/json",
    "ndjson": "application/x-ndjson",
    "yaml": "application/yaml",
    "zip": "application/zip",
}


def names(file: dict) -> list[str]:
    return [one["name"] for one in file["workflows"]]


def test_a_file_fits_its_published_schema(owner: Api):
    id_ = owner.make(tags=["a"], retention={"succeeded": "7d"})["id"]
    owner.patch(f"/workflows/{id_}", {"definition": say("two")})
    owner.post("/triggers", {"workflow_id": id_, "kind": "schedule", "config": {"cron": "@daily"}})
    schema = owner.get("/export-schema").json()

    jsonschema_rs.meta.validate(schema)
    assert schema == export_schema()
    assert Checker(schema).violations(exported(owner)) == ()


def test_a_file_says_what_it_is_and_sums_up_to_its_checksum(owner: Api):
    owner.make()

    file = exported(owner)

    assert (file["format"], file["format_version"], file["counts"]) == (
        "brainops/export", 1, {"workflows": 1, "versions": 1, "triggers": 0},
    )  # fmt: skip
    assert len(file["checksum"]) == len(file["workflows"][0]["checksum"]) == 64


@pytest.mark.parametrize(("form", "kind"), FORMS.items())
def test_each_form_has_its_media_type_and_a_name(owner: Api, form: str, kind: str):
    response = owner.post("/workflows/export", {"format": form})

    assert (response.status_code, response.headers["Content-Type"]) == (200, kind)
    assert response.headers["Content-Disposition"] == f'attachment; filename="workflows.{form}"'


def test_one_workflow_is_exported_by_its_address(owner: Api, stranger: Api):
    id_ = owner.make(name="One")["id"]
    owner.make(name="Two")

    response = owner.get(f"/workflows/{id_}/export", format="yaml", versions="current", triggers="false")

    file = yaml.safe_load(b"".join(response.streaming_content))
    assert (names(file), "history" in file["workflows"][0], "triggers" in file["workflows"][0]) == (
        ["One"],
        False,
        False,
    )
    assert stranger.get(f"/workflows/{id_}/export").status_code == 404


def test_what_goes_into_it_is_chosen_by_ids_or_filter(owner: Api):
    one, two = owner.make(name="One", tags=["x"])["id"], owner.make(name="Two")["id"]

    assert names(exported(owner)) == names(exported(owner, all=True)) == ["One", "Two"]
    assert names(exported(owner, ids=[two])) == ["Two"]
    assert names(exported(owner, filter={"tag": ["x"]})) == ["One"]
    assert owner.post("/workflows/export", {"ids": [one], "all": True}).json()["problems"][0]["code"] == "which_ones"
    assert owner.post("/workflows/export", {"ids": ["x"]}).status_code == 400


def test_a_foreign_id_looks_like_a_missing_one(owner: Api, stranger: Api):
    foreign, missing = stranger.make()["id"], "6f1c0c7e-0000-4000-8000-000000000000"

    answers = [owner.post("/workflows/export", {"ids": [id_]}) for id_ in (foreign, missing)]

    assert [answer.status_code for answer in answers] == [400, 400]
    said = [
        answer.json()["problems"][0]["message"].replace(id_, "…")
        for answer, id_ in zip(answers, (foreign, missing), strict=True)
    ]
    assert said[0] == said[1]
    assert names(exported(owner)) == []


@pytest.mark.parametrize(
    ("role", "scopes", "status"),
    [
        (Role.BUILDER, ("*",), 200),
        (Role.OWNER, ("workflows:export",), 200),
        (Role.OWNER, ("workflows:read",), 403),
    ],
)
def test_exporting_takes_its_own_permission(owner: Api, member, role: Role, scopes: tuple[str, ...], status: int):
    owner.make()

    assert member(role, scopes=scopes).post("/workflows/export", {}).status_code == status


def test_who_made_a_workflow_may_export_it_and_no_other(owner: Api, member):
    viewer = member(Role.VIEWER)
    theirs = owner.make(name="Theirs")["id"]
    own = owner.make(name="Own")["id"]
    Workflow.objects.filter(id=own).update(owner_id=viewer.user.id)

    assert names(exported(viewer)) == ["Own"]
    assert names(exported(viewer, ids=[own])) == ["Own"]
    assert viewer.post("/workflows/export", {"ids": [own, theirs]}).status_code == 403


def test_each_export_is_audited_with_what_went_out(owner: Api):
    id_ = owner.make()["id"]
    export(owner, ids=[id_])

    entry = AuditEntry.objects.get(action="workflow.export")

    assert (entry.summary, entry.changes["ids"]) == ("Exported 1 workflow as json.", [None, [id_]])


def test_no_form_of_an_export_holds_a_secret_an_owner_or_a_row_of_others(owner: Api):
    Secret.objects.create(workspace=owner.workspace, name="token", value=CANARY)
    id_ = owner.make()["id"]
    hook = {"scheme": "github", "secret": CANARY + CANARY}
    assert owner.post("/triggers", {"workflow_id": id_, "kind": "webhook", "config": hook}).status_code == 201
    forbidden = [CANARY.encode(), base64.b64encode(CANARY.encode())[:20], str(owner.user.id).encode()]
    forbidden += [owner.user.email.encode(), str(owner.workspace.id).encode()]

    for form in ("json", "ndjson", "yaml"):
        file = export(owner, format=form)
        assert [word for word in forbidden if word in file] == []


def test_an_imported_webhook_has_a_secret_and_an_address_of_its_own(owner: Api, other: Api):
    id_ = owner.make()["id"]
    made = owner.post("/triggers", {"workflow_id": id_, "kind": "webhook", "config": {"scheme": "standard"}}).json()

    answer = import_(other, export(owner))

    (hook,) = answer["results"][0]["shown_once"]
    assert hook["webhook"]["secret"] not in (made["webhook"]["secret"], "")
    assert hook["webhook"]["url"] != made["webhook"]["url"]


def test_a_service_gets_the_bytes_of_some_workflows(owner: Api):
    id_ = Workflow.objects.get(id=owner.make(name="One")["id"]).id
    owner.make(name="Two")

    file = b"".join(exports.stream(system_caller(owner.workspace.id, "tests"), [id_]))

    assert names(json.loads(file)) == ["One"]


def test_an_export_takes_a_number_of_queries_that_does_not_grow(owner: Api, django_assert_num_queries):
    caller = system_caller(owner.workspace.id, "tests")
    for number in range(3):
        owner.make(name=f"W{number}")
    wanted = exports.Wanted()
    with django_assert_num_queries(4):  # workflows, triggers, facts of versions, histories
        b"".join(exports.whole("json", exports.select(caller, wanted), wanted.shape))
