"""Large values: written beside their rows in the same transaction, read back whole, never read back wrong."""

from __future__ import annotations

import hashlib
from uuid import uuid4

import orjson
import pytest
from django.db import connection

from automation.engine.results import StepResult
from automation.engine.status import RunStatus, StepStatus
from automation.models import Payload, Run, RunData, StepRun
from automation.store.checkpoint import Entry, Move, write_checkpoint
from automation.store.claim import claim_runs
from automation.store.connection import Connection
from automation.store.load import BrokenRuns, load_inputs, load_steps
from automation.store.payloads import BrokenPayload, load_payloads, whole
from automation.store.workers import register


@pytest.fixture
def store(transactional_db):
    store = Connection()
    yield store
    store.close()


@pytest.fixture
def claim(store, make_workflow, accept):
    """Accept `count` runs with these values and claim them."""

    def run(count=1, **values):
        version = make_workflow({"id": "a", "uses": "transform", "with": {"set": {}}})
        for _ in range(count):
            accept(version, **values)
        worker_id = uuid4()
        register(store, worker_id=worker_id, name=f"host/{worker_id}", pid=1, release="", slots=4)
        return claim_runs(store, worker_id=worker_id, queue="default", limit=count)

    return run


def text_of(size):
    """A value whose JSON has exactly `size` bytes."""
    return "x" * (size - 2)


def done(output, path="a", status=StepStatus.SUCCEEDED, kind="transform"):
    return StepResult(path, kind, status, output=output)


def test_a_value_exactly_at_the_limit_stays_in_its_row_and_one_byte_more_does_not(store, claim, settings):
    settings.BRAINOPS_INLINE_BYTES = 5000
    run = claim()[0]

    write_checkpoint(store, [Entry(run.id, run.claim, (done(text_of(5000)), done(text_of(5001), "b")))])

    rows = dict(StepRun.objects.values_list("path", "output"))
    refs = dict(StepRun.objects.values_list("path", "output_ref"))
    raw = orjson.dumps(text_of(5001))
    assert rows == {
        "a": text_of(5000),
        "b": {"preview": '"' + "x" * 2047, "size": 5001, "truncated": True},
    }
    assert refs == {"a": None, "b": hashlib.sha256(raw).hexdigest()}
    assert list(Payload.objects.values_list("sha256", "size")) == [(refs["b"], 5001)]


def test_a_large_value_counts_its_bytes_not_its_characters(store, claim, settings):
    settings.BRAINOPS_INLINE_BYTES = 5000
    run = claim()[0]

    write_checkpoint(store, [Entry(run.id, run.claim, (done("é" * 2500),))])

    assert StepRun.objects.get().output == {"preview": '"' + "é" * 2047, "size": 5002, "truncated": True}


def test_steps_and_the_output_of_a_run_come_back_whole(store, claim):
    run = claim()[0]
    value = {"items": [{"n": n, "text": "é" * 20} for n in range(5000)]}

    write_checkpoint(store, [Entry(run.id, run.claim, (done(value),), move=Move(RunStatus.SUCCEEDED, output=value))])

    data = RunData.objects.get(run_id=run.id)
    with connection.cursor() as cursor:
        output = whole(cursor, run.id, data.output, data.output_ref)
    assert load_steps(store, [run.id])[run.id]["a"].output == value
    assert output == value
    assert Payload.objects.count() == 1  # the same value twice stands once
    assert data.output["truncated"] is True


def test_a_run_that_was_cancelled_meanwhile_keeps_no_output(store, claim):
    run = claim()[0]
    with connection.cursor() as cursor:
        cursor.execute("update automation_run set cancel_requested_at = now()")

    write_checkpoint(store, [Entry(run.id, run.claim, move=Move(RunStatus.SUCCEEDED, output=text_of(100_000)))])

    data = RunData.objects.get(run_id=run.id)
    assert (data.output, data.output_ref, Payload.objects.count()) == (None, None, 0)


def test_a_wrong_claim_keeps_no_payload(store, claim):
    run = claim()[0]

    assert write_checkpoint(store, [Entry(run.id, uuid4(), (done(text_of(100_000)),))]) == {}
    assert not Payload.objects.exists()


def test_what_a_row_no_longer_refers_to_is_deleted_with_the_next_large_value(store, claim):
    run = claim()[0]

    for size in (100_000, 200_000):
        write_checkpoint(store, [Entry(run.id, run.claim, (done(text_of(size), status=StepStatus.OPEN),))])

    assert list(Payload.objects.values_list("size", flat=True)) == [200_000]


