"""Members: who sees whom, who may change whose role, what becomes of those who leave."""

import pytest

from brainops.accounts.models import ApiKey, Invitation, Membership, Role, User
from brainops.accounts.tests.people import logged_in, member_id
from brainops.audit.models import AuditEntry

pytestmark = pytest.mark.django_db


@pytest.fixture
def carol(member) -> User:
    """An admin of Acme."""
    return member("carol", Role.ADMIN)


def test_owner_member_and_stranger_see_the_members_of_their_own_workspace(ada, bob, eve):
    seen = {who.username: logged_in(who).get("/members").json()["results"] for who in (ada, bob, eve)}

    people = {name: [(row["user"]["email"], row["role"]) for row in rows] for name, rows in seen.items()}
    acme = [("ada@example.com", "owner"), ("bob@example.com", "viewer")]
    assert people == {"ada": acme, "bob": acme, "eve": [("eve@example.com", "owner")]}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("role=viewer", ["bob"]),
        ("role=admin", []),
        ("search=ADA@", ["ada"]),
        ("search=lovelace", ["ada"]),
        ("search=example&role=owner", ["ada"]),
        ("search=%25", []),
    ],
)
def test_members_are_found_by_role_and_words(ada, bob, query, found):
    User.objects.filter(id=ada.id).update(name="Ada Lovelace")

    rows = logged_in(bob).get(f"/members?{query}").json()["results"]

    assert [row["user"]["username"] for row in rows] == found


@pytest.mark.parametrize("query", ["role=king", "search=%00", "rol=viewer"])
def test_a_filter_that_makes_no_sense_is_refused(ada, query):
    answer = logged_in(ada).get(f"/members?{query}")

    assert (answer.status_code, answer.json()["problems"][0]["parameter"]) == (400, query.partition("=")[0])


def test_the_members_cost_the_same_queries_however_many_they_are(ada, member, django_assert_num_queries):
    for number in range(5):
        member(f"person{number}", Role.VIEWER)
    client = logged_in(ada)

    with django_assert_num_queries(2):  # who is calling, the rows
        assert len(client.get("/members").json()["results"]) == 6


def test_one_member_is_read_by_colleagues_and_missing_for_strangers(ada, bob, eve):
    told = [logged_in(who).get(f"/members/{member_id(ada)}") for who in (bob, eve)]

    assert [answer.status_code for answer in told] == [200, 404]
    assert told[0].json()["user"] == {
        "id": str(ada.id),
        "email": "ada@example.com",
        "username": "ada",
        "name": "",
        "is_active": True,
    }


def test_owner_member_and_stranger_at_a_role(ada, bob, eve):
    target = member_id(bob)

    told = [logged_in(who).patch(f"/members/{target}", {"role": "builder"}).status_code for who in (bob, eve, ada)]

    assert told == [403, 404, 200]
    assert Membership.objects.get(user=bob).role == Role.BUILDER
    assert AuditEntry.objects.get(action="member.update").changes == {"role": ["viewer", "builder"]}


@pytest.mark.parametrize(
    ("whose", "role", "status"),
    [
        ("bob", "admin", 200),  # up to one's own
        ("bob", "owner", 403),  # not above it
        ("ada", "viewer", 403),  # nor is somebody above touched
        ("carol", "owner", 403),  # nobody lifts themselves
        ("carol", "viewer", 200),  # stepping down is free
    ],
)
def test_an_admin_gives_and_touches_no_role_above_their_own(ada, bob, carol, whose, role, status):
    target = member_id({"ada": ada, "bob": bob, "carol": carol}[whose])
    before = Membership.objects.get(id=target).role

    answer = logged_in(carol).patch(f"/members/{target}", {"role": role})

    assert answer.status_code == status
    assert Membership.objects.get(id=target).role == (role if status == 200 else before)
    assert status == 200 or answer.json()["code"] == "role_above_own"


@pytest.mark.parametrize("verb", ["demote", "leave", "removed by a key"])
def test_the_last_owner_stays(ada, bob, api, verb):
    target = f"/members/{member_id(ada)}"
    if verb == "demote":
        answer = logged_in(ada).patch(target, {"role": "admin"})
    else:
        answer = (logged_in(ada) if verb == "leave" else api(ada)).delete(target)

    assert (answer.status_code, Membership.objects.get(user=ada).role) == (
        403 if verb == "removed by a key" else 409,
        "owner",
    )


def test_an_owner_who_was_switched_off_does_not_count_as_one(ada, member):
    member("dora", Role.OWNER, is_active=False)

    answer = logged_in(ada).patch(f"/members/{member_id(ada)}", {"role": "viewer"})

    assert (answer.status_code, answer.json()["code"]) == (409, "last_owner")


