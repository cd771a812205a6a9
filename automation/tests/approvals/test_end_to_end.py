"""Workflows that wait for people and signals, on a real runtime."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from automation.engine.status import StepStatus
from automation.models import Approval, Run, StepRun
from automation.services.approval_decisions import answer, approve, reject
from automation.services.runs import cancel
from automation.services.signals import send
from brainops.accounts.caller import Caller, system_caller
from brainops.accounts.models import Workspace
from brainops.core.egress import http
from tests.flows.server import scripted

APPROVE = {"id": "ask", "uses": "approval", "with": {"title": "Refund {{ inputs.amount }} EUR?"}}
WAIT = {"id": "wait", "uses": "wait_signal", "with": {"name": "paid"}}


def log(id_: str, *needs: str) -> dict[str, Any]:
    return {"id": id_, "uses": "log", "needs": list(needs), "with": {"message": id_}}


def eventually(look: Any, *, seconds: float = 10) -> Any:
    """What `look` finds, as soon as it finds something."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(0.01)
    pytest.fail(f"nothing was found in {seconds} s")
    return None


def parked(uid: Any) -> Run:
    return eventually(lambda: Run.objects.filter(uid=uid, status=30).first())


def asked(uid: Any) -> Approval:
    parked(uid)
    return Approval.objects.get(run__uid=uid)


def steps(run: Run) -> dict[str, tuple[str, str | None]]:
    return {row.path: (row.status_word, row.port) for row in StepRun.objects.filter(run=run)}


@pytest.fixture
def by(make_workflow: Any) -> Caller:
    return system_caller(Workspace.objects.get(slug="acme").id, "ada")


def test_an_approved_run_goes_on_at_its_port(make_workflow, accept, runtime, ended, by):
    version = make_workflow(APPROVE, log("yes", "ask.approved"), log("no", "ask.rejected"))
    uid = accept(version, inputs={"amount": 7}).uid
    approval = asked(uid)
    row = StepRun.objects.get(run=approval.run, path="ask")
    assert (approval.title, row.status_word, row.reason["type"]) == ("Refund 7 EUR?", "waiting", "approval")

    approve(by, approval.id, comment="Fine.")

    run = ended(uid)
    assert steps(run) == {"ask": ("succeeded", "approved"), "yes": ("succeeded", None), "no": ("skipped", None)}
    output = StepRun.objects.get(run=run, path="ask").output
    assert (output["decided_by"], output["comment"], len(output["votes"])) == ("ada", "Fine.", 1)


def test_a_rejected_run_goes_on_at_the_other_port(make_workflow, accept, runtime, ended, by):
    uid = accept(make_workflow(APPROVE, log("no", "ask.rejected")), inputs={"amount": 7}).uid

    reject(by, asked(uid).id)

    assert steps(ended(uid)) == {"ask": ("succeeded", "rejected"), "no": ("succeeded", None)}


def test_an_approval_nobody_decides_expires(make_workflow, accept, runtime, ended):
    late = {**APPROVE, "with": {**APPROVE["with"], "expires": "500ms"}}
    uid = accept(make_workflow(late, log("late", "ask.expired")), inputs={"amount": 7}).uid

    assert steps(ended(uid)) == {"ask": ("succeeded", "expired"), "late": ("succeeded", None)}


@pytest.mark.parametrize("moment", ["before", "during"])
def test_a_signal_is_received_whenever_it_comes(make_workflow, accept, runtime, ended, by, moment):
    pause = {"id": "pause", "uses": "delay", "with": {"for": "300ms"}}
    version = make_workflow(pause, {**WAIT, "needs": ["pause"]}, log("got", "wait.received"))
    uid = accept(version).uid
    if moment == "during":
        parked(uid)
        eventually(lambda: StepRun.objects.filter(run__uid=uid, path="wait", status=10))

    send(by, uid, "paid", payload={"n": 1})

    run = ended(uid)
    row = StepRun.objects.get(run=run, path="wait")
    assert (row.port, row.output) == (
        "received",
        {"received": True, "payload": {"n": 1}, "key": None, "url": None},
    )


