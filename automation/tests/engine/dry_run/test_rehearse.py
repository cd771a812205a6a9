"""rehearse: what would happen, and what nobody can know before."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from automation.engine.commands import CommandRefused
from automation.engine.dry_run import Callee, DryLimits, Scenario, rehearse
from automation.engine.kinds import Done, Effect, ErrorClass, Fail, Kind, StepError
from automation.engine.plan import build_plan
from automation.steps import all_kinds


def acts(key, effect, *, simulate=None, output=None):
    """A kind that must never be run."""

    def run(_call):
        raise AssertionError(f"{key} was run")

    return Kind(
        key=key,
        title=key,
        description="For tests.",
        group="Tests",
        icon="science",
        effect=effect,
        config_schema={"type": "object"},
        output_schema=output or {},
        run=run,
        simulate=simulate,
    )


ORDER = {"type": "object", "properties": {"id": {"type": "string", "examples": ["o_1"]}, "lines": {"type": "array"}}}
KINDS = {
    **all_kinds(),
    "shop.read": acts("shop.read", Effect.READ),
    "shop.order": acts("shop.order", Effect.READ, output=ORDER),
    "shop.write": acts("shop.write", Effect.CREATE),
    "shop.delete": acts("shop.delete", Effect.DELETE, simulate=lambda _call: Done({"gone": True})),
    "shop.picky": acts(
        "shop.picky",
        Effect.SEND,
        simulate=lambda _call: Fail(StepError("no_such_channel", "There is no #nowhere.", ErrorClass.USER)),
    ),
}


def document(*steps, **rest):
    return {"schema": 1, "steps": list(steps), **rest}


def step(id_, uses="shop.write", **fields):
    config = fields.pop("config", {})
    return {"id": id_, "uses": uses, "with": config, **fields}


def play(*steps, given=None, **rest):
    definition = document(*steps, **rest)
    return rehearse(build_plan(definition, KINDS), definition, given or Scenario())


def effects(report):
    return [(one.path, one.effect, one.answer_source, one.answer) for one in report.effects]


def missing(report):
    return [(one.code, one.path, one.pointer, one.is_assumed) for one in report.unresolved]


def test_reads_and_writes_are_answered_without_being_run():
    report = play(step("a", "shop.order"), step("b", "shop.delete", needs=["a"]), step("c", needs=["b"]))

    assert report.status == "succeeded"
    assert effects(report) == [
        ("a", "read", "schema", {"id": "o_1", "lines": []}),
        ("b", "delete", "simulated", {"gone": True}),
        ("c", "create", "schema", None),
    ]


def test_a_simulation_that_refuses_fails_the_step_as_the_service_would():
    report = play(step("a", "shop.picky"), step("b", needs=["a"]))

    assert report.status == "failed"
    assert [(one.path, one.answer_source, one.error) for one in report.effects] == [
        ("a", "failed", {"type": "no_such_channel", "message": "There is no #nowhere."})
    ]
    assert [one.status for one in report.steps if one.path == "b"] == ["skipped"]


def test_what_hangs_on_a_made_up_answer_is_assumed_and_the_dry_run_goes_on():
    report = play(
        step("a", "shop.read"),
        step("b", needs=["a"], config={"to": "{{ steps.a.output.mail }}", "text": "Hello {{ inputs.name }}"}),
        step("c", "transform", needs=["b"], config={"set": {"id": "{{ steps.b.output.id }}"}}),
        step("d", needs=["c"], config={"id": "{{ steps.c.output.id }}"}),
        output="{{ steps.d.output.x }}",
        given=Scenario(inputs={"name": "Ada"}),
    )

    assert report.status == "succeeded"
    assert [one.request for one in report.effects] == [
        {},
        {"to": "{{ steps.a.output.mail }}", "text": "Hello Ada"},
        {"id": "{{ steps.c.output.id }}"},
    ]
    assert [one.unresolved for one in report.effects] == [
        (),
        ("{{ steps.a.output.mail }}",),
        ("{{ steps.c.output.id }}",),
    ]
    assert missing(report) == [
        ("unresolved_expression", "b", "/with/to", True),
        ("unresolved_expression", "c", "/with/set/id", True),
        ("unresolved_expression", "d", "/with/id", True),
        ("unresolved_expression", "output", "/output", True),
    ]


def test_what_is_missing_in_any_case_ends_the_dry_run_as_it_would_end_the_run():
    report = play(
        step("a", "shop.read"),
        step("b", needs=["a"], config={"to": "{{ inputs.nobody }}", "mail": "{{ steps.a.output.mail }}"}),
        step("c", needs=["b"]),
    )

    assert (report.status, report.error["type"]) == ("failed", "expression")
    assert [one.path for one in report.effects] == ["a"]
    assert missing(report) == [
        ("unresolved_expression", "b", "/with/to", False),
        ("unresolved_expression", "b", "/with/mail", True),
    ]


def test_an_if_that_hangs_on_a_made_up_answer_is_taken_to_hold():
    report = play(step("a", "shop.read"), step("b", needs=["a"], **{"if": "{{ steps.a.output.open > 0 }}"}))

    assert [one.path for one in report.effects] == ["a", "b"]
    assert missing(report) == [("unresolved_expression", "b", "/if", True)]


def test_an_if_is_told_with_its_operands_whether_it_holds_or_not():
    report = play(
        step("yes", **{"if": "{{ inputs.n > 1 }}"}),
        step("no", **{"if": "{{ inputs.n > 5 }}"}),
        given=Scenario(inputs={"n": 3}),
    )

    operands = [{"expression": "inputs.n", "value": 3}]
    assert [(one.path, one.taken, one.operands["operands"]) for one in report.decisions] == [
        ("yes", "run", operands),
        ("no", "skipped", operands),
    ]


def test_items_of_loops_are_listed_each():
    report = play(
        step("all", config={"to": "{{ item }}"}, for_each={"items": "{{ inputs.people }}", "concurrency": 2}),
        given=Scenario(inputs={"people": ["ada", "bob"]}),
    )

    assert [(one.path, one.target) for one in report.effects] == [("all[0]", "ada"), ("all[1]", "bob")]


def test_a_loop_over_a_made_up_list_says_what_it_lacks():
    report = play(
        step("a", "shop.read"), step("all", needs=["a"], for_each={"items": "{{ steps.a.output.rows }}"}), step("z")
    )

    assert report.status == "failed"
    assert missing(report) == [("unresolved_expression", "all", None, True)]


def test_a_sample_makes_the_loop_run():
    report = play(
        step("a", "shop.read"),
        step("all", needs=["a"], for_each={"items": "{{ steps.a.output.rows }}"}, config={"id": "{{ item }}"}),
        given=Scenario(samples={"a": {"rows": [1, 2]}}),
    )

    assert (report.status, [one.path for one in report.effects]) == ("succeeded", ["a", "all[0]", "all[1]"])
    assert report.unresolved == []


def test_waits_take_no_time_and_are_added_up():
    report = play(step("a", "delay", config={"for": "30d"}), step("b", "delay", needs=["a"], config={"for": "1h"}))

    assert (report.status, report.lasts_seconds) == ("succeeded", 30 * 86_400 + 3600)


def test_the_catch_of_a_try_is_rehearsed_when_its_steps_would_fail():
    report = play(
        {"id": "safe", "steps": [step("a", "shop.picky")], "try": {"catch": [step("b", config={"to": "ops"})]}}
    )

    assert (report.status, [one.path for one in report.effects]) == ("succeeded", ["a", "b"])


def test_the_steps_are_limited():
    report = play(
        step("all", for_each={"items": list(range(100))}),
        given=Scenario(limits=DryLimits(attempts=10)),
    )

    assert (report.status, len(report.effects)) == ("stopped", 10)
    assert report.stopped_by == "steps: a dry run attempts at most 10 (BRAINOPS_LIMIT_DRY_RUN_STEPS)."


def test_the_time_is_limited():
    clock = itertools.count()
    report = play(
        step("all", for_each={"items": list(range(100))}),
        given=Scenario(limits=DryLimits(seconds=10), seconds=lambda: float(next(clock))),
    )

    assert report.status == "stopped"
    assert report.stopped_by == "time: a dry run takes at most 10 s (BRAINOPS_LIMIT_DRY_RUN_SECONDS)."


def test_values_too_large_to_show_are_only_measured():
    report = play(
        step("a", config={"text": "x" * 2000}),
        given=Scenario(limits=DryLimits(value_bytes=1000)),
    )

    assert report.effects[0].request == {"not_shown": "more than 1,000 bytes as JSON"}


def test_a_failure_workflow_is_told():
    report = play(step("a", "shop.picky"), settings={"on_failure": "notify-ops"})

    assert [(one.path, one.target) for one in report.effects] == [("a", None), ("on_failure", "notify-ops")]


class Library:
    """Workflows that call each other by name."""

    def __init__(self, **steps):
        self._steps = steps

    def find(self, name, _version):
        if name not in self._steps:
            raise CommandRefused("unknown_workflow", f"There is no {name}.")
        definition = document(*self._steps[name])
        return Callee(name, name, definition, build_plan(definition, KINDS))


def test_a_called_workflow_that_fails_fails_its_caller_as_its_policy_says():
    library = Library(inner=[step("x", "shop.picky")])
    fails = play({"id": "sub", "call": {"workflow": "inner"}}, given=Scenario(find=library.find))
    goes_on = play(
        {"id": "sub", "call": {"workflow": "inner", "on_failure": "continue"}}, given=Scenario(find=library.find)
    )

    assert (fails.status, fails.error["type"]) == ("failed", "child_failed")
    assert (goes_on.status, goes_on.effects[0].inside[0].path) == ("succeeded", "sub/x")


def test_calls_in_a_circle_and_too_deep_ones_are_refused():
    circle = Library(a=[{"id": "b", "call": {"workflow": "b"}}], b=[{"id": "a", "call": {"workflow": "a"}}])
    names = {f"w{n}": [{"id": "next", "call": {"workflow": f"w{n + 1}"}}] for n in range(20)}
    deep = Library(**names)

    round_and_round = play({"id": "sub", "call": {"workflow": "a"}}, given=Scenario(find=circle.find))
    down = play({"id": "sub", "call": {"workflow": "w0"}}, given=Scenario(find=deep.find))

    assert round_and_round.status == down.status == "failed"
    assert "circle" in round_and_round.error["message"]
    assert "At most 8 calls" in down.error["message"]
    depth, entry = 0, down.effects
    while entry:
        depth, entry = depth + 1, entry[0].inside
    assert depth == 9  # eight were rehearsed, the ninth refused


def test_an_approval_is_taken_as_given():
    report = play(
        step("ask", "approval", config={"title": "Pay?", "assignees": ["group:sales"]}),
        step("pay", needs=["ask.approved"]),
    )

    assert [(one.path, one.target) for one in report.effects][-1] == ("pay", None)
    assert [(one.path, one.taken) for one in report.decisions] == [("ask", "approved")]


@pytest.mark.parametrize("effect", [Effect.CREATE, Effect.UPDATE, Effect.DELETE, Effect.SEND])
def test_no_write_is_ever_run(effect):
    kind = replace(acts("shop.any", effect), simulate=None)
    definition = document(step("a", "shop.any"))

    report = rehearse(build_plan(definition, {"shop.any": kind}), definition, Scenario(performs_reads=True))

    assert effects(report) == [("a", effect.value, "schema", None)]
