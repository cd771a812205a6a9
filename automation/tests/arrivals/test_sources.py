"""Sources of polled triggers: looked at in turn, each thing taken once, nothing lost when something goes wrong."""

import threading
import time

import pytest
from django.db import connection, connections
from django.db.models.functions import Now

from automation.engine import points
from automation.models import Arrival, Run, Secret, Source, Workflow
from automation.services import sources, triggers
from automation.services.sources import claim, follow, look
from automation.tests.arrivals.inbox import BROKEN
from automation.tests.arrivals.rows import ledger, make_trigger, runs_of
from automation.tests.triggers.rows import DEFINITION, make_workflow
from automation.triggers import all_trigger_kinds
from automation.triggers.contract import SourceError
from brainops.accounts.caller import system_caller

pytestmark = pytest.mark.django_db(transaction=True)

LIMITED = {**DEFINITION, "settings": {"concurrency": {"limit": 1, "when_full": "fail"}}}


def watch(inbox, *, definition=DEFINITION, config=None, **fields):
    """A trigger whose source is looked at, as a saved one is."""
    trigger = make_trigger(definition=definition, config=config, **fields)
    follow(all_trigger_kinds()["inbox"], trigger, None)
    return trigger


def source_of(trigger):
    return Source.objects.get(trigger=trigger)


def make_due(trigger):
    Source.objects.filter(trigger=trigger).update(next_at=Now())


def look_once(trigger):
    make_due(trigger)
    look(claim())


def seconds_to_next(trigger):
    with connection.cursor() as cursor:
        cursor.execute(
            "select extract(epoch from next_at - now())::float8 from automation_source where trigger_id = %s",
            [trigger.id],
        )
        return cursor.fetchone()[0]


def test_what_was_there_before_starts_nothing_and_what_comes_later_does(inbox):
    inbox.things = ["old"]
    trigger = watch(inbox)

    look_once(trigger)
    inbox.things += ["new"]
    look_once(trigger)

    assert ledger(trigger) == {"old": "skipped first", "new": "ran"}
    assert [run.data.input["trigger"]["item"] for run in runs_of(trigger)] == [{"name": "new"}]
    assert inbox.looks == [None, {"at": 1}]


def test_the_first_look_goes_on_until_all_that_was_there_is_known(inbox):
    inbox.things, inbox.page = ["a", "b", "c"], 2
    trigger = watch(inbox)

    look_once(trigger)
    inbox.things += ["d"]
    inbox.page = 1
    look_once(trigger)  # "c", and "d" is still to be shown
    look_once(trigger)

    assert ledger(trigger) == {"a": "skipped first", "b": "skipped first", "c": "skipped first", "d": "skipped first"}
    assert source_of(trigger).is_begun


def test_a_trigger_that_asks_for_it_takes_all_that_was_there(inbox):
    inbox.things = ["a", "b"]
    trigger = watch(inbox, config={"first": "all"})

    look_once(trigger)

    assert ledger(trigger) == {"a": "ran", "b": "ran"}


def test_a_source_without_a_cursor_is_known_by_its_keys(inbox):
    inbox.has_cursor, inbox.things = False, ["a"]
    trigger = watch(inbox)
    look_once(trigger)
    inbox.things = ["a", "b"]

    look_once(trigger)
    look_once(trigger)

    assert ledger(trigger) == {"a": "skipped first", "b": "ran"}
    assert len(runs_of(trigger)) == 1


def test_the_next_look_comes_after_the_interval_and_at_once_where_there_is_more(inbox):
    inbox.things, inbox.page = ["a", "b"], 1
    trigger = watch(inbox, config={"first": "all", "every": 300})

    look_once(trigger)
    assert seconds_to_next(trigger) <= 0
    look_once(trigger)
    assert 200 < seconds_to_next(trigger) <= 300


def test_a_source_that_fails_is_asked_again_after_growing_pauses_and_recovers(inbox):
    trigger, inbox.error = watch(inbox), BROKEN
    pauses = []

    for _ in range(3):
        look_once(trigger)
        pauses.append(seconds_to_next(trigger))
    row = source_of(trigger)
    inbox.error = None
    look_once(trigger)

    ceilings = [15, 30, 60]  # 15 * 2**failures; jitter takes off half at most
    for pause, ceiling in zip(pauses, ceilings, strict=True):
        assert ceiling / 2 - 5 < pause <= ceiling
    assert (row.failures, row.last_error, row.last_error_code) == (3, "The mailbox does not answer.", "unreachable")
    assert row.failing_since is not None
    row = source_of(trigger)
    assert (row.failures, row.last_error, row.failing_since) == (0, "", None)


