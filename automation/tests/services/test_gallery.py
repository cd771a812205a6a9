"""The gallery's workflows do what their descriptions say, run in memory."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from automation.engine.plan import build_plan
from automation.engine.simulate import START, Setup, Simulated, run_flow
from automation.engine.status import RunStatus, StepStatus
from automation.gallery import all_samples
from automation.steps import all_kinds
from tests.flows.workspace import FlowWorkspace

DOCUMENTS = {sample.key: sample.body["definition"] for sample in all_samples()}
BY_NAME = {sample.body["name"]: sample.body["definition"] for sample in all_samples()}


def ran(key: str, workspace: FlowWorkspace | None = None, **inputs: Any) -> Simulated:
    setup = Setup(inputs=inputs, workspace=workspace or FlowWorkspace(workflows=BY_NAME))
    return run_flow(build_plan(DOCUMENTS[key], all_kinds()), setup)


def statuses(result: Simulated, *paths: str) -> list[str]:
    return [result.steps[path].status.word for path in paths]


@pytest.mark.parametrize(("hour", "greeting"), [(9, "Good day, Ada!"), (18, "Good evening, Ada!")])
def test_hello_greets_by_the_time_of_day(hour: int, greeting: str):
    assert ran("hello", name="Ada", hour=hour).finished.output == {"greeting": greeting}


def test_the_ticket_is_answered_before_the_work():
    result = ran("answer_then_work", subject="paper")

    assert result.response["body"] == result.finished.output == {"ticket": "run", "subject": "paper"}
    assert result.finished_at - START == timedelta(seconds=5)


def test_a_broken_row_stops_no_other():
    result = ran("import_with_failures")

    assert result.finished.output == {
        "imported": [{"sku": "APPLE", "cents": 120}, {"sku": "PLUM", "cents": 80}],
        "failed": ["rows[1].read"],
    }
    assert result.steps["rows"].reason == {"type": "for_each", "items": 3, "succeeded": 2, "failed": 1}
    assert [item["label"] for item in result.steps["rows[0-2]"].output["items"]] == ["apple", "pear", "plum"]


def test_a_small_refund_asks_nobody():
    result = ran("approval_before_a_write", amount=20)

    assert result.finished.output == {"refund": {"amount": 20, "reason": "small"}}
    assert statuses(result, "ask", "refuse") == ["skipped", "skipped"]


def test_a_large_refund_waits_for_somebody():
    workspace = FlowWorkspace(answers={"ask": [{"state": "approved", "data": {"reason": "late"}}]})
    result = ran("approval_before_a_write", workspace, order="B-2", amount=500)

    assert result.finished.output == {"refund": {"amount": 500, "reason": "late"}}
    assert workspace.values == {"refund:B-2": {"amount": 500, "reason": "late"}}


def test_a_large_refund_nobody_decides_is_not_booked():
    workspace = FlowWorkspace()
    result = ran("approval_before_a_write", workspace)

    assert (result.finished.output, workspace.values) == ({"refund": None}, {})
    assert statuses(result, "ask", "book", "refuse") == ["succeeded", "skipped", "succeeded"]
    assert result.finished_at - START == timedelta(days=2)


def test_what_fails_is_caught_and_the_stock_opens_again():
    workspace = FlowWorkspace()
    result = ran("try_catch_finally", workspace, wanted=9, there=4)

    assert result.finished.output == "5 pieces are missing."
    assert ("explain", "give_up failed: 5 pieces are missing.") in [(path, line.message) for path, line in result.logs]
    assert (result.steps["sale"].port, workspace.values) == ("caught", {"stock:is_open": True})


def test_the_stock_opens_again_after_a_sale_too():
    workspace = FlowWorkspace()
    result = ran("try_catch_finally", workspace, wanted=3, there=4)

    assert (result.finished.output, result.steps["sale"].port) == ("Sold.", "ok")
    assert workspace.values == {"stock:is_open": True}


def test_a_night_is_counted_once():
    workspace = FlowWorkspace()
    days = ["2026-11-22", "2026-11-22", "2026-11-23"]

    counted = [ran("counter_each_night", workspace, day=day).finished.output["was_counted"] for day in days]

    assert counted == [True, False, True]
    assert workspace.values == {"night:last": "2026-11-23", "night:count": 2}
    assert workspace.events == [
        ("night.counted", {"day": "2026-11-22", "nights": 1}),
        ("night.counted", {"day": "2026-11-23", "nights": 2}),
    ]


def test_the_day_of_the_run_is_counted_without_an_input():
    workspace = FlowWorkspace()
    ran("counter_each_night", workspace)

    assert workspace.values["night:last"] == START.date().isoformat()


def test_each_order_is_billed_by_a_run_of_its_own():
    result = ran("invoices_of_many_orders")

    assert result.finished.output == {"cents": 1200, "failed": 1}
    [good, bad] = result.steps["bill"].output
    assert good == {"invoice": "INV-A-1", "cents": 1200}
    assert bad["error"]["type"] == "child_failed"


def test_an_invoice_adds_up_the_lines():
    assert ran("invoice_of_one_order", order="7", prices=[1, 2]).finished.output == {"invoice": "INV-7", "cents": 3}
    assert ran("invoice_of_one_order", order="8", prices=[]).finished.status is RunStatus.FAILED


def test_whoever_has_the_link_confirms():
    result = ran("confirm_by_link", FlowWorkspace(signals={"confirmed": [{"yes": True}]}))

    assert result.finished.output == {"confirmed": True, "said": {"yes": True}}
    assert result.steps["give_up"].status is StepStatus.SKIPPED


def test_a_link_nobody_opens_gives_up_after_a_week():
    result = ran("confirm_by_link")

    assert result.finished.output == {"confirmed": False, "said": None}
    assert result.finished_at - START == timedelta(days=7)


def test_the_latest_plan_of_a_customer_is_kept():
    workspace = FlowWorkspace()
    outputs = [ran("latest_of_each_customer", workspace, plan=plan).finished.output for plan in ("small", "large")]

    assert outputs == [{"plan": "small", "changes": 1}, {"plan": "large", "changes": 2}]


def test_starts_of_one_customer_share_a_limit_and_are_gathered():
    settings = build_plan(DOCUMENTS["latest_of_each_customer"], all_kinds()).settings

    assert settings.concurrency is not None
    assert settings.debounce is not None
    assert (settings.concurrency.limit, settings.concurrency.queue_limit) == (1, 100)
    assert (settings.debounce.wait_seconds, settings.debounce.max_wait_seconds) == (2, 30)
