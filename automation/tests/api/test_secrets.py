"""/secrets: they go in and never come out."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.serializers import serialize
from django.db import connection

from automation.models import Secret
from automation.tests.api.conftest import Api
from brainops.accounts.models import Role
from brainops.audit.models import AuditEntry

pytestmark = pytest.mark.django_db

VALUE = "canary-of-the-api-1"
SENDS: dict[str, Any] = {
    "schema": 1,
    "steps": [
        {
            "id": "a",
            "uses": "http.request",
            "with": {"url": "https://a.example", "headers": {"Authorization": "Bearer {{ secrets.token }}"}},
        }
    ],
}


def kept(owner: Api, **fields: Any) -> dict[str, Any]:
    answer = owner.post("/secrets", {"name": "token", "value": VALUE, **fields})
    assert answer.status_code == 201, answer.content
    return answer.json()


def test_a_secret_is_kept_described_replaced_and_deleted(owner):
    made = kept(owner, description="Of the robot", hosts=["API.example.com."], expires_on="2030-01-31")
    replaced = owner.put("/secrets/token", {"value": "another-canary", "hosts": ["*.example.com:8443"]})

    read = owner.get("/secrets/token")
    body = read.json()
    assert (made["hosts"], replaced.status_code, read["ETag"]) == (["api.example.com"], 200, '"2"')
    assert body == {
        "name": "token",
        "description": "",
        "hosts": ["*.example.com:8443"],
        "expires_on": None,
        "is_expired": False,
        "revision": 2,
        "value_set_at": body["value_set_at"],
        "last_used_at": None,
        "last_used_by": None,
        "updated_by": owner.user.email,
        "created_at": body["created_at"],
        "updated_at": body["updated_at"],
        "used_by": [],
    }
    assert body["value_set_at"] > made["value_set_at"]
    assert [owner.delete("/secrets/token").status_code, owner.get("/secrets/token").status_code] == [204, 404]


def test_no_answer_and_no_row_holds_the_value(owner):
    kept(owner)
    answers = [
        owner.get("/secrets"),
        owner.get("/secrets/token"),
        owner.put("/secrets/token", {"value": VALUE}),
        owner.patch("/secrets/token", {"description": "x"}),
        owner.post("/secrets", {"name": "token", "value": VALUE}),
    ]
    with connection.cursor() as cursor:
        cursor.execute("select s::text from automation_secret s union all select a::text from audit_auditentry a")
        rows = [row[0] for row in cursor.fetchall()]

    assert [VALUE in text for text in (*(one.content.decode() for one in answers), *rows)] == [False] * (5 + len(rows))
    assert VALUE not in serialize("json", Secret.objects.all())
    assert "value" not in answers[1].json()


@pytest.mark.parametrize(
    "value", [VALUE[:5], 123456789, [VALUE], {"deep": VALUE}, VALUE + "\0", VALUE * 2000, "  ab  ", None]
)
def test_a_value_that_cannot_be_kept_is_refused_without_repeating_it(owner, value):
    answer = owner.post("/secrets", {"name": "a-b", "value": value, "more": 1})

    codes = {(one["code"], one["pointer"]) for one in answer.json()["problems"]}
    assert answer.status_code == 400
    if not (isinstance(value, str) and "\0" in value):  # that is no acceptable JSON at all
        assert codes == {("invalid_value", "/name"), ("unknown_field", "/more"), ("invalid_secret", "/value")}
    assert VALUE[:5] not in answer.content.decode()
    assert "123456789" not in answer.content.decode()


@pytest.mark.parametrize(
    ("host", "message"),
    [
        (
            "https://a.example",
            "'https://a.example' is no host; write api.example.com or api.example.com:8443, without a scheme.",
        ),
        (
            "a.example:99999",
            "'a.example:99999' is no host; write api.example.com or api.example.com:8443, without a scheme.",
        ),
        ("*.com", "'*.com' is too wide: a name with a dot follows `*.`, such as *.example.com."),
        ("*", "Host '*' is no valid host name."),
        ("a b", "Host 'a b' is no valid host name."),
        (
            "169.254.169.254:x",
            "'169.254.169.254:x' is no host; write api.example.com or api.example.com:8443, without a scheme.",
        ),
    ],
)
def test_a_host_that_cannot_be_read_is_refused(owner, host, message):
    answer = owner.post("/secrets", {"name": "token", "value": VALUE, "hosts": ["ok.example", host]})

    assert answer.json()["problems"] == [{"code": "invalid_host", "message": message, "pointer": "/hosts/1"}]


@pytest.mark.parametrize(
    ("before", "after", "status"),
    [
        (["a.example", "b.example"], ["a.example"], 200),
        ([], ["a.example"], 200),
        (["a.example"], ["a.example", "evil.example"], 400),
        (["a.example"], ["evil.example"], 400),
        (["a.example"], [], 400),
    ],
)
def test_who_does_not_know_the_value_cannot_have_it_sent_elsewhere(owner, before, after, status):
    kept(owner, hosts=before)

    answer = owner.patch("/secrets/token", {"hosts": after})

    assert answer.status_code == status
    if status == 400:
        assert [one["code"] for one in answer.json()["problems"]] == ["value_required"]
        assert owner.patch("/secrets/token", {"hosts": after, "value": VALUE}).status_code == 200


def test_a_secret_in_use_is_deleted_only_by_force(owner):
    kept(owner)
    used = owner.make(name="Sender", definition=SENDS)

    refused = owner.delete("/secrets/token")

    assert (refused.status_code, refused.json()["used_by"]) == (409, [{"id": used["id"], "name": "Sender"}])
    assert owner.get("/secrets/token").json()["used_by"] == [{"id": used["id"], "name": "Sender"}]
    assert owner.delete("/secrets/token?force=true").status_code == 204


def test_a_workflow_that_sends_an_unknown_secret_is_refused(owner):
    (problem,) = owner.post("/workflows", {"name": "Sender", "definition": SENDS}).json()["problems"]

    assert problem == {
        "code": "unknown_secret",
        "message": "\"secrets.token\": this workspace has no secret 'token'. Create it first (POST /secrets), or correct "
        "the name.",
        "pointer": "/definition/steps/0/with/headers/Authorization",
    }


def test_a_dry_run_shows_the_place_of_the_secret_and_sends_nothing(owner):
    kept(owner)
    made = owner.make(definition={**SENDS, "output": "{{ steps.a.output.status }}"})

    for reads in ("simulate", "perform"):
        plan = owner.post(f"/workflows/{made['id']}/dry-run", {"reads": reads}).json()

        (effect,) = plan["effects"]
        assert (plan["status"], plan["unresolved"], effect["answer_source"]) == ("succeeded", [], "simulated")
        assert effect["request"]["url"] == "https://a.example"
        assert VALUE not in str(plan)


def test_a_dry_run_names_the_secret_that_is_gone(owner):
    kept(owner)
    made = owner.make(definition=SENDS)
    owner.delete("/secrets/token?force=true")

    plan = owner.post(f"/workflows/{made['id']}/dry-run", {}).json()

    assert [(one["code"], one["path"]) for one in plan["unresolved"]] == [("unknown_secret", "a")]


def test_builders_see_names_admins_write_and_strangers_see_nothing(owner, member, stranger):
    kept(owner)
    viewer, builder, admin = member(Role.VIEWER), member(Role.BUILDER), member(Role.ADMIN)

    assert [viewer.get("/secrets").status_code, viewer.get("/secrets/token").status_code] == [403, 403]
    assert builder.get("/secrets/token").status_code == 200
    assert [
        builder.put("/secrets/token", {"value": VALUE}).status_code,
        builder.delete("/secrets/token").status_code,
    ] == [403] * 2
    assert admin.put("/secrets/token", {"value": VALUE}).status_code == 200
    assert stranger.get("/secrets").json()["results"] == []
    assert [stranger.get("/secrets/token").status_code, stranger.delete("/secrets/token").status_code] == [404, 404]


def test_a_key_that_may_only_write_secrets_can_replace_one(member):
    robot = member(Role.ADMIN, scopes=("secrets:write",))

    assert [robot.put("/secrets/token", {"value": VALUE}).status_code, robot.get("/secrets/token").status_code] == [
        201,
        403,
    ]


def test_every_change_is_in_the_audit_log_without_the_value(owner):
    kept(owner, hosts=["a.example"])
    owner.patch("/secrets/token", {"value": "another-canary"})
    owner.patch("/secrets/token", {"hosts": ["a.example"], "expires_on": "2030-01-31"})
    owner.delete("/secrets/token")

    said = AuditEntry.objects.filter(target_kind="secret").order_by("id").values_list("action", "changes")
    assert list(said) == [
        ("secret.create", {"value": [None, "•••"], "hosts": [None, ["a.example"]]}),
        ("secret.update", {"value": ["•••", "•••"]}),
        ("secret.update", {"expires_on": [None, "2030-01-31"]}),
        ("secret.delete", {"value": ["•••", None]}),
    ]
