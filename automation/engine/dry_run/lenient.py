"""lenient: a `with` in which what cannot be evaluated stays as it is written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from automation.engine.expressions import Budget, ExpressionError, compile_template
from automation.engine.pointers import escape

Json = Any


class Lenient:
    """Evaluates a value as far as it goes; `errors` are the expressions that stand as written, with their pointers."""

    def __init__(self, scope: Mapping[str, Json]) -> None:
        self._scope = scope
        self._budget = Budget()
        self.errors: list[ExpressionError] = []

    def render(self, value: Json, pointer: str = "") -> Json:
        """The value with every template that can be evaluated."""
        if isinstance(value, str):
            return self._text(value, pointer)
        if isinstance(value, dict):
            return {key: self.render(inner, f"{pointer}/{escape(key)}") for key, inner in value.items()}
        if isinstance(value, list):
            return [self.render(inner, f"{pointer}/{index}") for index, inner in enumerate(value)]
        return value

    def _text(self, source: str, pointer: str) -> Json:
        try:
            template = compile_template(source)
            return source if template.is_secret else template.evaluate(self._scope, self._budget)
        except ExpressionError as error:
            self.errors.append(error.in_tree(pointer))
            return source
