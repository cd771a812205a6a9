"""What a real runtime leaves behind is read back: loops, their items, a retry of one item."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from automation.models import Run
from automation.tests.api.conftest import make_person, make_workspace

pytestmark = pytest.mark.django_db(transaction=True)

# items 17 and 120 fail
LOOP: dict[str, Any] = {
    "schema": 1,
    "steps": [
        {
            "id": "loop",
            "for_each": {"items": list(range(250)), "label": "No. {{ item }}", "on_item_error": "continue"},
            "steps": [
                {"id": "double", "uses": "transform", "with": {"set": {"n": "{{ item * 2 }}"}}},
                {
                    "id": "check",
                    "uses": "fail",
                    "needs": ["double"],
                    "if": "{{ item == 17 or item == 120 }}",
                    "with": {"message": "no"},
                },
            ],
            "output": "{{ steps.double.output.n }}",
        }
    ],
}


def test_the_items_of_a_real_loop_are_read_and_one_of_them_is_done_again(
    runtime: Any, ended: Callable[..., Run], waiting_room: Any
):
    owner = make_person(make_workspace())
    id_ = owner.make(definition=LOOP)["id"]
    run = owner.post(f"/workflows/{id_}/execute?wait=30").json()

    counts = {"items": 250, "succeeded": 248, "failed": 2, "skipped": 0, "active": 0}
    assert [(step["path"], step["status"], step["progress"]) for step in run["steps"]] == [
        ("loop", "succeeded", counts)
    ]
    batches = owner.get(f"/runs/{run['id']}/steps", path="loop").json()["results"]
    assert [(row["path"], row["progress"]["failed"]) for row in batches[1:]] == [
        ("loop[0-99]", 1),
        ("loop[100-199]", 1),
        ("loop[200-249]", 0),
    ]
    failed = owner.get(f"/runs/{run['id']}/steps/loop/items", status="failed").json()["results"]
    assert [(item["index"], item["label"], item["error"]["message"]) for item in failed] == [
        (17, "No. 17", "no"),
        (120, "No. 120", "no"),
    ]
    assert [step["path"] for step in failed[0]["steps"]] == ["loop[17].double", "loop[17].check"]
    assert owner.post(f"/runs/{run['id']}/retry/preview", {"from": "loop[17]"}).json()["again"] == ["loop", "loop[17]"]

    again = owner.post(f"/runs/{run['id']}/retry?wait=30", {"from": "failed"}).json()

    assert (again["steps"][0]["progress"], again["parent_run_id"]) == (counts, run["id"])
