"""The conformance flows on the real runtime: rows, threads, checkpoints and a clock that takes its time."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from automation.engine.durations import parse_duration
from automation.tests.runtime.flows_on_rows import ended, observe, retried, say, start, talk
from brainops.core.egress import http
from tests.flows.load import all_flows
from tests.flows.observed import differences
from tests.flows.server import scripted

LONGEST_SECONDS = 3
FLOWS = [flow for flow in all_flows() if parse_duration(flow.expect.get("takes", "0s")) <= LONGEST_SECONDS]
USUAL = [flow for flow in FLOWS if not flow.limits]
LIMITED = [pytest.param(flow, id=flow.name) for flow in FLOWS if flow.limits]


@pytest.fixture(autouse=True)
def _may_call_the_test_server(settings):
    settings.BRAINOPS_EGRESS_ALLOW = ["127.0.0.1:*"]
    settings.BRAINOPS_CODE_STEPS = True
    http.client.cache_clear()
    yield
    http.client.cache_clear()


def test_all_flows_at_once_do_on_real_rows_what_they_say(runtime):
    assert wrong_in(USUAL) == {}


@pytest.fixture
def limits(settings, request):
    settings.BRAINOPS_LIMITS = {**settings.BRAINOPS_LIMITS, **request.getfixturevalue("flow").limits}


@pytest.mark.parametrize("flow", LIMITED)
def test_a_flow_under_lower_limits_does_on_real_rows_what_it_says(limits, runtime, flow):
    assert wrong_in([flow]) == {}


def wrong_in(flows):
    """Every flow that did not do what it says, with the differences."""
    flows = sorted(flows, key=urgency)
    with ExitStack() as stack:
        started = []
        for flow in flows:
            started.append(start(flow, stack.enter_context(scripted(flow.server))))
            say(started)
        talk(started)
        wrong = seen_wrong(started, [flow.expect for flow in flows])
        again = [retried(one) for one in started if one.flow.retry]
        talk(again)
        return wrong | {f"{name}, retried": found for name, found in seen_wrong_again(again).items()}


def urgency(flow):
    """Those whose own time is short come first, those that somebody answers last: none may wait for the others."""
    return ("timeout" not in flow.definition.get("settings", {}), bool(flow.answers or flow.signals))


def seen_wrong_again(again):
    return seen_wrong(again, [one.flow.retry.expect for one in again])


def seen_wrong(started, expected):
    found = {
        one.flow.name: differences(expect, observe(one, ended(one)))
        for one, expect in zip(started, expected, strict=True)
    }
    return {name: differing for name, differing in found.items() if differing}
