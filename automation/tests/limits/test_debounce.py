"""Debounce: starts close together become one run, with what came last, and never two at once."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connection

from automation.engine.keep import KeptPaths
from automation.models import Run, RunData, RunMode
from automation.services import runs
from automation.store.cancel import cancel_runs
from automation.store.connection import Connection
from automation.store.limits import keys_with_room, make_room_each
from automation.store.wake import wake_gathered

HOUR = {"wait": "1h"}


@pytest.fixture
def begin():
    """Start a run as the API does."""

    def start(version, inputs=None, **values):
        return runs.start(version.workflow_id, workspace_id=version.workspace_id, inputs=inputs or {}, **values)

    return start


def due(store, *run_ids):
    store.rows("update automation_run set wake_at = now() where id = any(%s)", (list(run_ids),))


def wait_of(run_id):
    run = Run.objects.get(id=run_id)
    return run.wake_at - run.created_at


def test_starts_close_together_are_one_run_with_what_came_last(limited, begin, store, statuses):
    version = limited(debounce=HOUR)
    first = begin(version, {"n": 1})
    second = begin(version, {"n": 2, "text": "x" * 200_000})
    third = begin(version, {"n": 3})

    assert {first.id, second.id, third.id} == {first.id}
    assert [one.status.word for one in (first, second, third)] == ["blocked"] * 3
    assert RunData.objects.values_list("input__inputs", "input_ref").get() == ({"n": 3}, None)
    assert wake_gathered(store) == 0

    due(store, first.id)
    assert wake_gathered(store) == 1
    assert statuses(first) == ["queued"]
    assert begin(version, {"n": 4}).id != first.id


def test_each_key_gathers_for_itself(limited, begin):
    version = limited(debounce={**HOUR, "key": "{{ inputs.customer }}"})
    runs_of = [begin(version, {"customer": name}).id for name in "aab"]

    assert runs_of[0] == runs_of[1] != runs_of[2]


def test_each_start_postpones_the_run_but_not_beyond_the_longest_wait(limited, begin, store):
    version = limited(debounce={"wait": "10m", "max_wait": "15m"})
    run = begin(version)
    store.rows("update automation_run set created_at = created_at - interval '4 minutes'")
    begin(version)
    assert timedelta(minutes=14) - timedelta(seconds=5) < wait_of(run.id) < timedelta(minutes=14, seconds=5)

    store.rows("update automation_run set created_at = created_at - interval '10 minutes'")
    begin(version)
    assert wait_of(run.id) == timedelta(minutes=15)


def test_a_gathered_run_waits_for_its_limit_like_any_other(limited, begin, store, statuses):
    version = limited(debounce={**HOUR, "key": "{{ inputs.n }}"}, concurrency={"limit": 1})
    first, second = begin(version, {"n": 1}), begin(version, {"n": 2})
    due(store, first.id, second.id)

    assert wake_gathered(store) == 2
    assert statuses(first, second) == ["blocked", "blocked"]
    assert make_room_each(store, keys_with_room(store)[0]) == 1
    assert statuses(first, second) == ["queued", "blocked"]


def test_a_cancelled_gathering_is_over_and_the_next_start_begins_another(limited, begin, statuses):
    version = limited(debounce=HOUR)
    first = begin(version)
    with connection.cursor() as cursor:
        cancel_runs(cursor, [first.id])
    second = begin(version)

    assert second.id != first.id
    assert statuses(first, second) == ["cancelled", "blocked"]


def test_a_retry_asks_for_its_own_run(limited, begin):
    version = limited(debounce=HOUR)
    first = begin(version)
    own = begin(version, kept=runs.Kept(first.id, KeptPaths()))

    assert own.id != first.id
    assert own.status.word == "queued"


@pytest.mark.timeout(60)
def test_starts_and_wakes_at_once_leave_exactly_one_run_for_each_window(limited, store, begin):
    version = limited(debounce={"wait": "10ms", "max_wait": "20ms"})
    answered: list[int] = []
    woken: list[int] = []
    gate = threading.Barrier(6)

    def start_many():
        gate.wait()
        answered.extend(begin(version, {"n": number}, mode=RunMode.ASYNC).id for number in range(25))
        connection.close()

    def wake():
        own = Connection()
        gate.wait()
        for _ in range(60):
            woken.append(wake_gathered(own))
            gathering = own.rows("select count(*) from automation_run where debounce_key is not null")[0][0]
            assert gathering <= 1
        own.close()

    threads = [threading.Thread(target=start_many) for _ in range(4)] + [
        threading.Thread(target=wake) for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    store.rows("update automation_run set wake_at = now() where debounce_key is not null")
    woken.append(wake_gathered(store))

    assert len(answered) == 100
    assert sum(woken) == len(set(answered)) == Run.objects.filter(status=10).count() > 1
