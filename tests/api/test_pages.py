"""Pages of a list: whole, in order, back and forth, whatever happens to the rows meanwhile."""

from __future__ import annotations

from typing import Any

from automation.models import Workflow
from automation.tests.api.conftest import Api
from brainops.core import clock
from brainops.core.api import pagination

PREFIX = "/api/v1/automation"


def follow(owner: Api, link: str) -> dict[str, Any]:
    return owner.send("GET", link.partition(PREFIX)[2]).json()


def names(page: dict[str, Any]) -> list[str]:
    return [row["name"] for row in page["results"]]


def make_many(owner: Api, count: int) -> None:
    """Workflows of one instant, as an import makes them: nothing but the id tells them apart."""
    now = clock.now()
    Workflow.objects.bulk_create(
        Workflow(workspace=owner.workspace, name=f"w{number:04}", definition={}, created_at=now, updated_at=now)
        for number in range(count)
    )


def test_rows_of_one_instant_are_each_on_one_page(owner: Api):
    make_many(owner, 1_250)  # more than an offset of a thousand would reach
    page, found = owner.get("/workflows", limit=200, fields="name").json(), []
    while True:
        found += names(page)
        if page["next"] is None:
            break
        page = follow(owner, page["next"])

    assert len(found) == len(set(found)) == 1_250


def test_the_way_back_shows_the_same_pages(owner: Api):
    make_many(owner, 7)
    first = owner.get("/workflows", limit=3, ordering="name").json()
    second = follow(owner, first["next"])
    third = follow(owner, second["next"])

    assert [names(page) for page in (first, second, third)] == [
        ["w0000", "w0001", "w0002"],
        ["w0003", "w0004", "w0005"],
        ["w0006"],
    ]
    assert (first["previous"], third["next"]) == (None, None)
    assert names(follow(owner, third["previous"])) == names(second)
    back = follow(owner, second["previous"])
    assert (names(back), back["previous"]) == (names(first), None)
    assert names(follow(owner, back["next"])) == names(second)


def test_rows_that_come_or_go_move_no_page(owner: Api):
    make_many(owner, 4)
    first = owner.get("/workflows", limit=2, ordering="name").json()
    Workflow.objects.filter(name="w0001").delete()  # the row the cursor stands on
    owner.make(name="w0000a")

    assert names(follow(owner, first["next"])) == ["w0002", "w0003"]


def test_a_cursor_of_another_order_is_refused(owner: Api):
    make_many(owner, 3)
    link = owner.get("/workflows", limit=1, ordering="name").json()["next"]

    assert follow(owner, link.replace("ordering=name", "ordering=created_at"))["code"] == "cursor_invalid"


def test_a_page_after_the_last_row_is_empty(owner: Api):
    make_many(owner, 2)
    link = owner.get("/workflows", limit=1, ordering="name").json()["next"]
    Workflow.objects.all().delete()

    assert follow(owner, link) == {"next": None, "previous": None, "results": []}


def test_a_count_is_exact_up_to_its_bound(owner: Api, monkeypatch):
    monkeypatch.setattr(pagination, "MOST_COUNTED", 3)
    make_many(owner, 3)
    exact = owner.get("/workflows", limit=1, count="true").json()
    make_many(owner, 1)
    more = owner.get("/workflows", limit=1, count="true", search="w000").json()

    assert (exact["count"], exact["count_is_exact"]) == (3, True)
    assert (more["count"], more["count_is_exact"]) == (3, False)
