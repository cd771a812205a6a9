"""Schemas that people write cannot hold up a process: what is too much work is refused before the validator begins."""

import time
from typing import Any

import pytest

from automation.engine.checker import MOST_MISTAKES, TOO_COSTLY, Checker, SchemaError

LEVELS = 40  # each doubles the work: 2 ** 40 evaluations are ten hours


def doubling(keyword: str, reference: str = "#/$defs/a{}", **more: Any) -> dict[str, Any]:
    """A schema whose definitions name the next one twice, down to a plain object."""
    defs: dict[str, Any] = {
        f"a{level}": {"$anchor": f"n{level}", keyword: [{"$ref": reference.format(level + 1)}] * 2}
        for level in range(LEVELS)
    }
    return {"$defs": {**defs, f"a{LEVELS}": {"$anchor": f"n{LEVELS}", "type": "object"}}, **more}


def unevaluated(levels: int) -> dict[str, Any]:
    rule: dict[str, Any] = {"properties": {"a": True}}
    for _ in range(levels):
        rule = {"anyOf": [rule], "unevaluatedProperties": False}
    return rule


@pytest.mark.parametrize(
    "schema",
    [
        {**doubling("allOf"), "$ref": "#/$defs/a0"},
        {**doubling("anyOf"), "$ref": "#/$defs/a0"},
        {**doubling("oneOf", "#n{}"), "$ref": "#n0"},
        {"allOf": [{"$ref": "other#/$defs/a0"}], "$defs": {"far": {"$id": "other", **doubling("allOf")}}},
        unevaluated(22),
        {"$ref": "#"},
        {"anyOf": [{"type": "string"}, {"$ref": "#"}]},
        {"$dynamicAnchor": "x", "$dynamicRef": "#x"},
    ],
)
def test_a_schema_that_would_never_come_to_an_end_is_refused_as_a_schema(schema: dict[str, Any]) -> None:
    started = time.monotonic()
    with pytest.raises(SchemaError) as refused:
        Checker(schema, is_given=True)
    assert refused.value.violations == (TOO_COSTLY,)
    assert time.monotonic() - started < 5


def test_a_value_that_makes_a_harmless_looking_schema_explode_is_refused() -> None:
    checker = Checker({"items": {"anyOf": [{"$ref": "#"}, {"$ref": "#"}]}}, is_given=True)
    deep: list[Any] = []
    for _ in range(60):
        deep = [deep]
    assert (checker.is_valid([[[1]], []]), checker.is_valid(deep)) == (True, False)
    assert checker.violations(deep) == (TOO_COSTLY,)


def test_a_tree_that_names_itself_once_for_each_child_is_checked_as_ever() -> None:
    node = {"properties": {"name": {"type": "string"}, "children": {"items": {"$ref": "#/$defs/node"}}}}
    checker = Checker({"$ref": "#/$defs/node", "$defs": {"node": node}}, is_given=True)
    tree: dict[str, Any] = {"name": "leaf"}
    for _ in range(30):
        tree = {"name": "branch", "children": [tree, {"name": "leaf"}]}
    wrong = {"name": "root", "children": [tree, {"name": 5}]}
    assert (checker.is_valid(tree), [one.path for one in checker.violations(wrong)]) == (
        True,
        [("children", 1, "name")],
    )


@pytest.mark.parametrize("is_given", [True, False])
def test_of_hundreds_of_thousands_of_mistakes_the_first_is_told_at_once(is_given: bool) -> None:
    checker = Checker({"items": {"type": "string"}}, is_given=is_given)
    started = time.monotonic()
    assert [one.path for one in checker.violations([1] * 500_000)] == [(0,)]
    assert time.monotonic() - started < 5
    assert [one.path for one in checker.violations([1, 2])] == [(0,), (1,)]


def test_a_long_text_is_not_copied_for_each_of_a_thousand_mistakes() -> None:
    checker = Checker({"allOf": [{"pattern": "b$"}] * 1000}, is_given=True)
    assert checker.violations("a" * (MOST_MISTAKES * 50)) == (TOO_COSTLY,)
