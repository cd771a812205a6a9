"""The `inputs` of a document: a JSON Schema of its own, bounded."""

from __future__ import annotations

import json
from collections.abc import Iterator

from automation.engine.checker import Checker, SchemaError
from automation.engine.document.limits import Limits
from automation.engine.document.parse import Document
from automation.engine.pointers import dotted, pointer
from automation.engine.problem import Problem
from automation.engine.wording import ended

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def check_inputs_schema(document: Document, limits: Limits) -> Iterator[Problem]:
    """That inputs are an object and their schema is a valid, closed JSON Schema of reasonable size."""
    schema = dict(document.inputs)
    if not schema:
        return
    size = len(json.dumps(schema))
    if size > limits.inputs_schema_bytes:
        most = limits.inputs_schema_bytes
        message = f"inputs: the schema has {size} bytes; at most {most} are allowed. Describe fewer fields."
        yield Problem("too_large", message, "/inputs")
        return
    if schema.get("type", "object") != "object":
        message = 'inputs: "type" must be "object": a run is started with named inputs.'
        yield Problem("invalid_schema", message, "/inputs/type")
    if schema.get("$schema", DIALECT) != DIALECT:
        yield Problem("invalid_schema", f'inputs: "$schema" must be {DIALECT}. Remove it.', "/inputs/$schema")
        return
    yield from _compile_problems(schema)


def _compile_problems(schema: dict[str, object]) -> Iterator[Problem]:
    try:
        Checker(schema, is_given=True)
    except SchemaError as error:
        for violation in error.violations:
            place = f'"{dotted(violation.path)}" ' if violation.path else "the schema "
            message = ended(f"inputs: {place}{violation.message}")
            yield Problem("invalid_schema", message, pointer(violation.path, base="/inputs"))
