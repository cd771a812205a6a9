"""Check what came in against a JSON Schema and say everything that is wrong, in the words of the engine's checker."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from automation.engine.checker import Checker
from automation.engine.pointers import dotted, pointer
from brainops.core.errors import InvalidInput, Problem


def problems(checker: Checker, value: Any) -> Iterator[Problem]:
    """Everything wrong with a value, with pointers into it."""
    for violation in checker.violations(value):
        at = pointer(violation.path)
        if violation.missing is None:
            yield Problem(violation.code, violation.sentence(), at)
        else:
            yield Problem("required", f'"{dotted((*violation.path, violation.missing))}" is required. Add it.', at)


def check(checker: Checker, value: Any) -> None:
    """Raise InvalidInput unless the value fits."""
    if not checker.is_valid(value):
        raise InvalidInput.from_problems(problems(checker, value))
