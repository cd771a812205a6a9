"""Random documents with containers: a good one is accepted, a spoilt one is answered."""

from hypothesis import given, settings
from hypothesis import strategies as st

from automation.engine.document import check_document
from automation.engine.plan import build_plan
from automation.engine.problem import Problem
from automation.steps import all_kinds
from automation.tests.engine.random_documents import documents
from automation.tests.engine.test_document_abuse import JSON, at, replaced

KINDS = all_kinds()
FIELDS = st.sampled_from(["for_each", "while", "try", "steps", "call", "retry", "needs", "if", "output", "on_unknown"])


@given(documents())
@settings(max_examples=80, deadline=None)
def test_a_valid_document_has_no_problems_and_can_be_planned(document):
    assert check_document(document, KINDS) == ()
    assert build_plan(document, KINDS).by_id.keys() == {step["id"] for step in document["steps"]}


@given(documents(), st.data())
@settings(max_examples=80, deadline=None)
def test_a_document_with_one_place_replaced_is_answered(document, data):
    places = list(_places(document, ()))
    changed = replaced(document, data.draw(st.sampled_from(places)), data.draw(JSON))

    _answered(changed)


@given(documents(), documents(), st.data())
@settings(max_examples=80, deadline=None)
def test_a_document_with_a_field_of_another_is_answered(document, other, data):
    steps = [
        path
        for path in _places(document, ())
        if isinstance(_get(document, path), dict) and "id" in _get(document, path)
    ]
    path = data.draw(st.sampled_from(steps))
    field = data.draw(FIELDS)
    step = dict(_get(document, path)) | {field: data.draw(st.sampled_from([other["steps"], other["steps"][0], "x", 3]))}

    _answered(replaced(document, path, step))


def _answered(changed):
    for problem in check_document(changed, KINDS):
        assert isinstance(problem, Problem)
        assert problem.message.endswith((".", "?"))
        at(changed, problem.pointer)  # every pointer can be followed


def _places(value, path):
    if path:
        yield path
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in children:
        yield from _places(inner, (*path, key))


def _get(value, path):
    for key in path:
        value = value[key]
    return value
