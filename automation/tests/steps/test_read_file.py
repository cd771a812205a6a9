"""read_file: pages of a file's items, and what it says of what it cannot read. The files here are bytes in memory."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from automation.engine.checker import Checker
from automation.engine.commands import FindFile, ReadFilePiece
from automation.engine.kinds import Call, Done, ErrorClass, Fail, StepError
from automation.engine.simulate import START
from automation.engine.weight import value_limit
from automation.reading.stream import CHUNK_BYTES
from automation.steps import read_file

FILE = UUID(int=7)


def read(data: bytes, name: str = "orders.csv", **config: Any) -> Any:
    def perform(command: Any) -> Any:
        if isinstance(command, FindFile):
            return {"id": UUID(command.file_id), "name": name, "content_type": "", "size": len(data)}
        assert isinstance(command, ReadFilePiece)
        return data[command.seq * CHUNK_BYTES : (command.seq + 1) * CHUNK_BYTES]

    call = Call(
        config={"file": {"$file": str(FILE)}, **config},
        path="a",
        attempt=1,
        idempotency_key="bo_key",
        now=START,
        render=lambda value, _extra: value,
        remaining_seconds=lambda: 30.0,
        is_cancelled=lambda: False,
        perform=perform,
    )
    return read_file.run(call)


def test_rows_come_as_items_and_malformed_ones_are_told():
    outcome = read(b"id,total\n1,NA\n2\n3,4.5\n", nulls=["NA"], types={"total": "number"})

    assert outcome == Done(
        {
            "items": [{"id": "1", "total": None}, {"id": "3", "total": 4.5}],
            "numbers": [1, 3],
            "errors": [{"number": 2, "message": "Row 2: it has 1 field, the header has 2."}],
            "format": "csv",
            "has_more": False,
            "next_offset": None,
        }
    )
    assert Checker(read_file.KIND.output_schema).violations(outcome.output) == ()


def test_a_page_says_where_the_next_one_begins():
    data = b"id\n" + b"".join(b"%d\n" % number for number in range(1, 2_502))

    pages = [read(data, offset=offset).output for offset in (0, 1_000, 2_000)]

    assert [(len(page["items"]), page["next_offset"], page["has_more"]) for page in pages] == [
        (1_000, 1_000, True),
        (1_000, 2_000, True),
        (501, None, False),
    ]


def test_a_page_is_never_larger_than_half_of_what_an_output_may_be():
    data = b"text\n" + (b"x" * 1_000 + b"\n") * 12_000

    page = read(data, limit=10_000).output

    assert page["has_more"]
    assert len(page["items"]) * 1_012 <= value_limit() // 2


def test_what_cannot_be_read_fails_with_a_way_out():
    assert read(b"x", name="photo.png") == Fail(
        StepError(
            "unknown_format",
            "Neither the name 'photo.png' nor the type '' tells how to read it. Set `format`.",
            ErrorClass.USER,
        )
    )


@pytest.mark.parametrize(("form", "items"), [("lines", ["[1,", "2]"]), ("json", [1, 2])], ids=["lines", "json"])
def test_the_format_may_be_said(form, items):
    assert read(b"[1,\n2]", name="x", format=form).output["items"] == items
