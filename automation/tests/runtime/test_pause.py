"""Paused workers claim nothing, end what they hold, and go on where they were told to."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from automation.models import Run, Tick, Worker
from automation.services import pause
from automation.services.vitals import workers
from automation.store.workers import beat
from brainops.audit.actor import Actor
from brainops.audit.models import AuditEntry
from tests.live import wait_until

ME = Actor.system("test")


def said(name: str, **options: object) -> str:
    output = StringIO()
    call_command(name, stdout=output, **options)
    return output.getvalue()


def test_a_worker_hears_of_the_pause_with_its_next_heartbeat(store, new_worker):
    worker = new_worker()
    before = beat(store, worker_id=worker, busy=[]).is_paused
    pause.pause(ME)
    during = beat(store, worker_id=worker, busy=[]).is_paused
    pause.resume(ME)

    assert (before, during, beat(store, worker_id=worker, busy=[]).is_paused) == (False, True, False)


def test_nothing_is_claimed_while_paused_and_everything_afterwards(runtime, make_workflow, accept):
    pause.pause(ME)
    wait_until(lambda: runtime.claimer.is_paused)
    runs = [accept(make_workflow({"id": "a", "uses": "transform", "with": {"set": {}}})) for _ in range(3)]
    runtime.wake()
    wait_until(lambda: not runtime.claimer._kicked.is_set())
    claimed_meanwhile = Run.objects.exclude(status=10).count()

    pause.resume(ME)

    wait_until(lambda: Run.objects.filter(status=50).count() == len(runs))
    assert claimed_meanwhile == 0


def test_the_commands_say_what_they_did_and_the_audit_log_keeps_it(transactional_db):
    assert said("pause").startswith("Paused.")
    assert said("pause").startswith("It is paused already.")
    assert said("resume") == "Resumed.\n"
    assert said("resume") == "Nothing was paused.\n"
    assert list(AuditEntry.objects.order_by("id").values_list("action", flat=True)) == [
        "workers.pause",
        "workers.resume",
    ]


def test_waiting_for_quiet_names_what_is_still_under_way(held):
    with pytest.raises(CommandError, match="1 run under way still"):
        call_command("pause", wait=0.05, stdout=StringIO())

    Run.objects.filter(id=held.id).update(status=10, claim=None, worker_id=None)
    Worker.objects.all().delete()

    assert said("pause", wait=0.05).endswith("Nothing is under way. Go on with: resume\n")


def test_health_says_that_it_is_paused(db):
    Worker.objects.create(name="host/0")
    Tick.objects.create(name="pulse", ran_at="2999-01-01T00:00:00Z")
    pause.pause(ME)

    assert workers().note == "1 live, paused: nothing is claimed until `manage.py resume`"
    assert not workers().is_up
