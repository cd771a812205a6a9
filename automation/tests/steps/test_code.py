"""code: Python from the step's side. What the sandbox itself does stands in automation/tests/sandbox."""

import pytest

from automation.engine.document import check_document
from automation.engine.kinds import Done, ErrorClass, LogLine
from automation.steps import all_kinds
from automation.steps.code import OFF
from automation.tests.steps.run_step import run_step


@pytest.fixture(autouse=True)
def _switched_on(settings):
    settings.BRAINOPS_CODE_STEPS = True
    settings.BRAINOPS_LIMITS = {
        **settings.BRAINOPS_LIMITS,
        "code_seconds": 0.5,
        "code_memory_bytes": 16 << 20,
        "code_output_bytes": 2000,
        "code_log_bytes": 500,
    }


def test_inputs_are_templates_and_code_is_not():
    config = {"code": "f\"{'{{ inputs.n }}'} {{{inputs['n']}}}\"", "inputs": {"n": "{{ inputs.n + 1 }}"}}

    assert run_step("code", config, inputs={"n": 4}) == Done("{{ inputs.n }} {5}")


def test_braces_in_code_are_no_expressions_for_the_check_of_a_document():
    steps = [{"id": "a", "uses": "code", "with": {"code": "x = {'a': {'b': {{1, 2}: 3}}}\n'{{ nothing.of.ours'"}}]

    assert check_document({"schema": 1, "steps": steps}, all_kinds()) == ()


def test_printed_lines_become_lines_of_the_log():
    assert run_step("code", {"code": "print('first')\nprint()\nprint('second')\n7"}) == Done(
        7, logs=(LogLine("info", "first"), LogLine("info", "second"))
    )


def test_the_log_says_when_it_is_cut():
    outcome = run_step("code", {"code": "for n in range(300):\n    print('x' * 99)"})

    assert len(outcome.logs) == 6
    assert outcome.logs[-1] == LogLine(
        "warning",
        "The code printed 30,000 bytes; at most 500 and 200 lines are kept (BRAINOPS_LIMIT_CODE_LOG_BYTES).",
    )


@pytest.mark.parametrize(
    ("code", "type", "message"),
    [
        ("x = 1\nx / 0", "code_error", "Line 2: ZeroDivisionError: division by zero"),
        ("raise KeyError", "code_error", "Line 1: KeyError: ''"),
        ("def f(:", "code_error", "Line 1: SyntaxError: Expected a parameter or the end of the parameter list"),
        ("import requests", "code_error", "Line 1: ModuleNotFoundError: No module named 'requests'"),
        ("raise MemoryError('of its own')", "code_error", "Line 1: MemoryError: of its own"),
        (
            "while True:\n    pass",
            "code_time_limit",
            "The code ran longer than 0.5 s (BRAINOPS_LIMIT_CODE_SECONDS) and was stopped. Work in smaller parts.",
        ),
        (
            "import time\ntime.sleep(60)",
            "code_time_limit",
            "The code ran longer than 0.5 s (BRAINOPS_LIMIT_CODE_SECONDS) and was stopped. Work in smaller parts.",
        ),
        (
            "'x' * 1999",
            "code_output_limit",
            "The output has 2,001 bytes as JSON; at most 2,000 are kept (BRAINOPS_LIMIT_CODE_OUTPUT_BYTES). "
            "Give back only what later steps need.",
        ),
        ("{1}", "code_output", "output is a set, which JSON does not know. Make it a list: sorted(…) or list(…)."),
    ],
)
def test_code_that_goes_wrong_fails_its_step_and_says_how(code, type, message):
    error = run_step("code", {"code": code}).error

    assert (error.type, error.message, error.error_class) == (type, message, ErrorClass.USER)


def test_the_memory_limit_names_what_was_wanted_and_what_there_is():
    error = run_step("code", {"code": "'a' * 10 ** 9"}).error

    assert error.type == "code_memory_limit"
    assert error.message.startswith("The code needed 1,000,0")
    assert "bytes of memory; it has 16,777,216 (BRAINOPS_LIMIT_CODE_MEMORY_BYTES)." in error.message


def test_details_name_the_lines_of_the_calls():
    error = run_step("code", {"code": "def f():\n    return [][0]\n\nf()"}).error

    assert error.details == {
        "exception": "IndexError",
        "lines": [{"line": 4, "in": "<module>"}, {"line": 2, "in": "f"}],
    }


def test_without_the_switch_no_code_runs(settings):
    settings.BRAINOPS_CODE_STEPS = False

    error = run_step("code", {"code": "1"}).error

    assert (error.type, error.message, error.error_class) == ("code_steps_off", OFF, ErrorClass.USER)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"code": ""}, '"code" must have at least 1 character, got 0.'),
        ({"code": "1", "inputs": "{{ [1] }}"}, '"inputs" must be an object, got a list of 1 item.'),
    ],
)
def test_what_is_no_code_or_no_inputs_is_refused(config, message):
    assert run_step("code", config).error.message == message
