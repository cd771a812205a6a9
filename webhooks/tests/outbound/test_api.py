"""/subscriptions over the API: three people, every refusal, and what is shown once."""

from __future__ import annotations

from uuid import uuid4

import pytest
from standardwebhooks import Webhook

from automation.tests.api.conftest import Api, make_person
from automation.tests.notices.rows import make_workflow
from brainops.accounts.models import Role
from brainops.audit.models import AuditEntry
from brainops.core import clock
from webhooks.models import OutboundDelivery, Subscription
from webhooks.services import subscriptions
from webhooks.tests.outbound.receiver import Answer
from webhooks.tests.outbound.rows import NOWHERE, URL, problems, put, send_all, subscribe

pytestmark = pytest.mark.django_db
BODY = {"url": URL, "types": ["run.failed", "order.*"]}


def made(api: Api, **values) -> dict:
    response = api.post("/subscriptions", {**BODY, **values})
    assert response.status_code == 201, response.content
    return response.json()


def test_a_subscription_is_made_read_changed_and_deleted(owner):
    row = made(owner)
    secret = row.pop("secret")
    assert secret.startswith("whsec_")
    assert {name: row[name] for name in row if name not in ("id", "created_at", "updated_at")} == {
        **BODY,
        "description": "",
        "workflow_ids": [],
        "tags": [],
        "is_active": True,
        "headers": {},
        "max_parallel": 4,
        "off_reason": None,
        "off_at": None,
        "failures": 0,
        "failing_since": None,
        "held_until": None,
        "previous_secret_valid_until": None,
        "rotated_at": None,
        "created_by": str(owner.user.id),
    }
    at = f"/subscriptions/{row['id']}"
    assert owner.get(at).json() == row
    assert [one["id"] for one in owner.get("/subscriptions").json()["results"]] == [row["id"]]

    changed = owner.patch(at, {"tags": ["eu"], "max_parallel": 1}).json()
    assert changed == {**row, "tags": ["eu"], "max_parallel": 1, "updated_at": changed["updated_at"]}

    replaced = owner.put(at, {**changed, "description": "Other"}).json()
    assert replaced == {**changed, "description": "Other", "updated_at": replaced["updated_at"]}

    assert owner.delete(at).status_code == 204
    assert owner.get(at).status_code == 404
    actions = list(AuditEntry.objects.order_by("id").values_list("action", flat=True))
    assert actions[-4:] == [
        "subscription.create",
        "subscription.update",
        "subscription.update",
        "subscription.delete",
    ]


def test_the_secret_is_shown_once_and_stored_encrypted(owner):
    created = owner.post("/subscriptions", BODY, idempotency_key="k").json()
    again = owner.post("/subscriptions", BODY, idempotency_key="k").json()

    assert created.pop("secret").startswith("whsec_")
    assert (again, owner.get(f"/subscriptions/{created['id']}").json()) == (created, created)
    assert str(Subscription.objects.get().__dict__["secret"]).startswith("v1.test.")


def test_values_of_headers_are_stored_encrypted_and_masked_everywhere(owner):
    row = made(owner, headers={"Authorization": "Bearer canary-of-a-header", "X-Team": "canary-of-a-team"})
    at = f"/subscriptions/{row['id']}"
    owner.patch(at, {"headers": {"Authorization": "Bearer canary-anew"}})

    shown = owner.get(at).json()
    audit = str(list(AuditEntry.objects.values_list("summary", "changes")))

    assert row["headers"] == {"Authorization": "•••", "X-Team": "•••"}
    assert shown["headers"] == {"Authorization": "•••"}
    assert "canary" not in f"{row}{shown}{audit}"
    stored = Subscription.objects.get()
    assert str(stored.__dict__["headers"]).startswith("v1.test.")
    assert stored.headers == '{"Authorization":"Bearer canary-anew"}'


def test_a_masked_value_that_is_sent_back_stands_for_the_stored_one(owner):
    row = made(owner, headers={"Authorization": "Bearer canary", "X-Team": "ops"})
    at = f"/subscriptions/{row['id']}"
    del row["secret"]

    changed = owner.put(at, {**row, "headers": {"Authorization": "•••", "X-Team": "dev"}})

    assert changed.status_code == 200, changed.content
    assert Subscription.objects.get().headers == '{"Authorization":"Bearer canary","X-Team":"dev"}'


