"""Paths that people wrote in another tool, over the payloads they wrote them for, give the values that tool gave."""

import json
import re
from pathlib import Path

import pytest

from automation.engine.expressions import Code, ExpressionError, render

CASES = Path(__file__).parents[5] / "shared" / "cases" / "n8n" / "expressions.json"  # beside the checkout, not in it
PATH = re.compile(r"""\s*\$json(?:\.\w+|\['(?:[^'\\]|\\.)*'\]|\["[^"]*"\]|\[\d+\])*\s*""")


def written_cases():
    """Those of only text and paths: source, payload, and the value or None where that tool found nothing."""
    if not CASES.exists():
        return []
    for case in json.loads(CASES.read_text(encoding="utf-8"))["cases"]:
        parts = re.findall(r"\{\{(.*?)\}\}", case["expr"], re.DOTALL)
        if parts and all(map(PATH.fullmatch, parts)):
            yield case["expr"][1:].replace("$json", "json"), case["json"], case["result"]["ok"]


def found(source, payload):
    """The value, or the code of the error."""
    try:
        return render(source, {"json": payload})
    except ExpressionError as error:
        return error.code


@pytest.mark.skipif(not CASES.exists(), reason="the shared cases do not stand beside this checkout")
def test_real_paths_lead_to_the_values_they_were_written_for():
    cases = [(found(source, payload), expected) for source, payload, expected in written_cases()]
    differing = [(value, expected) for value, expected in cases if value != expected.get("v", Code.UNDEFINED)]

    assert len(cases) > 150
    assert [value for value, _ in differing] == [Code.UNDEFINED]  # that tool writes "undefined" into the text
