"""read_file: read the items of a file that the run refers to, a page at a time."""

from __future__ import annotations

from automation.engine.commands import FindFile, ReadFilePiece
from automation.engine.kinds import Call, Done, Effect, ErrorClass, Example, Fail, Json, Kind, Outcome, StepError
from automation.engine.weight import value_limit
from automation.reading.asking import FIELDS, options_of
from automation.reading.items import ReadFault
from automation.reading.page import Page, read_page
from automation.reading.stream import stream_of

MOST_ITEMS = 10_000
USUAL_ITEMS = 1_000
OF_CSV = {"$file": "8e0c1f1e-1f0c-4d4e-9a53-0d8f4ad6d5a1", "name": "orders.csv"}


def run(call: Call) -> Outcome:
    """The next items behind `offset`. Reading stops early where the items would be too large for one output."""
    asked = call.config
    found = call.perform(FindFile(str(asked["file"]["$file"])))
    stream = stream_of(found["size"], lambda seq: call.perform(ReadFilePiece(found["id"], seq)))
    try:
        options = options_of(asked, name=found["name"], content_type=found["content_type"])
        page = read_page(
            stream,
            options,
            offset=asked.get("offset", 0),
            most=asked.get("limit", USUAL_ITEMS),
            most_bytes=value_limit() // 2,
            is_cancelled=call.is_cancelled,
        )
    except ReadFault as fault:
        return Fail(StepError(fault.code, fault.message, ErrorClass.USER))
    return Done(_shown(page, options.format.value))


def _shown(page: Page, form: str) -> Json:
    return {
        "items": page.items,
        "numbers": page.numbers,
        "errors": [{"number": one.number, "message": f"Row {one.number}: {one.message}."} for one in page.errors],
        "format": form,
        "has_more": page.next_offset is not None,
        "next_offset": page.next_offset,
    }


KIND = Kind(
    key="read_file",
    title="Read a file",
    description="Read the rows, elements or lines of a file as items. Rows that make no sense are reported.",
    group="Data",
    icon="table_rows",
    effect=Effect.READ,
    config_schema={
        "type": "object",
        "additionalProperties": False,
        "required": ["file"],
        "properties": {
            "file": {
                "title": "File",
                "description": "The reference to a file, as triggers and webhooks give it.",
                "type": "object",
                "required": ["$file"],
                "properties": {"$file": {"type": "string"}},
                "examples": ["{{ trigger.item.file }}"],
            },
            **FIELDS,
            "offset": {
                "title": "Offset",
                "description": "How many items to pass over: next_offset of the page before.",
                "type": "integer",
                "minimum": 0,
                "default": 0,
            },
            "limit": {
                "title": "Limit",
                "description": "How many items to read at most.",
                "type": "integer",
                "minimum": 1,
                "maximum": MOST_ITEMS,
                "default": USUAL_ITEMS,
            },
        },
    },
    output_schema={
        "type": "object",
        "additionalProperties": False,
        "required": ["items", "numbers", "errors", "format", "has_more", "next_offset"],
        "properties": {
            "items": {"title": "The items", "type": "array"},
            "numbers": {"title": "Their places in the file, from 1", "type": "array", "items": {"type": "integer"}},
            "errors": {
                "title": "Rows that are no items, and why",
                "type": "array",
                "items": {
                    "type": "object",
                    "additionalProperties": False,
                    "required": ["number", "message"],
                    "properties": {
                        "number": {"title": "Its place in the file", "type": "integer"},
                        "message": {"title": "What is wrong with it", "type": "string"},
                    },
                },
            },
            "format": {"title": "How the file was read", "type": "string"},
            "has_more": {"title": "Whether items follow", "type": "boolean"},
            "next_offset": {"title": "Where the next page begins; null at the end", "type": ["integer", "null"]},
        },
    },
    run=run,
    default_timeout_seconds=120.0,
    examples=(
        Example(
            title="The rows of a CSV",
            config={
                "file": "{{ trigger.item.file }}",
                "nulls": ["NA"],
                "types": {"total": "number"},
            },
            scope={"trigger": {"item": {"file": OF_CSV}}},
        ),
        Example(
            title="The second thousand of a list in a JSON file",
            config={"file": "{{ inputs.file }}", "at": "/data/orders", "offset": 1000},
            scope={"inputs": {"file": OF_CSV}},
        ),
    ),
)
