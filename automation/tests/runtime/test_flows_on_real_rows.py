"""The conformance flows on the real runtime: rows, threads, checkpoints and a clock that takes its time."""

from __future__ import annotations

import time
from contextlib import ExitStack

import pytest

from automation.engine.durations import parse_duration
from automation.engine.plan import build_plan
from automation.engine.status import RunStatus, StepStatus
from automation.models import Approval, RunLog
from automation.services.approval_decisions import approve, reject
from automation.services.signals import send
from automation.steps import all_kinds
from brainops.accounts.caller import system_caller
from brainops.core.egress import http
from tests.flows.load import all_flows
from tests.flows.observed import Observed, differences
from tests.flows.server import scripted

LONGEST_SECONDS = 3
FLOWS = [flow for flow in all_flows() if parse_duration(flow.expect.get("takes", "0s")) <= LONGEST_SECONDS]


@pytest.fixture(autouse=True)
def _may_call_the_test_server(settings):
    settings.BRAINOPS_EGRESS_ALLOW = ["127.0.0.1:*"]
    settings.BRAINOPS_CODE_STEPS = True
    http.client.cache_clear()
    yield
    http.client.cache_clear()


def test_all_flows_at_once_do_on_real_rows_what_they_say(make_workflow, accept, runtime, ended):
    with ExitStack() as stack:
        servers = [stack.enter_context(scripted(flow.server)) for flow in FLOWS]
        started = [start(flow, server, make_workflow, accept) for flow, server in zip(FLOWS, servers, strict=True)]
        people_answer([(accepted.uid, flow.answers) for flow, accepted in zip(FLOWS, started, strict=True)])
        runs = [ended(accepted.uid, seconds=30) for accepted in started]
        wrong = {
            flow.name: found
            for flow, server, run in zip(FLOWS, servers, runs, strict=True)
            if (found := differences(flow.expect, observe(run, server)))
        }

    assert wrong == {}


def start(flow, server, make_workflow, accept):
    rest = {key: value for key, value in flow.definition.items() if key not in ("schema", "steps")}
    version = make_workflow(*flow.definition["steps"], **rest)
    given = {**flow.inputs, "server": server.url} if flow.server else flow.inputs
    plan = build_plan(flow.definition, all_kinds())
    inputs, limit = plan.inputs.complete(given), plan.settings.timeout_seconds
    accepted = accept(version, inputs=inputs, trigger=flow.trigger, deadline_seconds=limit)
    for name, payload in flow.signals:
        send(system_caller(version.workspace_id, "flows"), accepted.uid, name, payload=payload)
    return accepted


def people_answer(asked, *, seconds=20):
    """Give each answer as soon as its approval is there."""
    waiting = [(uid, path, said) for uid, answers in asked for path, said in answers.items()]
    deadline = time.monotonic() + seconds
    while waiting and time.monotonic() < deadline:
        waiting = [one for one in waiting if not is_answered(*one)]
        time.sleep(0.02)
    assert waiting == []


def is_answered(uid, path, said):
    approval = Approval.objects.filter(run__uid=uid, path=path).first()
    if approval is None:
        return False
    by, comment = system_caller(approval.workspace_id, said.get("decided_by", "ada")), said.get("comment", "")
    if said["state"] == "approved":
        approve(by, approval.id, comment=comment, data=said.get("data"))
    else:
        reject(by, approval.id, comment=comment)
    return True


def observe(run, server):
    return Observed(
        status=RunStatus(run.status).word,
        output=run.data.output,
        error=run.data.error,
        steps={row.path: as_seen(row) for row in run.steps.all()},
        logs=[[line.path, line.level, line.message] for line in RunLog.objects.filter(run=run).order_by("seq")],
        response=run.data.response,
        requests=server.requests,
    )


def as_seen(row):
    return {
        "status": StepStatus(row.status).word,
        "output": row.output,
        "port": row.port,
        "attempt": row.attempt,
        "reason": row.reason,
        "error": row.error,
    }
