"""The documentation says what the engine does."""

import json
import re
from pathlib import Path

import pytest

from automation.engine.document import check_document
from automation.engine.document.references import RUN_FIELDS
from automation.engine.document.unavailable import STEP_FIELDS
from automation.engine.schema import document_schema
from automation.steps import all_kinds
from automation.tests.engine.samples import document, step

PAGE = Path(__file__).parents[3] / "docs" / "workflow-document.md"
EXAMPLES = [
    json.loads(block) for block in re.findall(r"```json\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
]


DEFINITIONS = document_schema()["$defs"]
OBJECTS = ("step", "for_each", "while", "try", "call", "settings", "concurrency", "debounce")
WORDS = [word for name in OBJECTS for word in DEFINITIONS[name]["properties"]]


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_what_is_shown_has_no_problems(example):
    """A document, a list of steps, a retry or settings."""
    if isinstance(example, list):
        shown = document(step("orders"), *example)
    elif "steps" in example:
        shown = example
    elif "max_attempts" in example:
        shown = document(step("a", retry=example))
    else:
        shown = document(step("a"), settings=example)

    assert check_document(shown, all_kinds()) == ()


@pytest.mark.parametrize("word", [*RUN_FIELDS, *dict.fromkeys(WORDS)])
def test_every_field_is_mentioned(word):
    assert f"`{word}`" in PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize("word", sorted(STEP_FIELDS))
def test_what_is_not_available_yet_is_named(word):
    assert f"`{word}`" in PAGE.read_text(encoding="utf-8")
