"""Say what is missing on a path, and what was probably meant."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice

from automation.engine.expressions.declare import FILTERS
from automation.engine.expressions.describe import excerpt, named
from automation.engine.expressions.errors import Code, Refusal
from automation.engine.expressions.suggestions import closest
from automation.engine.expressions.syntax.unparse import key_text
from automation.engine.expressions.values import Json, Scope

_LISTED_KEYS = 8


def path_text(keys: Sequence[str | int]) -> str:
    """`steps.order.output[0]` for its keys."""
    return f"{keys[0]}{''.join(map(key_text, keys[1:]))}"


def lost_path(scope: Scope, keys: Sequence[str | int], positions: Sequence[int]) -> Refusal:
    """Why `keys` lead nowhere in `scope`, at the position of the first key that is not there."""
    if keys[0] not in scope:
        return _unknown_root(scope, str(keys[0]), positions[0])
    value: Json = scope[str(keys[0])]
    for index in range(1, len(keys)):
        try:
            value = value[keys[index]]
        except (KeyError, TypeError, IndexError):
            return lost_item(value, keys[index], path_text(keys[:index]), positions[index])
    return lost_item(value, keys[-1], path_text(keys[:-1]), positions[-1])


def lost_computed(container: Json, key: Json, where: str, position: int) -> Refusal:
    """Why `container` has no `key` that was computed: the key is a value here, and a value may be secret."""
    if type(key) is not str and type(key) is not int:
        return Refusal(f"a key of {where} is text or a whole number", code=Code.TYPE, value=key, position=position)
    if isinstance(container, dict):
        near = closest(key, container) if isinstance(key, str) else None
        suggestion = f"{where}{key_text(near)}" if near else None
        hint = _offer(container) if near is None else ""
        reason = f"{where} has no such key"
        return Refusal(reason, code=Code.UNDEFINED, value=key, suggestion=suggestion, hint=hint, position=position)
    if isinstance(container, list | str):
        reason = f"{where} has {len(container)} parts and no such position"
        return Refusal(reason, code=Code.UNDEFINED, value=key, position=position)
    return Refusal(f"{where} has no parts", code=Code.TYPE, value=container, position=position)


def lost_item(container: Json, key: str | int, where: str, position: int) -> Refusal:
    """Why `container`, found at the path `where`, has no `key`."""
    where = where if len(where) <= 200 else f"{where[:200]}…"
    if isinstance(container, dict):
        return _no_key(container, key, where, position)
    if isinstance(container, list | str) and isinstance(key, int):
        return _no_position(container, key, where, position)
    return _not_a_container(container, key, where, position)


def _unknown_root(scope: Scope, name: str, position: int) -> Refusal:
    if name == "secrets":
        hint = "Secrets go only into the inputs of connector steps that take them, such as the headers of http.request."
        return Refusal("secrets cannot be read here", code=Code.UNDEFINED, hint=hint, position=position)
    return Refusal(
        f"{named(name)} is not a known name",
        code=Code.UNDEFINED,
        suggestion=closest(name, scope),
        hint=f"Known names: {_listed(scope)}." if scope else "",
        position=position,
    )


def _no_key(container: dict[str, Json], key: str | int, where: str, position: int) -> Refusal:
    near = closest(key, container) if isinstance(key, str) else None
    if where == "vars" and near is None:
        return Refusal(
            f"this workspace had no variable {named(str(key))} when the run began",
            code=Code.UNDEFINED,
            hint="Create it, then retry the run; or use |default(…) for what may be missing.",
            position=position,
        )
    return Refusal(
        f"{where} has no {named(key) if isinstance(key, str) else key}",
        code=Code.UNDEFINED,
        suggestion=f"{where}{key_text(near)}" if near else None,
        hint="" if near else _offer(container),
        position=position,
    )


def _offer(container: dict[str, Json]) -> str:
    has = f"It has {_listed(container)}" if container else "It is an empty object"
    return f"{has}; use |default(…) for what may be missing."


def _no_position(container: list[Json] | str, key: int, where: str, position: int) -> Refusal:
    parts = "items" if isinstance(container, list) else "characters"
    return Refusal(
        f"{where} has {len(container)} {parts} and no [{key}]",
        code=Code.UNDEFINED,
        hint="Positions count from 0; use |default(…) for what may be missing.",
        position=position,
    )


def _not_a_container(container: Json, key: str | int, where: str, position: int) -> Refusal:
    name = named(key) if isinstance(key, str) else f"[{key}]"
    if isinstance(container, list):
        return Refusal(
            f"{where} is a list and has no {name}",
            code=Code.TYPE,
            hint=f'Take one item with [0], or this key of all with |map(attribute="{str(key)[:60]}").',
            position=position,
        )
    hint = "Use |default(…) when it may be missing." if container is None else ""
    if key in FILTERS and key == FILTERS[str(key)].name:
        hint = f"Use the filter: {where}|{key}."
    return Refusal(
        f"{where} has no parts and so no {name}", code=Code.TYPE, value=container, hint=hint, position=position
    )


def _listed(names: Iterable[str]) -> str:
    """The first names, `and more` for the rest."""
    some = [excerpt(name, 0, 40) for name in islice(names, _LISTED_KEYS + 1)]
    return ", ".join(some[:_LISTED_KEYS]) + (" and more" if len(some) > _LISTED_KEYS else "")
