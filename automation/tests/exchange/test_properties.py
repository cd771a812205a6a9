"""Any JSON that may be stored survives each form, and the cutting of streams sees what a parser sees."""

from __future__ import annotations

import io
import json
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from automation.services.exchange import form as facts
from automation.services.exchange.json_reading import Document
from automation.services.exchange.reading import File
from automation.services.exchange.writing import WRITERS
from automation.tests.exchange.conftest import say, workflow

TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=30)
NUMBER = st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
LOOKS = st.sampled_from(["no", "1e3", "0o17", "12:30", "~", "", " ", "- a", "a: b", "#x", "|", "'", '"', "%", "@", "---", "...", "=", "<<", "\t", "\r\n", "é", "\u2028", "\x85", "\ufeff", "😀", "0x1F", "1_000", "+.inf", "null", "*a", "&a", "!x", "{", "]"])  # fmt: skip
VALUE = st.recursive(
    st.none() | st.booleans() | NUMBER | TEXT | LOOKS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT | LOOKS, inner, max_size=3),
    max_leaves=8,
)


def written(form: str, workflows: list[dict[str, Any]], versions: list[dict[str, Any]]) -> bytes:
    """A file, written as an export is."""
    writer, chain = WRITERS[form](), facts.EMPTY_CHAIN
    out = writer.pack(writer.begin({"format": facts.FORMAT, "format_version": 1}))
    for place, head in enumerate(workflows):
        running = facts.workflow_checksum(head)
        out += writer.pack(writer.head(head, is_first=place == 0))
        for number, version in enumerate(versions):
            facts.add_version(running, version)
            out += writer.pack(writer.version(version, is_first=number == 0))
        out += writer.pack(writer.close(running.hexdigest(), has_history=bool(versions)))
        chain = facts.chained(chain, running.hexdigest())
    counts = {"workflows": len(workflows)}
    return (
        out + writer.pack(writer.end({"counts": counts, "checksum": chain}, is_empty=not workflows)) + writer.finish()
    )


@pytest.mark.parametrize("form", [*WRITERS])
@settings(max_examples=40, deadline=None)
@given(values=st.lists(st.dictionaries(TEXT | LOOKS, VALUE, max_size=3), max_size=3), past=VALUE)
def test_any_json_comes_back_from_each_form(form: str, values: list[dict[str, Any]], past: Any):
    heads = [workflow(f"W{place}", key=f"k{place}", meta_data=value) for place, value in enumerate(values)]
    versions = [{"number": "1.0.0", "name": "Old", "definition": say(), "meta_data": {"past": past}}]
    file = File(lambda: io.BytesIO(written(form, heads, versions)), form)

    pieces = list(file.pieces())

    assert [piece.problems for piece in pieces] == [()] * len(heads)
    read = [{name: value for name, value in (piece.value or {}).items() if name != "checksum"} for piece in pieces]
    assert repr(read) == repr([{**head, "history": versions} for head in heads])


class Dripping(io.BytesIO):
    """A stream that gives one byte at a time."""

    def read(self, size: int | None = -1, /) -> bytes:
        """The next byte."""
        return super().read(1)


@settings(max_examples=60, deadline=None)
@given(frame=st.dictionaries(TEXT.filter(lambda key: key != "workflows"), VALUE, max_size=3), values=st.lists(st.dictionaries(TEXT, VALUE, max_size=3), max_size=4), indent=st.none() | st.integers(0, 3))  # fmt: skip
def test_a_stream_is_cut_where_a_parser_would(frame: dict, values: list[dict], indent: int | None):
    text = json.dumps({**frame, "workflows": values}, indent=indent, ensure_ascii=bool(indent)).encode()
    document = Document(Dripping(text), most_bytes=1 << 20)

    cut = [orjson.loads(piece) for piece in document.workflows()]

    assert (cut, document.frame) == (values, frame)
