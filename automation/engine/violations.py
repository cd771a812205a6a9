"""Violation: one way a value misses its JSON Schema, read from the validator and said in our words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jsonschema_rs

from automation.engine.pointers import dotted
from automation.engine.wording import counted, did_you_mean, ended, one_of, quoted, shown, type_words

# A schema may say in words what it wants; "x-hint" is the text after "must be".
HINT = "x-hint"


@dataclass(frozen=True, slots=True)
class Violation:
    """What is wrong at `path`. `message` continues a sentence that begins with the place: `must be a text, got 5`."""

    path: tuple[str | int, ...]
    code: str
    message: str
    missing: str | None = None  # the name of the field that a `required` asks for

    def sentence(self, *, base: tuple[str | int, ...] = ()) -> str:
        """A whole sentence that names the place relative to `base`."""
        place = dotted(self.path[len(base) :])
        return ended(f"{quoted(place) if place else 'The value'} {self.message}")


def read_error(error: jsonschema_rs.ValidationError, schema: Mapping[str, Any]) -> Iterator[Violation]:
    """The violations behind one error of the validator; `schema` is the root the error's path starts from."""
    path = tuple(error.instance_path)
    said = error.kind.as_dict()
    rule = _rule_at(schema, error.schema_path)
    hint = _hint_at(schema, error.schema_path)
    name = error.kind.name
    if name in ("additionalProperties", "unevaluatedProperties"):
        yield from _unknown_fields(path, said["unexpected"], rule)
    elif name == "required":
        yield Violation(path, "required", f"needs {quoted(said['property'])}", missing=said["property"])
    elif name in ("anyOf", "oneOf"):
        yield from _no_branch(error, said["context"], rule, schema, hint)
    elif name == "propertyNames":
        wanted = _sentence(said["error"], _hint_at(schema, said["error"].schema_path))
        yield Violation(path, "invalid_name", f"has a field name that is not allowed: it {wanted}")
    else:
        yield Violation(path, CODES.get(name, "invalid_value"), _sentence(error, hint))


def _rule_at(schema: Mapping[str, Any], schema_path: Sequence[str | int]) -> Mapping[str, Any]:
    """The subschema whose keyword refused the value; an empty one when the path leads elsewhere."""
    rule: Any = schema
    for part in list(schema_path)[:-1]:
        try:
            rule = rule[part]
        except (KeyError, IndexError, TypeError):
            return {}
    return rule if isinstance(rule, Mapping) else {}


def _hint_at(schema: Mapping[str, Any], schema_path: Sequence[str | int]) -> str | None:
    """The nearest hint above the keyword that still speaks of the same place in the value."""
    rule: Any = schema
    hint: str | None = None
    for part in schema_path:
        if isinstance(rule, Mapping):
            hint = rule.get(HINT, hint)
        try:
            rule = rule[part]
        except (KeyError, IndexError, TypeError):
            return hint
        hint = None if part in INWARD else hint
    return hint


def _unknown_fields(path: tuple[str | int, ...], names: Sequence[str], rule: Mapping[str, Any]) -> Iterator[Violation]:
    known = list(rule.get("properties", {}))
    for name in names:
        hint = did_you_mean(name, known) or (f" Known: {one_of(known, last='and')}" if known else "")
        yield Violation((*path, name), "unknown_field", f"is not a known field.{hint}")


def _no_branch(
    error: jsonschema_rs.ValidationError,
    context: Sequence[Sequence[jsonschema_rs.ValidationError]],
    rule: Mapping[str, Any],
    schema: Mapping[str, Any],
    hint: str | None,
) -> Iterator[Violation]:
    """A value that fits none, or more than one, of several shapes."""
    path = tuple(error.instance_path)
    branches = [branch for branch in rule.get(error.kind.name, ()) if isinstance(branch, Mapping)]
    wanted = [list(branch.get("required", ())) for branch in branches]
    is_choice_of_fields = bool(wanted) and all(wanted)
    if hint is not None:
        yield Violation(path, "invalid_value", f"must be {hint}, got {shown(error.instance)}")
    elif is_choice_of_fields and isinstance(error.instance, dict):
        yield Violation(path, "one_of", _choice(wanted, error.instance))
    elif closest := _closest_branch(context, len(path)):
        for inner in closest:
            yield from read_error(inner, schema)
    else:
        yield Violation(path, "invalid_value", f"fits more than one of the allowed shapes, got {shown(error.instance)}")


