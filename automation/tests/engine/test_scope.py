"""What expressions of a run see."""

from __future__ import annotations

from automation.engine.scope import PENDING, inner_scope, new_scope
from automation.tests.engine.samples import plan, step

MADE = plan(step("a"), step("b"))


def test_a_new_scope_has_every_root_but_secrets():
    scope = new_scope(MADE, inputs={"x": 1}, trigger={"type": "api"}, run={"id": "r"}, variables={"limit": 2})

    assert scope == {
        "inputs": {"x": 1},
        "trigger": {"type": "api"},
        "steps": {"a": PENDING, "b": PENDING},
        "run": {"id": "r"},
        "vars": {"limit": 2},
    }


def test_a_run_without_variables_sees_none():
    assert new_scope(MADE, inputs={}, trigger=None, run={})["vars"] == {}


def test_what_the_caller_does_to_the_variables_later_is_not_seen():
    variables = {"limit": 2}
    scope = new_scope(MADE, inputs={}, trigger=None, run={}, variables=variables)

    variables["limit"] = 3

    assert scope["vars"] == {"limit": 2}


def test_a_container_sees_the_variables_around_it():
    outer = new_scope(MADE, inputs={}, trigger=None, run={}, variables={"limit": 2})

    assert inner_scope(outer, plan(step("c")), {"item": 1})["vars"] == {"limit": 2}


def test_a_plan_names_the_variables_it_reads_wherever_they_stand():
    each = {"id": "e", "for_each": {"items": "{{ vars.lines }}"}, "steps": [step("f", **{"if": "{{ vars.on }}"})]}

    assert plan(step("a", **{"with": {"set": {"x": "{{ vars.limit }}"}}}), each, output="{{ vars.out }}").vars == (
        "limit",
        "lines",
        "on",
        "out",
    )