def test_stored_values_of_headers_do_not_follow_to_another_receiver(owner):
    row = made(owner, headers={"Authorization": "Bearer canary"})
    at = f"/subscriptions/{row['id']}"

    assert problems(owner.patch(at, {"url": "https://eve.example.com/x"})) == [("required", "/headers/Authorization")]
    assert owner.patch(at, {"url": f"{URL}/other"}).status_code == 200
    moved = owner.patch(at, {"url": "https://b.example.com/", "headers": {"Authorization": "Bearer other"}})
    assert moved.status_code == 200


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"types": ["run.*.x", "ok"]}, [("invalid_type", "/types/0")]),
        ({"workflow_ids": [NOWHERE]}, [("not_found", "/workflow_ids/0")]),
        ({"headers": {"Webhook-Id": "x"}}, [("reserved", "/headers/Webhook-Id")]),
        ({"headers": {"Content-Type": "x"}}, [("reserved", "/headers/Content-Type")]),
        ({"headers": {"Host": "x"}}, [("invalid_header", "/headers/Host")]),
        ({"headers": {"X-A": "a\r\nX-B: b"}}, [("invalid_header", "/headers/X-A")]),
        ({"headers": {"X A": "x"}}, [("invalid_header", "/headers/X A")]),
        ({"headers": {"X-A": "x", "x-a": "y"}}, [("duplicate", "/headers")]),
        ({"headers": {"X-A": "•••"}}, [("required", "/headers/X-A")]),
    ],
    ids=["type", "workflow", "our header", "our type", "host", "two lines", "name", "twice", "mask of nothing"],
)
def test_what_makes_no_sense_is_refused_with_its_place(owner, change, expected):
    assert problems(owner.post("/subscriptions", {**BODY, **change})) == expected
    assert Subscription.objects.count() == 0


@pytest.mark.parametrize(
    "change",
    [
        {"types": []},
        {"types": "run.failed"},
        {"url": ""},
        {"url": None},
        {"max_parallel": 0},
        {"max_parallel": 11},
        {"headers": {"X-A": 1}},
        {"headers": {f"X-{number}": "x" for number in range(21)}},
        {"surprise": 1},
    ],
    ids=["no type", "no list", "no url", "null", "none at once", "many at once", "number", "many headers", "unknown"],
)
def test_a_body_outside_of_its_schema_is_refused(owner, change):
    assert len(problems(owner.post("/subscriptions", {**BODY, **change}))) == 1


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://127.0.0.1:8000/", "blocked_target"),
        ("http://169.254.169.254/latest", "blocked_target"),
        ("ftp://example.com/", "invalid_request"),
        ("https://user:pass@example.com/", "invalid_request"),
    ],
)
def test_an_address_that_the_door_refuses_is_refused(owner, url, code):
    assert problems(owner.post("/subscriptions", {**BODY, "url": url})) == [(code, "/url")]


def test_workflows_of_others_are_as_unknown_as_those_that_are_not_there(owner, stranger):
    theirs = make_workflow(stranger.workspace)
    answers = [owner.post("/subscriptions", {**BODY, "workflow_ids": [str(id_)]}) for id_ in (theirs.id, uuid4())]

    texts = [answer.json()["problems"][0]["message"].split("'")[::2] for answer in answers]
    assert texts[0] == texts[1]


def test_a_workflow_that_is_gone_may_stay_so_that_the_others_are_not_heard_instead(owner, home):
    gone = make_workflow(home)
    gone_id = str(gone.id)
    row = made(owner, workflow_ids=[gone_id])
    gone.delete()

    changed = owner.patch(f"/subscriptions/{row['id']}", {"description": "x"})

    assert (changed.status_code, changed.json()["workflow_ids"]) == (200, [gone_id])


def test_a_workspace_has_a_bounded_number_of_them(owner, monkeypatch):
    monkeypatch.setattr(subscriptions, "MOST_SUBSCRIPTIONS", 2)
    made(owner)
    made(owner)

    refused = owner.post("/subscriptions", BODY)

    assert (refused.status_code, refused.json()["code"]) == (409, "too_many_subscriptions")


def test_each_role_may_what_the_policy_says(home, receiver):
    subscription = subscribe(home, receiver.url)
    delivery = put(subscription, state="failed")
    at = f"/subscriptions/{subscription.id}"
    again = f"{at}/deliveries/{delivery.id}/redeliver"
    since = {"since": "2026-01-01T00:00:00Z"}
    viewer, operator, builder = (make_person(home, role) for role in (Role.VIEWER, Role.OPERATOR, Role.BUILDER))

    for looker in (viewer, operator):
        assert [looker.get(path).status_code for path in ("/subscriptions", at, f"{at}/deliveries")] == [200] * 3
        writes = [
            looker.post("/subscriptions", BODY),
            looker.patch(at, {"description": "x"}),
            looker.put(at, BODY),
            looker.delete(at),
            looker.post(f"{at}/rotate", {}),
            looker.post(f"{at}/test"),
        ]
        assert {answer.status_code for answer in writes} == {403}
    assert {viewer.post(again).status_code, viewer.post(f"{at}/replay", since).status_code} == {403}
    assert operator.post(again).status_code == 202
    assert operator.post(f"{at}/replay", since).status_code == 202
    assert builder.post(f"{at}/test").status_code == 200
    assert builder.delete(at).status_code == 204


