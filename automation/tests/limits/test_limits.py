"""Limits by the table: what each start becomes, and who goes on when there is room."""

from __future__ import annotations

import pytest
from django.db import connection, transaction

from automation.models import Limit
from automation.store.cancel import cancel_runs
from automation.store.limits import LimitFull, forget_unused, keys_with_room, make_room, make_room_each


def room(*keys):
    ready = 0
    for key in keys:
        with transaction.atomic(), connection.cursor() as cursor:
            ready += make_room(cursor, [key])
    return ready


def end(*runs):
    with connection.cursor() as cursor:
        cancel_runs(cursor, [run.id for run in runs])


def key_of(version, value=""):
    return f"{version.workflow_id}:{value}"


def test_starts_beyond_the_limit_are_blocked_and_the_best_of_them_goes_on_at_each_end(limited, start, statuses):
    version = limited(concurrency={"limit": 2})
    first, second, late, urgent, third = (start(version, priority=p) for p in (5, 5, 9, 0, 5))
    everyone = (first, second, late, urgent, third)
    assert statuses(*everyone) == ["queued", "queued", "blocked", "blocked", "blocked"]

    end(first)
    assert room(key_of(version)) == 1
    assert statuses(*everyone) == ["cancelled", "queued", "blocked", "queued", "blocked"]

    end(second, urgent)
    assert room(key_of(version)) == 2
    assert statuses(*everyone) == ["cancelled", "cancelled", "queued", "cancelled", "queued"]


def test_each_key_has_a_limit_of_its_own(limited, start, statuses):
    version, other = limited(concurrency={"limit": 1}), limited(concurrency={"limit": 1})
    runs = [start(version, "a"), start(version, "b"), start(version, "a"), start(other, "a")]

    assert statuses(*runs) == ["queued", "queued", "blocked", "queued"]


def test_who_comes_when_there_is_room_does_not_go_before_who_waits(limited, start, statuses):
    version = limited(concurrency={"limit": 1})
    first, waiting = start(version), start(version)
    end(first)  # nobody has made room yet
    newcomer = start(version)

    assert statuses(waiting, newcomer) == ["queued", "blocked"]


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        ({"when_full": "skip"}, "limit_skipped"),
        ({"when_full": "fail"}, "limit_full"),
        ({"when_full": "queue", "queue_limit": 1}, "limit_queue_full"),
    ],
)
def test_a_start_that_may_not_wait_is_refused_with_the_reason_and_leaves_nothing(limited, start, rule, code):
    version = limited(concurrency={"limit": 1, **rule})
    start(version, "x", **rule)
    if "queue_limit" in rule:
        start(version, "x", **rule)

    with pytest.raises(LimitFull) as refused:
        start(version, "x", **rule)

    waiting = " and 1 wait" if code == "limit_queue_full" else ""
    said = f"The workflow's limit is full: 1 of 1 runs with the key 'x' are under way{waiting}."
    assert (refused.value.code, str(refused.value)) == (code, said)


def test_a_repeated_start_finds_its_run_even_when_the_limit_is_full(limited, start):
    version = limited(concurrency={"limit": 1, "when_full": "skip"})
    first = start(version, when_full="skip", dedupe_key="key:1")
    again = start(version, when_full="skip", dedupe_key="key:1")

    assert (again.id, again.is_duplicate) == (first.id, True)


def test_with_cancel_old_the_newest_runs_stay_and_older_ones_go(limited, start, statuses):
    version = limited(concurrency={"limit": 2, "when_full": "cancel_old"})
    runs = [start(version, when_full="cancel_old") for _ in range(5)]
    assert statuses(*runs) == ["queued", "queued", "blocked", "blocked", "blocked"]

    assert room(key_of(version)) == 2
    assert statuses(*runs) == ["cancelled", "cancelled", "cancelled", "queued", "queued"]


def test_the_newest_version_says_how_many_whichever_version_a_run_is_of(limited, change, start, store, statuses):
    version = limited(concurrency={"limit": 1})
    runs = [start(version) for _ in range(4)]
    assert keys_with_room(store) == ([], "")

    change(version, concurrency={"limit": 3})
    assert keys_with_room(store) == ([key_of(version)], "")
    assert make_room_each(store, [key_of(version)]) == 2
    assert statuses(*runs) == ["queued", "queued", "queued", "blocked"]

    change(version)
    assert make_room_each(store, keys_with_room(store)[0]) == 1
    assert statuses(*runs) == ["queued"] * 4


def test_a_lower_limit_ends_nobody_and_admits_nobody_until_there_is_room(limited, change, start, store, statuses):
    version = limited(concurrency={"limit": 2})
    runs = [start(version) for _ in range(3)]
    newer = change(version, concurrency={"limit": 1})

    end(runs[0])
    assert keys_with_room(store) == ([], "")
    end(runs[1])
    assert make_room_each(store, keys_with_room(store)[0]) == 1
    assert statuses(*runs) == ["cancelled", "cancelled", "queued"]
    assert Limit.objects.get().capacity == newer.definition["settings"]["concurrency"]["limit"]


def test_the_look_at_all_limits_goes_on_where_it_stopped(limited, start, store):
    version = limited(concurrency={"limit": 1})
    first = [start(version, value) for value in "abc"]
    for value in "abc":
        start(version, value)
    end(*first)

    pages, after = [], ""
    for _ in range(2):
        keys, after = keys_with_room(store, after=after, most=2)
        pages.append([key[-1] for key in keys])

    assert (pages, after) == ([["a", "b"], ["c"]], "")


def test_keys_without_runs_are_forgotten_after_an_hour(limited, start, store):
    version = limited(concurrency={"limit": 1})
    over, kept = start(version, "over"), start(version, "kept")
    end(over)
    assert forget_unused(store) == 0

    store.rows("update automation_limit set updated_at = now() - interval '2 hours'")
    assert forget_unused(store) == 1
    assert list(Limit.objects.values_list("key", flat=True)) == [key_of(version, "kept")]
    assert kept.status.word == "queued"
