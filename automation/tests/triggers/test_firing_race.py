"""Many processes tick at once, and some die: still one run per slot."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db import DatabaseError, close_old_connections, connection, transaction
from django.utils import timezone

from automation.models import Firing, Run
from automation.services.schedules import fire_due
from automation.store.firings import lock_due
from automation.tests.triggers.rows import make_schedule, make_workflow

pytestmark = pytest.mark.django_db(transaction=True)


def this_minute():
    return timezone.now().replace(second=0, microsecond=0)


def in_a_process_of_its_own(work):
    """Run it in a thread, which has its own connection, and give that back."""
    try:
        return work()
    finally:
        connection.close()


@contextmanager
def every_advance(statement):
    """While this holds, the database itself does something just before a firing transaction commits."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"create function disturb() returns trigger language plpgsql as $$ begin {statement}; return new; end $$"
        )
        cursor.execute(
            "create trigger disturb before update on automation_trigger for each row execute function disturb()"
        )
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("drop trigger disturb on automation_trigger; drop function disturb()")


def test_two_ticks_at_the_same_moment_fire_a_slot_once():
    make_schedule(due=this_minute())

    with every_advance("perform pg_sleep(0.3)"), ThreadPoolExecutor(2) as processes:
        ticks = [processes.submit(in_a_process_of_its_own, fire_due) for _ in range(2)]
        started = sorted(tick.result() for tick in ticks)

    assert started == [0, 1]
    assert (Run.objects.count(), Firing.objects.count()) == (1, 1)


def test_a_process_killed_before_its_commit_leaves_nothing_and_the_next_one_fires():
    slot = this_minute()
    trigger = make_schedule(due=slot)

    with every_advance("perform pg_terminate_backend(pg_backend_pid())"), ThreadPoolExecutor(1) as processes:
        with pytest.raises(DatabaseError):
            processes.submit(in_a_process_of_its_own, fire_due).result()
        assert (Run.objects.count(), Firing.objects.count()) == (0, 0)

    close_old_connections()
    assert fire_due() == 1
    assert [(firing.trigger_id, firing.slot) for firing in Firing.objects.all()] == [(trigger.id, slot)]
    assert Run.objects.get().dedupe_key.startswith(f"cron:{trigger.id}:")


def test_what_another_process_holds_is_skipped_without_waiting():
    workflow = make_workflow()
    make_schedule(workflow, due=this_minute())

    with transaction.atomic(), connection.cursor() as cursor, ThreadPoolExecutor(1) as processes:
        assert len(lock_due(cursor, limit=10)) == 1
        assert processes.submit(in_a_process_of_its_own, fire_due).result(timeout=5) == 0

    assert fire_due() == 1


def test_a_workflow_being_changed_is_left_for_the_next_tick():
    trigger = make_schedule(due=this_minute())

    with transaction.atomic(), ThreadPoolExecutor(1) as processes:
        type(trigger.workflow).objects.update(is_active=False)
        assert processes.submit(in_a_process_of_its_own, fire_due).result(timeout=5) == 0

    assert fire_due() == 0
    assert Firing.objects.get().get_decision_display() == "inactive"


def test_four_processes_share_many_schedules_and_every_slot_runs_once():
    workflow = make_workflow()
    first = this_minute() - timedelta(minutes=3)
    triggers = [make_schedule(workflow, missed="all", due=first) for _ in range(30)]

    def tick_until_done():
        return sum(iter(lambda: fire_due(limit=7), 0))

    with ThreadPoolExecutor(4) as processes:
        ticking = [processes.submit(in_a_process_of_its_own, tick_until_done) for _ in range(4)]
        started = sum(tick.result() for tick in ticking)
    started += tick_until_done()  # whoever came last may have skipped what another one held

    keys = list(Run.objects.values_list("dedupe_key", flat=True))
    assert len(keys) == len(set(keys)) == started == Firing.objects.count()
    assert {key.split(":")[1] for key in keys} == {str(trigger.id) for trigger in triggers}
    assert started >= 30 * 4  # four slots each, more when a minute ended meanwhile
