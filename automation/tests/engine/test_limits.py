"""Where a start goes: its queue, its limit's key, the starts it is gathered with."""

from __future__ import annotations

from uuid import UUID

import pytest

from automation.engine.expressions import ExpressionError
from automation.engine.limits import Gathering, Place, Slot, place_of
from automation.engine.plan import settings_of

FLOW = UUID(int=7)
STEP = {"id": "a", "uses": "log", "with": {"message": "x"}}


def place(settings, *, inputs=None, trigger=None, **how):
    read = settings_of({"schema": 1, "steps": [STEP], "settings": settings})
    return place_of(read, FLOW, inputs=inputs or {}, trigger=trigger, **how)


def key(template, **inputs):
    slot = place({"concurrency": {"limit": 1, "key": template}}, inputs=inputs).slot
    assert slot is not None
    return slot.key.removeprefix(f"{FLOW}:")


@pytest.mark.parametrize(
    ("settings", "how", "expected"),
    [
        ({}, {}, ("default", 5)),
        ({}, {"is_awaited": True}, ("interactive", 5)),
        ({}, {"is_awaited": True, "queue": "bulk"}, ("bulk", 5)),
        ({"queue": "default", "priority": 0}, {"is_awaited": True, "queue": "bulk"}, ("default", 0)),
    ],
)
def test_the_settings_choose_the_queue_then_what_starts_it_then_whether_somebody_waits(settings, how, expected):
    found = place(settings, **how)

    assert (found.queue, found.priority) == expected


def test_a_start_counts_under_its_limit_and_joins_its_gathering():
    settings = {
        "concurrency": {"limit": 3, "when_full": "queue", "queue_limit": 9},
        "debounce": {"wait": "30s", "key": "{{ trigger.body.order }}", "max_wait": "5m"},
    }
    slot = Slot(f"{FLOW}:", "queue", 9)

    assert place(settings, trigger={"body": {"order": 17}}) == Place(
        slot=slot, gathering=Gathering(f"{FLOW}:17", 30.0, 300.0)
    )
    assert place(settings, trigger={"body": {"order": 17}}, may_gather=False) == Place(slot=slot)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Ada", "Ada"),
        (17, "17"),
        (True, "true"),
        (None, ""),
        ({"b": 1, "a": [2]}, '{"b":1,"a":[2]}'),
        ("a\x00b", "a\ufffdb"),
        ("x" * 200, "x" * 200),
        ("x" * 201, "sha256-84a0678c90937f5dcf9994d5866668da6b995109c8ad845410559b48a4ecafed"),
    ],
)
def test_a_key_is_a_text_that_a_column_can_hold(value, expected):
    assert key("{{ inputs.value }}", value=value) == expected


def test_a_key_that_cannot_be_told_is_an_error():
    with pytest.raises(ExpressionError):
        key("{{ inputs.name | int }}", name="Ada")
