"""What the schema defines and this version cannot run yet is refused by name."""

import pytest

from automation.engine.document import check_document
from automation.engine.problem import Problem
from automation.steps import all_kinds
from automation.tests.engine.samples import document, step


def refusals(*steps, **rest):
    return check_document(document(*steps, **rest), all_kinds())


@pytest.mark.parametrize(
    ("fields", "pointer", "message"),
    [
        (
            {"for_each": {"items": [1]}},
            "/steps/0/for_each",
            'Step "a": "for_each" is not available in this version yet. '
            'Map a list with the kind "transform" ("items" and "each") instead.',
        ),
        (
            {"connection": "shop"},
            "/steps/0/connection",
            'Step "a": "connection" is not available in this version yet. Give what the service needs in "with".',
        ),
        (
            {"uses": "approval", "with": {"assignees": ["group:sales"]}},
            "/steps/0/uses",
            'Step "a": the kind "approval" is not available in this version yet. Remove the step.',
        ),
    ],
)
def test_what_the_engine_cannot_run_yet_is_refused_by_name(fields, pointer, message):
    assert refusals(step("a", **fields)) == (Problem("not_available", message, pointer),)


def test_containers_and_calls_are_refused_by_name_but_checked():
    attempt = {"id": "safe", "try": {"catch": [step("b")]}, "steps": [step("c", uses="lgo")]}
    repeat = {"id": "poll", "while": {"when": "{{ true }}", "max_iterations": 3, "every": "5s"}, "steps": [step("d")]}
    call = {"id": "sub", "call": {"workflow": "billing", "version": "1.4.2", "inputs": {"x": 1}}}

    problems = refusals(attempt, repeat, call)

    assert [(problem.code, problem.pointer) for problem in problems] == [
        ("not_available", "/steps/0/steps"),
        ("unknown_kind", "/steps/0/steps/0/uses"),
        ("not_available", "/steps/0/try"),
        ("not_available", "/steps/1/steps"),
        ("not_available", "/steps/1/while"),
        ("not_available", "/steps/2/call"),
    ]


def test_settings_the_engine_cannot_honour_yet_are_refused_by_name():
    problems = refusals(step("a"), settings={"concurrency": {"limit": 1}, "on_failure": "notify-ops", "timeout": "1h"})

    assert [(problem.code, problem.pointer) for problem in problems] == [
        ("not_available", "/settings/concurrency"),
        ("not_available", "/settings/on_failure"),
    ]
