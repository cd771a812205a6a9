"""docs/expressions.md says what the code does."""

import json
import re
from pathlib import Path

import pytest

from automation.engine.expressions import FILTERS, ExpressionError, render
from automation.engine.expressions.reference import with_reference

PAGE = Path(__file__).parents[4] / "docs" / "expressions.md"
TEXT = PAGE.read_text(encoding="utf-8")
SCOPE = json.loads(re.search(r"```json\n(.*?)```", TEXT, re.DOTALL)[1])
EXAMPLES = re.findall(r"^ *- `(.*)` → `(.*?)`(?: with `(.*)`)?$", TEXT, re.MULTILINE)
ERRORS = re.findall(r'^(Expression "(.*)" at position .*)$', TEXT, re.MULTILINE)


def test_the_lists_of_the_page_are_those_of_the_code():
    assert with_reference(TEXT) == TEXT, "Run: python -m automation.engine.expressions.reference docs/expressions.md"


def test_every_filter_is_on_the_page_once():
    names = re.findall(r"^- \*\*`([a-z_0-9]+)", TEXT.partition("## Filters")[2].partition("## Tests")[0], re.MULTILINE)

    assert sorted(names) == sorted({declared.name for declared in FILTERS.values()})


@pytest.mark.parametrize(("source", "value", "scope"), EXAMPLES)
def test_every_example_of_the_page_gives_its_value(source, value, scope):
    assert render(source, json.loads(scope) if scope else SCOPE) == json.loads(value)


@pytest.mark.parametrize(("message", "source"), ERRORS)
def test_every_error_on_the_page_is_the_error(message, source):
    with pytest.raises(ExpressionError) as caught:
        render(source, SCOPE)

    assert str(caught.value) == message
