"""Checker: one JSON Schema compiled once, with refusals in our own words.

Nothing is ever fetched, patterns run in linear time, formats are checked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

import jsonschema_rs

from automation.engine.schema_work import MOST_WORK, Weigher, size_of
from automation.engine.violations import Violation, read_error
from automation.engine.wording import shown

META_SCHEMA = {"$ref": "https://json-schema.org/draft/2020-12/schema"}
PATTERN_BYTES = 1 << 20  # a compiled pattern may use 1 MiB
MAX_VIOLATIONS = 100  # of one value; a person repairs the first ones and asks again
# The validator collects every mistake before it tells the first, 40 µs and 1 KB each; of more than that only one is
# looked for.
MOST_MISTAKES = 20_000
TOO_COSTLY = Violation(
    (),
    "too_costly",
    f"would take more than {MOST_WORK:,} comparisons to check against its schema. Send less, or write the schema with "
    "fewer alternatives inside of one another",
)


class SchemaError(ValueError):
    """A JSON Schema cannot be used. `violations` say where and why."""

    def __init__(self, violations: tuple[Violation, ...]) -> None:
        super().__init__(violations[0].message if violations else "The schema cannot be used.")
        self.violations = violations


def _compile(schema: Mapping[str, Any]) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(
        dict(schema),
        validate_formats=True,
        offline=True,  # a remote `$ref` would be a request made for a stranger
        pattern_options=jsonschema_rs.RegexOptions(size_limit=PATTERN_BYTES, dfa_size_limit=PATTERN_BYTES),
    )


_META = _compile(META_SCHEMA)


@dataclass(frozen=True, slots=True, init=False)
class Checker:
    """A compiled JSON Schema (draft 2020-12), free to share between threads.

    Raises SchemaError when the schema itself is wrong, uses a pattern outside the linear subset
    (look-around, back-references) or refers to anything outside itself. `is_given`: people wrote it, so the work it
    makes is bounded; a schema that makes too much of an empty object is wrong, too.
    """

    schema: Mapping[str, Any]
    _validator: jsonschema_rs.Draft202012Validator
    _weigher: Weigher | None

    def __init__(self, schema: Mapping[str, Any], *, is_given: bool = False) -> None:
        object.__setattr__(self, "schema", schema)
        object.__setattr__(self, "_validator", _validator_of(schema))
        object.__setattr__(self, "_weigher", Weigher(schema) if is_given else None)
        if self._is_too_costly({}):
            raise SchemaError((TOO_COSTLY,))

    def is_valid(self, value: Any) -> bool:
        """True when the value fits; the cheap question (well under 1 µs for small values)."""
        if self._is_too_costly(value):
            return False
        try:
            return self._validator.is_valid(value)
        except ValueError:  # a lone surrogate, a key that is no text, nesting beyond the validator's stack
            return False

    def violations(self, value: Any) -> tuple[Violation, ...]:
        """All that is wrong with the value, in the value's order, at most MAX_VIOLATIONS; of a huge one the first."""
        if self._is_too_costly(value):
            return (TOO_COSTLY,)
        try:
            return tuple(islice(self._read(value), MAX_VIOLATIONS))
        except ValueError as error:
            return (Violation((), "invalid_value", f"cannot be read as JSON: {error}"),)

    def _read(self, value: Any) -> Iterator[Violation]:
        for error in self._errors(value):
            yield from read_error(error, self.schema)

    def _errors(self, value: Any) -> Iterator[jsonschema_rs.ValidationError]:
        if not self._may_have_many(value):
            yield from self._validator.iter_errors(value)
            return
        try:
            self._validator.validate(value)
        except jsonschema_rs.ValidationError as first:
            yield first

    def _may_have_many(self, value: Any) -> bool:
        if self._weigher is not None:
            return self._weigher.is_too_much(value, most=MOST_MISTAKES)
        return size_of(value, most=MOST_MISTAKES) > MOST_MISTAKES

    def _is_too_costly(self, value: Any) -> bool:
        weigher = self._weigher
        return weigher is not None and not weigher.is_light and weigher.is_too_much(value)


def _validator_of(schema: Mapping[str, Any]) -> jsonschema_rs.Draft202012Validator:
    try:
        return _compile(schema)
    except jsonschema_rs.ValidationError as error:
        raise SchemaError(_schema_violations(schema, error)) from error
    except (jsonschema_rs.ReferencingError, ValueError) as error:
        said = f"cannot be used as a JSON Schema: {_first_line(error)}"
        raise SchemaError((Violation((), "invalid_schema", said),)) from error


def _schema_violations(schema: Mapping[str, Any], error: jsonschema_rs.ValidationError) -> tuple[Violation, ...]:
    errors = islice(_META.iter_errors(schema), MAX_VIOLATIONS)
    known = tuple(violation for found in errors for violation in read_error(found, {}))
    if known:
        return known
    # The meta-schema is content: a pattern outside the linear subset or a reference that leads nowhere.
    path = tuple(error.instance_path)
    if error.kind.name in ("pattern", "format"):
        said = f"{shown(error.instance)} is no regular expression we run; look-around and back-references are refused"
        return (Violation(path, "invalid_schema", said),)
    return (Violation(path, "invalid_schema", _first_line(error)),)


def _first_line(error: Exception) -> str:
    return str(error).split("\n", 1)[0]
