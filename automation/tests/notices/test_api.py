"""/notices over the API: three people, every refusal, and what is shown once."""

import pytest

from automation.models import NoticeDelivery, NoticeRule, NoticeState
from automation.services.notice_decisions import decide_due
from automation.tests.api.conftest import Api, make_person, make_workspace
from automation.tests.notices.rows import make_rule, make_workflow, run_once, told
from brainops.accounts.models import Role
from brainops.audit.models import AuditEntry
from brainops.core import clock

BODY = {
    "name": "Failures",
    "events": ["first_failure", "recovered"],
    "channel": "email",
    "recipients": ["ops@example.com"],
}
HOOK = {"name": "Hook", "events": ["first_failure"], "channel": "webhook", "url": "https://hooks.example.com/x"}


@pytest.fixture
def owner(home) -> Api:
    return make_person(home)


@pytest.fixture
def stranger(db) -> Api:
    return make_person(make_workspace())


def problems(response) -> list[tuple[str, str]]:
    assert response.status_code == 400, response.content
    return [(one["code"], one.get("pointer", "")) for one in response.json()["problems"]]


def made(api, **values):
    response = api.post("/notices", {**BODY, **values})
    assert response.status_code == 201, response.content
    return response.json()


def test_a_rule_is_made_read_changed_and_deleted(owner):
    rule = made(owner)
    assert {name: rule[name] for name in rule if name not in ("id", "created_at", "updated_at")} == {
        **BODY,
        "is_active": True,
        "scope": "all",
        "tag": "",
        "workflow_ids": [],
        "url": "",
        "start_workflow_id": None,
        "repeat_minutes": 60,
        "slow_seconds": None,
        "max_per_hour": 20,
        "quiet_hours": None,
        "mutes": [],
        "created_by": str(owner.user.id),
    }
    at = f"/notices/{rule['id']}"
    assert owner.get(at).json() == rule
    assert [row["id"] for row in owner.get("/notices").json()["results"]] == [rule["id"]]

    quiet = {"from": "22:00", "until": "06:00", "timezone": "Europe/Berlin"}
    changed = owner.patch(at, {"repeat_minutes": 5, "quiet_hours": quiet}).json()
    assert changed == {**rule, "repeat_minutes": 5, "quiet_hours": quiet, "updated_at": changed["updated_at"]}

    replaced = owner.put(at, {**changed, "name": "Other"}).json()
    assert replaced == {**changed, "name": "Other", "updated_at": replaced["updated_at"]}

    assert owner.delete(at).status_code == 204
    assert owner.get(at).status_code == 404
    actions = list(AuditEntry.objects.order_by("id").values_list("action", flat=True))
    assert actions[-4:] == ["notice.create", "notice.update", "notice.update", "notice.delete"]


def test_the_secret_of_a_webhook_is_shown_once_and_stored_encrypted(owner):
    created = owner.post("/notices", HOOK, idempotency_key="k").json()
    again = owner.post("/notices", HOOK, idempotency_key="k").json()

    assert created.pop("secret").startswith("whsec_")
    assert (again, owner.get(f"/notices/{created['id']}").json()) == (created, created)
    rule = NoticeRule.objects.get()
    assert str(rule.__dict__["secret"]).startswith("v1.test.")


