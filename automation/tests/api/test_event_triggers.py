"""Triggers of kind event: what may be asked for, what is refused with its place, and what becomes of their wishes."""

import pytest

from automation.models import Event, EventDelivery, EventWish
from automation.tests.events.rows import publish, said, settle

pytestmark = pytest.mark.django_db


def make(owner, config):
    return owner.post("/triggers", {"workflow_id": owner.make()["id"], "kind": "event", "config": config})


def wishes():
    return sorted(EventWish.objects.values_list("type", flat=True))


def test_a_trigger_listens_from_the_moment_it_is_saved_until_it_is_gone(owner):
    made = make(owner, {"type": ["order.*", "invoice.paid"], "data": {"total": [{"numeric": [">", 5]}]}})
    path = f"/triggers/{made.json()['id']}"

    first = wishes()
    owner.patch(path, {"config": {"type": "order.paid"}})
    changed = wishes()
    owner.patch(path, {"is_active": False})
    silent = wishes()
    owner.patch(path, {"is_active": True})
    back = wishes()
    owner.delete(path)

    assert made.status_code == 201, made.content
    assert (first, changed, silent, back, wishes()) == (
        ["invoice.paid", "order.*"],
        ["order.paid"],
        [],
        ["order.paid"],
        [],
    )


def test_the_wishes_of_a_workflow_go_with_it(owner):
    flow = owner.make()["id"]
    owner.post("/triggers", {"workflow_id": flow, "kind": "event", "config": {"type": "*"}})

    assert owner.delete(f"/workflows/{flow}").status_code == 204
    assert wishes() == []


@pytest.mark.parametrize(
    ("config", "pointer"),
    [
        ({}, "/config"),
        ({"type": ""}, "/config/type"),
        ({"type": []}, "/config/type"),
        ({"type": "order*paid"}, "/config/type"),
        ({"type": "**"}, "/config/type"),
        ({"type": "order.\n*"}, "/config/type"),
        ({"type": "x" * 300}, "/config/type"),
        ({"type": ["x"] * 2}, "/config/type"),
        ({"type": [f"x{n}" for n in range(21)]}, "/config/type"),
        ({"type": "x", "source": 7}, "/config/source"),
        ({"type": "x", "regex": "(a+)+$"}, "/config/regex"),
        ({"type": "x", "data": {}}, "/config/data"),
        ({"type": "x", "data": {"a": "b"}}, "/config/data/a"),
        ({"type": "x", "data": {"a": [{"wildcard": "*a*a*a"}]}}, "/config/data/a/0"),
        ({"type": "x", "data": {"a": [{"numeric": [">", "1"]}]}}, "/config/data/a/0"),
    ],
    ids=range(15),
)
def test_what_cannot_be_listened_to_is_refused_with_its_place(owner, config, pointer):
    refusal = make(owner, config)

    assert refusal.status_code == 400, refusal.content
    assert pointer in {problem["pointer"][: len(pointer)] for problem in refusal.json()["problems"]}
    assert wishes() == []


def test_a_refused_pattern_says_what_may_stand_there(owner):
    (problem,) = make(owner, {"type": "order*paid"}).json()["problems"]

    assert problem["message"] == (
        '"type" must be a text, with a star at its end for all that begin like it, or a list of 1 to 20 of them, '
        'got "order*paid".'
    )


def test_a_trial_of_what_came_sees_the_event(owner):
    made = make(owner, {"type": "order.*"}).json()
    publish(owner.workspace, said("order.paid", {"id": 7}, id="a1"))
    settle()

    answer = owner.post(f"/triggers/{made['id']}/test", {})

    assert answer.status_code == 200, answer.content
    assert answer.json()["trigger"]["event"]["id"] == "a1"


def test_the_catalogue_shows_the_kind(owner):
    kinds = {kind["key"]: kind for kind in owner.get("/catalogue").json()["triggers"]}

    assert kinds["event"]["title"] == "Event"


def test_a_dry_run_emits_nothing(owner):
    make(owner, {"type": "*"})
    tell = {"id": "tell", "uses": "emit_event", "with": {"name": "order.paid"}}
    flow = owner.make(definition={"schema": 1, "steps": [tell]})["id"]
    settle()
    Event.objects.all().delete()

    answer = owner.post(f"/workflows/{flow}/dry-run", {})
    settle()

    assert (answer.status_code, Event.objects.count()) == (200, 0)


def test_a_workflow_goes_with_what_was_delivered_to_it_alone_or_with_others(owner):
    flows = [make(owner, {"type": "order.*"}).json()["workflow_id"] for _ in range(2)]
    publish(owner.workspace, said())
    settle()

    alone = owner.delete(f"/workflows/{flows[0]}")
    together = owner.post("/workflows/bulk", {"action": "delete", "ids": [flows[1]]})

    assert (alone.status_code, together.status_code) == (204, 200), together.content
    assert (EventDelivery.objects.count(), Event.objects.count()) == (0, 1)
