"""JSON Schemas (draft 2020-12) compiled once; a value is checked in microseconds, all refusals at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import jsonschema_rs

from brainops.core.errors import InvalidInput, Problem

Json = Any

_MOST_PROBLEMS = 100
_PATTERN_BYTES = 1 << 20  # memory of one compiled pattern


class SchemaError(ValueError):
    """A schema itself cannot be used."""


class Schema:
    """A compiled schema, safe to share between threads.

    Nothing is ever fetched: a `$ref` that leads outside makes the schema unusable. Patterns run in linear time.
    Raises SchemaError when the schema is wrong.
    """

    def __init__(self, schema: Mapping[str, Any]) -> None:
        try:
            self._validator = jsonschema_rs.Draft202012Validator(
                dict(schema),
                validate_formats=True,
                offline=True,
                pattern_options=jsonschema_rs.RegexOptions(size_limit=_PATTERN_BYTES, dfa_size_limit=_PATTERN_BYTES),
            )
        except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as error:
            raise SchemaError(f"The schema cannot be used: {_first_line(error)}.") from error

    def problems(self, value: Json, *, pointer: str = "") -> tuple[Problem, ...]:
        """Everything wrong with a value, at most 100. `pointer` is where the value stands in the whole body."""
        try:
            return tuple(islice(self._read(value, pointer), _MOST_PROBLEMS))
        except ValueError as error:  # no JSON value, or nested beyond the validator's stack
            return (Problem("invalid_value", f"The value cannot be read as JSON: {_first_line(error)}.", pointer),)

    def check(self, value: Json) -> None:
        """Raise InvalidInput with every problem of the value."""
        problems = self.problems(value)
        if problems:
            raise InvalidInput.from_problems(problems)

    def _read(self, value: Json, pointer: str) -> Iterator[Problem]:
        for error in self._validator.iter_errors(value):
            place = pointer + json_pointer(error.instance_path)
            unexpected = getattr(error.kind, "unexpected", None)
            if isinstance(unexpected, Sequence) and not isinstance(unexpected, str):
                yield from _unknown_keys(unexpected, place)
            elif error.kind.name == "required":
                name = str(getattr(error.kind, "property", ""))
                yield Problem("missing", f"{name!r} is required. Add it.", place)
            else:
                yield Problem(_code(error.kind.name), f"{_sentence(error.message)}.", place)


def json_pointer(path: Iterable[str | int]) -> str:
    """The JSON pointer (RFC 6901) of a path of keys and indexes."""
    return "".join("/" + str(token).replace("~", "~0").replace("/", "~1") for token in path)


def _unknown_keys(keys: Iterable[Any], place: str) -> Iterator[Problem]:
    for key in keys:
        yield Problem("unknown_key", f"{key!r} is not known here. Remove it.", place + json_pointer([str(key)]))


def _code(keyword: str) -> str:
    """A stable code from the schema's keyword: `maxLength` → `max_length`."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in keyword)


def _sentence(message: str) -> str:
    text = message if len(message) <= 300 else f"{message[:300]}…"
    return text[:1].upper() + text[1:].rstrip(".")


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0].rstrip(".")
