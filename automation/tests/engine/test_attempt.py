"""attempt: one call of a kind."""

from automation.engine.attempt import Surroundings, attempt
from automation.engine.kinds import Done, Effect, ErrorClass, Fail, LogLine, StepError
from automation.engine.prepare import Prepared
from automation.engine.simulate import START
from automation.tests.engine.samples import kind, plan, step

SCOPE = {"inputs": {"n": 2}}


def attempted(run, config=None, *, is_dry=False, **declared):
    made = plan(step("a", uses="probe", **{"with": {}}), kinds=(kind("probe", run, **declared),))
    around = Surroundings(SCOPE, "bo_key", START, lambda: 12.5, lambda: False, is_dry=is_dry)
    return attempt(made.by_id["a"], Prepared(config or {}), 2, around)


def test_a_kind_knows_its_call():
    def run(call):
        return Done([call.config, call.path, call.attempt, call.idempotency_key, call.now, call.remaining_seconds()])

    assert attempted(run, {"x": 1}) == Done([{"x": 1}, "a", 2, "bo_key", START, 12.5])


def test_a_kind_evaluates_lazy_templates_with_roots_of_its_own():
    def run(call):
        template = {"sum": ["{{ item + inputs.n }}"]}
        return Done([call.render(template, {"item": item}) for item in (1, 2)])

    assert attempted(run) == Done([{"sum": [3]}, {"sum": [4]}])


def test_roots_of_the_kind_win_over_those_of_the_run():
    assert attempted(lambda call: Done(call.render("{{ inputs }}", {"inputs": 1}))) == Done(1)


def test_a_kind_may_ask_for_the_operands():
    assert attempted(lambda call: Done(call.explain("{{ item > inputs.n }}", {"item": 5}))) == Done(
        [{"expression": "item", "value": 5}, {"expression": "inputs.n", "value": 2}]
    )
    assert attempted(lambda call: Done(call.explain(True, {}))) == Done([])


def test_a_lazy_template_that_cannot_be_evaluated_fails_the_step():
    outcome = attempted(lambda call: Done(call.render({"a": ["{{ item.x }}"]}, {"item": {}})))

    assert isinstance(outcome, Fail)
    assert (outcome.error.type, outcome.error.details["pointer"]) == ("expression", "/a/0")


def test_lazy_templates_of_one_call_share_one_budget():
    def run(call):
        items = list(range(1000))
        return Done([call.render("{{ item | map('string') | length }}", {"item": items}) for _ in range(10_000)])

    outcome = attempted(run)

    assert isinstance(outcome, Fail)
    assert outcome.error.type == "expression"


def test_a_kind_that_raises_fails_its_step_without_showing_values():
    def run(call):
        raise KeyError("secret value")

    outcome = attempted(run)

    assert isinstance(outcome, Fail)
    assert outcome.error == StepError(
        "kind_error",
        "The kind 'probe' broke with KeyError: a defect of the kind, not of the workflow.",
        ErrorClass.INTERNAL,
        details={"exception": "KeyError", "at": f"{__name__}:{run.__code__.co_firstlineno + 1}"},
    )


def test_a_dry_run_simulates_effects():
    declared = {"effect": Effect.CREATE, "simulate": lambda _call: Done("would create")}

    assert attempted(lambda _call: Done("created"), is_dry=True, **declared) == Done("would create")
    assert attempted(lambda _call: Done("created"), **declared) == Done("created")


def test_a_dry_run_runs_what_has_no_effect():
    assert attempted(lambda _call: Done("made"), is_dry=True) == Done("made")
    assert attempted(lambda _call: Done("read"), is_dry=True, effect=Effect.READ) == Done("read")


def test_a_dry_run_says_when_an_effect_cannot_be_simulated():
    line = LogLine("info", "probe has an effect and was not run: this is a dry run.")

    assert attempted(lambda _call: Done("sent"), is_dry=True, effect=Effect.SEND) == Done(None, logs=(line,))


def test_the_effect_of_one_call_decides_about_the_dry_run():
    declared = {"effect": Effect.SEND, "effect_of": lambda config: Effect(config["effect"])}

    assert attempted(lambda _call: Done("read"), {"effect": "read"}, is_dry=True, **declared) == Done("read")
