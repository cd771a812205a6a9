"""/workspaces: made, changed, deleted and handed over by who may."""

import pytest
from django.contrib.auth.models import Permission

from brainops.accounts.belongings import Clearance, clearances
from brainops.accounts.models import ApiKey, Membership, Role, User, Workspace
from brainops.accounts.services import sessions
from brainops.accounts.tests.conftest import Api
from brainops.accounts.tests.people import logged_in, member_id
from brainops.audit.models import AuditEntry

pytestmark = pytest.mark.django_db

MISSING = "6f1c0c7e-0000-4000-8000-000000000000"


@pytest.fixture
def carol(member) -> User:
    return member("carol", Role.ADMIN)


def test_who_makes_a_workspace_owns_it(bob, acme):
    answer = logged_in(bob).post("/workspaces", {"name": "Bob's Shop"})

    told = answer.json()
    assert (answer.status_code, told["slug"], told["role"]) == (201, "bobs-shop", "owner")
    assert told["member_id"] == member_id(bob, Workspace.objects.get(slug="bobs-shop"))
    assert {told[name] for name in told if name.startswith("max_")} == {None}
    assert AuditEntry.objects.get(action="workspace.create").actor_label == bob.email
    assert [row["slug"] for row in logged_in(bob).get("/workspaces").json()["results"]] == ["acme", "bobs-shop"]


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({}, "/name", "required"),
        ({"name": ""}, "/name", "blank"),
        ({"name": "x" * 101}, "/name", "max_length"),
        ({"name": "x", "slug": "acme"}, "/slug", "taken"),
        ({"name": "x", "slug": "Acme"}, "/slug", "invalid_slug"),
        ({"name": "x", "slug": "a--b"}, "/slug", "invalid_slug"),
        ({"name": "x", "slug": "-a"}, "/slug", "invalid_slug"),
        ({"name": "x", "slug": "a b"}, "/slug", "invalid_slug"),
        ({"name": "x", "slug": "6f1c0c7e-0000-4000-8000-000000000000"}, "/slug", "invalid_slug"),
        ({"name": "x", "slug": "6f1c0c7e000040008000000000000000"}, "/slug", "invalid_slug"),
        ({"name": "x", "max_workflows": 5}, "/max_workflows", "unknown_key"),
        ({"name": "x", "id": MISSING}, "/id", "unknown_key"),
    ],
)
def test_a_wrong_new_workspace_is_refused_with_the_place(ada, body, pointer, code):
    answer = logged_in(ada).post("/workspaces", body)

    problem = answer.json()["problems"][0]
    assert (answer.status_code, problem["pointer"], problem["code"]) == (400, pointer, code)
    assert Workspace.objects.count() == 1


@pytest.mark.parametrize("name", ["Acme", "ACME", "!!!", "日本", "6f1c0c7e-0000-4000-8000-000000000000", "_"])
def test_a_slug_is_made_of_whatever_the_name_is(ada, name):
    slug = logged_in(ada).post("/workspaces", {"name": name}).json()["slug"]

    assert slug != "acme"
    assert len(slug) >= 9
    assert slug.replace("-", "").isalnum()


def test_a_key_makes_no_workspace_and_staff_may_keep_it_to_themselves(ada, bob, api, settings):
    User.objects.filter(id=bob.id).update(is_staff=True)
    settings.BRAINOPS_WORKSPACE_CREATION = "staff"

    told = [who.post("/workspaces", {"name": "x"}).status_code for who in (api(ada), logged_in(ada), logged_in(bob))]

    assert told == [403, 403, 201]


def test_one_person_owns_only_so_many(ada, settings):
    settings.BRAINOPS_LIMITS = {**settings.BRAINOPS_LIMITS, "owned_workspaces": 2}
    client = logged_in(ada)

    told = [client.post("/workspaces", {"name": "x"}) for _ in range(2)]

    assert [answer.status_code for answer in told] == [201, 409]
    assert told[1].json()["code"] == "too_many_workspaces"


def test_owner_member_and_stranger_at_reading_a_workspace(ada, bob, eve, acme):
    told = [logged_in(who).get(f"/workspaces/{acme.id}") for who in (ada, bob, eve)]

    assert [(answer.status_code, answer.json().get("role")) for answer in told] == [
        (200, "owner"),
        (200, "viewer"),
        (404, None),
    ]


def test_the_address_says_which_workspace_is_meant_whatever_the_header_says(ada, acme, umbrella):
    Membership.objects.create(user=ada, workspace=umbrella, role=Role.VIEWER)

    told = [logged_in(ada, header).get(f"/workspaces/{acme.id}") for header in (None, acme, umbrella)]

    assert [answer.json()["slug"] for answer in told] == ["acme"] * 3
    assert logged_in(ada).patch(f"/workspaces/{umbrella.id}", {"name": "x"}).status_code == 403


