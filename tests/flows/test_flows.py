"""Every flow file through the engine alone: no database, no workers, a clock that jumps."""

from collections import defaultdict
from datetime import timedelta

import pytest

from automation.engine.document import check_document
from automation.engine.durations import parse_duration
from automation.engine.plan import build_plan
from automation.engine.results import StepResult
from automation.engine.simulate import START, Setup, Simulated, run_flow
from automation.engine.stand_in import Workspace
from automation.steps import all_kinds
from brainops.core.egress import http
from tests.flows.load import FlowFile, all_flows
from tests.flows.observed import Observed, differences
from tests.flows.server import Scripted, scripted

FLOWS = [pytest.param(flow, id=flow.name) for flow in all_flows()]


@pytest.fixture(autouse=True)
def _may_call_the_test_server(settings):
    settings.BRAINOPS_EGRESS_ALLOW = ["127.0.0.1:*"]
    settings.BRAINOPS_CODE_STEPS = True
    http.client.cache_clear()
    yield
    http.client.cache_clear()


@pytest.mark.parametrize("flow", FLOWS)
def test_the_document_of_every_flow_has_no_problems(flow):
    assert check_document(flow.definition, all_kinds()) == ()


@pytest.mark.parametrize("flow", FLOWS)
def test_a_flow_does_what_it_says(flow):
    with scripted(flow.server) as server:
        result = run(flow, server)

    assert differences(flow.expect, observe(result, server)) == []
    assert result.finished_at - START == timedelta(seconds=parse_duration(flow.expect.get("takes", "0s")))


@pytest.mark.parametrize("flow", FLOWS)
def test_a_flow_says_something_no_other_says(flow):
    assert [other.name for other in all_flows() if other.proves == flow.proves] == [flow.name]


def test_there_are_many_flows():
    assert len(FLOWS) >= 40


def run(flow: FlowFile, server: Scripted) -> Simulated:
    plan = build_plan(flow.definition, all_kinds())
    inputs = {**flow.inputs, "server": server.url} if flow.server else flow.inputs
    about = {"id": "run-1", "number": 1, "workflow": "Flow", "version": "1.0.0", "attempt": 1, "mode": "test"}
    workspace = Workspace(decisions=flow.answers, signals=defaultdict(list))
    for name, payload in flow.signals:
        workspace.signals[name].append(payload)
    return run_flow(plan, Setup(inputs=inputs, trigger=flow.trigger, run=about, workspace=workspace))


def observe(result: Simulated, server: Scripted) -> Observed:
    return Observed(
        status=result.finished.status.word,
        output=result.finished.output,
        error=result.finished.error,
        steps={path: as_seen(row) for path, row in result.steps.items()},
        logs=[[step, line.level, line.message] for step, line in result.logs],
        response=result.response,
        requests=server.requests,
    )


def as_seen(row: StepResult) -> dict[str, object]:
    return {
        "status": row.status.word,
        "output": row.output,
        "port": row.port,
        "attempt": row.attempt,
        "reason": row.reason,
        "error": row.error,
    }
