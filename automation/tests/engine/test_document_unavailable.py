"""What the schema defines and this version cannot run yet is refused by name."""

from automation.engine.document import check_document
from automation.engine.problem import Problem
from automation.steps import all_kinds
from automation.tests.engine.samples import document, step


def test_a_connection_is_refused_by_name():
    inner = step("b", connection="shop")

    problems = check_document(document(step("a", connection="shop"), {"id": "g", "steps": [inner]}), all_kinds())

    advice = '"connection" is not available in this version yet. Give what the service needs in "with".'
    assert problems == (
        Problem("not_available", f'Step "a": {advice}', "/steps/0/connection"),
        Problem("not_available", f'Step "b": {advice}', "/steps/1/steps/0/connection"),
    )


def test_a_container_is_checked_through_and_through():
    attempt = {"id": "safe", "try": {"catch": [step("b", "c")]}, "steps": [step("d", uses="lgo")]}

    problems = check_document(document(attempt), all_kinds())

    assert [(problem.code, problem.pointer) for problem in problems] == [
        ("unknown_kind", "/steps/0/steps/0/uses"),
        ("unknown_need", "/steps/0/try/catch/0/needs/0"),
    ]
