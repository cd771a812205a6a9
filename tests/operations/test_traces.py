"""Traces reach a real OTLP/HTTP collector on loopback: one trace from the request over the run to its target."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import pytest

from automation.models import Run
from automation.runtime.process import Runtime
from brainops.core import metrics, tracing
from tests.live import Receiver, wait_until
from tests.operations.collector import Collector, attributes

TRACE, CALLER = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"  # the W3C's own example
GIVEN = f"00-{TRACE}-{CALLER}-01"
PATH = "/api/v1/automation/health"


@pytest.fixture
def collector(settings: Any) -> Iterator[Collector]:
    collector = Collector()
    settings.BRAINOPS_OTEL_ENDPOINT = collector.url
    settings.BRAINOPS_OTEL_HEADERS = {"X-Tenant": "shop"}
    tracing.start()
    yield collector
    tracing.stop()
    collector.close()


def test_without_the_setting_nothing_is_traced_and_nothing_imported(client, db):
    tracing.start()
    client.get(PATH, headers={"traceparent": GIVEN})

    assert (tracing.is_on(), tracing.traceparent(), tracing.outgoing_traceparent()) == (False, "", "")
    program = "import django; django.setup(); import sys; print('google.protobuf' in sys.modules)"
    assert printed(program) == "False"


def printed(program: str) -> str:
    import subprocess

    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.strip()


def test_a_request_continues_the_callers_trace_and_is_named_by_its_route(client, db, collector):
    client.get(PATH, headers={"traceparent": GIVEN, "X-Request-Id": "request-42"})
    tracing.stop()

    [span] = collector.spans
    assert (span.trace_id.hex(), span.parent_span_id.hex()) == (TRACE, CALLER)
    assert span.name == "GET api/v1/automation/health"
    assert attributes(span) == {
        "http.request.method": "GET",
        "http.route": "api/v1/automation/health",
        "http.response.status_code": 200,
        "brainops.request.id": "request-42",
    }
    assert (collector.services, collector.paths) == ({"brainops"}, {"/v1/traces"})
    assert {(said["content-type"], said["x-tenant"]) for said in collector.headers} == {
        ("application/x-protobuf", "shop")
    }


@pytest.mark.parametrize(
    "given", ["", "junk", f"00-{'0' * 32}-{CALLER}-01", f"00-{TRACE}-{'0' * 16}-01", f"{GIVEN}\r\nX: y", GIVEN.upper()]
)
def test_a_malformed_context_begins_a_new_trace(client, db, collector, given):
    client.get(PATH, headers={"traceparent": given})
    tracing.stop()

    [span] = collector.spans
    assert span.trace_id.hex() != TRACE
    assert span.parent_span_id == b""


@pytest.fixture
def runtime(settings: Any, transactional_db: None, collector: Collector) -> Iterator[Runtime]:
    settings.BRAINOPS_HEARTBEAT_SECONDS = settings.BRAINOPS_TICK_SECONDS = 0.1
    settings.BRAINOPS_DEAD_SECONDS = 2.0
    process = Runtime()
    process.start()
    yield process
    process.stop(10)


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    from brainops.core.egress import http

    receiver = Receiver()
    settings.BRAINOPS_EGRESS_ALLOW = [receiver.address]
    http.client.cache_clear()
    yield receiver
    http.client.cache_clear()
    receiver.close()


def run_of(steps: list[dict[str, Any]]) -> Run:
    """Start a run inside a traced request, as a door does; wait for its end."""
    from django.db import connection

    from automation.models import Workflow, WorkflowVersion
    from automation.store.intake import NewRun, insert_run
    from brainops.accounts.models import Workspace

    home = Workspace.objects.create(name="Shop", slug="shop")
    document = {"schema": 1, "steps": steps}
    workflow = Workflow.objects.create(workspace=home, name="Order", definition=document)
    version = WorkflowVersion.objects.create(
        workspace=home, workflow=workflow, ordinal=1, number="1.0.0", name="O", definition=document, checksum=""
    )
    with tracing.span("POST execute", tracing.SERVER, {}, parent=GIVEN), connection.cursor() as cursor:
        accepted = insert_run(cursor, NewRun(home.id, workflow.id, version.id, inputs={"secret": "correct-horse"}))
    wait_until(lambda: Run.objects.get(id=accepted.id).is_final)
    return Run.objects.get(id=accepted.id)


@pytest.mark.parametrize("is_asked", [True, False])
def test_request_run_steps_and_their_target_are_one_trace(runtime, collector, receiver, settings, is_asked):
    settings.BRAINOPS_OTEL_PROPAGATE = is_asked
    call = {"method": "POST", "url": receiver.url, "json": {"id": "{{ inputs.secret }}"}}
    run = run_of(
        [
            {"id": "shape", "uses": "transform", "with": {"set": {"n": 1}}},
            {"id": "call", "uses": "http.request", "needs": ["shape"], "with": call},
            {"id": "stop", "uses": "fail", "needs": ["call"], "with": {"message": "correct-horse"}},
        ]
    )
    wait_until(lambda: not runtime.slots.live())
    tracing.stop()

    [request], [stay], steps = collector.named("POST"), collector.named("run "), collector.named("step ")
    assert {span.trace_id.hex() for span in collector.spans} == {TRACE}
    assert stay.parent_span_id == request.span_id
    assert {span.parent_span_id for span in steps} == {stay.span_id}
    assert [span.name for span in steps] == ["step transform", "step http.request", "step fail"]
    assert [span.status.code for span in steps] == [0, 0, 2]
    assert attributes(stay)["brainops.run.id"] == str(run.uid)
    sent = [f"00-{TRACE}-{steps[1].span_id.hex()}-01"] if is_asked else [None]
    assert receiver.traces == sent
    assert b"correct-horse" not in b"".join(span.SerializeToString() for span in collector.spans)


def test_a_collector_that_is_away_costs_spans_and_nothing_else(client, db, settings):
    settings.BRAINOPS_OTEL_ENDPOINT = "http://127.0.0.1:9"
    settings.BRAINOPS_OTEL_HEADERS = {}
    metrics.take_all()
    tracing.start()

    answer = client.get(PATH)
    tracing.stop()

    assert answer.status_code == 200
    assert metrics.take_all()["brainops_spans_lost_total", (), ""] == 1


def test_the_collectors_address_is_open_to_traces_only(collector, settings):
    from brainops.core.egress import http
    from brainops.core.egress.errors import BlockedTarget

    settings.BRAINOPS_EGRESS_ALLOW = []
    http.client.cache_clear()
    with pytest.raises(BlockedTarget):
        http.send(http.Request("POST", f"{collector.url}/v1/traces"))
    http.client.cache_clear()
