"""Cursors are texts that only we make: anything else is refused, whatever stands in it."""

import zlib
from base64 import urlsafe_b64encode
from typing import Any

import orjson
import pytest

from brainops.accounts.models import Workspace
from brainops.core.api.cursors import Cursor, decode, encode, turned
from brainops.core.errors import InvalidInput

ORDER = ("-created_at", "-id")
BY_NAME = ("name", "id")
UID = "6f1c0c7e-0000-4000-8000-000000000000"
AT = "2026-11-20T10:00:00.123456Z"


def made_of(*said: Any) -> str:
    return urlsafe_b64encode(orjson.dumps(said)).decode().rstrip("=")


def mark() -> int:
    return zlib.crc32(",".join(ORDER).encode())


def test_a_cursor_is_read_as_it_was_written():
    rows = Workspace.objects.all()
    first = decode(made_of(mark(), 0, AT, UID), ORDER, rows)

    again = decode(encode(first, ORDER), ORDER, rows)

    assert again == first == Cursor((first.values[0], first.values[1]), is_backward=False)
    assert (str(first.values[0]), str(first.values[1])) == ("2026-11-20 10:00:00.123456+00:00", UID)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "junk",
        "%%%",
        "é",
        "\x00",
        "A" * 3000,
        made_of(),
        made_of(1, 0, AT, UID),  # of another order
        made_of(mark(), 2, AT, UID),
        made_of(mark(), 0, AT),
        made_of(mark(), 0, AT, UID, 1),
        made_of(mark(), 0, None, UID),
        made_of(mark(), 0, "2026-11-20T10:00:00", UID),  # on whose clock?
        made_of(mark(), 0, "yesterday", UID),
        made_of(mark(), 0, 17, UID),
        made_of(mark(), 0, AT, "x"),
        made_of(mark(), 0, AT, UID.upper()),  # not as we write it
        made_of(mark(), 0, AT, [UID]),
        made_of(mark(), 0, AT, {"a": 1}),
        made_of(mark(), True, AT, UID),
        urlsafe_b64encode(b'{"a":').decode(),
        urlsafe_b64encode(b"[1e999]").decode(),
    ],
)
def test_what_we_did_not_write_is_refused(text: str):
    with pytest.raises(InvalidInput) as refused:
        decode(text, ORDER, Workspace.objects.all())

    assert (refused.value.code, refused.value.problems[0].parameter) == ("cursor_invalid", "cursor")


@pytest.mark.parametrize("name", ["a\x00b", 17, None, ["a"]])
def test_a_value_that_its_column_cannot_hold_is_refused(name: Any):
    total = zlib.crc32(",".join(BY_NAME).encode())

    with pytest.raises(InvalidInput):
        decode(made_of(total, 0, name, UID), BY_NAME, Workspace.objects.all())


def test_an_order_turned_twice_is_itself():
    assert turned(ORDER) == ("created_at", "id")
    assert turned(turned(ORDER)) == ORDER
