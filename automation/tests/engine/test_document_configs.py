"""Refused kinds and configurations."""

import pytest

from automation.engine.document import check_document
from automation.engine.problem import Problem
from automation.steps import all_kinds
from automation.tests.engine.samples import branch, document, step


def refusals(*steps, **rest):
    return check_document(document(*steps, **rest), all_kinds())


def test_an_unknown_kind_suggests_the_nearest():
    assert refusals(step("a", uses="transfrom")) == (
        Problem(
            "unknown_kind",
            'Step "a": "transfrom" is no known kind of step. Did you mean "transform"?',
            "/steps/0/uses",
        ),
    )


def test_a_missing_value_names_the_kind_that_requires_it():
    assert refusals(step("a", uses="log", **{"with": {}})) == (
        Problem(
            "required",
            'Step "a": "message" is required by Data › Log. Add it or map it from an earlier step.',
            "/steps/0/with",
        ),
    )


def test_constant_parts_are_checked_beside_expressions():
    config = {"level": "{{ inputs.level }}", "message": 5, "fields": {"a": "{{ inputs.a }}"}, "extra": 1}

    assert refusals(step("a", uses="log", **{"with": config})) == (
        Problem(
            "unknown_field",
            'Step "a": "with.extra" is not a known field. Known: "level", "message" and "fields".',
            "/steps/0/with/extra",
        ),
        Problem("wrong_type", 'Step "a": "with.message" must be a text, got 5.', "/steps/0/with/message"),
    )


def test_an_expression_may_stand_for_a_value_of_any_type():
    config = {"items": "{{ inputs.list }}", "where": "{{ item }}", "limit": "{{ inputs.limit }}"}

    assert refusals(step("a", uses="filter", **{"with": config})) == ()


@pytest.mark.parametrize("when", ["always", "{{ true }} and {{ true }}", "is {{ true }}", ""])
def test_a_lazy_condition_is_one_expression(when):
    (problem,) = refusals(branch("a", when=when))

    assert problem.message == (
        f'Step "a": "with.when" must be one expression such as "{{{{ inputs.total > 100 }}}}", got "{when}".'
    )


def test_the_name_of_a_port_is_written_out():
    cases = [{"port": "{{ inputs.port }}", "when": True}]

    (problem,) = refusals(branch("a", **{"with": {"cases": cases}}))

    assert problem.pointer == "/steps/0/with/cases/0/port"


def test_an_if_is_one_expression():
    (problem,) = refusals(step("a", **{"if": "inputs.amount > 100"}))

    assert problem == Problem(
        "constant_condition",
        'Step "a": "if" must be one expression such as "{{ inputs.amount > 100 }}", got "inputs.amount > 100".',
        "/steps/0/if",
    )
