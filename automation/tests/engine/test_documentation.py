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

CHECKOUT = Path(__file__).parents[3]
PAGE = CHECKOUT / "docs" / "workflow-document.md"
EXAMPLES = [
    json.loads(block) for block in re.findall(r"```json\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
]

# What `curl -d '…'` sends in the guides.
SENT = [
    json.loads(body)
    for guide in ("README.md", "docs/walkthrough.md")
    for body in re.findall(r"-d '(\{.*?\})'", (CHECKOUT / guide).read_text(encoding="utf-8"), re.DOTALL)
]
DOCUMENTS = [body["definition"] for body in SENT if "definition" in body]

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


@pytest.mark.parametrize("definition", DOCUMENTS, ids=range(len(DOCUMENTS)))
def test_the_workflows_of_the_guides_have_no_problems(definition):
    assert check_document(definition, all_kinds()) == ()


def test_every_kind_of_step_is_in_some_page():
    pages = "".join(page.read_text(encoding="utf-8") for page in (CHECKOUT / "docs").glob("*.md"))

    assert {key for key in all_kinds() if f"`{key}`" not in pages and f"uses: {key}" not in pages} == set()


@pytest.mark.parametrize("word", [*RUN_FIELDS, *dict.fromkeys(WORDS)])
def test_every_field_is_mentioned(word):
    assert f"`{word}`" in PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize("word", sorted(STEP_FIELDS))
def test_what_is_not_available_yet_is_named(word):
    assert f"`{word}`" in PAGE.read_text(encoding="utf-8")
