"""Whatever is sent as a document: an answer, never an exception, never for long.

Times are of the processor and far above what is measured: they catch work that grows out of hand, not a slow day.
"""

import time

from hypothesis import given, settings
from hypothesis import strategies as st

from automation.engine.document import check_document
from automation.engine.pointers import tokens
from automation.engine.problem import Problem
from automation.steps import all_kinds
from automation.tests.engine.samples import document, step
from automation.tests.engine.test_document_shape import ORDERS

KINDS = all_kinds()
WORDS = st.sampled_from(
    ["id", "uses", "with", "needs", "if", "steps", "schema", "inputs", "output", "settings", "retry", "transform", "a"]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8) | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS | st.text(max_size=4), inner, max_size=5),
    max_leaves=25,
)


def at(value, pointer):
    for token in tokens(pointer):
        if not isinstance(value, dict | list):
            return None
        value = value[int(token)] if isinstance(value, list) else value.get(token)
    return value


@given(JSON)
@settings(deadline=None)
def test_any_json_is_answered_with_problems(value):
    problems = check_document(value, KINDS)

    assert problems
    assert all(isinstance(problem, Problem) and problem.message.endswith((".", "?")) for problem in problems)


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_a_good_document_with_one_value_replaced_is_answered(data):
    places = []

    def walk(value, path):
        places.append(path)
        children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        for key, inner in children:
            walk(inner, (*path, key))

    walk(ORDERS, ())
    path = data.draw(st.sampled_from(places[1:]))
    changed = replaced(ORDERS, path, data.draw(JSON))

    for problem in check_document(changed, KINDS):
        at(changed, problem.pointer)  # every pointer can be followed
        assert problem.message.endswith((".", "?"))


def replaced(value, path, new):
    if not path:
        return new
    copy = value.copy()
    copy[path[0]] = replaced(value[path[0]], path[1:], new)
    return copy


def test_the_largest_allowed_chain_is_checked_in_less_than_two_seconds():
    chain = [step("s0"), *[step(f"s{n}", f"s{n - 1}") for n in range(1, 500)]]
    began = time.process_time()

    assert check_document(document(*chain), KINDS) == ()
    assert time.process_time() - began < 2


def test_the_largest_allowed_knot_is_checked_in_less_than_two_seconds():
    names = [f"s{n}" for n in range(500)]
    knot = [step(name, *[other for other in names[n % 50 :: 50] if other != name]) for n, name in enumerate(names)]
    began = time.process_time()

    assert {problem.code for problem in check_document(document(*knot), KINDS)} == {"cycle"}
    assert time.process_time() - began < 2


def test_a_document_of_very_many_steps_is_refused_quickly():
    began = time.process_time()

    problems = check_document(document(*[step(f"s{n}", f"s{n + 1}") for n in range(20_000)]), KINDS)

    assert [problem.code for problem in problems] == ["too_many_steps"]
    assert time.process_time() - began < 2


def test_very_many_wrong_references_are_answered_quickly():
    texts = [f"{{{{ steps.step_number_{n}.output }}}}" for n in range(5_000)]
    names = [step(f"step_numbers_{n}") for n in range(490)]
    began = time.process_time()

    problems = check_document(document(*names, step("a", **{"with": {"set": {"x": texts}}})), KINDS)

    assert len(problems) == 201
    assert time.process_time() - began < 10


def test_lone_surrogates_and_nul_are_answered():
    problems = check_document(document(step("a\x00"), step("\ud800"), {"id": "b", "uses": "\ud800"}), KINDS)

    assert problems
    assert all(problem.message.encode("utf-8", "backslashreplace") for problem in problems)
