"""Searches and filters of the lists of workflows and runs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from automation.engine.status import RunStatus
from automation.models import Run, Trigger
from automation.services import workflow_words
from automation.tests.api.conftest import Api
from brainops.core import clock


def names(owner: Api, **query: Any) -> list[str]:
    return [row["name"] for row in owner.get("/workflows", **query).json()["results"]]


def steps(*ids: str, uses: str = "log") -> dict[str, Any]:
    return {"schema": 1, "steps": [{"id": id_, "uses": uses, "with": {"message": "x"}} for id_ in ids]}


@pytest.fixture
def library(owner: Api) -> None:
    """Four workflows that differ in where their words stand."""
    owner.make(name="Invoices to Slack", tags=["billing", "slack"], definition=steps("send_invoice"))
    owner.make(name="Nightly report", description="Sums up the invoices of a day.", tags=["figures"])
    owner.make(name="Greeting", definition=steps("notify_team"), is_active=False)
    loop = {
        "id": "each",
        "for_each": {"items": "{{ [1] }}"},
        "steps": [{"id": "pause", "uses": "delay", "with": {"for": "1s"}}],
    }
    owner.make(name="Cleanup 100%", definition={"schema": 1, "steps": [loop]})


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("invoices", ["Invoices to Slack", "Nightly report"]),  # the name weighs more than the description
        ("INVOICE slack", ["Invoices to Slack"]),  # every word
        ("nvoic", ["Invoices to Slack", "Nightly report"]),  # a part of a word
        ("invioces", ["Invoices to Slack", "Nightly report"]),  # misspelt
        ("slakc", ["Invoices to Slack"]),
        ("notify_team", ["Greeting"]),  # the id of a step
        ("pause", ["Cleanup 100%"]),  # of a step inside a loop
        ("figures", ["Nightly report"]),  # a tag
        ("100%", ["Cleanup 100%"]),  # no wildcard
        ("zebra", []),
        ("it's \\ & | ! :* (", []),  # no operators
    ],
)
@pytest.mark.usefixtures("library")
def test_a_search_finds_words_parts_and_misspelt_ones_best_first(owner: Api, search: str, found: list[str]):
    assert names(owner, search=search) == found


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("invoices", ["Invoices to Slack", "Nightly report"]),
        ("invoic", ["Invoices to Slack", "Nightly report"]),  # the begin of a word
        ("notify_team", ["Greeting"]),
        ("it's \\ & | ! :* (", []),
    ],
)
@pytest.mark.usefixtures("library")
def test_a_database_without_trigrams_still_finds_words(owner: Api, search: str, found: list[str]):
    with connection.cursor() as cursor:
        cursor.execute("drop index workflow_search_text")
    workflow_words.has_trigrams.cache_clear()
    try:
        assert names(owner, search=search) == found
    finally:
        workflow_words.has_trigrams.cache_clear()


@pytest.mark.usefixtures("library")
def test_a_search_has_pages_and_other_orders(owner: Api):
    first = owner.get("/workflows", search="invoices", limit=1).json()
    second = owner.send("GET", first["next"].partition("/api/v1/automation")[2]).json()

    assert [row["name"] for row in first["results"] + second["results"]] == ["Invoices to Slack", "Nightly report"]
    assert second["next"] is None
    assert names(owner, search="invoices", ordering="-name") == ["Nightly report", "Invoices to Slack"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"any_tag": ["slack", "nothing"]}, ["Invoices to Slack"]),
        ({"tag": ["slack", "billing"]}, ["Invoices to Slack"]),
        ({"tag": ["slack", "nothing"]}, []),
        ({"status": "inactive"}, ["Greeting"]),
        ({"status": ["inactive", "archived"]}, ["Greeting"]),
        ({"uses": "delay"}, ["Cleanup 100%"]),  # inside a loop
        ({"uses": ["delay", "transform"]}, ["Cleanup 100%", "Nightly report"]),
        ({"trigger_kind": "schedule"}, ["Greeting"]),
        ({"trigger_kind": "webhook"}, []),
        ({"search": "e", "uses": "log", "status": "active"}, ["Invoices to Slack", "Nightly report"]),
    ],
)
@pytest.mark.usefixtures("library")
def test_filters_say_what_is_listed(owner: Api, query: dict[str, Any], found: list[str]):
    greeting = owner.get("/workflows", search="greeting").json()["results"][0]["id"]
    owner.post("/triggers", {"workflow_id": greeting, "kind": "schedule", "config": {"cron": "0 9 * * *"}})

    assert sorted(names(owner, **query)) == sorted(found)


@pytest.mark.usefixtures("library")
def test_a_stranger_finds_nothing(stranger: Api):
    assert names(stranger, search="invoices") == []


def ended(owner: Api, workflow: dict[str, Any], *, seconds: float = 1.0, **error: str) -> str:
    """Start a run and end it as a worker would have."""
    uid = owner.post(f"/workflows/{workflow['id']}/execute").json()["id"]
    now = clock.now()
    status = RunStatus.FAILED if error else RunStatus.SUCCEEDED
    Run.objects.filter(uid=uid).update(
        status=status, finishes=1, started_at=now - timedelta(seconds=seconds), finished_at=now
    )
    run = Run.objects.get(uid=uid)
    if error:
        run.data.error = {"type": "HttpError", "step": "a", "attempt": 1, **error}
        run.data.save()
    return uid


def uids(owner: Api, path: str = "/runs", **query: Any) -> list[str]:
    return [row["id"] for row in owner.get(path, **query).json()["results"]]


def test_runs_are_found_by_what_their_error_says(owner: Api):
    workflow = owner.make()
    refused = ended(owner, workflow, message="Connection refused by api.example.com", **{"class": "transient"})
    limited = ended(owner, workflow, message="429: 100% of the quota is used", **{"class": "rate_limit"}, type="Quota")
    ended(owner, workflow)

    assert uids(owner, search="CONNECTION refused") == [refused]
    assert uids(owner, search="100%") == [limited]
    assert uids(owner, search="_") == []  # no wildcard
    assert uids(owner, error_class="rate_limit") == [limited]
    assert uids(owner, error_type="HttpError") == [refused]
    assert uids(owner, error_type="HttpError", error_class="rate_limit") == []


def test_runs_are_found_by_how_long_they_took(owner: Api):
    workflow = owner.make()
    quick, slow = ended(owner, workflow, seconds=0.5), ended(owner, workflow, seconds=90)
    owner.post(f"/workflows/{workflow['id']}/execute")  # not ended

    assert uids(owner, min_seconds=60) == [slow]
    assert uids(owner, max_seconds=1) == [quick]
    assert uids(owner, min_seconds=0, max_seconds=100) == [slow, quick]


def test_runs_are_found_by_trigger_kind_and_tag_of_their_workflow(owner: Api):
    tagged, other = owner.make(name="a", tags=["billing"]), owner.make(name="b")
    by_hand, by_clock = ended(owner, tagged), ended(owner, other)
    owner.post("/triggers", {"workflow_id": other["id"], "kind": "schedule", "config": {"cron": "0 9 * * *"}})
    Run.objects.filter(uid=by_clock).update(trigger=Trigger.objects.get())

    assert uids(owner, trigger_kind="schedule") == [by_clock]
    assert uids(owner, trigger_kind="none") == [by_hand]
    assert uids(owner, trigger_kind=["schedule", "none"]) == [by_clock, by_hand]
    assert uids(owner, workflow_tag="billing") == [by_hand]
    assert uids(owner, workflow_tag="nothing") == []


def test_runs_are_found_by_when_they_were_made(owner: Api):
    workflow = owner.make()
    old, new = ended(owner, workflow), ended(owner, workflow)
    long_ago = clock.now() - timedelta(days=30)
    Run.objects.filter(uid=old).update(created_at=long_ago)
    between = (long_ago + timedelta(days=1)).isoformat()

    assert uids(owner, created_until=between) == [old]
    assert uids(owner, created_since=between) == [new]
    assert uids(owner, created_since=between, created_until=between) == []
    assert uids(owner, created_since="0001-01-01T00:00:00Z", created_until="9999-12-31T23:59:59Z") == [new, old]


def test_runs_can_be_read_oldest_first(owner: Api):
    workflow = owner.make()
    first, second = ended(owner, workflow), ended(owner, workflow)

    assert uids(owner, ordering="created_at") == [first, second]
    assert uids(owner, f"/workflows/{workflow['id']}/runs", ordering="created_at") == [first, second]
