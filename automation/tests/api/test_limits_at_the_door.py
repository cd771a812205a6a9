"""Execute with limits: what the caller of a start is told that waits, is gathered, left out or refused."""

from __future__ import annotations

import pytest

from automation.models import Run
from automation.tests.api.conftest import HELLO, Api

NAMED = {"key": "{{ inputs.name }}"}


def make(owner: Api, **settings: object) -> str:
    return str(owner.make(definition={**HELLO, "settings": settings})["id"])


def start(owner: Api, id_: str, name: str = "Ada", **headers: str) -> tuple[int, dict]:
    response = owner.post(f"/workflows/{id_}/execute", {"inputs": {"name": name}}, **headers)
    return response.status_code, response.json()


def test_a_start_beyond_the_limit_is_accepted_and_says_that_it_is_blocked(owner: Api):
    id_ = make(owner, concurrency={"limit": 1, **NAMED})

    answers = [start(owner, id_, name) for name in ("Ada", "Ada", "Bob")]

    assert [(code, body["status"]) for code, body in answers] == [(202, "queued"), (202, "blocked"), (202, "queued")]
    keys = [f"{id_}:{name}" for name in ("Ada", "Ada", "Bob")]
    assert list(Run.objects.order_by("id").values_list("limit_key", flat=True)) == keys


def test_a_skipped_start_is_answered_with_200_and_without_a_run(owner: Api):
    id_ = make(owner, concurrency={"limit": 1, "when_full": "skip", **NAMED})
    start(owner, id_)

    code, body = start(owner, id_, idempotency_key="again-1")

    assert code == 200
    assert body == {
        "id": None,
        "status": "skipped",
        "reason": "limit_skipped",
        "detail": "The workflow's limit is full: 1 of 1 runs with the key 'Ada' are under way. This start is left out, as "
        "settings.concurrency.when_full says.",
        "limit": {"key": f"{id_}:Ada", "capacity": 1, "under_way": 1},
    }
    Run.objects.update(status=52, finishes=1, finished_at="2026-01-01T00:00:00Z")
    assert start(owner, id_, idempotency_key="again-1") == (200, body)
    assert Run.objects.count() == 1


@pytest.mark.parametrize(
    ("rule", "status", "code"),
    [({"when_full": "fail"}, 409, "limit_full"), ({"queue_limit": 1}, 429, "limit_queue_full")],
)
def test_a_refused_start_says_why_and_when_to_come_back(owner: Api, rule: dict, status: int, code: str):
    id_ = make(owner, concurrency={"limit": 1, **rule})
    for _ in range(1 + rule.get("queue_limit", 0)):
        assert start(owner, id_)[0] == 202
    count = Run.objects.count()

    response = owner.post(f"/workflows/{id_}/execute", {"inputs": {}})

    assert (response.status_code, response.json()["code"]) == (status, code)
    assert response.headers.get("Retry-After") == ("5" if status == 429 else None)
    assert Run.objects.count() == count


@pytest.mark.django_db(transaction=True)
def test_with_cancel_old_the_new_start_takes_the_place_of_the_old_one_at_once(owner: Api):
    id_ = make(owner, concurrency={"limit": 1, "when_full": "cancel_old"})

    for _ in range(3):
        assert start(owner, id_)[0] == 202

    assert [run.status_word for run in Run.objects.order_by("id")] == ["cancelled", "cancelled", "queued"]


@pytest.mark.django_db(transaction=True)
def test_the_cancel_of_a_run_lets_the_next_one_go_on(owner: Api):
    id_ = make(owner, concurrency={"limit": 1})
    first, second = start(owner, id_)[1], start(owner, id_)[1]

    assert owner.post(f"/runs/{first['id']}/cancel").status_code == 200
    assert Run.objects.get(uid=second["id"]).status_word == "queued"


def test_gathered_starts_are_answered_with_the_run_that_gathers_them(owner: Api):
    id_ = make(owner, debounce={"wait": "1h"})

    (first_code, first), (second_code, second) = start(owner, id_), start(owner, id_, "Bob")

    assert (first_code, second_code) == (202, 202)
    assert (first["id"], first["status"]) == (second["id"], second["status"]) == (str(Run.objects.get().uid), "blocked")


@pytest.mark.parametrize(
    ("settings", "wait", "expected"),
    [
        ({}, "", ("default", 5)),
        ({}, "?wait=0.01", ("interactive", 5)),
        ({"queue": "bulk", "priority": 2}, "?wait=0.01", ("bulk", 2)),
    ],
)
def test_who_waits_for_the_answer_goes_to_the_interactive_queue(owner: Api, settings, wait, expected):
    id_ = make(owner, **settings)

    owner.post(f"/workflows/{id_}/execute{wait}", {"inputs": {}})

    assert Run.objects.values_list("queue", "priority").get() == expected


def test_a_key_that_cannot_be_told_is_refused(owner: Api):
    id_ = make(owner, concurrency={"limit": 1, "key": "{{ inputs.name | int }}"})

    code, body = start(owner, id_, "Ada")

    assert (code, body["problems"][0]["code"], body["problems"][0]["pointer"]) == (400, "limit_key", "/inputs")
