"""The published JSON Schema of workflow documents: one file, loaded once."""

from __future__ import annotations

import json
from functools import lru_cache
from importlib.resources import files
from typing import Any

from automation.engine.checker import Checker


@lru_cache(maxsize=1)
def document_schema() -> dict[str, Any]:
    """The schema as published. Callers must not change it."""
    text = files(__name__).joinpath("workflow.schema.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


@lru_cache(maxsize=1)
def document_checker() -> Checker:
    """The compiled schema."""
    return Checker(document_schema())
