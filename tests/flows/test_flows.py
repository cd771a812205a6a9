"""Every flow file through the engine alone: no database, no workers, a clock that jumps."""

from collections import Counter
from datetime import timedelta

import pytest

from automation.engine.document import check_document
from automation.engine.durations import parse_duration
from automation.steps import all_kinds
from brainops.core.egress import http
from tests.flows.in_memory import play
from tests.flows.load import all_flows
from tests.flows.observed import differences
from tests.flows.server import scripted

FLOWS = [pytest.param(flow, id=flow.name) for flow in all_flows()]


@pytest.fixture(autouse=True)
def _may_call_the_test_server(settings):
    settings.BRAINOPS_EGRESS_ALLOW = ["127.0.0.1:*"]
    settings.BRAINOPS_CODE_STEPS = True
    http.client.cache_clear()
    yield
    http.client.cache_clear()


@pytest.mark.parametrize("flow", FLOWS)
def test_the_documents_of_every_flow_have_no_problems(flow):
    later = [flow.retry.definition] if flow.retry and flow.retry.definition else []

    found = [check_document(one, all_kinds()) for one in (flow.definition, *flow.workflows.values(), *later)]

    assert not any(found), found


@pytest.mark.parametrize("flow", FLOWS)
def test_a_flow_does_what_it_says(flow):
    with scripted(flow.server) as server:
        played = play(flow, server)

    assert differences(flow.expect, played.seen) == []
    assert played.took == timedelta(seconds=parse_duration(flow.expect.get("takes", "0s")))
    if flow.retry is not None:
        assert played.retried is not None
        assert differences(flow.retry.expect, played.retried) == []


def test_no_two_flows_say_the_same():
    said = Counter(flow.proves for flow in all_flows())

    assert [line for line, times in said.items() if times > 1] == []


def test_there_are_at_least_120_flows():
    assert len(FLOWS) >= 120
