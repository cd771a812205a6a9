"""fail and log."""

from automation.engine.kinds import Done, ErrorClass, Fail, LogLine, StepError
from automation.tests.steps.run_step import run_step


def test_fail_ends_with_the_authors_words():
    config = {"message": "Order {{ inputs.id }} is broken", "code": "broken", "details": {"id": "{{ inputs.id }}"}}

    assert run_step("fail", config, inputs={"id": 7}) == Fail(
        StepError("broken", "Order 7 is broken", ErrorClass.USER, details={"id": 7})
    )


def test_fail_has_a_code_of_its_own_by_default():
    assert run_step("fail", {"message": "No"}) == Fail(StepError("failed", "No", ErrorClass.USER))


def test_log_writes_one_line():
    assert run_step("log", {"message": "Hi"}) == Done(logs=(LogLine("info", "Hi", {}),))


def test_a_message_is_a_text():
    assert run_step("log", {"message": "{{ inputs.n }}"}, inputs={"n": 5}).error.message == (
        '"message" must be a text, got 5.'
    )