def test_a_source_that_says_when_is_not_asked_before(inbox):
    trigger = watch(inbox)
    inbox.error = SourceError("Too many requests.", code="rate_limited", retry_after_seconds=7_000)

    look_once(trigger)

    assert 6_900 < seconds_to_next(trigger) <= 7_000


def test_an_error_of_ours_is_no_riddle_for_people_and_tells_no_secret(inbox):
    trigger, inbox.error = watch(inbox), ZeroDivisionError("secret=hunter2")

    look_once(trigger)

    assert source_of(trigger).last_error == "Something went wrong on our side; the log says what."


def test_what_finds_no_room_is_found_again_until_there_is(inbox):
    inbox.things = ["a", "b", "c"]
    trigger = watch(inbox, definition=LIMITED, config={"first": "all"})

    look_once(trigger)

    row = source_of(trigger)
    assert ledger(trigger) == {"a": "ran", "b": "limit full", "c": "limit full"}
    assert (row.cursor, row.waits_for.startswith("The workflow's limit is full"), row.last_error) == (None, True, "")
    for _ in range(2):
        Run.objects.filter(trigger_id=trigger.id).update(status=50, finishes=1, finished_at=Now())
        look_once(trigger)
    assert ledger(trigger) == {"a": "ran", "b": "ran", "c": "ran"}
    assert (source_of(trigger).cursor, source_of(trigger).waits_for) == ({"at": 3}, "")
    assert inbox.settled == ["a", "b", "c"]


def test_a_source_is_told_what_was_taken_until_it_has_heard(inbox):
    inbox.things, inbox.settle_error = ["a"], SourceError("The folder is read-only.", code="read_only")
    trigger = watch(inbox, config={"first": "all"})

    look_once(trigger)
    row = source_of(trigger)
    inbox.settle_error = None
    look_once(trigger)
    look_once(trigger)

    assert (row.last_error, row.failures) == ("The folder is read-only.", 0)
    assert inbox.settled == ["a"]
    assert ledger(trigger) == {"a": "ran"}


def test_what_started_no_run_is_left_alone_at_the_source(inbox):
    inbox.things = ["old"]
    trigger = watch(inbox, condition="{{ trigger.item.name == 'c' }}")
    look_once(trigger)
    inbox.things += ["b", "c"]

    look_once(trigger)

    assert ledger(trigger) == {"old": "skipped first", "b": "condition false", "c": "ran"}
    assert inbox.settled == ["c"]


def test_a_workflow_that_is_switched_off_is_not_looked_at_for_and_misses_nothing(inbox):
    trigger = watch(inbox)
    look_once(trigger)
    Workflow.objects.filter(id=trigger.workflow_id).update(is_active=False)
    inbox.things = ["a"]
    look_once(trigger)
    looks = len(inbox.looks)
    Workflow.objects.filter(id=trigger.workflow_id).update(is_active=True)

    look_once(trigger)

    assert (looks, ledger(trigger)) == (1, {"a": "ran"})


def test_one_that_is_switched_off_while_somebody_looks_takes_nothing(inbox):
    trigger = watch(inbox, config={"first": "all"})
    inbox.things = ["a"]
    inbox.before_answer = lambda: Workflow.objects.filter(id=trigger.workflow_id).update(is_active=False)

    look_once(trigger)

    assert (ledger(trigger), source_of(trigger).cursor) == ({}, None)


def test_a_saved_trigger_is_looked_at_at_once_and_another_source_from_the_beginning(inbox):
    inbox.things = ["a"]
    workflow = make_workflow()
    caller = system_caller(workflow.workspace_id, "test")
    trigger = triggers.create(caller, workflow_id=workflow.id, kind="inbox", config={"folder": "in"}).trigger
    look(claim())

    triggers.change(caller, trigger.id, {"config": {"every": 30}})
    same = source_of(trigger)
    triggers.change(caller, trigger.id, {"config": {"folder": "other"}})
    other = source_of(trigger)
    triggers.change(caller, trigger.id, {"is_active": False})
    off = source_of(trigger)

    assert (same.cursor, same.is_begun, seconds_of(same)) == ({"at": 1}, True, "due")
    assert (other.cursor, other.is_begun, seconds_of(other)) == (None, False, "due")
    assert seconds_of(off) == "never"


def seconds_of(source):
    return "due" if source.next_at else "never"


def test_a_look_at_a_trigger_that_was_changed_meanwhile_changes_nothing(inbox):
    trigger = watch(inbox, config={"first": "all"})
    inbox.things = ["a"]
    kind = all_trigger_kinds()["inbox"]
    inbox.before_answer = lambda: follow(kind, trigger, {"folder": "another"})

    look_once(trigger)

    assert (ledger(trigger), source_of(trigger).cursor) == ({}, None)