@pytest.mark.parametrize(
    ("body", "pointer"), [({}, "/role"), ({"role": "king"}, "/role"), ({"role": "viewer", "user": "x"}, "/user")]
)
def test_a_wrong_body_is_refused_with_the_place(ada, bob, body, pointer):
    answer = logged_in(ada).patch(f"/members/{member_id(bob)}", body)

    assert (answer.status_code, answer.json()["problems"][0]["pointer"]) == (400, pointer)


def test_who_is_removed_loses_everything_at_the_next_request(ada, bob, api):
    key, login = api(bob), logged_in(bob)
    before = (key.get("/members").status_code, login.get("/members").status_code)

    answer = logged_in(ada).delete(f"/members/{member_id(bob)}")

    assert (before, answer.status_code) == ((200, 200), 200)
    assert (key.get("/members").status_code, login.get("/members").status_code) == (401, 403)


def test_a_key_does_not_come_back_to_life_with_its_user(ada, bob, acme, api):
    client = api(bob)
    logged_in(ada).delete(f"/members/{member_id(bob)}")

    Membership.objects.create(user=bob, workspace=acme, role=Role.VIEWER)

    assert client.get("/me").status_code == 401


def test_leaving_tells_what_ends_and_who_takes_over(ada, bob, acme, key_of):
    key_of(bob)
    Invitation.objects.create(
        workspace=acme, email="x@example.com", digest=b"x", invited_by=bob, expires_at="2100-01-01T00:00:00Z"
    )

    dry = logged_in(bob).delete(f"/members/{member_id(bob)}?dry_run=true").json()
    still = Membership.objects.filter(user=bob).exists()
    done = logged_in(bob).delete(f"/members/{member_id(bob)}").json()

    assert still
    assert {**dry, "dry_run": False} == done
    assert (done["successor"]["email"], done["ended"]) == ("ada@example.com", {"api_keys": 1, "invitations": 1})
    assert not Membership.objects.filter(user=bob).exists()
    assert ApiKey.objects.get(user=bob).revoked_at is not None
    assert Invitation.objects.get().revoked_at is not None
    entry = AuditEntry.objects.get(action="member.delete")
    assert (entry.actor_label, entry.target_id, entry.changes["role"]) == (bob.email, str(bob.id), ["viewer", None])


def test_owner_member_and_stranger_at_a_removal(ada, bob, eve, carol, member):
    dora = member("dora", Role.BUILDER)

    def status(who: User, whom: User) -> int:
        return logged_in(who).delete(f"/members/{member_id(whom)}").status_code

    assert [status(bob, dora), status(eve, dora), status(carol, ada)] == [403, 404, 403]
    assert [status(carol, dora), status(ada, carol), status(bob, bob)] == [200, 200, 200]


@pytest.mark.parametrize("who", ["stranger", "self", "nobody", "switched off"])
def test_what_is_owned_goes_to_another_active_member_of_this_workspace_only(ada, bob, eve, member, who):
    dora = member("dora", Role.BUILDER, is_active=False)
    heir = {
        "stranger": member_id(eve),
        "self": member_id(bob),
        "nobody": "6f1c0c7e-0000-4000-8000-000000000000",
        "switched off": member_id(dora),
    }[who]

    answer = logged_in(ada).delete(f"/members/{member_id(bob)}?reassign_to={heir}")

    assert (answer.status_code, answer.json()["problems"][0]["parameter"]) == (400, "reassign_to")
    assert Membership.objects.filter(user=bob).exists()


def test_who_leaves_without_the_right_to_assign_cannot_choose_the_heir(ada, bob, carol):
    answer = logged_in(bob).delete(f"/members/{member_id(bob)}?reassign_to={member_id(carol)}")

    assert (answer.status_code, answer.json()["permission"]) == (403, "workflows:assign")


def test_a_key_needs_the_scope_to_touch_members(ada, bob, api):
    client = api(ada, scopes=["members:read"])

    told = [client.patch(f"/members/{member_id(bob)}", {"role": "admin"}), client.delete(f"/members/{member_id(bob)}")]

    assert [answer.status_code for answer in told] == [403, 403]
    assert Membership.objects.get(user=bob).role == Role.VIEWER


def test_a_foreign_and_a_missing_member_get_the_same_answer(ada, eve):
    client = logged_in(ada)

    told = [client.delete(f"/members/{id_}").json() for id_ in (member_id(eve), "6f1c0c7e-0000-4000-8000-000000000000")]

    assert {**told[0], "request_id": ""} == {**told[1], "request_id": ""}
