"""Filters that fit text into a place: shorter, indented, without an affix, safe in HTML."""

from __future__ import annotations

import html

from automation.engine.expressions.budget import Budget
from automation.engine.expressions.declare import FILTERS, Example, declare
from automation.engine.expressions.filters.text import grown, read
from automation.engine.expressions.values import LARGEST_WHOLE, Json, text, whole

_GROUP = "Text"


@declare(
    FILTERS,
    "truncate",
    group=_GROUP,
    doc="At most `length` characters, the last of them `end` when something was cut off.",
    examples=[Example("{{ 'abcdefgh'|truncate(5) }}", "abcd…"), Example("{{ 'abc'|truncate(5) }}", "abc")],
)
def truncate(value: Json, budget: Budget, length: Json = 255, end: Json = "…") -> Json:
    """Shortened text."""
    source, limit = read(value, budget), whole(length, "length", least=0, most=LARGEST_WHOLE)
    if len(source) <= limit:
        return source
    mark = text(end, "needs text for end")[:limit]
    return grown(source[: limit - len(mark)] + mark, budget)


@declare(
    FILTERS,
    "indent",
    group=_GROUP,
    doc="Each line but the first moved to the right by `width` spaces; with `first` also the first.",
    examples=[Example(r"{{ 'a\nb'|indent(2) }}", "a\n  b")],
)
def indent(value: Json, budget: Budget, width: Json = 4, first: Json = False) -> Json:
    """Indented text; the size of the result is charged before it is made."""
    source, margin = read(value, budget), " " * whole(width, "width", least=0, most=100)
    breaks = source.count("\n")
    budget.grow(len(source) + (breaks + 1) * len(margin))
    return (margin if first else "") + source.replace("\n", f"\n{margin}")


@declare(
    FILTERS,
    "removeprefix",
    group=_GROUP,
    doc="Without `part` at the beginning, if it is there.",
    examples=[Example("{{ 'refs/heads/main'|removeprefix('refs/heads/') }}", "main")],
)
def removeprefix(value: Json, budget: Budget, part: Json) -> Json:
    """Text without a prefix."""
    return grown(read(value, budget).removeprefix(text(part, "needs text for part")), budget)


@declare(
    FILTERS,
    "removesuffix",
    group=_GROUP,
    doc="Without `part` at the end, if it is there.",
    examples=[Example("{{ 'photo.png'|removesuffix('.png') }}", "photo")],
)
def removesuffix(value: Json, budget: Budget, part: Json) -> Json:
    """Text without a suffix."""
    return grown(read(value, budget).removesuffix(text(part, "needs text for part")), budget)


@declare(
    FILTERS,
    "escape",
    group=_GROUP,
    doc="Safe inside HTML: `& < > \" '` become entities. Nothing is escaped by itself.",
    examples=[Example("{{ '<b>&</b>'|escape }}", "&lt;b&gt;&amp;&lt;/b&gt;")],
    aliases=("e",),
)
def escape(value: Json, budget: Budget) -> Json:
    """HTML-escaped text; at most six times as long."""
    source = read(value, budget)
    budget.grow(len(source) + 5 * sum(map(source.count, "&<>\"'")))
    return html.escape(source)
