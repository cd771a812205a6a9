"""advance: what may happen next, from nothing but the rows."""

import pytest

from automation.engine.advance import Advance, Verdict, advance
from automation.engine.results import StepResult
from automation.engine.status import RunStatus, StepStatus
from automation.tests.engine.samples import branch, plan, row, step

S = StepStatus


def decided(made, *rows):
    return advance(made, {one.path: one for one in rows})


def ready(made, *rows):
    return [one.path for one in decided(made, *rows).ready]


def skips(made, *rows):
    return {one.path: one.reason["message"] for one in decided(made, *rows).skipped}


def test_steps_without_needs_are_ready_at_once_in_the_plans_order():
    assert ready(plan(step("b"), step("a"), step("c", "a"))) == ["b", "a"]


def test_a_step_is_ready_when_all_its_needs_are_taken():
    made = plan(step("a"), step("b"), step("c", "a", "b"))

    assert ready(made, row("a")) == ["b"]
    assert ready(made, row("a"), row("b")) == ["c"]


def test_only_the_port_taken_leads_on():
    made = plan(branch("a"), step("yes", "a.true"), step("no", "a.false"), step("both", "a"))
    after = decided(made, row("a", port="true", output={"result": True}))

    assert [one.path for one in after.ready] == ["yes", "both"]
    assert after.skipped == (
        StepResult(
            path="no",
            kind="transform",
            status=S.SKIPPED,
            reason={
                "type": "needs",
                "message": '"a" took "true", not "false".',
                "join": "all",
                "needs": [
                    {
                        "need": "a.false",
                        "status": "succeeded",
                        "port": "true",
                        "message": '"a" took "true", not "false"',
                    }
                ],
            },
        ),
    )


def test_a_skip_goes_on_to_the_steps_behind_it_in_one_go():
    made = plan(branch("a"), step("b", "a.false"), step("c", "b"), step("d", "c"))

    assert skips(made, row("a", port="true")) == {
        "b": '"a" took "true", not "false".',
        "c": '"b" was skipped.',
        "d": '"c" was skipped.',
    }


def test_a_step_never_waits_for_a_way_that_was_not_taken():
    made = plan(branch("a"), step("slow"), step("b", "a.false", "slow"), step("c", "slow", "a.false", join=2))

    assert list(skips(made, row("a", port="true"))) == ["b", "c"]


def test_any_runs_at_the_first_need_taken():
    made = plan(step("a"), step("b"), step("c", "a", "b", join="any"))

    assert ready(made, row("b")) == ["a", "c"]


def test_any_is_skipped_when_no_need_is_taken():
    made = plan(branch("a"), branch("b"), step("c", "a.true", "b.true", join="any"))

    assert "c" not in skips(made, row("a", port="false"))
    assert skips(made, row("a", port="false"), row("b", port="false")) == {
        "c": '"a" took "false", not "true"; "b" took "false", not "true".'
    }


def test_a_number_runs_at_that_many_needs_taken():
    made = plan(step("a"), step("b"), branch("x"), step("c", "a", "b", "x.true", join=2))

    assert ready(made, row("a"), row("x", port="false")) == ["b"]
    assert ready(made, row("a"), row("b")) == ["x", "c"]


def test_a_number_that_cannot_be_reached_is_skipped_at_once():
    made = plan(branch("a"), branch("b"), step("c"), step("d", "a.true", "b.true", "c", join=2))

    assert list(skips(made, row("a", port="false"), row("b", port="false"))) == ["d"]


@pytest.mark.parametrize("status", [S.STARTED, S.WAITING, S.RETRYING])
def test_a_row_that_is_not_final_is_neither_ready_nor_done(status):
    made = plan(step("a"), step("b", "a"))

    assert decided(made, row("a", status)) == Advance()


def test_a_run_has_succeeded_when_every_row_is_final():
    made = plan(branch("a"), step("b", "a.true"), step("c", "a.false"))

    assert decided(made, row("a", port="true"), row("b")).verdict == Verdict(RunStatus.SUCCEEDED)
    assert decided(made, row("a", port="true"), row("b", S.WAITING)).verdict is None


def test_a_failure_ends_the_run_and_nothing_more_is_ready():
    made = plan(step("a"), step("b"), step("c", "b"))
    error = {"type": "probe_failed"}

    after = decided(made, row("a", S.FAILED, error=error), row("b"))

    assert after == Advance(verdict=Verdict(RunStatus.FAILED, "a", error))


@pytest.mark.parametrize("status", [S.FAILED, S.UNKNOWN])
def test_a_failure_that_may_pass_is_taken_at_the_step_and_at_its_port_error(status):
    made = plan(branch("a", on_error="continue"), step("plain", "a"), step("mend", "a.error"), step("yes", "a.true"))
    after = decided(made, row("a", status, port="error"))

    assert [one.path for one in after.ready] == ["plain", "mend"]
    assert [one.path for one in after.skipped] == ["yes"]
    assert after.verdict is None


def test_the_port_error_is_not_taken_by_a_success():
    made = plan(step("a", on_error="continue"), step("mend", "a.error"))

    assert skips(made, row("a")) == {"mend": '"a" did not take "error".'}


@pytest.mark.parametrize("status", [S.UNKNOWN, S.CANCELLED])
def test_an_unknown_outcome_and_a_cancelled_step_end_the_run(status):
    assert decided(plan(step("a")), row("a", status)).verdict == Verdict(RunStatus.FAILED, "a", None)


def test_of_several_failures_the_first_of_the_plan_is_named():
    made = plan(step("a"), step("b"))

    assert decided(made, row("b", S.FAILED), row("a", S.FAILED)).verdict.step == "a"
