"""Slots that wait, and alarms, while many processes tick at once and some die."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db import DatabaseError, close_old_connections, connection
from django.utils import timezone

from automation.models import Firing, NoticeCause, Run, ScheduleAlarm
from automation.services import schedule_watch
from automation.services.queued_slots import start_queued
from automation.services.schedules import fire_due
from automation.tests.notices.rows import make_rule
from automation.tests.triggers.rows import make_schedule
from automation.tests.triggers.test_firing_race import in_a_process_of_its_own

pytestmark = pytest.mark.django_db(transaction=True)

HOUR = timedelta(hours=1)


@contextmanager
def before_each(change, statement):
    """While this holds, the database itself does something just before a row is changed."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"create function disturb() returns trigger language plpgsql as $$ begin {statement}; return new; end $$"
        )
        cursor.execute(f"create trigger disturb before {change} for each row execute function disturb()")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"drop trigger disturb on {change.split()[-1]}; drop function disturb()")


def two_wait():
    """A schedule with a run under way and two slots that wait; the run ends."""
    hour = timezone.now().replace(minute=0, second=0, microsecond=0)
    make_schedule(cron="0 * * * *", missed="all", config={"overlap": "queue"}, due=hour - 2 * HOUR)
    fire_due()
    Run.objects.update(status=50, finishes=1, finished_at=timezone.now())


def decisions():
    return list(Firing.objects.order_by("slot").values_list("decision", flat=True))[:3]


def test_two_ticks_at_the_same_moment_start_one_waiting_slot():
    two_wait()

    with before_each("update on automation_firing", "perform pg_sleep(0.3)"), ThreadPoolExecutor(2) as processes:
        ticks = [processes.submit(in_a_process_of_its_own, start_queued) for _ in range(2)]
        started = sorted(tick.result() for tick in ticks)

    assert (started, decisions(), Run.objects.filter(status__lt=50).count()) == ([0, 1], [1, 1, 9], 1)


def test_a_process_that_dies_over_a_waiting_slot_leaves_it_waiting():
    two_wait()

    kill = "perform pg_terminate_backend(pg_backend_pid())"
    with before_each("update on automation_firing", kill), ThreadPoolExecutor(1) as processes:
        with pytest.raises(DatabaseError):
            processes.submit(in_a_process_of_its_own, start_queued).result()
        assert decisions() == [1, 9, 9]

    close_old_connections()
    assert (start_queued(), decisions()) == (1, [1, 1, 9])


def test_two_who_look_at_the_same_moment_raise_one_alarm():
    trigger = make_schedule(due=-HOUR)
    make_rule(trigger.workspace, events=["did_not_run"])

    slow = before_each("insert on automation_schedulealarm", "perform pg_sleep(0.3)")
    with slow, ThreadPoolExecutor(2) as processes:
        looks = [processes.submit(in_a_process_of_its_own, schedule_watch.look) for _ in range(2)]
        assert all(look.result() in (0, 1) for look in looks)  # 0: it saw the other one's

    assert (ScheduleAlarm.objects.count(), NoticeCause.objects.count()) == (1, 1)
