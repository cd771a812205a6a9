"""Plans: order, settings and what cannot be planned."""

import pytest

from automation.engine.document import Need
from automation.engine.kinds import ErrorClass
from automation.engine.plan import PlanError, PlanSettings, build_plan
from automation.engine.retry import RetryPolicy
from automation.steps import all_kinds
from automation.tests.engine.samples import document, kind, plan, step


def test_steps_are_ordered_by_their_needs_and_then_as_written():
    made = plan(step("d", "b"), step("c"), step("b", "a"), step("a"))

    assert [one.id for one in made.steps] == ["c", "a", "b", "d"]
    assert made.dependents == {"c": (), "a": (2,), "b": (3,), "d": ()}


def test_a_planned_step_carries_everything_its_document_says():
    retry = {
        "max_attempts": 5,
        "backoff": "fixed",
        "initial": "2s",
        "jitter": "none",
        "errors": ["auth"],
        "unsafe": True,
    }
    made = plan(step("a"), step("b", "a", name="B", join=1, timeout="1m", on_error="continue", retry=retry))
    b = made.by_id["b"]

    assert (b.path, b.name, b.index, b.needs, b.join, b.wanted) == ("b", "B", 1, (Need("a"),), 1, 1)
    assert (b.timeout_seconds, b.on_error, b.fixed) == (60, "continue", {"set": {}})
    assert b.retry == RetryPolicy(5, "fixed", 2, 60, "none", frozenset({ErrorClass.AUTH}), is_unsafe=True)


def test_a_step_without_a_time_limit_has_that_of_its_kind():
    made = plan(step("a", uses="slow"), kinds=(kind("slow", default_timeout_seconds=300),))

    assert made.by_id["a"].timeout_seconds == 300


def test_lazy_keys_are_kept_as_written():
    made = plan(step("a", **{"with": {"items": "{{ inputs.x }}", "each": "{{ item }}"}}))
    a = made.by_id["a"]

    assert a.lazy == {"each": "{{ item }}"}
    assert a.config.render({"inputs": {"x": [1]}}) == {"items": [1]}
    assert a.fixed is None


def test_settings_have_defaults():
    assert plan(step("a")).settings == PlanSettings(timeout_seconds=None, checkpoint="effects")
    assert plan(step("a"), settings={"timeout": "1h", "checkpoint": "step"}).settings == PlanSettings(3600, "step")


def test_a_document_without_an_output_has_none():
    assert plan(step("a")).output is None
    assert plan(step("a"), output=None).output.render({}) is None


@pytest.mark.parametrize(
    ("steps", "rest", "message"),
    [
        ([step("a", uses="zebra")], {}, 'Step "a": "zebra" is no known kind of step.'),
        ([step("a", "b")], {}, 'Step "a" needs "b", which is no step of this document.'),
        ([step("a", "b"), step("b", "a")], {}, "Steps wait for each other in a circle."),
        ([step("a")], {"output": "{{ 1 + }}"}, 'Expression "{{ 1 + }}" at position 7'),
        ([step("a", timeout="soon")], {}, "'soon' is no duration."),
        ([step("a")], {"inputs": {"type": 5}}, "must be"),
    ],
)
def test_what_this_release_cannot_run_is_a_plan_error(steps, rest, message):
    with pytest.raises(PlanError) as refused:
        build_plan(document(*steps, **rest), all_kinds())

    assert message in str(refused.value)