def test_a_signal_that_does_not_come_times_out(make_workflow, accept, runtime, ended):
    wait = {**WAIT, "with": {"name": "paid", "timeout": "500ms"}}
    uid = accept(make_workflow(wait, log("late", "wait.timed_out"))).uid

    assert steps(ended(uid)) == {"wait": ("succeeded", "timed_out"), "late": ("succeeded", None)}


def test_a_one_time_url_made_by_one_step_ends_the_wait_of_another(make_workflow, accept, runtime, ended):
    link = {"id": "link", "uses": "signal_url", "with": {"name": "paid"}}
    uid = accept(make_workflow(link, {**WAIT, "needs": ["link"]}, output="{{ steps.wait.output.payload }}")).uid
    parked(uid)
    url = StepRun.objects.get(run__uid=uid, path="link").output["url"]

    answer = Client().post(url[url.index("/api") :], {"ok": True}, content_type="application/json")

    assert answer.status_code == 202
    assert ended(uid).data.output == {"ok": True}


def test_a_step_shows_its_own_url_while_it_waits(make_workflow, accept, runtime, ended):
    uid = accept(make_workflow({**WAIT, "with": {"name": "paid", "url": True}})).uid
    url = StepRun.objects.get(run=parked(uid), path="wait").reason["url"]

    assert Client().generic("POST", url[url.index("/api") :]).status_code == 202
    assert StepRun.objects.get(run=ended(uid), path="wait").output["url"] == url


def test_waits_beside_each_other_each_take_their_own(make_workflow, accept, runtime, ended, by):
    waits = [{"id": name, "uses": "wait_signal", "with": {"name": "paid"}} for name in ("a", "b", "c")]
    uid = accept(make_workflow(*waits, APPROVE), inputs={"amount": 1}).uid
    approval = asked(uid)

    for number in (1, 2, 3):
        send(by, uid, "paid", payload=number)
    approve(by, approval.id)

    run = ended(uid)
    payloads = [StepRun.objects.get(run=run, path=name).output["payload"] for name in ("a", "b", "c")]
    assert sorted(payloads) == [1, 2, 3]


@pytest.fixture
def _may_call_the_test_server(settings: Any) -> Iterator[None]:
    settings.BRAINOPS_EGRESS_ALLOW = ["127.0.0.1:*"]
    http.client.cache_clear()
    yield
    http.client.cache_clear()


@pytest.mark.usefixtures("_may_call_the_test_server")
@pytest.mark.parametrize(
    ("said", "output", "status", "step", "sent"),
    [
        ("happened", {"id": 7}, "succeeded", ("succeeded", 1), 0),
        ("fail", None, "failed", ("unknown", 1), 0),
        ("repeat", None, "succeeded", ("succeeded", 2), 1),
    ],
)
def test_people_say_what_became_of_a_step_whose_process_died(
    make_workflow, accept, runtime, ended, by, said, output, status, step, sent
):
    with scripted({"POST /pay": [{"status": 200, "json": {}}]}) as server:
        config = {"method": "POST", "url": f"{server.url}/pay"}
        version = make_workflow({"id": "pay", "uses": "http.request", "on_unknown": "ask", "with": config})
        with transaction.atomic():  # as a process leaves it that was killed between the mark and the answer
            run = Run.objects.get(id=accept(version).id)
            Run.objects.filter(id=run.id).update(attempt=1)
            StepRun.objects.create(run=run, path="pay", status=StepStatus.STARTED, started_at=run.created_at)
        approval = asked(run.uid)
        assert (approval.kind, approval.path, approval.number, server.requests) == ("unknown", "pay", 1, [])

        answer(by, approval.id, said, output=output)

        row = StepRun.objects.get(run=ended(run.uid), path="pay")
        assert (Run.objects.get(id=run.id).status_word, (row.status_word, row.attempt)) == (status, step)
        assert (len(server.requests), row.output if output else None) == (sent, output)


def test_a_run_that_waits_for_people_is_cancelled_without_an_answer(make_workflow, accept, runtime, ended, by):
    uid = accept(make_workflow(APPROVE), inputs={"amount": 7}).uid
    asked(uid)

    cancel(by, uid)

    assert ended(uid).status_word == "cancelled"