def test_a_source_is_held_by_one_until_its_lease_is_over(inbox):
    trigger = watch(inbox)
    held = claim()

    assert claim() is None
    make_due(trigger)  # the lease is over
    taken_over = claim()

    assert (held.fence + 1, held.trigger_id) == (taken_over.fence, taken_over.trigger_id)


def test_whoever_was_replaced_writes_nothing_and_the_other_takes_each_thing_once(inbox):
    inbox.things = ["a"]
    trigger = watch(inbox, config={"first": "all"})
    first = claim()
    make_due(trigger)
    second = claim()

    look(first)
    assert (ledger(trigger), source_of(trigger).cursor) == ({}, None)
    look(second)

    assert (ledger(trigger), source_of(trigger).cursor) == ({"a": "ran"}, {"at": 1})
    assert inbox.settled == ["a"]


def test_a_slow_look_is_held_on_to(inbox, monkeypatch):
    trigger = watch(inbox)
    monkeypatch.setattr(sources, "HOLD_SECONDS", 0.02)
    held = claim()
    Source.objects.filter(trigger=trigger).update(next_at=Now())
    seen = []

    def wait_until_held():
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and not seen:
            if seconds_to_next(trigger) > 30:
                seen.append("held")

    inbox.before_answer = wait_until_held
    look(held)

    assert seen == ["held"]


def test_two_who_look_at_once_at_many_sources_take_each_thing_once(inbox):
    inbox.things = ["a", "b"]
    watched = [watch(inbox, config={"first": "all"}) for _ in range(10)]

    def look_at_all():
        try:
            while (held := claim()) is not None:
                look(held)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=look_at_all) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert [ledger(trigger) for trigger in watched] == [{"a": "ran", "b": "ran"}] * 10
    assert Run.objects.count() == 20


class Dies(BaseException):
    """The process is gone."""


@pytest.mark.parametrize("point", ["after_poll", "in_take", "in_poll", "after_poll_commit", "after_settle"])
def test_killed_anywhere_in_a_look_each_thing_is_taken_once_and_the_source_told(point, inbox, monkeypatch):
    inbox.things = ["a", "b"]
    trigger = watch(inbox, config={"first": "all"})

    def die(name):
        if name == point:
            raise Dies

    monkeypatch.setattr(points, "hook", die)
    make_due(trigger)
    with pytest.raises(Dies):
        look(claim())
    before = ledger(trigger)
    monkeypatch.setattr(points, "hook", None)

    look_once(trigger)

    assert before == ({"a": "ran", "b": "ran"} if point in ("after_poll_commit", "after_settle") else {})
    assert ledger(trigger) == {"a": "ran", "b": "ran"}
    assert len(runs_of(trigger)) == 2
    assert sorted(set(inbox.settled)) == ["a", "b"]
    assert not Arrival.objects.filter(trigger=trigger, handle__isnull=False).exists()


def test_somebody_who_asks_for_a_look_gets_one_also_while_one_is_under_way(inbox):
    trigger = watch(inbox, config={"every": 3_600})
    look_once(trigger)

    assert sources.look_now(trigger.id)
    assert seconds_to_next(trigger) <= 0
    inbox.before_answer = lambda: sources.look_now(trigger.id)
    look(claim())

    assert seconds_to_next(trigger) <= 0
    inbox.before_answer = lambda: None
    look(claim())
    assert seconds_to_next(trigger) > 3_000


def test_a_secret_is_read_for_its_hosts_only_and_never_told(inbox):
    workflow = make_workflow()
    Secret.objects.create(
        workspace=workflow.workspace, name="password", value="hunter2hunter2", hosts=["other.example.com"]
    )
    trigger = watch(inbox, config={"secret": "password"})
    look_once(trigger)

    missing = watch(inbox, config={"secret": "unknown"})
    look_once(missing)

    assert source_of(trigger).last_error == (
        "The secret 'password' may be sent only to other.example.com, not to mail.example.com:993."
    )
    assert source_of(missing).last_error_code == "secret_missing"


def test_nothing_is_asked_of_the_database_but_one_look_when_there_is_no_source(django_assert_num_queries):
    with django_assert_num_queries(1):
        assert not sources.has_due()


def test_a_worker_looks_by_itself(inbox, runtime):
    inbox.things = ["a"]
    trigger = watch(inbox, config={"first": "all"})

    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not [run for run in runs_of(trigger) if run.is_final]:
        time.sleep(0.02)

    assert ledger(trigger) == {"a": "ran"}
