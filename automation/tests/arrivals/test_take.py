"""What becomes of things that are brought to a trigger."""

import threading

import pytest
from django.db import connection, connections
from django.db.models.functions import Now

from automation.models import Arrival, Run, Variable
from automation.models.arrival import ArrivalDecision
from automation.services import quotas, runnable
from automation.services.arrivals import Arrived, forget_old, ledger_key, seen
from automation.tests.arrivals.rows import WITH_INPUTS, bring, items, ledger, make_trigger, runs_of
from automation.tests.triggers.rows import DEFINITION, make_workflow
from automation.triggers.contract import Item

pytestmark = pytest.mark.django_db

LIMITED = {**DEFINITION, "settings": {"concurrency": {"limit": 1, "when_full": "fail"}}}


@pytest.fixture(autouse=True)
def fresh_memory():
    runnable.forget_all()


def test_each_new_thing_starts_a_run_that_sees_it():
    trigger = make_trigger(inputs={"fixed": 1})

    taken = bring(trigger, items("a", "b"), trigger_facts={"address": "in@example.com"})

    runs = runs_of(trigger)
    assert [(one.key, one.decision, one.run_uid) for one in taken] == [
        ("a", ArrivalDecision.RAN, runs[0].uid),
        ("b", ArrivalDecision.RAN, runs[1].uid),
    ]
    seen_by_run = runs[0].data.input
    assert seen_by_run["inputs"] == {"fixed": 1}
    received_at = seen_by_run["trigger"].pop("received_at")
    assert seen_by_run["trigger"] == {
        "kind": "inbox",
        "trigger_id": str(trigger.id),
        "key": "a",
        "item": {"name": "a"},
        "address": "in@example.com",
    }
    assert received_at.startswith("20")


def test_a_thing_that_was_decided_is_not_decided_again():
    trigger = make_trigger()
    (first,) = bring(trigger, items("a"))

    assert bring(trigger, items("a", "a")) == [Arrived("a", ArrivalDecision.RAN, first.run_uid, is_new=False)]
    assert len(runs_of(trigger)) == 1


def test_the_fields_of_a_thing_are_the_declared_inputs_under_the_fixed_ones():
    trigger = make_trigger(definition=WITH_INPUTS, inputs={"total": 3})

    bring(trigger, [Item("a", {"total": 7, "more": True})])

    assert runs_of(trigger)[0].data.input["inputs"] == {"total": 3, "more": True}


def test_a_thing_that_does_not_fit_the_inputs_is_refused_with_the_reason():
    trigger = make_trigger(definition=WITH_INPUTS)

    (taken,) = bring(trigger, items("a"))

    assert (taken.decision, taken.run_uid) == (ArrivalDecision.REFUSED, None)
    assert "total" in taken.reason


def test_a_condition_that_does_not_hold_is_explained_with_its_operands():
    trigger = make_trigger(condition="{{ trigger.item.total > vars.least }}")
    Variable.objects.create(workspace=trigger.workspace, name="least", value=10)

    small, large = bring(trigger, [Item("small", {"total": 7}), Item("large", {"total": 12})])

    assert (small.decision, large.decision) == (ArrivalDecision.CONDITION, ArrivalDecision.RAN)
    row = Arrival.objects.get(trigger=trigger, key="small")
    assert row.reason == (
        "The condition does not hold: {{ trigger.item.total > vars.least }} "
        "with trigger.item.total is 7, vars.least is 10."
    )
    assert row.operands == [
        {"expression": "trigger.item.total", "value": 7},
        {"expression": "vars.least", "value": 10},
    ]


def test_a_condition_is_asked_before_the_inputs_are_checked():
    trigger = make_trigger(definition=WITH_INPUTS, condition="{{ trigger.item.kind == 'order' }}")

    (taken,) = bring(trigger, [Item("a", {"kind": "ping"})])

    assert taken.decision == ArrivalDecision.CONDITION


def test_a_condition_that_cannot_be_evaluated_is_a_refusal_and_keeps_the_thing():
    trigger = make_trigger(condition="{{ trigger.item.total > 10 }}")

    (taken,) = bring(trigger, [Item("a", {"total": "many"})])

    assert taken.decision == ArrivalDecision.FAILED
    assert taken.reason.startswith("The condition cannot be evaluated. Expression ")
    assert Arrival.objects.get(trigger=trigger).data == {"total": "many"}