def test_a_stranger_finds_nothing(stranger, home, receiver):
    subscription = subscribe(home, receiver.url)
    delivery = put(subscription, state="failed")
    at = f"/subscriptions/{subscription.id}"
    own = made(stranger)
    answers = [
        stranger.get(at),
        stranger.get(f"{at}/deliveries"),
        stranger.get(f"{at}/deliveries/{delivery.id}"),
        stranger.get(f"/subscriptions/{own['id']}/deliveries/{delivery.id}"),
        stranger.patch(at, {"description": "x"}),
        stranger.put(at, BODY),
        stranger.delete(at),
        stranger.post(f"{at}/rotate", {}),
        stranger.post(f"{at}/test"),
        stranger.post(f"{at}/replay", {"since": "2026-01-01T00:00:00Z"}),
        stranger.post(f"{at}/deliveries/{delivery.id}/redeliver"),
        stranger.post(f"/subscriptions/{own['id']}/deliveries/{delivery.id}/redeliver"),
    ]

    assert {answer.status_code for answer in answers} == {404}
    replay = stranger.post(f"/subscriptions/{own['id']}/replay", {"deliveries": [str(delivery.id)]})
    assert problems(replay) == [("not_found", "/deliveries/0")]
    assert [one["id"] for one in stranger.get("/subscriptions").json()["results"]] == [own["id"]]
    delivery.refresh_from_db()
    assert (delivery.state, receiver.got) == ("failed", [])


def test_a_key_that_may_only_send_again_is_answered(home):
    delivery = put(subscribe(home, URL), state="failed")
    key = make_person(home, scopes=("subscriptions:replay",))

    answer = key.post(f"/subscriptions/{delivery.subscription_id}/deliveries/{delivery.id}/redeliver")

    assert (answer.status_code, answer.json()["state"]) == (202, "pending")


def test_a_rotated_secret_is_shown_once_and_both_sign_for_a_while(owner, home, receiver):
    row = made(owner, url=receiver.url)
    at = f"/subscriptions/{row['id']}"

    rotated = owner.post(f"{at}/rotate", {"grace_seconds": 60}).json()

    assert rotated["secret"] not in (row["secret"], None)
    assert "secret" not in owner.get(at).json()
    assert rotated["previous_secret_valid_until"] > clock.now().isoformat()
    put(Subscription.objects.get())
    send_all()
    for secret in (row["secret"], rotated["secret"]):
        Webhook(secret).verify(receiver.got[0].body, receiver.got[0].headers)
    at_once = owner.post(f"{at}/rotate", {"grace_seconds": 0}).json()
    assert at_once["previous_secret_valid_until"] is None


def test_a_test_is_sent_at_once_marked_and_answered(owner, home, receiver):
    receiver.usual = Answer(202, body=b"thanks")
    row = made(owner, url=receiver.url, is_active=False)

    answer = owner.post(f"/subscriptions/{row['id']}/test").json()

    said = Webhook(row["secret"]).verify(receiver.got[0].body, receiver.got[0].headers)
    assert said["type"] == "brainops.subscription.test"
    assert (answer["is_sent"], answer["delivery"]["is_test"], answer["delivery"]["state"]) == (True, True, "sent")
    (try_,) = answer["delivery"]["tries"]
    assert (try_["status"], try_["answer"], try_["error"], try_["next_at"]) == (202, "thanks", "", None)


def test_a_test_that_fails_says_why_and_is_not_tried_again(owner, home):
    row = made(owner)
    Subscription.objects.update(url="http://127.0.0.1:9/")

    answer = owner.post(f"/subscriptions/{row['id']}/test").json()

    assert (answer["is_sent"], answer["delivery"]["state"]) == (False, "failed")
    assert answer["delivery"]["last_error"].startswith("blocked_target: ")
    assert (send_all(), Subscription.objects.get().failures) == (0, 0)


def test_one_that_was_switched_off_says_why_and_is_switched_on_again(owner, home):
    subscription = subscribe(home, URL)
    at = f"/subscriptions/{subscription.id}"
    put(subscription)

    off = owner.patch(at, {"is_active": False}).json()
    assert (off["off_reason"], OutboundDelivery.objects.get().state) == ("person", "dropped")
    assert off["off_at"] is not None
    Subscription.objects.update(off_reason="failing", failures=40, failing_since=clock.now())
    on = owner.patch(at, {"is_active": True}).json()

    assert (on["off_reason"], on["off_at"], on["failures"], on["failing_since"]) == (None, None, 0, None)