def test_a_rotated_secret_is_another_one_and_shown_once(owner):
    rule = owner.post("/notices", HOOK).json()

    rotated = owner.post(f"/notices/{rule['id']}/rotate").json()

    assert rotated["secret"].startswith("whsec_")
    assert rotated["secret"] != rule["secret"]
    refused = owner.post(f"/notices/{made(owner)['id']}/rotate")
    assert (refused.status_code, refused.json()["code"]) == (409, "no_secret")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"recipients": []}, [("required", "/recipients")]),
        ({"recipients": ["ada"]}, [("nobody", "/recipients/0")]),
        ({"recipients": ["ops@example.com\nBcc: eve@example.com"]}, [("nobody", "/recipients/0")]),
        ({"recipients": ["a@example.com,eve@example.com"]}, [("nobody", "/recipients/0")]),
        ({"recipients": ["Ops <ops@example.com>"]}, [("nobody", "/recipients/0")]),
        ({"recipients": ["user:nobody", "role:king"]}, [("nobody", "/recipients/0"), ("nobody", "/recipients/1")]),
        ({"url": "https://example.com"}, [("unexpected", "/url")]),
        ({"channel": "webhook"}, [("unexpected", "/recipients"), ("required", "/url")]),
        ({"scope": "tag"}, [("required", "/tag")]),
        ({"scope": "workflows"}, [("required", "/workflow_ids")]),
        ({"events": ["run_slow"]}, [("required", "/slow_seconds")]),
        (
            {"quiet_hours": {"from": "22:00", "until": "06:00", "timezone": "Moon/Base"}},
            [("unknown_timezone", "/quiet_hours/timezone")],
        ),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused_with_every_reason(owner, change, expected):
    assert problems(owner.post("/notices", {**BODY, **change})) == expected
    assert NoticeRule.objects.count() == 0


@pytest.mark.parametrize(
    "change",
    [
        {"events": []},
        {"events": ["did_not_matter"]},
        {"channel": "pigeon"},
        {"name": ""},
        {"repeat_minutes": 0},
        {"max_per_hour": 10_000},
        {"recipients": [f"a{number}@example.com" for number in range(51)]},
        {"quiet_hours": {"from": "25:00", "until": "06:00"}},
        {"surprise": 1},
    ],
)
def test_a_body_outside_of_its_schema_is_refused(owner, change):
    assert len(problems(owner.post("/notices", {**BODY, **change}))) == 1


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://127.0.0.1:8000/", "blocked_target"),
        ("http://169.254.169.254/latest", "blocked_target"),
        ("ftp://example.com/", "invalid_request"),
        ("https://user:pass@example.com/", "invalid_request"),
    ],
)
def test_a_webhook_goes_through_the_outbound_door_only(owner, url, code):
    assert problems(owner.post("/notices", {**HOOK, "url": url})) == [(code, "/url")]


def test_an_installation_without_a_mail_server_refuses_mails(owner, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"

    assert problems(owner.post("/notices", BODY)) == [("no_mail_server", "/channel")]


def test_workflows_of_others_are_as_unknown_as_those_that_are_not_there(owner, stranger):
    theirs = make_workflow(stranger.workspace)
    nowhere = "00000000-0000-4000-8000-000000000000"
    bodies = [
        {**BODY, "scope": "workflows", "workflow_ids": [str(theirs.id), nowhere]},
        {**BODY, "channel": "workflow", "recipients": [], "start_workflow_id": str(theirs.id)},
    ]

    found = [problems(owner.post("/notices", body)) for body in bodies]

    assert found == [
        [("not_found", f"/workflow_ids/{index}") for index in range(2)],
        [("not_found", "/start_workflow_id")],
    ]


def test_a_key_that_may_not_run_workflows_makes_no_rule_that_runs_them(home, orders):
    narrow = make_person(home, Role.BUILDER, scopes=("notices:*",))
    body = {**BODY, "channel": "workflow", "recipients": [], "start_workflow_id": str(orders.id)}

    assert narrow.post("/notices", body).status_code == 403
    assert make_person(home, Role.BUILDER).post("/notices", body).status_code == 201


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR])
def test_who_does_not_build_looks_only(home, rule, role):
    api, at = make_person(home, role), f"/notices/{rule.id}"

    assert [api.get(path).status_code for path in ("/notices", at, f"{at}/deliveries")] == [200, 200, 200]
    answers = [
        api.post("/notices", BODY),
        api.put(at, BODY),
        api.patch(at, {"name": "x"}),
        api.delete(at),
        *(api.post(f"{at}/{verb}", {"until": None}) for verb in ("test", "mute", "rotate")),
        api.post(f"{at}/deliveries/{rule.id}/redeliver"),
    ]
    assert {answer.status_code for answer in answers} == {403}


