"""Refused graphs: needs, ports, joins, circles."""

import pytest

from automation.engine.document import check_document
from automation.engine.problem import Problem
from automation.steps import all_kinds
from automation.tests.engine.samples import branch, document, step


def refusals(*steps, **rest):
    return check_document(document(*steps, **rest), all_kinds())


def test_a_need_that_names_no_step_suggests_the_nearest():
    assert refusals(step("order"), step("tell", "ordr")) == (
        Problem(
            "unknown_need",
            'Step "tell" needs "ordr", which is no step of this document. Did you mean "order"?',
            "/steps/1/needs/0",
        ),
    )


def test_a_need_that_names_nothing_near_lists_the_steps():
    assert refusals(step("order"), step("tell", "order", "zebra")) == (
        Problem(
            "unknown_need",
            'Step "tell" needs "zebra", which is no step of this document. Steps: "order".',
            "/steps/1/needs/1",
        ),
    )


def test_a_lonely_step_with_an_unknown_need_is_told_to_remove_it():
    (problem,) = refusals(step("tell", "zebra"))

    assert problem.message == 'Step "tell" needs "zebra", which is no step of this document. Remove it.'


def test_a_step_may_not_need_itself():
    assert refusals(step("a", "a")) == (
        Problem("self_need", 'Step "a" needs itself. Remove "a" from its needs.', "/steps/0/needs/0"),
    )


@pytest.mark.parametrize(
    ("steps", "way", "at"),
    [
        ([step("a", "b"), step("b", "a")], "a → b → a", "/steps/0/needs/0"),
        ([step("x"), step("a", "x", "c"), step("b", "a"), step("c", "b")], "a → c → b → a", "/steps/1/needs/1"),
        # the shortest of the circles through a knot is named: a needs b and c, both need a again
        ([step("a", "c"), step("b", "a"), step("c", "b", "a")], "a → c → a", "/steps/0/needs/0"),
    ],
)
def test_a_circle_is_named_step_by_step(steps, way, at):
    message = f"Steps wait for each other in a circle: {way} (each needs the next). Remove one of these needs."

    assert refusals(*steps) == (Problem("cycle", message, at),)


def test_every_separate_circle_is_named():
    problems = refusals(step("a", "b"), step("b", "a"), step("c", "d"), step("d", "c"))

    assert [(p.code, p.pointer) for p in problems] == [("cycle", "/steps/0/needs/0"), ("cycle", "/steps/2/needs/0")]


def test_a_circle_through_a_port_is_a_circle():
    problems = refusals(branch("a", "b"), step("b", "a.true"))

    assert [problem.code for problem in problems] == ["cycle"]


def test_a_circle_through_a_container_is_found_on_the_flattened_graph():
    loop = {"id": "loop", "for_each": {"items": [1]}, "steps": [step("inside", "after")]}

    problems = refusals(loop, step("after", "loop"))

    assert (
        Problem(
            "cycle",
            "Steps wait for each other in a circle: loop → inside → after → loop (each needs the next). "
            "Remove one of these needs.",
            "/steps/0",
        )
        in problems
    )


def test_needs_name_steps_of_their_own_list():
    loop = {"id": "loop", "for_each": {"items": [1]}, "steps": [step("inside", "before")]}

    problems = refusals(step("before"), loop, step("after", "inside"))

    assert [problem for problem in problems if problem.code == "foreign_need"] == [
        Problem(
            "foreign_need",
            'Step "inside": needs name steps of the same list; "before" stands outside of "loop". '
            'Move the need to "loop".',
            "/steps/1/steps/0/needs/0",
        ),
        Problem(
            "foreign_need",
            'Step "after": needs name steps of the same list; "inside" is inside "loop". Need "loop" instead.',
            "/steps/2/needs/0",
        ),
    ]


def test_an_unknown_port_suggests_the_nearest():
    assert refusals(branch("large"), step("tell", "large.tru")) == (
        Problem(
            "unknown_port",
            'Step "tell": "large" has no outcome "tru". Did you mean "large.true"?',
            "/steps/1/needs/0",
        ),
    )


def test_an_unknown_port_of_a_step_with_one_outcome_names_the_step():
    (problem,) = refusals(step("order"), step("tell", "order.done"))

    assert problem.message == 'Step "tell": "order" has no outcome "done". It has only one; need "order".'


def test_the_ports_of_a_switch_are_those_of_its_cases_and_its_default():
    switch = branch("level", **{"with": {"cases": [{"port": "gold", "when": True}], "default": "rest"}})

    (problem,) = refusals(switch, step("a", "level.gold"), step("b", "level.rest"), step("c", "level.zebra"))

    assert problem.message == ('Step "c": "level" has no outcome "zebra". It has "level.gold" and "level.rest".')


def test_the_port_error_exists_only_where_a_failure_does_not_end_the_run():
    (problem,) = refusals(
        step("risky"), step("repair", "risky.error"), step("safe", on_error="continue"), step("mend", "safe.error")
    )

    assert problem == Problem(
        "unknown_port",
        'Step "repair": "risky" has no outcome "error". '
        'Set "on_error": "continue" on "risky", else its failure ends the run.',
        "/steps/1/needs/0",
    )


def test_ports_of_a_step_with_a_broken_configuration_are_not_judged():
    problems = refusals(branch("large", when="always"), step("tell", "large.tru"))

    assert [problem.pointer for problem in problems] == ["/steps/0/with/when"]


def test_a_join_may_not_want_more_than_there_are():
    assert refusals(step("a"), step("b"), step("c", "a", "b", join=3)) == (
        Problem(
            "impossible_join",
            'Step "c": "join" wants 3 needs taken, but there are 2 needs. Lower it or add needs.',
            "/steps/2/join",
        ),
    )


def test_a_join_may_not_want_two_outcomes_of_one_step():
    problems = refusals(branch("a"), step("all", "a.true", "a.false"), step("two", "a.true", "a.false", join=2))

    assert problems == (
        Problem(
            "impossible_join",
            'Step "all" needs several outcomes of one step, which takes one. Set "join": "any".',
            "/steps/1/needs",
        ),
        Problem(
            "impossible_join",
            'Step "two": "join" wants 2 needs taken, but a step takes one outcome: at most 1.',
            "/steps/2/join",
        ),
    )


def test_a_step_and_one_of_its_outcomes_can_both_be_taken():
    assert refusals(branch("a"), step("b", "a", "a.true"), step("c", "a", "a.true", join=2)) == ()


def test_a_repeated_id_is_refused_at_its_later_places():
    loop = {"id": "loop", "for_each": {"items": [1]}, "steps": [step("a")]}

    problems = refusals(step("a"), step("a"), loop)

    assert [problem for problem in problems if problem.code == "duplicate_id"] == [
        Problem(
            "duplicate_id",
            'Step "a": the id is already that of the step at /steps/0. Rename one of them.',
            "/steps/1/id",
        ),
        Problem(
            "duplicate_id",
            'Step "a": the id is already that of the step at /steps/0. Rename one of them.',
            "/steps/2/steps/0/id",
        ),
    ]
