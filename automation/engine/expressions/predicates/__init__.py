"""The closed list of tests that stand after `is`. Importing this package fills `TESTS`."""

from __future__ import annotations

from automation.engine.expressions.declare import TESTS, Declared
from automation.engine.expressions.predicates import comparing, kinds

__all__ = ["TESTS", "Declared"]

THEMES = (kinds, comparing)