def test_a_key_knows_its_own_workspace_only(ada, acme, umbrella, api):
    client = api(ada)
    Membership.objects.create(user=ada, workspace=umbrella, role=Role.OWNER)

    assert [row["slug"] for row in client.get("/workspaces").json()["results"]] == ["acme"]
    assert [client.get(f"/workspaces/{one.id}").status_code for one in (acme, umbrella)] == [200, 404]


def test_foreign_and_missing_workspaces_get_the_same_answer(ada, umbrella, api):
    for client in (logged_in(ada), api(ada)):
        for method, body in (("get", None), ("patch", {"name": "x"}), ("delete", None)):
            told = [getattr(client, method)(f"/workspaces/{id_}", body) for id_ in (umbrella.id, MISSING)]
            assert [answer.status_code for answer in told] == [404, 404]
            assert {**told[0].json(), "request_id": ""} == {**told[1].json(), "request_id": ""}


def test_owner_admin_member_and_stranger_at_changing_a_workspace(ada, carol, bob, eve, acme):
    body = {"name": "Acme Ltd", "slug": "acme-ltd", "requires_if_match": True}

    told = [logged_in(who).patch(f"/workspaces/{acme.id}", body).status_code for who in (bob, eve, carol)]

    acme.refresh_from_db()
    assert told == [403, 404, 200]
    assert (acme.name, acme.slug, acme.requires_if_match) == ("Acme Ltd", "acme-ltd", True)
    assert AuditEntry.objects.get(action="workspace.update").changes == {
        "name": ["Acme", "Acme Ltd"],
        "slug": ["acme", "acme-ltd"],
        "requires_if_match": [False, True],
    }


def test_a_change_that_changes_nothing_writes_nothing(ada, acme):
    logged_in(ada).patch(f"/workspaces/{acme.id}", {"name": "Acme"})

    assert not AuditEntry.objects.filter(action="workspace.update").exists()


def test_only_who_has_a_second_factor_demands_one(ada, acme, api):
    for client in (logged_in(ada), api(ada)):
        answer = client.patch(f"/workspaces/{acme.id}", {"requires_mfa": True})
        assert (answer.status_code, answer.json()["code"]) == (409, "mfa_required")

    with_factor = Api(sessions.open_session(ada, amr=("pwd", "mfa")).access)

    assert with_factor.patch(f"/workspaces/{acme.id}", {"requires_mfa": True}).json()["requires_mfa"] is True
    assert logged_in(ada).get(f"/workspaces/{acme.id}").status_code == 403
    assert logged_in(ada).get("/members").json()["code"] == "mfa_required"


def test_quotas_are_for_staff(ada, acme):
    owner = logged_in(ada).patch(f"/workspaces/{acme.id}", {"max_workflows": 9, "max_runs_per_day": 9})
    User.objects.filter(id=ada.id).update(is_staff=True, is_superuser=True)
    staff = logged_in(ada).patch(f"/workspaces/{acme.id}", {"max_workflows": 9})

    assert [problem["pointer"] for problem in owner.json()["problems"]] == ["/max_workflows", "/max_runs_per_day"]
    assert (owner.json()["problems"][0]["code"], staff.json()["max_workflows"]) == ("staff_only", 9)


def test_staff_set_quotas_of_any_workspace_and_nothing_else_of_it(bob, eve, acme, umbrella):
    User.objects.filter(id=bob.id).update(is_staff=True)
    bob.user_permissions.add(Permission.objects.get(codename="change_workspace"))
    address = f"/admin/workspaces/{umbrella.id}/quotas"

    told = [
        logged_in(bob).patch(address, {"max_workflows": 3, "max_storage_bytes": None}),
        logged_in(bob).get(address),
        logged_in(bob).patch(address, {"name": "x"}),
        logged_in(eve).get(address),
        logged_in(bob).get(f"/admin/workspaces/{MISSING}/quotas"),
    ]

    assert [answer.status_code for answer in told] == [200, 200, 400, 403, 404]
    assert told[1].json() == {
        "max_workflows": 3,
        "max_active_triggers": None,
        "max_runs_per_day": None,
        "max_storage_bytes": None,
    }
    assert AuditEntry.objects.get(action="workspace.update").workspace_id == umbrella.id


