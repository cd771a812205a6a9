"""`attribute="customer.name"`: the part of each item that a filter looks at."""

from __future__ import annotations

from collections.abc import Callable

from automation.engine.expressions.errors import Code, Refusal
from automation.engine.expressions.suggestions import closest
from automation.engine.expressions.values import MISSING, Json

_LONGEST = 200
_LOST = (KeyError, TypeError, IndexError)


def getter(attribute: Json, lost: Json = MISSING) -> Callable[[Json], Json]:
    """A function from an item to its part, `lost` when it has none. A path of digits counts into lists."""
    keys = _keys(attribute)
    if len(keys) == 1:
        return _one(keys[0], lost)

    def take(item: Json) -> Json:
        try:
            return _follow(item, keys)
        except _LOST:
            return lost

    return take


def needed(items: list[Json], attribute: Json) -> list[Json]:
    """The part of each item; `items` themselves when `attribute` is null. Refuses an item without it."""
    if attribute is None:
        return items
    keys = _keys(attribute)
    try:
        if len(keys) == 1:
            key = keys[0]
            return [item[key] for item in items]
        return [_follow(item, keys) for item in items]
    except _LOST:
        take = getter(attribute)
        index = next(i for i, item in enumerate(items) if take(item) is MISSING)
        raise _lost_attribute(items[index], attribute, index) from None


def _follow(item: Json, keys: list[str | int]) -> Json:
    for key in keys:
        item = item[key]
    return item


def _lost_attribute(item: Json, attribute: Json, index: int) -> Refusal:
    """Why item `index` of a list has no such part."""
    return Refusal(
        f"finds no such attribute in item {index}",
        code=Code.UNDEFINED,
        value=attribute,
        suggestion=closest(attribute, item) if isinstance(item, dict) and isinstance(attribute, str) else None,
        hint="Keep only items that have it with |selectattr(…, 'defined') or give map a default=….",
    )


def _one(key: str | int, lost: Json) -> Callable[[Json], Json]:
    def take(item: Json) -> Json:
        try:
            return item[key]
        except _LOST:
            return lost

    return take


def _keys(attribute: Json) -> list[str | int]:
    if type(attribute) is int:
        return [attribute]
    if type(attribute) is not str or not 0 < len(attribute) <= _LONGEST:
        reason = f"an attribute is a path of 1 to {_LONGEST} characters"
        raise Refusal(reason, code=Code.TYPE, value=attribute)
    return [int(key) if key.isdecimal() and key.isascii() else key for key in attribute.split(".")]