def test_a_small_value_takes_the_place_of_a_large_one(store, claim):
    run = claim()[0]

    write_checkpoint(store, [Entry(run.id, run.claim, (done(text_of(100_000), status=StepStatus.OPEN),))])
    write_checkpoint(store, [Entry(run.id, run.claim, (done("small"),))])

    assert load_steps(store, [run.id])[run.id]["a"].output == "small"


def test_a_batch_of_a_loop_shows_its_items_without_their_large_outputs(store, claim):
    run = claim()[0]
    items = [{"index": n, "label": f"#{n}", "status": "succeeded", "output": {"text": "x" * 2000}} for n in range(99)]
    items.append({"index": 99, "label": None, "status": "open", "steps": [{"path": "in", "output": "y" * 2000}]})

    batch = done({"items": items}, "loop[0-99]", StepStatus.OPEN, "for_each.batch")
    write_checkpoint(store, [Entry(run.id, run.claim, (batch,))])

    shown = StepRun.objects.get().output
    assert load_steps(store, [run.id])[run.id]["loop[0-99]"].output == {"items": items}
    assert (len(shown["items"]), shown["truncated"], shown["items"][3]["label"]) == (100, True, "#3")
    assert shown["items"][3]["output"] == {"preview": '{"text":"' + "x" * 119, "size": 2011, "truncated": True}
    assert shown["items"][99]["steps"][0]["output"]["size"] == 2002


def test_a_large_input_is_claimed_by_its_beginning_and_loaded_whole(store, claim):
    inputs, trigger = {"name": "Ada", "rows": ["x" * 100] * 1000}, {"kind": "webhook", "body": {"b": "y" * 70_000}}

    claimed = claim(inputs=inputs, trigger=trigger)
    [run] = load_inputs(store, claimed)

    assert claimed[0].input["inputs"]["name"] == "Ada"
    assert claimed[0].input["trigger"]["kind"] == "webhook"
    assert claimed[0].input["trigger"]["body"]["truncated"] is True
    assert run.input == {"inputs": inputs, "trigger": trigger}


def test_a_small_input_costs_no_payload(store, claim):
    claimed = claim(inputs={"name": "Ada"})

    assert load_inputs(store, claimed) == claimed
    assert not Payload.objects.exists()


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ("update automation_payload set data = substr(data, 1, 20)", "it does not decompress"),
        ("update automation_payload set sha256 = repeat('0', 64)", "is missing"),
        ("delete from automation_payload", "is missing"),
        ("update automation_payload set codec = 'lzma'", "is packed as 'lzma'"),
        ("update automation_payload set size = 7", "have another checksum"),
    ],
)
def test_a_damaged_payload_is_never_read_as_a_value(store, claim, damage, said):
    broken, healthy = claim(2)
    write_checkpoint(store, [Entry(run.id, run.claim, (done(text_of(100_000 + run.id)),)) for run in (broken, healthy)])
    with connection.cursor() as cursor:
        cursor.execute(damage + " where run_id = %s", [broken.id])

    with pytest.raises(BrokenRuns) as raised:
        load_steps(store, [broken.id, healthy.id])

    assert list(raised.value.broken) == [broken.id]
    assert said in raised.value.broken[broken.id]
    assert list(load_steps(store, [healthy.id])) == [healthy.id]


def test_bytes_that_were_swapped_for_others_are_noticed(store, claim):
    first, second = claim(2)
    write_checkpoint(store, [Entry(run.id, run.claim, (done(text_of(100_000 + run.id)),)) for run in (first, second)])
    with connection.cursor() as cursor:
        cursor.execute(
            "update automation_payload set (data, size) = "
            "(select data, size from automation_payload where run_id = %s) where run_id = %s",
            [first.id, second.id],
        )
    ref = StepRun.objects.get(run_id=second.id).output_ref

    value = load_payloads(store, [(second.id, ref)])[second.id, ref]

    assert isinstance(value, BrokenPayload)
    assert "another checksum" in str(value)


def test_a_large_value_with_a_nul_character_is_refused_like_a_small_one(store, claim):
    run = claim()[0]

    with pytest.raises(ValueError, match="NUL"):
        write_checkpoint(store, [Entry(run.id, run.claim, (done("a\0" * 50_000),))])

    assert Run.objects.get(id=run.id).status == RunStatus.RUNNING
