"""API keys: made once, hashed, scoped, and dead at the next request."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client

from brainops.accounts.models import ApiKey, Membership, Role
from brainops.accounts.tests.conftest import API, Api
from brainops.audit.models import AuditEntry
from brainops.core import clock

pytestmark = pytest.mark.django_db


def test_a_key_is_shown_once_and_only_its_digest_is_stored(ada, api):
    answer = api(ada).post("/api-keys", {"name": "shop", "role": "operator", "scopes": ["runs:*"]})

    text = answer.json()["key"]
    with connection.cursor() as cursor:
        cursor.execute("select k::text from accounts_apikey k where name = 'shop'")
        stored = cursor.fetchone()[0]
    assert (answer.status_code, text[:3], len(text)) == (201, "bo_", 57)
    assert text not in stored
    assert text.rpartition("_")[2] not in stored
    assert not any("key" in row for row in api(ada).get("/api-keys").json()["results"])


def test_a_key_calls_for_its_user_in_its_workspace(ada, acme, api):
    me = api(ada, role=Role.OPERATOR).get("/me").json()

    told = {name: me[name] for name in ("user_id", "via", "workspace_id", "role")}
    assert told == {"user_id": str(ada.id), "via": "api_key", "workspace_id": str(acme.id), "role": "operator"}


@pytest.mark.parametrize("header", ["X-Api-Key", "Authorization"])
def test_a_key_is_taken_from_either_header(ada, key_of, header):
    text = key_of(ada).text

    value = text if header == "X-Api-Key" else f"bearer {text}"
    assert Client().get(f"{API}/me", headers={header: value}).status_code == 200


@pytest.mark.parametrize("place", ["query", "cookie", "basic", "body"])
def test_a_key_in_any_other_place_is_ignored(ada, key_of, place):
    text = key_of(ada).text
    client = Client()
    if place == "cookie":
        client.cookies["Authorization"] = f"Bearer {text}"

    answer = client.generic(
        "GET",
        f"{API}/me{'?api_key=' + text if place == 'query' else ''}",
        text if place == "body" else "",
        headers={"Authorization": f"Basic {text}"} if place == "basic" else {},
    )

    assert answer.status_code == 401


def changed(text: str, position: int) -> str:
    return text[:position] + ("x" if text[position] != "x" else "y") + text[position + 1 :]


@pytest.mark.parametrize("position", [0, 3, 12, 14, 56])
def test_a_key_that_is_wrong_in_one_letter_is_refused(ada, key_of, position):
    answer = Api(changed(key_of(ada).text, position)).get("/me")

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="BrainOps"'


@pytest.mark.parametrize("text", ["bo_", "bo_" + "x" * 54, "bo_" + "é" * 27, "bo_" + "\0" * 54, "bo_" + "x" * 100_000])
def test_what_is_no_key_at_all_is_refused(db, text):
    assert Client().get(f"{API}/me", headers={"X-Api-Key": text}).status_code == 401


def test_a_revoked_key_is_refused_at_the_next_request(ada, api, key_of):
    new = key_of(ada)
    client = Api(new.text)
    before = client.get("/me").status_code

    api(ada).delete(f"/api-keys/{new.row.id}")

    assert (before, client.get("/me").status_code) == (200, 401)


@pytest.mark.parametrize(
    ("change", "is_refused"),
    [
        (lambda key: ApiKey.objects.filter(id=key.id).update(expires_at=clock.now() - timedelta(hours=1)), True),
        (lambda key: ApiKey.objects.filter(id=key.id).update(expires_at=clock.now() + timedelta(hours=1)), False),
        (lambda key: type(key.user).objects.filter(id=key.user_id).update(is_active=False), True),
        (lambda key: Membership.objects.filter(user=key.user).delete(), True),
    ],
)
def test_a_key_lives_no_longer_than_its_term_its_user_and_the_membership(ada, key_of, change, is_refused):
    new = key_of(ada)
    client = Api(new.text)
    client.get("/me")

    change(new.row)

    assert client.get("/me").status_code == (401 if is_refused else 200)


def test_a_key_never_has_more_rights_than_its_user_has_now(ada, key_of):
    client = Api(key_of(ada, role=Role.OWNER).text)

    Membership.objects.filter(user=ada).update(role=Role.VIEWER)

    assert client.get("/me").json()["role"] == "viewer"
    assert client.post("/api-keys", {"name": "x"}).status_code == 403


def test_scopes_narrow_the_role(ada, api):
    client = api(ada, scopes=["runs:read", "keys:*"])

    assert client.get("/me").json()["permissions"] == ["runs:read", "keys:read", "keys:write"]


def test_a_missing_scope_is_named(ada, api):
    answer = api(ada, scopes=["runs:read"]).get("/api-keys")

    assert (answer.status_code, answer.json()["detail"], answer.json()["permission"]) == (
        403,
        "This API key has no scope for keys:read. Use a key with that scope.",
        "keys:read",
    )


def test_nobody_gives_more_than_they_have(ada, member, api):
    admin = member("carol", Role.ADMIN)

    higher_role = api(admin).post("/api-keys", {"name": "x", "role": "owner"})
    wider_scope = api(admin, scopes=["keys:*"]).post("/api-keys", {"name": "x", "scopes": ["*"]})

    assert higher_role.json()["problems"][0]["pointer"] == "/role"
    assert wider_scope.json()["problems"][0]["pointer"] == "/scopes"
    assert not ApiKey.objects.filter(name="x").exists()


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({"role": "viewer"}, "/name", "required"),
        ({"name": "x", "role": "king"}, "/role", "invalid_choice"),
        ({"name": "x", "scopes": ["runs:fly"]}, "/scopes/0", "unknown_scope"),
        ({"name": "x", "scopes": []}, "/scopes", "empty"),
        ({"name": "x", "expires_at": "2001-01-01T00:00:00Z"}, "/expires_at", "not_allowed"),
        ({"name": "x", "workspace": "other"}, "/workspace", "unknown_key"),
        ({"name": "x", "last_used_at": None}, "/last_used_at", "read_only"),
        ({"name": "x\0"}, "", "nul_character"),
    ],
)
def test_a_wrong_body_is_refused_with_the_place(ada, api, body, pointer, code):
    answer = api(ada).post("/api-keys", body)

    problem = answer.json()["problems"][0]
    assert (answer.status_code, problem["code"]) == (400, code)
    assert problem["pointer"] == (pointer or "/name")


def test_owner_member_and_stranger_at_the_keys_of_a_workspace(ada, bob, eve, api, key_of):
    target = key_of(ada).row.id

    assert [api(who).delete(f"/api-keys/{target}").status_code for who in (bob, eve, ada)] == [404, 404, 204]
    assert [row["user"] for row in api(bob).get("/api-keys").json()["results"]] == ["bob@example.com"] * 2
    assert [row["user"] for row in api(eve).get("/api-keys").json()["results"]] == ["eve@example.com"] * 2


def test_a_foreign_id_and_a_missing_id_get_the_same_answer(ada, eve, api, key_of):
    client = api(eve)

    foreign = client.delete(f"/api-keys/{key_of(ada).row.id}").json()
    missing = client.delete("/api-keys/6f1c0c7e-0000-4000-8000-000000000000").json()

    assert {**foreign, "request_id": ""} == {**missing, "request_id": ""}


def test_a_key_that_names_another_workspace_is_refused_instead_of_acting_in_its_own(ada, acme, umbrella, key_of):
    text = key_of(ada).text

    def status(workspace: str) -> int:
        return Api(text, **{"Brainops-Workspace": workspace}).get("/me").status_code

    assert [status(str(acme.id)), status("acme"), status("umbrella"), status("nonsense")] == [200, 200, 404, 404]


def test_the_last_use_is_noted_to_the_minute(ada, key_of):
    new = key_of(ada)
    client = Api(new.text)

    client.get("/me")
    first = ApiKey.objects.get(id=new.row.id).last_used_at
    client.get("/me")
    second = ApiKey.objects.get(id=new.row.id).last_used_at
    ApiKey.objects.filter(id=new.row.id).update(last_used_at=first - timedelta(minutes=2))
    client.get("/me")

    assert first == second
    assert ApiKey.objects.get(id=new.row.id).last_used_at >= first


def test_a_request_with_a_key_takes_one_query(ada, key_of, django_assert_num_queries):
    client = Api(key_of(ada).text)
    client.get("/schema")  # notes the use

    with django_assert_num_queries(1):
        client.get("/schema")


def test_making_and_revoking_a_key_is_in_the_audit_log_without_the_key(ada, acme, api):
    made = api(ada).post("/api-keys", {"name": "shop"}).json()
    api(ada).delete(f"/api-keys/{made['id']}")
    api(ada).delete(f"/api-keys/{made['id']}")  # again: nothing happens

    log = AuditEntry.objects.filter(target_id=made["id"]).order_by("id")
    assert [(entry.action, entry.workspace_id, entry.actor_kind) for entry in log] == [
        ("api_key.create", acme.id, "api_key"),
        ("api_key.revoke", acme.id, "api_key"),
    ]
    assert not any(made["key"] in f"{entry.summary}{entry.changes}" for entry in log)


def test_the_list_comes_in_pages(ada, api, key_of):
    for _ in range(4):
        key_of(ada)
    client = api(ada)

    first = client.get("/api-keys?limit=3").json()
    rest = client.get("/api-keys?" + first["next"].partition("?")[2]).json()

    ids = [row["id"] for row in first["results"] + rest["results"]]
    assert (len(ids), len(set(ids)), rest["next"]) == (5, 5, None)


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=x", "limit=-1", "limit=1e3", "limit=٣", "cursor=!!!"])
def test_a_page_that_makes_no_sense_is_refused(ada, api, query):
    answer = api(ada).get(f"/api-keys?{query}")

    assert (answer.status_code, answer.json()["problems"][0]["parameter"]) == (400, query.partition("=")[0])


@pytest.mark.parametrize("position", ["x", "2026-13-45", "\0", "9" * 400])
def test_a_cursor_made_by_hand_is_refused(ada, api, position):
    import base64
    from urllib.parse import urlencode

    cursor = base64.b64encode(urlencode({"p": position}).encode()).decode()

    assert api(ada).get(f"/api-keys?{urlencode({'cursor': cursor})}").status_code == 400


def test_a_key_asked_for_twice_with_one_idempotency_key_is_made_once_and_shown_once(ada, api):
    caller, again = api(ada), {"headers": {"Idempotency-Key": "deploy-key"}}

    first = caller.post("/api-keys", {"name": "deploy"}, **again)
    second = caller.post("/api-keys", {"name": "deploy"}, **again)
    other = caller.post("/api-keys", {"name": "other"}, **again)

    assert (first.status_code, second.status_code, other.status_code) == (201, 201, 409)
    assert {**second.json(), "key": first.json()["key"]} == first.json()
    assert "key" not in second.json()
    assert second.headers["Brainops-Duplicate"] == "true"
    assert ApiKey.objects.filter(name="deploy").count() == 1
