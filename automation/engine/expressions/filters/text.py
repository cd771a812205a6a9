"""Filters that change or examine text."""

from __future__ import annotations

import re

from automation.engine.expressions import operators
from automation.engine.expressions.budget import Budget
from automation.engine.expressions.declare import FILTERS, Example, declare
from automation.engine.expressions.errors import Refusal
from automation.engine.expressions.values import LARGEST_WHOLE, Json, text, whole

_GROUP = "Text"
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_MOST_TRIMMED = 100  # str.strip compares each character with each of these


def read(value: Json, budget: Budget) -> str:
    """`value` as text, the reading of it charged."""
    checked = text(value)
    budget.read(len(checked))
    return checked


def grown(value: str, budget: Budget) -> str:
    """`value`, its making charged."""
    budget.grow(len(value))
    return value


@declare(FILTERS, "upper", group=_GROUP, doc="All letters large.", examples=[Example("{{ 'abc'|upper }}", "ABC")])
def upper(value: Json, budget: Budget) -> Json:
    """Upper case."""
    return grown(read(value, budget).upper(), budget)


@declare(FILTERS, "lower", group=_GROUP, doc="All letters small.", examples=[Example("{{ 'ABC'|lower }}", "abc")])
def lower(value: Json, budget: Budget) -> Json:
    """Lower case."""
    return grown(read(value, budget).lower(), budget)


@declare(
    FILTERS,
    "capitalize",
    group=_GROUP,
    doc="The first letter large, all others small.",
    examples=[Example("{{ 'hELLO you'|capitalize }}", "Hello you")],
)
def capitalize(value: Json, budget: Budget) -> Json:
    """First letter upper case."""
    return grown(read(value, budget).capitalize(), budget)


@declare(
    FILTERS,
    "title",
    group=_GROUP,
    doc="The first letter of each word large, all others small.",
    examples=[Example("""{{ "it's a NEW day"|title }}""", "It's A New Day")],
)
def title(value: Json, budget: Budget) -> Json:
    """Each word capitalised."""
    source = read(value, budget)
    budget.read(len(source) * 16)  # a call for each word
    return grown(_WORD.sub(lambda word: word[0].capitalize(), source), budget)


@declare(
    FILTERS,
    "trim",
    group=_GROUP,
    doc="Without white space, or without the given characters, at both ends.",
    examples=[Example("{{ '  a b '|trim }}", "a b"), Example("{{ '--a--'|trim('-') }}", "a")],
)
def trim(value: Json, budget: Budget, characters: Json = None) -> Json:
    """Stripped text."""
    if characters is None:
        return grown(read(value, budget).strip(), budget)
    unwanted = text(characters, "needs text for characters")
    if len(unwanted) > _MOST_TRIMMED:
        raise Refusal(f"takes at most {_MOST_TRIMMED} characters to trim", value=characters)
    budget.spend(len(unwanted))
    return grown(read(value, budget).strip(unwanted), budget)


@declare(
    FILTERS,
    "replace",
    group=_GROUP,
    doc="Each `old` replaced by `new`, or only the first `count` of them.",
    examples=[
        Example("{{ 'a-b-c'|replace('-', '/') }}", "a/b/c"),
        Example("{{ 'a-b-c'|replace('-', '/', 1) }}", "a/b-c"),
    ],
)
def replace(value: Json, budget: Budget, old: Json, new: Json, count: Json = None) -> Json:
    """Text with parts replaced; the size of the result is charged before it is made."""
    source, part, other = read(value, budget), text(old, "needs text for old"), text(new, "needs text for new")
    if not part:
        raise Refusal("needs at least one character for old", value=old)
    most = len(source) if count is None else whole(count, "count", least=0, most=LARGEST_WHOLE)
    found = min(source.count(part), most)
    budget.spend(found // 8)
    budget.grow(len(source) + found * (len(other) - len(part)))
    return source.replace(part, other, found)


@declare(
    FILTERS,
    "split",
    group=_GROUP,
    doc="The list of parts between `separator`, or between white space; at most `limit` cuts.",
    examples=[Example("{{ 'a,b,c'|split(',') }}", ["a", "b", "c"]), Example("{{ ' a  b '|split }}", ["a", "b"])],
)
def split(value: Json, budget: Budget, separator: Json = None, limit: Json = None) -> Json:
    """Parts of a text. Never cuts more often than operations are left to pay for."""
    source = read(value, budget)
    cuts = budget.operations + 1
    if limit is not None:
        cuts = min(cuts, whole(limit, "limit", least=0, most=LARGEST_WHOLE))
    if separator is not None and not text(separator, "needs text for separator"):
        raise Refusal("needs at least one character for separator", value=separator, hint="Use |list for characters.")
    parts = source.split(separator, cuts)
    budget.spend(len(parts))
    budget.grow(len(source) + 50 * len(parts))
    return parts


@declare(
    FILTERS,
    "startswith",
    group=_GROUP,
    doc="True when the text begins with `part`.",
    examples=[Example("{{ 'refs/heads/main'|startswith('refs/heads/') }}", True)],
)
def startswith(value: Json, budget: Budget, part: Json) -> Json:
    """Prefix test."""
    return text(value).startswith(read(part, budget))


@declare(
    FILTERS,
    "endswith",
    group=_GROUP,
    doc="True when the text ends with `part`.",
    examples=[Example("{{ 'photo.png'|endswith('.png') }}", True)],
)
def endswith(value: Json, budget: Budget, part: Json) -> Json:
    """Suffix test."""
    return text(value).endswith(read(part, budget))


@declare(
    FILTERS,
    "contains",
    group=_GROUP,
    doc="True when `part` is in a text, an item of a list or a key of an object.",
    examples=[Example("{{ 'hello'|contains('ell') }}", True), Example("{{ [1, 2]|contains(3) }}", False)],
)
def contains(value: Json, budget: Budget, part: Json) -> Json:
    """The operator `in` with its sides swapped."""
    return operators.contains(value, part, budget)
