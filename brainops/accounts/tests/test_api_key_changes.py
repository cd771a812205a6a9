"""API keys change, rotate and end; who may do it to whose."""

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from brainops.accounts.models import ApiKey, Role, User
from brainops.accounts.services.networks import checked_networks, is_within
from brainops.accounts.tests.conftest import API, Api
from brainops.accounts.tests.people import logged_in
from brainops.audit.models import AuditEntry
from brainops.core import clock
from brainops.core.errors import InvalidInput

pytestmark = pytest.mark.django_db


def from_address(text: str, address: str, **headers: str) -> int:
    client = Client(REMOTE_ADDR=address, headers={"X-Api-Key": text, **headers})
    return client.get(f"{API}/me").status_code


@pytest.mark.parametrize(
    ("networks", "address", "is_let_in"),
    [
        (["203.0.113.0/24"], "203.0.113.7", True),
        (["203.0.113.0/24"], "203.0.114.7", False),
        (["203.0.113.7"], "203.0.113.7", True),
        (["203.0.113.7"], "203.0.113.8", False),
        (["203.0.113.7", "198.51.100.0/25"], "198.51.100.127", True),
        (["198.51.100.0/25"], "198.51.100.128", False),
        (["2001:db8::/32"], "2001:db8:1::5", True),
        (["2001:db8::/32"], "2001:db9::5", False),
        (["203.0.113.0/24"], "::ffff:203.0.113.7", True),  # the same visitor on a socket of both families
        (["203.0.113.0/24"], "2001:db8::1", False),
        (["0.0.0.0/0"], "2001:db8::1", False),
        (["0.0.0.0/0", "::/0"], "", False),  # a visitor whose address nobody knows
        ([], "192.0.2.1", True),
        ([], "", True),
    ],
)
def test_a_key_is_let_in_from_its_networks_only(ada, api, networks, address, is_let_in):
    made = api(ada).post("/api-keys", {"name": "shop", "role": "owner", "networks": networks}).json()

    assert from_address(made["key"], address) == (200 if is_let_in else 401)


@pytest.mark.parametrize(("proxies", "status"), [(0, 401), (1, 401), (2, 200)])
def test_a_forwarded_address_counts_only_as_far_as_our_proxies_wrote_it(ada, key_of, settings, proxies, status):
    text = key_of(ada, networks=["203.0.113.0/24"]).text
    settings.BRAINOPS_TRUSTED_PROXIES = proxies

    assert from_address(text, "10.0.0.1", **{"X-Forwarded-For": "203.0.113.7, 198.51.100.9"}) == status


def test_from_elsewhere_a_good_key_looks_like_a_wrong_one(ada, key_of):
    text = key_of(ada, networks=["203.0.113.0/24"]).text

    good, wrong = Api(text).get("/me").json(), Api(text[:-1] + ("x" if text[-1] != "x" else "y")).get("/me").json()

    assert {**good, "request_id": ""} == {**wrong, "request_id": ""}


def test_networks_are_kept_in_one_spelling_and_wrong_ones_are_named():
    assert checked_networks(["203.0.113.7", " 203.0.113.7/32 ", "2001:DB8::/32"]) == ["203.0.113.7/32", "2001:db8::/32"]
    with pytest.raises(InvalidInput) as refusal:
        checked_networks(["10.0.0.7/8", "10.0.0.0/8", "nonsense", "10.0.0.0/33", ""])
    assert [problem.pointer for problem in refusal.value.problems] == [f"/networks/{index}" for index in (0, 2, 3, 4)]
    assert not is_within("", ["0.0.0.0/0"])


def test_a_change_of_networks_counts_at_the_next_request(ada, key_of):
    new = key_of(ada)
    client = Api(new.text)
    before = client.get("/me").status_code

    changed = logged_in(ada).patch(f"/api-keys/{new.row.id}", {"networks": ["203.0.113.7"], "name": "other"})

    assert (before, changed.json()["networks"], changed.json()["name"]) == (200, ["203.0.113.7/32"], "other")
    assert client.get("/me").status_code == 401
    assert AuditEntry.objects.get(action="api_key.update").changes == {
        "networks": [[], ["203.0.113.7/32"]],
        "name": ["test", "other"],
    }


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"networks": ["x"]}, "/networks/0"),
        ({"expires_at": "2001-01-01T00:00:00Z"}, "/expires_at"),
        ({"name": ""}, "/name"),
        ({"role": "owner"}, "/role"),
        ({"scopes": ["*"]}, "/scopes"),
        ({"networks": ["10.0.0.0/8"] * 51}, "/networks"),
    ],
)
def test_a_wrong_change_is_refused_with_the_place(ada, key_of, body, pointer):
    answer = logged_in(ada).patch(f"/api-keys/{key_of(ada).row.id}", body)

    assert (answer.status_code, answer.json()["problems"][0]["pointer"]) == (400, pointer)


