"""What holds for every expression and every JSON scope."""

import contextlib
import copy
import json
import operator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from automation.engine.expressions import (
    FILTERS,
    TESTS,
    Budget,
    ExpressionError,
    compile_template,
    compile_tree,
    explain,
    render,
)
from automation.tests.engine.expressions.strategies import literals, scopes, sources, texts, values

MOST_RUNS = settings(max_examples=200, deadline=None)
FEW_RUNS = settings(max_examples=15, deadline=None)
LARGEST = 2**63 - 1


def outcome(source, scope):
    """The value, or the ExpressionError: any other exception fails the test, and so does a changed scope."""
    before = copy.deepcopy(scope)
    try:
        result = render(source, scope), None
    except ExpressionError as error:
        result = None, error
    assert scope == before
    return result


def is_storable(value):
    """JSON that a database column can keep."""
    return "\0" not in json.dumps(value, allow_nan=False, ensure_ascii=False).encode().decode()


def check(source, scope):
    """The value is JSON, an error points into the source and is fit to be stored itself."""
    value, error = outcome(source, scope)
    assert is_storable(value)
    if error is None:
        assert is_storable(explain(compile_template(source), scope))
        return
    assert error.expression == source
    assert 0 <= error.position <= len(source)
    assert len(str(error)) < 1500
    assert is_storable([error.message, error.value, error.suggestion])


@MOST_RUNS
@given(sources, scopes)
def test_any_source_gives_json_or_an_expression_error(source, scope):
    check(source, scope)


@pytest.mark.parametrize("name", sorted(FILTERS))
@FEW_RUNS
@given(data=st.data(), scope=scopes)
def test_any_filter_with_any_value_and_arguments(name, data, scope):
    value = data.draw(literals)
    arguments = ", ".join(data.draw(st.lists(literals, max_size=3)))

    check(f"{{{{ {value}|{name}({arguments}) }}}}", scope)
    check(f"{{{{ rows|map('{name}'{', ' if arguments else ''}{arguments}) }}}}", scope)


@pytest.mark.parametrize("name", sorted(name for name in TESTS if name.isidentifier()))
@FEW_RUNS
@given(data=st.data(), scope=scopes)
def test_any_test_with_any_value_and_arguments(name, data, scope):
    value = data.draw(literals)
    argument = data.draw(literals | st.just(""))

    check(f"{{{{ {value} is {name}({argument}) }}}}", scope)
    check(f"{{{{ rows|select('{name}', {argument or 'a'}) }}}}", scope)
    check(f"{{{{ rows|selectattr('k', '{name}', {argument or 'a'})|map(attribute='k', default=b) }}}}", scope)


@MOST_RUNS
@given(
    st.recursive(
        sources | values, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3)
    ),
    scopes,
)
def test_any_tree_is_rendered_or_refused_and_never_changed(tree, scope):
    before = copy.deepcopy((tree, scope))

    with contextlib.suppress(ExpressionError):
        compile_tree(tree).render(scope)

    assert (tree, scope) == before


OPERATORS = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "//": operator.floordiv,
    "%": operator.mod, "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt,
    ">=": operator.ge, "and": lambda a, b: a and b, "or": lambda a, b: a or b,
}  # fmt: skip
NUMBERS = st.integers(-1000, 1000) | st.floats(-1000, 1000).map(lambda n: round(n, 3))

calculations = st.recursive(
    NUMBERS.map(lambda n: (f"({n!r})", n)),
    lambda inner: st.tuples(inner, st.sampled_from(list(OPERATORS)), inner).map(
        lambda t: (f"({t[0][0]} {t[1]} {t[2][0]})", (t[1], t[0][1], t[2][1]))
    ),
    max_leaves=8,
)


def reference(tree):
    """What Python's own operators make of the same tree; None where the language refuses."""
    if not isinstance(tree, tuple):
        return tree
    sign, left, right = tree
    one, other = reference(left), reference(right)
    is_logic = sign in ("and", "or", "==", "!=")
    if one is None or other is None or (not is_logic and isinstance(one, bool) | isinstance(other, bool)):
        return None
    if sign in ("==", "!=") and isinstance(one, bool) != isinstance(other, bool):
        return sign == "!="
    try:
        result = OPERATORS[sign](one, other)
    except ZeroDivisionError:
        return None
    return None if isinstance(result, int) and abs(result) > LARGEST else result


@MOST_RUNS
@given(calculations)
def test_calculations_and_comparisons_agree_with_python(calculation):
    source, tree = calculation
    expected = reference(tree)

    try:
        result = render(f"{{{{ {source} }}}}", {})
    except ExpressionError:
        result = None

    if expected is not None:  # Python computes both sides of `and` and `or`, the language only what it needs
        assert (result, type(result)) == (expected, type(expected))


@MOST_RUNS
@given(values)
def test_json_text_holds_the_value(value):
    assert render("{{ v|tojson|fromjson }}", {"v": value}) == value


@MOST_RUNS
@given(texts)
def test_encodings_can_be_undone(text):
    for there_and_back in (
        "urlencode|urldecode",
        "b64encode|b64decode",
        "b64encode(urlsafe=true)|b64decode",
        "reverse|reverse",
    ):
        assert render(f"{{{{ t|{there_and_back} }}}}", {"t": text}) == text


@MOST_RUNS
@given(texts, texts.filter(len))
def test_split_and_join_undo_each_other(text, separator):
    assert render("{{ t|split(s)|join(s) }}", {"t": text, "s": separator}) == text


@MOST_RUNS
@given(values, values)
def test_equality_is_that_of_json(one, other):
    scope = {"one": one, "other": other}
    as_python = one == other and json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)

    assert render("{{ one == one and other == other }}", scope) is True
    assert render("{{ one == other }}", scope) is render("{{ other == one }}", scope)
    if as_python:
        assert render("{{ one == other }}", scope) is True


@MOST_RUNS
@given(st.lists(st.integers(-9, 9) | st.floats(-9, 9)))
def test_sorting_and_extremes_agree(rows):
    scope = {"rows": rows}

    assert render("{{ rows|sort }}", scope) == sorted(rows)
    assert (
        render("{{ rows|min == (rows|sort|first) and rows|max == (rows|sort|last) if rows else true }}", scope) is True
    )


@MOST_RUNS
@given(sources, scopes, st.integers(0, 60), st.integers(0, 300))
def test_no_more_is_used_than_the_budget_grants(source, scope, operations, output_bytes):
    budget = Budget(operations=operations, output_bytes=output_bytes)

    try:
        render(source, scope, budget)
    except ExpressionError:
        return
    assert budget.operations >= 0
    assert budget.output_bytes >= 0
