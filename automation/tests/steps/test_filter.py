"""filter: the items that a condition holds for."""

import pytest

from automation.engine.kinds import Done
from automation.tests.steps.run_step import run_step


def kept(items, where, **more):
    return run_step("filter", {"items": items, "where": where, **more}, inputs={"least": 2})


def test_items_are_kept_in_their_order():
    assert kept([3, 1, 2], "{{ item >= inputs.least }}") == Done({"items": [3, 2], "count": 2, "dropped": 1})


def test_false_null_zero_and_empty_drop_an_item():
    assert kept([0, "", None, [], {}, False, 1, "a"], "{{ item }}") == Done(
        {"items": [1, "a"], "count": 2, "dropped": 6}
    )


def test_the_index_can_decide():
    assert kept(["a", "b", "c"], "{{ index is even }}").output["items"] == ["a", "c"]


@pytest.mark.parametrize(("limit", "items", "dropped"), [(0, [], 3), (1, [1], 2), (9, [1, 2, 3], 0)])
def test_a_limit_stops_the_search(limit, items, dropped):
    assert kept([1, 2, 3], "{{ true }}", limit=limit) == Done({"items": items, "count": len(items), "dropped": dropped})


def test_nothing_behind_the_limit_is_evaluated():
    assert kept([{"a": 1}, {}], "{{ item.a }}", limit=1).output["count"] == 1


def test_a_constant_decides_for_all():
    assert kept([1, 2], False) == Done({"items": [], "count": 0, "dropped": 2})
