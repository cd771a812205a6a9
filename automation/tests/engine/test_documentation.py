"""The documentation says what the engine does."""

import json
import re
from pathlib import Path

import pytest

from automation.engine.document import check_document
from automation.engine.document.references import RUN_FIELDS
from automation.engine.document.unavailable import SETTINGS, STEP_FIELDS
from automation.engine.schema import document_schema
from automation.steps import all_kinds
from automation.tests.engine.samples import document, step

PAGE = Path(__file__).parents[3] / "docs" / "workflow-document.md"
EXAMPLES = [
    json.loads(block) for block in re.findall(r"```json\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
]


def test_the_shown_document_has_no_problems():
    assert check_document(EXAMPLES[0], all_kinds()) == ()


def test_the_shown_retry_has_no_problems():
    assert check_document(document(step("a", retry=EXAMPLES[1])), all_kinds()) == ()


@pytest.mark.parametrize(
    "word", [*RUN_FIELDS, *sorted(document_schema()["$defs"]["step"]["properties"].keys() - {"steps", "output"})]
)
def test_every_field_is_mentioned(word):
    assert f"`{word}`" in PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize("word", [*sorted(STEP_FIELDS.keys() - {"steps"}), *(f"settings.{name}" for name in SETTINGS)])
def test_what_is_not_available_yet_is_named(word):
    assert f"`{word}`" in PAGE.read_text(encoding="utf-8")