def test_a_rotated_key_has_the_same_rights_and_the_old_one_ends_after_the_overlap(ada, acme, key_of):
    end = clock.now() + timedelta(days=90)
    old = key_of(ada, role=Role.OPERATOR, scopes=["runs:*", "keys:*"], networks=["127.0.0.0/8"], expires_at=end)

    answer = logged_in(ada).post(f"/api-keys/{old.row.id}/rotate", {"overlap_seconds": 3600})

    new = ApiKey.objects.get(id=answer.json()["id"])
    row = ApiKey.objects.get(id=old.row.id)
    assert answer.status_code == 201
    assert (new.role, new.scopes, new.networks, new.user, new.workspace) == (
        "operator",
        ["runs:*", "keys:*"],
        ["127.0.0.0/8"],
        ada,
        acme,
    )
    assert abs(new.expires_at - end) < timedelta(minutes=1)  # as far away as the old one's end was when it was made
    assert row.replaced_by == new
    assert timedelta(minutes=59) < row.expires_at - clock.now() <= timedelta(hours=1)
    assert [Api(text).get("/me").status_code for text in (old.text, answer.json()["key"])] == [200, 200]
    ApiKey.objects.filter(id=row.id).update(expires_at=clock.now() - timedelta(seconds=1))
    assert [Api(text).get("/me").status_code for text in (old.text, answer.json()["key"])] == [401, 200]


def test_without_an_overlap_the_old_key_ends_at_once(ada, key_of):
    old = key_of(ada)

    answer = Client(headers={"X-Api-Key": old.text}).generic("POST", f"{API}/api-keys/{old.row.id}/rotate")  # no body

    assert answer.status_code == 201
    assert Api(old.text).get("/me").status_code == 401


def test_an_overlap_does_not_lengthen_a_key(ada, key_of):
    end = clock.now() + timedelta(minutes=5)
    old = key_of(ada, expires_at=end).row

    logged_in(ada).post(f"/api-keys/{old.id}/rotate", {"overlap_seconds": 86400})

    assert ApiKey.objects.get(id=old.id).expires_at == end


@pytest.mark.parametrize("ending", ["revoked", "expired", "rotated"])
@pytest.mark.parametrize("verb", ["rotate", "change"])
def test_a_key_that_ended_is_neither_rotated_nor_changed(ada, key_of, ending, verb):
    key = key_of(ada).row
    client = logged_in(ada)
    if ending == "rotated":
        client.post(f"/api-keys/{key.id}/rotate", {})
    else:
        column = "revoked_at" if ending == "revoked" else "expires_at"
        ApiKey.objects.filter(id=key.id).update(**{column: clock.now() - timedelta(seconds=1)})

    if verb == "rotate":
        answer = client.post(f"/api-keys/{key.id}/rotate", {})
    else:
        answer = client.patch(f"/api-keys/{key.id}", {"expires_at": None})

    assert (answer.status_code, answer.json()["code"]) == (409, "key_ended")


def test_a_key_in_its_overlap_is_not_rotated_again(ada, key_of):
    key = key_of(ada).row

    told = [logged_in(ada).post(f"/api-keys/{key.id}/rotate", {"overlap_seconds": 60}) for _ in range(2)]

    assert [answer.status_code for answer in told] == [201, 409]
    assert told[1].json()["code"] == "already_rotated"


@pytest.mark.parametrize("overlap", [-1, 30 * 24 * 3600 + 1, "soon", 1.5])
def test_an_overlap_that_makes_no_sense_is_refused(ada, key_of, overlap):
    answer = logged_in(ada).post(f"/api-keys/{key_of(ada).row.id}/rotate", {"overlap_seconds": overlap})

    assert (answer.status_code, answer.json()["problems"][0]["pointer"]) == (400, "/overlap_seconds")


