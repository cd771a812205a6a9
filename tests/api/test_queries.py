"""How many queries each address takes: the committed baseline, the same for one row and for thirty.

`queries.json` is that baseline. A change of it is a change of what requests cost; say why in the commit. It is written
anew by `WRITE_QUERIES=1 python -m pytest tests/api/test_queries.py`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from automation.models import Approval, Event, EventDelivery, Limit, Run, RunLog, StateValue, StepRun, Trigger
from automation.models.replay import ReplayItem
from automation.tests.api.conftest import HELLO
from brainops.accounts.models import Membership, User
from brainops.core import clock
from tests.api.conftest import Walker
from tests.api.walk import lists, path_of
from webhooks.models import EventVerdict, OutboundDelivery, Subscription, WebhookEvent

BASELINE = Path(__file__).with_name("queries.json")


def fill(walker: Walker, count: int) -> None:
    """So many more rows in the lists that tests can fill by hand."""
    home, parents, now = walker.workspace, walker.parents, clock.now()
    run = Run.objects.get(uid=parents["runs"])
    for n in range(count):
        path = f"/workflows/{walker.make(name=f'w{n}', tags=[f't{n}'])['id']}"
        walker.patch(f"/workflows/{parents['workflows']}", {"name": f"n{n}"})
        walker.post(f"{path}/execute")
        walker.post("/triggers", {"workflow_id": path[11:], "kind": "webhook", "config": {"scheme": "github"}})
        user = User.objects.create_user(f"{n}-{home.slug}@example.com")
        Membership.objects.create(user=user, workspace=home)
    for kind, rows in {
        Event: [Event(workspace=home, name="e", run=run) for _ in range(count)],
        StateValue: [StateValue(workspace=home, key=f"k{n}") for n in range(count)],
        StepRun: [StepRun(run=run, path=f"s{n}", kind="log", status=50) for n in range(count)],
        RunLog: [RunLog(run=run, seq=n, at=now, level="info", message="m") for n in range(count)],
        Approval: [Approval(workspace=home, run=run, path=f"a{n}", title="t") for n in range(count)],
        Limit: [Limit(key=f"{run.workflow_id}:{n}", workflow=run.workflow, capacity=1) for n in range(count)],
        ReplayItem: [ReplayItem(replay_id=parents["replays"], run=one) for one in Run.objects.filter(workspace=home)],
        WebhookEvent: [_delivery(walker) for _ in range(count)],
        Subscription: [Subscription(workspace=home, url="https://x", types=["*"], secret="s") for _ in range(count)],
        OutboundDelivery: [_outbound(walker, n) for n in range(count)],
    }.items():
        kind.objects.bulk_create(rows)
    listening = Trigger.objects.create(workspace=home, workflow=run.workflow, kind="event", config={"type": "e"})
    EventDelivery.objects.bulk_create(
        EventDelivery(workspace=home, event=event, trigger=listening, position=0)
        for event in Event.objects.filter(run=run)
    )


def _outbound(walker: Walker, number: int) -> OutboundDelivery:
    told = {"event_id": str(number), "type": "order.paid", "body": {}, "state": "sent", "ends_at": clock.now()}
    return OutboundDelivery(workspace=walker.workspace, subscription_id=walker.parents["subscriptions"], **told)


def _delivery(walker: Walker) -> WebhookEvent:
    return WebhookEvent(
        workspace=walker.workspace,
        endpoint_id=walker.parents["webhooks"],
        verdict=EventVerdict.ACKNOWLEDGED,
        status=200,
        body=b"",
        size_bytes=0,
    )


def cost(walker: Walker, path: str, method: str = "GET", body: object = None) -> int:
    """The queries of a request. Transactions are told by the database, not by a query; savepoints do not count."""
    with CaptureQueriesContext(connection) as seen:
        answer = walker.send(method, path, body)
    assert answer.status_code < 300, (path, answer.content)
    return sum("SAVEPOINT" not in query["sql"] for query in seen.captured_queries)


def costs_of_lists(walker: Walker) -> dict[str, int]:
    has_parent = [verb for verb in lists() if "<" not in verb.route or verb.route.split("/")[0] in walker.parents]
    paths = {str(verb): path_of(verb, walker.parents) for verb in has_parent if "<str:path>" not in verb.route}
    for path in paths.values():
        walker.send("GET", path)  # what a process learns once is no cost of a request
    return {name: cost(walker, path) for name, path in paths.items()}


def test_a_list_of_thirty_costs_as_many_queries_as_a_list_of_one(new_walker: Callable[[], Walker]):
    few, many = new_walker(), new_walker()
    fill(few, 1)
    fill(many, 30)

    found = costs_of_lists(many)

    assert found == costs_of_lists(few)
    _compare("lists", found)


def test_single_requests_cost_what_they_did(walker: Walker):
    path = f"/workflows/{walker.parents['workflows']}"
    requests = {
        "GET /me": ("/me",),
        "GET /workflows/{id}": (path,),
        "GET /runs/{id}": (f"/runs/{walker.parents['runs']}",),
        "POST /workflows": ("/workflows", "POST", {"name": "n", "definition": HELLO}),
        "PATCH /workflows/{id}": (path, "PATCH", {"description": "d"}),
        "POST /workflows/{id}/execute": (f"{path}/execute", "POST", {}),
        "POST /workflows/validate": ("/workflows/validate", "POST", {"definition": HELLO}),
    }
    for request in requests.values():
        walker.send(request[1] if len(request) > 1 else "GET", request[0], request[2] if len(request) > 2 else None)

    _compare("single", {name: cost(walker, *request) for name, request in requests.items()})


def test_knowing_the_caller_and_what_it_may_do_is_one_query(walker: Walker):
    walker.get("/catalogue")

    assert cost(walker, "/catalogue") == 1


def _compare(part: str, found: dict[str, int]) -> None:
    known = json.loads(BASELINE.read_text(encoding="utf-8")) if BASELINE.exists() else {}
    if os.environ.get("WRITE_QUERIES"):
        BASELINE.write_text(json.dumps({**known, part: found}, indent=2, sort_keys=True) + "\n", encoding="utf-8")
        pytest.skip("The baseline was written.")
    assert found == known[part]
