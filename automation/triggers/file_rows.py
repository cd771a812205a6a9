"""One run for each row of a file: the file is kept once, and read on from look to look."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from automation.reading.asking import options_of
from automation.reading.items import Malformed, Read, ReadFault
from automation.reading.page import Page, read_page
from automation.triggers.contract import Item, Json, Poll, Polled
from automation.triggers.file_places.contract import FileEntry
from automation.triggers.file_settling import handle_of

ROWS_AT_ONCE = 500  # each look begins to read at the file's beginning
BYTES_AT_ONCE = 2 << 20
FIRST = 1  # the row by which a file is known to have been read; there always is one


def row_key(file_key: str, number: int) -> str:
    """The key of a row."""
    return f"{file_key}#{number}"


def begin(entry: FileEntry, key: str, reference: Json, config: Any) -> dict[str, Json]:
    """Where the reading of a file stands before its first row."""
    at = entry.modified_at.isoformat() if entry.modified_at else None
    return {"key": key, "file": reference, "at": at, "handle": handle_of(entry, config), "next": 0}


def next_rows(poll: Poll, cursor: dict[str, Json]) -> Polled:
    """The next rows of the file that the cursor is in."""
    state = cursor["open"]
    file, config = state["file"], poll.trigger.config
    try:
        options = options_of(config["read"], name=file["name"], content_type=file["content_type"])
        stream = poll.open_file(file)
        most = max(poll.most, ROWS_AT_ONCE)
        page = read_page(stream, options, offset=state["next"], most=most, most_bytes=BYTES_AT_ONCE)
    except ReadFault as fault:
        return _closed(cursor, [_refused(state, state["next"] + 1, fault.message)], is_whole=False)
    items = [*_items(state, page)]
    if page.next_offset is None:
        return _closed(cursor, items or _none(state), is_whole=True)
    return Polled(items, {**cursor, "open": {**state, "next": page.next_offset}}, has_more=True)


def _items(state: dict[str, Json], page: Page) -> list[Item]:
    rows = [Read(number, value) for number, value in zip(page.numbers, page.items, strict=True)]
    found: list[Read | Malformed] = sorted([*rows, *page.errors], key=lambda one: one.number)
    return [
        _refused(state, one.number, f"Row {one.number}: {one.message}.")
        if isinstance(one, Malformed)
        else Item(row_key(state["key"], one.number), _data(state, one.number, row=one.value), at=_at(state))
        for one in found
    ]


def _none(state: dict[str, Json]) -> list[Item]:
    return [_refused(state, FIRST, "The file holds no rows.")] if not state["next"] else []


def _closed(cursor: dict[str, Json], items: list[Item], *, is_whole: bool) -> Polled:
    """Behind the last row. A file that could not be read to its end stays where it is."""
    left = {name: value for name, value in cursor.items() if name != "open"}
    handle = cursor["open"]["handle"]
    if is_whole and handle is not None:
        left["after"] = [*left.get("after", []), handle]
    return Polled(items, left, has_more=True)


def _refused(state: dict[str, Json], number: int, why: str) -> Item:
    return Item(row_key(state["key"], number), _data(state, number), at=_at(state), refused=why)


def _data(state: dict[str, Json], number: int, **row: Json) -> Json:
    return {**row, "number": number, "file": state["file"]}


def _at(state: dict[str, Json]) -> datetime | None:
    return datetime.fromisoformat(state["at"]) if state["at"] else None
