"""run_flow: whole runs in memory."""

from datetime import timedelta

import pytest

from automation.engine.finish import Finished
from automation.engine.kinds import Done, Effect, ErrorClass, LogLine
from automation.engine.plan import build_plan
from automation.engine.simulate import START, Setup, run_flow
from automation.engine.status import RunStatus, StepStatus
from automation.steps import all_kinds
from automation.tests.engine.samples import branch, document, failure, kind, plan, row, step


def ran(*steps, setup=None, kinds=(), **rest):
    return run_flow(plan(*steps, kinds=kinds, **rest), setup or Setup())


def delay(name, length, *needs):
    return step(name, *needs, uses="delay", **{"with": {"for": length}})


def test_inputs_flow_through_steps_into_the_output():
    result = ran(
        step("net", **{"with": {"set": {"n": "{{ inputs.price * inputs.count }}"}}}),
        step("gross", "net", **{"with": {"set": {"n": "{{ steps.net.output.n * 2 }}"}}}),
        output="{{ steps.gross.output.n }}",
        inputs={"properties": {"count": {"default": 3}}},
        setup=Setup(inputs={"price": 5}),
    )

    assert result.finished == Finished(RunStatus.SUCCEEDED, 30)
    assert result.attempts == (("net", 1), ("gross", 1))


def test_an_output_that_cannot_be_made_fails_the_run():
    result = ran(branch("a"), step("b", "a.false"), output="{{ steps.b.output.x }}")

    assert result.finished.status is RunStatus.FAILED
    assert (result.finished.error["type"], result.finished.error["step"]) == ("output_expression", None)


def test_waits_move_the_clock_and_do_not_hold_others_up():
    result = ran(delay("long", "2h"), delay("short", "1h"), step("after", "short"))

    assert result.finished_at == START + timedelta(hours=2)
    assert result.steps["after"].started_at == START + timedelta(hours=1)


def test_a_run_beyond_its_time_limit_is_timed_out():
    result = ran(delay("a", "2h"), settings={"timeout": "1h30m"})

    assert result.finished.status is RunStatus.TIMED_OUT
    assert result.finished.error["message"] == (
        'The run took longer than its limit of 1h30m. Raise "settings.timeout" or shorten a wait.'
    )
    assert result.finished_at == START + timedelta(hours=1, minutes=30)


def test_a_failure_that_passes_is_repeated_after_its_delay():
    flaky = kind("flaky", lambda call: Done(call.attempt) if call.attempt == 3 else failure(ErrorClass.TRANSIENT))

    result = ran(step("a", uses="flaky", retry={"jitter": "none"}, **{"with": {}}), kinds=(flaky,))

    assert result.attempts == (("a", 1), ("a", 2), ("a", 3))
    assert result.steps["a"].output == 3
    assert result.finished_at == START + timedelta(seconds=1 + 2)


def test_logs_and_the_first_response_are_kept():
    answers = [step(name, uses="respond", **{"with": {"body": name}}) for name in ("first", "second")]
    line = step("line", uses="log", **{"with": {"message": "Hi"}})

    result = ran(*answers, line)

    assert result.response["body"] == "first"
    assert result.logs == (("line", LogLine("info", "Hi")),)


def test_the_idempotency_key_is_the_same_in_every_attempt():
    keys = []

    def run(call):
        keys.append(call.idempotency_key)
        return Done() if call.attempt == 2 else failure(ErrorClass.TRANSIENT)

    ran(step("a", uses="probe", **{"with": {}}), kinds=(kind(run=run),))

    assert len(keys) == 2
    assert keys[0] == keys[1]
    assert keys[0].startswith("bo_")


def test_a_dry_run_has_no_effect():
    effects = []
    writer = kind("writer", lambda _call: effects.append(1) or Done(), effect=Effect.CREATE)

    result = ran(step("a", uses="writer", **{"with": {}}), kinds=(writer,), setup=Setup(is_dry=True))

    assert (effects, result.finished.status) == ([], RunStatus.SUCCEEDED)


def test_a_run_goes_on_from_the_rows_that_survived():
    kept = (row("a", output={"x": 1}), row("b", StepStatus.WAITING, output={"seconds": 9}, until=START))

    result = ran(step("a"), delay("b", "9s", "a"), step("c", "b"), setup=Setup(results=kept))

    assert result.attempts == (("c", 1),)
    assert result.steps["b"].status is StepStatus.SUCCEEDED


def test_a_started_effect_is_not_done_again():
    once = kind("once", effect=Effect.SEND)

    result = ran(
        step("a", uses="once", **{"with": {}}), kinds=(once,), setup=Setup(results=(row("a", StepStatus.STARTED),))
    )

    assert result.attempts == ()
    assert result.finished.status is RunStatus.FAILED
    assert result.finished.error["type"] == "unknown_outcome"


@pytest.mark.parametrize("count", [1, 500])
def test_a_chain_of_any_allowed_length_runs(count):
    chain = [step("s0", **{"with": {"set": {"n": 1}}})] + [
        step(f"s{n}", f"s{n - 1}", **{"with": {"set": {"n": f"{{{{ steps.s{n - 1}.output.n + 1 }}}}"}}})
        for n in range(1, count)
    ]
    made = build_plan(document(*chain, output=f"{{{{ steps.s{count - 1}.output.n }}}}"), all_kinds())

    assert run_flow(made, Setup()).finished == Finished(RunStatus.SUCCEEDED, count)