def test_staff_who_may_not_change_workspaces_set_no_quotas(ada, acme, umbrella):
    User.objects.filter(id=ada.id).update(is_staff=True)

    told = [
        logged_in(ada).get(f"/admin/workspaces/{umbrella.id}/quotas"),
        logged_in(ada).patch(f"/admin/workspaces/{umbrella.id}/quotas", {"max_workflows": 9}),
        logged_in(ada).patch(f"/workspaces/{acme.id}", {"max_workflows": 9}),
    ]

    assert [answer.status_code for answer in told] == [200, 403, 400]
    assert set(Workspace.objects.values_list("max_workflows", flat=True)) == {None}


def test_staff_have_no_role_where_they_are_no_members(bob, eve, acme, umbrella):
    User.objects.filter(id=bob.id).update(is_staff=True)
    client = logged_in(bob, umbrella)

    assert [client.get("/members").status_code, client.get(f"/workspaces/{umbrella.id}").status_code] == [404, 404]


def test_a_deletion_says_beforehand_what_goes(ada, bob, acme, key_of):
    key_of(bob)

    answer = logged_in(ada).delete(f"/workspaces/{acme.id}?dry_run=true")

    assert answer.json() == {"dry_run": True, "deleted": {"api_keys": 1, "memberships": 2}}
    assert Workspace.objects.filter(id=acme.id).exists()


@pytest.mark.parametrize("query", ["", "?confirm=", "?confirm=Acme", "?confirm=acme2"])
def test_a_deletion_wants_the_slug(ada, acme, query):
    answer = logged_in(ada).delete(f"/workspaces/{acme.id}{query}")

    assert (answer.status_code, answer.json()["problems"][0]["parameter"]) == (400, "confirm")


def test_owner_admin_member_and_stranger_at_a_deletion(ada, carol, bob, eve, acme, umbrella, key_of):
    theirs = key_of(eve)
    key_of(ada)
    address = f"/workspaces/{acme.id}?confirm=acme"

    told = [logged_in(who).delete(address) for who in (bob, eve, carol, ada)]

    assert [answer.status_code for answer in told] == [403, 404, 403, 200]
    assert told[3].json() == {"dry_run": False, "deleted": {"api_keys": 1, "memberships": 3}}
    assert list(Workspace.objects.all()) == [umbrella]
    assert list(ApiKey.objects.all()) == [theirs.row]
    entry = AuditEntry.objects.get(action="workspace.delete")
    assert (entry.workspace_id, entry.changes["slug"]) == (acme.id, ["acme", None])


def test_a_workspace_with_active_runs_is_deleted_only_when_asked(ada, acme, monkeypatch):
    cleared = []
    monkeypatch.setattr(clearances, "_providers", {"test": Clearance(lambda _id: 2, cleared.append)})
    client = logged_in(ada)

    refused = client.delete(f"/workspaces/{acme.id}?confirm=acme")
    done = client.delete(f"/workspaces/{acme.id}?confirm=acme&with_active_runs=true")

    assert (refused.status_code, refused.json()["code"], refused.json()["active_runs"]) == (409, "runs_active", 2)
    assert (done.status_code, cleared) == (200, [acme.id])


@pytest.mark.parametrize(("own_role", "after"), [(None, "admin"), ("viewer", "viewer")])
def test_a_transfer_changes_both_roles_at_once(ada, bob, acme, own_role, after):
    body = {"to": member_id(bob)} | ({"own_role": own_role} if own_role else {})

    answer = logged_in(ada).post(f"/workspaces/{acme.id}/transfer", body)

    assert (answer.status_code, answer.json()["role"]) == (200, "owner")
    assert {row.user.username: row.role for row in Membership.objects.all()} == {"ada": after, "bob": "owner"}
    entry = AuditEntry.objects.get(action="workspace.transfer")
    assert entry.changes == {"owner": ["ada@example.com", "bob@example.com"]}


def test_owner_admin_member_and_stranger_at_a_transfer(ada, carol, bob, eve, acme):
    body = {"to": member_id(bob)}

    told = [logged_in(who).post(f"/workspaces/{acme.id}/transfer", body).status_code for who in (bob, eve, carol, ada)]

    assert told == [403, 404, 403, 200]


def test_nobody_outside_and_nobody_switched_off_becomes_owner(ada, eve, member, acme):
    dora = member("dora", Role.ADMIN, is_active=False)
    client = logged_in(ada)

    for target in (member_id(eve), member_id(ada), member_id(dora), MISSING):
        answer = client.post(f"/workspaces/{acme.id}/transfer", {"to": target})
        assert (answer.status_code, answer.json()["problems"][0]["pointer"]) == (400, "/to")
    assert Membership.objects.get(user=ada).role == Role.OWNER


def test_who_owns_already_is_not_handed_it_again(ada, member, acme):
    dora = member("dora", Role.OWNER)

    answer = logged_in(ada).post(f"/workspaces/{acme.id}/transfer", {"to": member_id(dora)})

    assert answer.status_code == 409
