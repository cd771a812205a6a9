"""A workflow with code is refused while code steps are switched off."""

from automation.services.documents import refusals
from brainops.core.errors import Problem

INNER = {"id": "inner", "uses": "code", "with": {"code": "1"}}
DEFINITION = {"schema": 1, "steps": [{"id": "a", "uses": "code", "with": {"code": "inputs"}}]}


def test_a_document_with_code_is_refused_with_the_name_of_the_switch():
    assert list(refusals(DEFINITION)) == [
        Problem(
            "code_steps_off",
            'Step "a": Code steps are switched off on this server. An administrator switches them on with '
            "BRAINOPS_CODE_STEPS=1.",
            "/definition/steps/0/uses",
        )
    ]


def test_code_inside_of_a_container_is_found_too():
    outer = {"id": "all", "for_each": {"items": [1]}, "steps": [INNER]}

    found = [(problem.code, problem.pointer) for problem in refusals({"schema": 1, "steps": [outer]})]

    assert ("code_steps_off", "/definition/steps/0/steps/0/uses") in found


def test_with_the_switch_it_is_taken(settings):
    settings.BRAINOPS_CODE_STEPS = True

    assert list(refusals(DEFINITION)) == []


def test_what_is_no_document_is_refused_as_before():
    assert [problem.code for problem in refusals([1])] == ["wrong_type"]
