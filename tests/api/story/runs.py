"""Runs: started, watched, waited for, retried, replayed, and what people answer them."""

from __future__ import annotations

from typing import Any

from automation.models import Approval, Run
from automation.tests.approvals.rows import ask as ask_for
from tests.api.story.teller import Voice
from tests.api.story.workflows import make
from tests.live import Receiver, wait_until

ORDERS = [{"number": number, "total": 19.5 * number} for number in (1, 2, 3)]


def started(ada: Voice, workflow: str, **inputs: Any) -> str:
    """A run that nobody waits for."""
    return str(ada.ask("workflows_execute_create", {"inputs": inputs} if inputs else None, id=workflow)["id"])


def ended(ada: Voice, workflow: str, **inputs: Any) -> str:
    """A run that has ended."""
    run = started(ada, workflow, **inputs)
    wait_until(lambda: Run.objects.get(uid=run).is_final)
    return run


def parked(run: str) -> Run:
    """A run that waits for somebody."""
    wait_until(lambda: Run.objects.get(uid=run).status_word == "waiting")
    return Run.objects.get(uid=run)


def of_one_workflow(ada: Voice, greet: str) -> None:
    """Started and waited for, listed, and planned without doing anything."""
    run = str(ada.ask("workflows_execute_create", {"inputs": {"name": "Ada"}}, id=greet, query={"wait": 10})["id"])
    ended(ada, greet, name="Grace")
    ada.ask("runs_list", query={"limit": 2})
    ada.ask("workflows_runs_list", id=greet)
    ada.ask("runs_retrieve", id=run)
    ada.ask("runs_logs_list", id=run)
    ada.ask("runs_pin_create", id=run)
    ada.ask("runs_pin_destroy", id=run)
    ada.ask("workflows_dry_run_create", {"inputs": {"name": "Ada"}}, id=greet)
    ada.ask("events_list")
    ada.ask("metrics_retrieve")


def of_orders(ada: Voice, shop: Receiver) -> None:
    """Loops, calls, large values, and things done outside; one of them fails and is run again."""
    each = {
        "id": "each",
        "for_each": {"items": "{{ inputs.orders }}"},
        "steps": [_line("note", "Order {{ item.number }}")],
    }
    called = make(ada, "Confirm", _line("tell", "Confirmed."))
    call = {"id": "confirm", "needs": ["each"], "call": {"workflow": called, "wait": True}}
    big = {"id": "letter", "uses": "transform", "with": {"set": {"text": "{{ inputs.letter }}"}}}
    run = ended(ada, make(ada, "Orders", each, call, big), orders=ORDERS, letter="Dear customer, " * 80)
    ada.ask("runs_steps_list", id=run)
    ada.ask("runs_steps_items_list", id=run, path="each")
    ada.ask("runs_children_list", id=run)
    shown = ada.ask("runs_steps_list", id=run, query={"path": "letter"})["results"][0]
    ada.ask("runs_payloads_retrieve", id=run, sha256=shown["output_ref"])
    _again(ada, shop)


def _again(ada: Voice, shop: Receiver) -> None:
    send = {
        "id": "send",
        "uses": "http.request",
        "with": {"method": "POST", "url": shop.url + "orders", "json": {"id": 7}},
    }
    stop = {"id": "stop", "needs": ["send"], "uses": "fail", "with": {"message": "The shop is closed."}}
    flow = make(ada, "Ship", send, stop)
    failed = [ended(ada, flow) for _ in range(2)]
    ada.ask("runs_effects_list", id=failed[0])
    ada.ask("runs_retry_preview_create", {"from": "failed"}, id=failed[0])
    ada.ask("runs_retry_create", {"from": "failed"}, id=failed[0], query={"wait": 10})
    ada.ask("runs_retry_create", {"from": "start"}, id=failed[0])
    shop.delay_seconds = 1
    run = started(ada, flow)
    wait_until(lambda: shop.keys["7"].total() > len(failed))
    ada.ask("runs_cancel_create", id=run)
    shop.delay_seconds = 0
    chosen = {"runs": failed, "from": "failed", "per_minute": 60}
    ada.ask("replays_preview_create", chosen)
    replay = str(ada.ask("replays_create", chosen)["id"])
    ada.ask("replays_list")
    ada.ask("replays_retrieve", id=replay)
    ada.ask("replays_items_list", id=replay)
    ada.ask("replays_cancel_create", id=str(ada.ask("replays_create", chosen)["id"]))


def of_people(ada: Voice, home: Any, other: str) -> None:
    """Approvals, the question what became of an effect, signals, and runs that are ended."""
    form = {"type": "object", "properties": {"amount": {"type": "number"}}}
    flow = make(ada, "Refund", {"id": "ask", "uses": "approval", "with": {"title": "Refund the order?", "form": form}})
    for verb, body in (
        ("approve", {"comment": "Fine with me.", "data": {"amount": 12.5}}),
        ("reject", {"comment": "Too late."}),
    ):
        run = parked(started(ada, flow))
        id_ = str(Approval.objects.get(run=run).id)
        ada.ask("approvals_list", query={"state": "pending"})
        ada.ask("approvals_reassign_create", {"assignees": [f"user:{other}"]}, id=id_)
        ada.ask("approvals_reassign_create", {"assignees": ["user:ada"]}, id=id_)
        ada.ask("approvals_retrieve", id=id_)
        ada.ask(f"approvals_{verb}_create", body, id=id_)
    ada.ask("runs_cancel_create", id=str(parked(started(ada, flow)).uid))
    lost = ask_for(home, kind="unknown", title="Did the step pay happen?")
    body = {"answer": "happened", "output": {"status": 201}, "comment": "The shop has it."}
    ada.ask("approvals_answer_create", body, id=str(lost.id))
    _signals(ada)
    many = [str(parked(started(ada, flow)).uid) for _ in range(2)]
    ada.ask("runs_bulk_create", {"action": "cancel", "ids": many})


def _signals(ada: Voice) -> None:
    link = {"id": "link", "uses": "signal_url", "with": {"name": "paid", "expires": "7d"}}
    wait = {"id": "wait", "uses": "wait_signal", "needs": ["link"], "with": {"name": "paid"}}
    after = {"id": "after", "uses": "wait_signal", "needs": ["wait"], "with": {"name": "shipped"}}
    run = str(parked(started(ada, make(ada, "Wait for payment", link, wait, after))).uid)
    for _ in range(2):
        ada.ask("runs_signals_create", {"payload": {"at": "depot"}, "key": "parcel-7"}, id=run, name="parcel")
    steps = ada.ask("runs_steps_list", id=run)["results"]
    address = next(step["output"]["url"] for step in steps if step["path"] == "link")
    Voice(ada.book).ask("callbacks_create", {"paid": True}, token=address.rpartition("/")[2])


def _line(id_: str, message: str) -> dict[str, Any]:
    return {"id": id_, "uses": "log", "with": {"message": message}}