def test_a_strangers_rule_is_not_there(rule, orders, stranger):
    run_once(orders)
    decide_due()
    delivery, at = NoticeDelivery.objects.get(), f"/notices/{rule.id}"

    answers = [
        stranger.get(at),
        stranger.put(at, BODY),
        stranger.patch(at, {"name": "x"}),
        stranger.delete(at),
        stranger.get(f"{at}/deliveries"),
        stranger.post(f"{at}/test"),
        stranger.post(f"{at}/mute", {"until": None}),
        stranger.post(f"{at}/rotate"),
        stranger.post(f"{at}/deliveries/{delivery.id}/redeliver"),
    ]

    assert {answer.status_code for answer in answers} == {404}
    assert stranger.get("/notices").json()["results"] == []


def test_another_rules_delivery_is_not_there(home, owner, rule, orders):
    run_once(orders)
    decide_due()
    other = make_rule(home)

    answer = owner.post(f"/notices/{other.id}/deliveries/{NoticeDelivery.objects.get().id}/redeliver")

    assert answer.status_code == 404


def test_a_mute_silences_until_its_time_and_can_be_taken_back(owner, rule, orders):
    until = (clock.now().replace(microsecond=0)).isoformat().replace("+00:00", "Z").replace("2026", "2027", 1)
    at = f"/notices/{rule.id}/mute"

    assert owner.post(at, {"until": until}).json()["mutes"] == [{"workflow_id": None, "until": until}]
    run_once(orders)
    decide_due()
    assert told() == []

    both = owner.post(at, {"until": until, "workflow_id": str(orders.id)}).json()["mutes"]
    assert sorted(str(mute["workflow_id"]) for mute in both) == sorted([str(orders.id), "None"])
    owner.post(at, {"until": None})
    assert owner.post(at, {"until": None, "workflow_id": str(orders.id)}).json()["mutes"] == []


@pytest.mark.parametrize("until", ["2020-01-01T00:00:00Z", "2999-01-01T00:00:00Z"])
def test_a_mute_ends_within_a_year(owner, rule, until):
    assert problems(owner.post(f"/notices/{rule.id}/mute", {"until": until})) == [("out_of_range", "/until")]


def test_a_mute_of_a_strangers_workflow_is_refused(owner, rule, stranger):
    body = {"until": None, "workflow_id": str(make_workflow(stranger.workspace).id)}

    assert problems(owner.post(f"/notices/{rule.id}/mute", body)) == [("not_found", "/workflow_id")]


def test_deliveries_are_listed_with_their_errors_and_sent_again_under_their_id(owner, rule, orders):
    run_once(orders)
    decide_due()
    NoticeDelivery.objects.update(state="failed", last_error="The server is away.", attempts=9)
    at = f"/notices/{rule.id}/deliveries"

    (row,) = owner.get(at, state="failed").json()["results"]
    assert (row["event"], row["address"], row["state"], row["last_error"], row["attempts"], row["next_at"]) == (
        "first_failure",
        "ops@example.com",
        "failed",
        "The server is away.",
        9,
        None,
    )

    again = owner.post(f"{at}/{row['id']}/redeliver")
    assert (again.status_code, again.json()["state"], again.json()["id"]) == (202, "pending", row["id"])
    refused = owner.post(f"{at}/{row['id']}/redeliver")
    assert (refused.status_code, refused.json()["code"]) == (409, "delivery_pending")


def test_a_rule_that_is_switched_off_forgets_what_it_knew(owner, rule, orders):
    run_once(orders)
    decide_due()

    owner.patch(f"/notices/{rule.id}", {"is_active": False})

    assert NoticeState.objects.count() == 0


def test_another_channel_takes_nothing_of_the_old_one_along(owner, rule):
    changed = owner.patch(f"/notices/{rule.id}", {"channel": "webhook", "url": "https://hooks.example.com/x"}).json()

    assert (changed["recipients"], changed["secret"][:6]) == ([], "whsec_")


def test_a_workspace_has_a_bounded_number_of_rules(owner, monkeypatch):
    monkeypatch.setattr("automation.services.notices.MOST_RULES", 1)
    made(owner)

    answer = owner.post("/notices", BODY)

    assert (answer.status_code, answer.json()["code"]) == (409, "too_many_notices")
