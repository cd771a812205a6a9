"""renamed: a document that names other variables, secrets, connections and workflows than before."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from jinja2.lexer import Token

from automation.engine.document.parse import parse_document
from automation.engine.document.templates import OPENING, places
from automation.engine.expressions.errors import Refusal
from automation.engine.expressions.syntax.source import Expression, split_source
from automation.engine.expressions.syntax.tokens import tokens_of
from automation.engine.kinds import Kinds
from automation.engine.pointers import tokens

Json = Any
Names = Mapping[str, str]
_PATH_SIGNS = frozenset({"dot", "pipe"})  # after them a name is a step of a path or a filter, never a root


@dataclass(frozen=True, slots=True)
class Renaming:
    """New names by old ones. `calls` are the ids or names of called workflows."""

    vars: Names = field(default_factory=dict)
    secrets: Names = field(default_factory=dict)
    connections: Names = field(default_factory=dict)
    calls: Names = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.vars or self.secrets or self.connections or self.calls)


def renamed(definition: Mapping[str, Json], names: Renaming, kinds: Kinds) -> dict[str, Json]:
    """A copy of the document with the new names. What cannot be read stays as it is: the checks refuse it anyway."""
    made: dict[str, Json] = copy.deepcopy(dict(definition))
    document = parse_document(made)
    if names.vars or names.secrets:
        roots = {"vars": names.vars, "secrets": names.secrets}
        for place in places(document, kinds):
            if place.value is not None:
                _put(made, place.pointer, _tree(place.value, roots))
    document = parse_document(made)  # expressions were put anew: go on with what stands there now
    for step in document.steps():
        _rename(_at(made, step.pointer), "connection", names.connections)
        _rename(_at(made, step.pointer).get("call"), "workflow", names.calls)
    _rename(made.get("settings"), "on_failure", names.calls)
    return made


def renamed_text(source: str, roots: Mapping[str, Names]) -> str:
    """A template in which `vars.old` reads `vars.new`; text in quotes and everything else stays as it is written."""
    try:
        parts = split_source(source)
        edits = [edit for part in parts if isinstance(part, Expression) for edit in _edits(part, roots)]
    except Refusal:
        return source
    for start, end, text in sorted(edits, reverse=True):
        source = source[:start] + text + source[end:]
    return source


def _edits(expression: Expression, roots: Mapping[str, Names]) -> list[tuple[int, int, str]]:
    found = list(tokens_of(expression))
    edits = []
    for place, token in enumerate(found):
        names = roots.get(token.value) if token.type == "name" else None
        if not names or (place and found[place - 1].type in _PATH_SIGNS):
            continue
        edit = _edit(expression, found[place + 1 : place + 4], names)
        if edit is not None:
            edits.append(edit)
    return edits


def _edit(expression: Expression, after: list[Token], names: Names) -> tuple[int, int, str] | None:
    kinds = [token.type for token in after]
    if kinds[:2] == ["dot", "name"] and after[1].value in names:
        start = after[1].lineno
        new = names[after[1].value]
        if new.isidentifier():
            return start, start + len(after[1].value), new
        return after[0].lineno, start + len(after[1].value), f"[{json.dumps(new)}]"
    if kinds == ["lbracket", "string", "rbracket"] and after[1].value in names:
        return after[1].lineno, _end_of_string(expression, after), json.dumps(names[after[1].value])
    return None


def _end_of_string(expression: Expression, after: list[Token]) -> int:
    """Where the text ends: its quote is the last sign before the bracket, spaces aside."""
    inside = expression.text[: after[2].lineno - expression.offset]
    return expression.offset + len(inside.rstrip())


def _tree(value: Json, roots: Mapping[str, Names]) -> Json:
    if isinstance(value, str):
        return renamed_text(value, roots) if OPENING in value else value
    if isinstance(value, dict):
        return {key: _tree(inner, roots) for key, inner in value.items()}
    if isinstance(value, list):
        return [_tree(inner, roots) for inner in value]
    return value


def _rename(holder: Json, key: str, names: Names) -> None:
    if isinstance(holder, dict) and isinstance(holder.get(key), str):
        holder[key] = names.get(holder[key], holder[key])


def _at(document: Json, pointer: str) -> Json:
    for token in tokens(pointer):
        document = document[int(token)] if isinstance(document, list) else document[token]
    return document


def _put(document: Json, pointer: str, value: Json) -> None:
    *before, last = tokens(pointer)
    for token in before:
        document = document[int(token)] if isinstance(document, list) else document[token]
    document[int(last) if isinstance(document, list) else last] = value
