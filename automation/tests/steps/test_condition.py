"""condition: true or false, or one of many."""

import pytest

from automation.engine.kinds import Done
from automation.steps.condition import ports
from automation.tests.steps.run_step import run_step


@pytest.mark.parametrize(("when", "port"), [("{{ inputs.n > 1 }}", "true"), ("{{ inputs.n > 9 }}", "false")])
def test_a_condition_takes_a_port_and_keeps_its_operands(when, port):
    assert run_step("condition", {"when": when}, inputs={"n": 5}) == Done(
        {"result": port == "true", "port": port},
        port=port,
        reason={"expression": when, "value": port == "true", "operands": [{"expression": "inputs.n", "value": 5}]},
    )


def test_a_constant_condition_has_no_operands():
    assert run_step("condition", {"when": True}).reason == {"expression": True, "value": True, "operands": []}


def test_a_condition_that_cannot_be_evaluated_fails():
    assert run_step("condition", {"when": "{{ inputs.zebra > 1 }}"}).error.type == "expression"


CASES = [{"port": "small", "when": "{{ inputs.n < 10 }}"}, {"port": "medium", "when": "{{ inputs.n < 100 }}"}]


@pytest.mark.parametrize(("n", "port", "looked_at"), [(5, "small", 1), (50, "medium", 2), (500, "default", 2)])
def test_the_first_case_that_holds_names_the_port(n, port, looked_at):
    outcome = run_step("condition", {"cases": CASES}, inputs={"n": n})

    assert (outcome.port, outcome.output) == (port, {"result": port != "default", "port": port})
    assert [case["port"] for case in outcome.reason["cases"]] == ["small", "medium"][:looked_at]


def test_cases_behind_the_first_that_holds_are_not_evaluated():
    cases = [{"port": "a", "when": True}, {"port": "b", "when": "{{ inputs.zebra }}"}]

    assert run_step("condition", {"cases": cases}).port == "a"


def test_two_cases_may_lead_to_one_port():
    assert ports({"cases": [*CASES, {"port": "small", "when": True}], "default": "medium"}) == ("small", "medium")
    assert ports({"when": True}) == ("true", "false")
    assert ports({"cases": CASES}) == ("small", "medium", "default")