@pytest.mark.parametrize("off", ["trigger", "workflow"])
def test_nothing_starts_while_something_is_switched_off(off):
    workflow = make_workflow(is_active=off != "workflow")
    trigger = make_trigger(workflow, is_active=off != "trigger")

    (taken,) = bring(trigger, items("a"))

    assert (taken.decision, runs_of(trigger)) == (ArrivalDecision.INACTIVE, [])


def test_things_that_were_there_before_are_only_remembered():
    trigger = make_trigger()

    bring(trigger, items("a"), skip=True)
    bring(trigger, items("a", "b"))

    assert ledger(trigger) == {"a": "skipped first", "b": "ran"}
    assert len(runs_of(trigger)) == 1


def test_what_finds_the_limit_full_waits_and_is_taken_when_there_is_room():
    trigger = make_trigger(definition=LIMITED)

    first, second = bring(trigger, items("a", "b"))

    assert (first.waits, second.waits, second.decision) == (False, True, ArrivalDecision.FULL)
    Run.objects.filter(uid=first.run_uid).update(status=50, finishes=1, finished_at=Now())
    taken = bring(trigger, items("a", "b"))
    assert [(one.decision, one.is_new) for one in taken] == [(ArrivalDecision.RAN, False), (ArrivalDecision.RAN, True)]
    assert len(runs_of(trigger)) == 2


def test_what_a_limit_leaves_out_on_purpose_does_not_wait():
    skipping = {**DEFINITION, "settings": {"concurrency": {"limit": 1, "when_full": "skip"}}}
    trigger = make_trigger(definition=skipping)

    _, second = bring(trigger, items("a", "b"))

    assert (second.decision, second.waits) == (ArrivalDecision.LEFT_OUT, False)


def test_what_is_beyond_the_quota_waits():
    trigger = make_trigger()
    type(trigger.workspace).objects.filter(id=trigger.workspace_id).update(max_runs_per_day=1)
    quotas.remembered.forget_all()

    try:
        first, second = bring(trigger, items("a", "b"))
    finally:
        quotas.remembered.forget_all()

    assert (first.decision, second.decision) == (ArrivalDecision.RAN, ArrivalDecision.OVER_QUOTA)
    assert second.waits


def test_text_that_no_column_holds_is_replaced_and_long_keys_are_known_by_their_hash():
    trigger = make_trigger()
    long = "k" * 600

    bring(trigger, [Item(long, {"text": "nul \x00, half \ud800", "big": 1 << 70})])

    row = Arrival.objects.get(trigger=trigger)
    assert row.key == ledger_key(long)
    assert row.data == {"text": "nul \ufffd, half ?", "big": str(1 << 70)}


def test_a_large_thing_is_kept_as_a_cut_sample_and_runs_whole():
    trigger = make_trigger()

    bring(trigger, [Item("a", {"text": "x" * 100_000, "small": 1})])

    row = Arrival.objects.get(trigger=trigger)
    assert (row.is_cut, row.data["small"], len(row.data["text"]) < 5_000) == (True, 1, True)


def test_seen_are_those_that_were_decided():
    trigger = make_trigger(definition=LIMITED)
    bring(trigger, items("a", "b"))

    with connection.cursor() as cursor:
        assert seen(cursor, trigger.id, ["a", "b", "c"]) == {"a"}


def age(trigger, days):
    with connection.cursor() as cursor:
        cursor.execute(
            "update automation_arrival set created_at = now() - make_interval(days => %s), "
            "seen_at = now() - make_interval(days => %s) where trigger_id = %s",
            [days, days, trigger.id],
        )


def test_old_rows_go_and_samples_before_them():
    old, young = make_trigger(), make_trigger()
    bring(old, items("a"))
    bring(young, items("a"))
    age(old, 31)
    age(young, 8)

    forget_old()

    assert ledger(old) == {}
    assert [row.data for row in Arrival.objects.filter(trigger=young)] == [None]


def test_what_a_source_still_shows_is_never_forgotten():
    trigger = make_trigger()
    bring(trigger, items("a"))
    age(trigger, 31)

    bring(trigger, items("a"))
    forget_old()

    assert ledger(trigger) == {"a": "ran"}


@pytest.mark.django_db(transaction=True)
def test_twenty_who_bring_the_same_thing_at_once_start_one_run():
    trigger = make_trigger()
    found, ready = [], threading.Barrier(20)

    def bring_it():
        try:
            ready.wait(30)
            found.extend(bring(trigger, items("b", "a")))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=bring_it) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    runs = runs_of(trigger)
    assert len(runs) == 2
    assert {one.run_uid for one in found} == {run.uid for run in runs}
    assert [one.is_new for one in found].count(True) == 2