def test_a_key_rotates_itself_when_it_may_make_keys(ada, key_of):
    admin = key_of(ada, role=Role.ADMIN)
    operator = key_of(ada, role=Role.OPERATOR)

    told = [Api(new.text).post(f"/api-keys/{new.row.id}/rotate", {}) for new in (admin, operator)]

    assert [answer.status_code for answer in told] == [201, 403]


def test_a_short_lived_key_cannot_make_itself_last(ada, key_of):
    key = key_of(ada, role=Role.BUILDER, expires_at=clock.now() + timedelta(hours=1))

    answer = Api(key.text).patch(f"/api-keys/{key.row.id}", {"expires_at": None})

    assert answer.status_code == 403


def test_a_narrow_key_touches_no_wider_one(ada, key_of):
    narrow = key_of(ada, role=Role.ADMIN, scopes=["keys:*"])
    wide, higher = key_of(ada), key_of(ada, scopes=["keys:*"])

    told = [Api(narrow.text).post(f"/api-keys/{key.row.id}/rotate", {}).status_code for key in (wide, higher)]

    assert told == [400, 403]


def test_owner_member_and_stranger_at_a_members_key(ada, bob, eve, key_of):
    target = key_of(bob).row.id

    def statuses(who: User) -> list[int]:
        client = logged_in(who)
        return [
            client.get(f"/api-keys/{target}").status_code,
            client.patch(f"/api-keys/{target}", {"name": "x"}).status_code,
            client.post(f"/api-keys/{target}/rotate", {"overlap_seconds": 60}).status_code,
            client.delete(f"/api-keys/{target}").status_code,
        ]

    assert statuses(eve) == [404] * 4
    assert statuses(bob) == [200, 200, 201, 204]
    again = key_of(bob).row.id
    target = again
    assert statuses(ada) == [200, 403, 403, 204]  # its secret would let her act as him


def test_members_see_their_own_keys_and_admins_all(ada, bob, eve, key_of):
    for who in (ada, bob, eve):
        key_of(who)

    seen = {who.username: logged_in(who).get("/api-keys").json()["results"] for who in (ada, bob, eve)}

    assert {name: sorted(row["user"][:3] for row in rows) for name, rows in seen.items()} == {
        "ada": ["ada", "bob"],
        "bob": ["bob"],
        "eve": ["eve"],
    }


def test_keys_are_found_by_state_user_and_words(ada, bob, key_of):
    active, revoked, expired, other = (key_of(who).row for who in (ada, ada, ada, bob))
    now = clock.now()
    ApiKey.objects.filter(id=revoked.id).update(revoked_at=now)
    ApiKey.objects.filter(id=expired.id).update(expires_at=now)
    ApiKey.objects.filter(id=active.id).update(name="Shop backend", expires_at=now + timedelta(days=1))
    client = logged_in(ada)

    def found(query: str) -> set[str]:
        return {row["id"] for row in client.get(f"/api-keys?{query}").json()["results"]}

    assert found("state=active") == {str(active.id), str(other.id)}
    assert found("state=revoked") == {str(revoked.id)}
    assert found("state=expired") == {str(expired.id)}
    assert found(f"user={bob.id}") == {str(other.id)}
    assert found("search=SHOP") == {str(active.id)}
    assert found(f"search=bo_{other.prefix}") == {str(other.id)}
    assert client.get("/api-keys?state=good").status_code == 400


@pytest.mark.parametrize(
    ("days", "state", "warning"),
    [
        (None, "active", None),
        (15, "active", None),
        (13.5, "active", "Expires in 13 days. Rotate it."),
        (0.5, "active", "Expires within a day. Rotate it."),
        (-1, "expired", None),
    ],
)
def test_a_key_says_that_its_end_is_near(ada, key_of, days, state, warning):
    key = key_of(ada).row
    end = None if days is None else datetime.now(UTC) + timedelta(days=days)
    ApiKey.objects.filter(id=key.id).update(expires_at=end)

    told = logged_in(ada).get(f"/api-keys/{key.id}").json()

    assert (told["state"], told["warning"]) == (state, warning)


def test_the_list_costs_the_same_queries_however_long_it_is(ada, key_of, django_assert_num_queries):
    for _ in range(5):
        key_of(ada)
    client = logged_in(ada)

    with django_assert_num_queries(2):  # who is calling, the rows
        assert len(client.get("/api-keys").json()["results"]) == 5
