"""prepare: `if` and `with`, evaluated and checked."""

import pytest

from automation.engine.kinds import ErrorClass, Fail, StepError
from automation.engine.prepare import Prepared, Skipped, prepare
from automation.tests.engine.samples import plan, step

SCOPE = {"inputs": {"total": 120, "name": "Ada", "level": "loud", "many": [1, 2]}, "steps": {}}


def prepared(**fields):
    return prepare(plan(step("a", **fields)).by_id["a"], SCOPE)


def test_a_configuration_is_rendered_and_keeps_its_types():
    config = {"set": {"text": "Hi {{ inputs.name }}", "total": "{{ inputs.total }}", "plain": [1]}}

    assert prepared(**{"with": config}) == Prepared({"set": {"text": "Hi Ada", "total": 120, "plain": [1]}})


def test_lazy_keys_arrive_as_written():
    config = {"items": "{{ inputs.many }}", "each": "{{ item * 2 }}"}

    assert prepared(**{"with": config}) == Prepared({"items": [1, 2], "each": "{{ item * 2 }}"})


@pytest.mark.parametrize("condition", ["{{ inputs.total > 100 }}", "{{ inputs.name }}", "{{ inputs.many }}", True])
def test_a_step_runs_when_its_if_holds(condition):
    assert prepared(**{"if": condition}) == Prepared({"set": {}})


@pytest.mark.parametrize("condition", ["{{ [] }}", "{{ '' }}", "{{ 0 }}", "{{ null }}", "{{ {} }}", False])
def test_a_step_is_skipped_when_its_if_is_false_null_zero_or_empty(condition):
    assert isinstance(prepared(**{"if": condition}), Skipped)


def test_a_skipped_step_keeps_the_operands_that_decided():
    assert prepared(**{"if": "{{ inputs.total > 1000 }}"}) == Skipped(
        {
            "type": "if",
            "expression": "{{ inputs.total > 1000 }}",
            "value": False,
            "operands": [{"expression": "inputs.total", "value": 120}],
        }
    )


def test_an_expression_that_cannot_be_evaluated_fails_with_its_place():
    outcome = prepared(**{"with": {"set": {"x": ["{{ inputs.nmae }}"]}}})

    assert isinstance(outcome, Fail)
    assert (outcome.error.type, outcome.error.error_class) == ("expression", ErrorClass.USER)
    assert outcome.error.details == {"pointer": "/set/x/0", "expression": "{{ inputs.nmae }}", "position": 10}
    assert 'Did you mean "inputs.name"?' in outcome.error.message


def test_an_if_that_cannot_be_evaluated_fails():
    assert prepared(**{"if": "{{ inputs.zebra > 1 }}"}).error.type == "expression"


def test_a_rendered_configuration_must_fit_the_kind():
    outcome = prepared(uses="log", **{"with": {"level": "{{ inputs.level }}", "message": "{{ inputs.total }}"}})

    assert outcome == Fail(
        StepError(
            "config",
            '"level" must be "debug", "info", "warning" or "error", got "loud". "message" must be a text, got 120.',
            ErrorClass.USER,
            details={
                "violations": [
                    {"pointer": "/level", "code": "invalid_value"},
                    {"pointer": "/message", "code": "wrong_type"},
                ]
            },
        )
    )


def test_of_many_misfits_three_are_told():
    config = {"message": "{{ 1 }}", "level": "{{ 1 }}", "fields": "{{ 1 }}"}

    outcome = prepared(uses="respond", **{"with": dict.fromkeys(("status", "headers", "content_type"), "{{ [] }}")})
    assert outcome.error.message.count(" must be ") == 3
    outcome = prepared(uses="log", **{"with": {**config, "extra": "{{ 1 }}"}})
    assert outcome.error.message.endswith(" And 1 more.")
