"""`map('upper')`, `select('gt', 3)`: the named filter or test is found when the expression is compiled."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from jinja2 import nodes

from automation.engine.expressions.budget import Budget
from automation.engine.expressions.compiler.base import literal, unknown
from automation.engine.expressions.compiler.binding import bind
from automation.engine.expressions.declare import FILTERS, TESTS, Declared, Function, Parameter
from automation.engine.expressions.errors import Code, Refusal
from automation.engine.expressions.filters.picking import TRUTHY, map_attribute
from automation.engine.expressions.values import Json

Bound = tuple[Function, list[nodes.Expr]]
Binder = Callable[[Declared, Sequence[nodes.Expr], Sequence[nodes.Keyword], int], Bound]

_MAP_ATTRIBUTE = Declared(
    "map", "", "", map_attribute, (Parameter("attribute"), Parameter("default")), (), usage=FILTERS["map"].usage
)


def bind_filter(
    declared: Declared, given: Sequence[nodes.Expr], named: Sequence[nodes.Keyword], position: int
) -> Bound:
    """The function to call as `function(value, budget, *arguments)` and the nodes of its arguments."""
    binder = _BINDERS.get(declared.name)
    if binder is not None:
        return binder(declared, given, named, position)
    return declared.function, bind(declared, given, named, position=position)


def _bind_map(declared: Declared, given: Sequence[nodes.Expr], named: Sequence[nodes.Keyword], position: int) -> Bound:
    if not given:
        parameters = _MAP_ATTRIBUTE.parameters if _has(named, "default") else _MAP_ATTRIBUTE.parameters[:1]
        attribute = Declared("map", "", "", map_attribute, parameters, (), usage=declared.usage)
        return map_attribute, bind(attribute, given, named, position=position)
    inner = find_filter(_name(declared, given[0]), given[0].lineno)
    function, arguments = bind_filter(inner, given[1:], named, given[0].lineno)

    def map_each(value: Json, budget: Budget, *values: Json) -> Json:
        return declared.function(value, budget, function, *values)

    return map_each, arguments


def _bind_select(
    declared: Declared, given: Sequence[nodes.Expr], named: Sequence[nodes.Keyword], position: int
) -> Bound:
    test, arguments = _bind_test(declared, given, named)

    def select(value: Json, budget: Budget, *values: Json) -> Json:
        return declared.function(value, budget, test, *values)

    return select, arguments


def _bind_selectattr(
    declared: Declared, given: Sequence[nodes.Expr], named: Sequence[nodes.Keyword], position: int
) -> Bound:
    if not given:
        reason = f"{declared.name} needs an attribute"
        raise Refusal(reason, code=Code.SYNTAX, position=position, hint=f"It is written {declared.usage}.")
    test, arguments = _bind_test(declared, given[1:], named)

    def select(value: Json, budget: Budget, attribute: Json, *values: Json) -> Json:
        return declared.function(value, budget, test, attribute, *values)

    return select, [given[0], *arguments]


def _bind_test(
    declared: Declared, given: Sequence[nodes.Expr], named: Sequence[nodes.Keyword]
) -> tuple[Declared, list[nodes.Expr]]:
    """The test named by the first argument, and the nodes of its own arguments."""
    if not given:
        return TRUTHY, bind(TRUTHY, given, named, position=0)
    test = find_test(_name(declared, given[0]), given[0].lineno)
    return test, bind(test, given[1:], named, position=given[0].lineno)


def find_filter(name: str, position: int) -> Declared:
    """The filter of that name."""
    if name not in FILTERS:
        raise unknown("filter", name, FILTERS, position, _ABSENT.get(name, ""))
    return FILTERS[name]


def find_test(name: str, position: int) -> Declared:
    """The test of that name."""
    if name not in TESTS:
        raise unknown("test", name, TESTS, position)
    return TESTS[name]


def _name(declared: Declared, node: nodes.Expr) -> str:
    name = literal(node)
    if type(name) is str:
        return name
    raise Refusal(
        f"{declared.name} needs a name that is written out",
        code=Code.SYNTAX,
        position=node.lineno,
        hint=f"It is written {declared.usage}.",
    )


def _has(named: Sequence[nodes.Keyword], key: str) -> bool:
    return any(keyword.key == key for keyword in named)


_BINDERS: dict[str, Binder] = {
    "map": _bind_map,
    "select": _bind_select,
    "reject": _bind_select,
    "selectattr": _bind_selectattr,
    "rejectattr": _bind_selectattr,
}

# filters of Jinja that people will look for
_ABSENT = {
    "attr": "Values have no attributes; write a path such as a.b or a[key].",
    "format": "Join text with ~; numbers have |format_number, dates |format_date.",
    "safe": "Nothing is escaped by itself; leave it out.",
    "dictsort": "Use |items|sort(attribute='key').",
    "items2dict": "Use |to_object.",
    "dict2items": "Use |items.",
    "from_json": "It is called fromjson.",
    "to_json": "It is called tojson.",
    "regex_replace": "There are no regular expressions; use |replace, |split or |removeprefix.",
    "regex_search": "There are no regular expressions; use |contains, |startswith or |split.",
    "random": "Expressions always give the same result for the same input.",
    "slice": "Write [from:to], or use |batch(size).",
    "wordcount": "Use |split|length.",
}