def _choice(wanted: Sequence[Sequence[str]], value: Mapping[str, Any]) -> str:
    names = [" with ".join(fields) for fields in wanted]
    given = [name for name, fields in zip(names, wanted, strict=True) if all(field in value for field in fields)]
    if len(given) > 1:
        return f"takes only one of {one_of(names)}, got {one_of(given, last='and')}"
    return f"needs one of {one_of(names)}"


def _closest_branch(
    context: Sequence[Sequence[jsonschema_rs.ValidationError]], depth: int
) -> Sequence[jsonschema_rs.ValidationError]:
    """The branch the author most likely meant: the one whose refusals lie deepest."""
    branches = [branch for branch in context if branch]
    return max(branches, key=lambda branch: min(len(inner.instance_path) for inner in branch) - depth, default=())


def _sentence(error: jsonschema_rs.ValidationError, hint: str | None) -> str:
    if hint is not None and error.kind.name in HINTED:
        return f"must be {hint}, got {shown(error.instance)}"
    write = SENTENCES.get(error.kind.name)
    if write is None:
        return f"is refused: {error.message}"
    return write(error.kind.as_dict(), error.instance)


def _enum(said: Mapping[str, Any], value: Any) -> str:
    options = said["options"]
    texts = [option for option in options if isinstance(option, str)]
    listed = one_of(texts) if len(texts) == len(options) else ", ".join(shown(option) for option in options)
    hint = did_you_mean(value, texts) if isinstance(value, str) else ""
    return f"must be {listed}, got {shown(value)}.{hint}"


def _bound(word: str) -> Callable[[Mapping[str, Any], Any], str]:
    return lambda said, value: f"must be {word} {said['limit']}, got {shown(value)}"


def _size(word: str, noun: str) -> Callable[[Mapping[str, Any], Any], str]:
    return lambda said, value: f"must have at {word} {counted(said['limit'], noun)}, got {len(value)}"


SENTENCES: Mapping[str, Callable[[Mapping[str, Any], Any], str]] = {
    "type": lambda said, value: f"must be {type_words(said['types'])}, got {shown(value)}",
    "enum": _enum,
    "const": lambda said, value: f"must be {shown(said['expected_value'])}, got {shown(value)}",
    "minimum": _bound("at least"),
    "maximum": _bound("at most"),
    "exclusiveMinimum": _bound("more than"),
    "exclusiveMaximum": _bound("less than"),
    "multipleOf": lambda said, value: f"must be a multiple of {said['multiple_of']}, got {shown(value)}",
    "minLength": _size("least", "character"),
    "maxLength": _size("most", "character"),
    "minItems": _size("least", "item"),
    "maxItems": _size("most", "item"),
    "minProperties": _size("least", "field"),
    "maxProperties": _size("most", "field"),
    "uniqueItems": lambda _said, _value: "must not hold the same item twice",
    "pattern": lambda said, value: f"must match the pattern {said['pattern']}, got {shown(value)}",
    "format": lambda said, value: f"must be written as {said['format']}, got {shown(value)}",
    "falseSchema": lambda _said, value: f"is not allowed here, got {shown(value)}",
    "not": lambda _said, value: f"has a value that is not allowed: {shown(value)}",
    "contains": lambda _said, value: f"lacks an item of the kind wanted, got {shown(value)}",
}
INWARD = frozenset({"properties", "patternProperties", "additionalProperties", "items", "prefixItems", "contains"})
HINTED = frozenset({"pattern", "format", "type", "not", "const", "minimum", "maximum", "falseSchema"})
CODES = {
    "type": "wrong_type",
    "uniqueItems": "duplicate_item",
    "minItems": "too_few",
    "maxItems": "too_many",
    "maxLength": "too_long",
}
