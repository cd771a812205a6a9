"""What one claim takes: the queues in their order, each workspace its share, within it priority and age."""

from __future__ import annotations

import threading
from collections import Counter
from uuid import UUID, uuid4

import pytest

from automation.store.claim import Claims, Wanted, claim_runs
from automation.store.connection import Connection
from automation.store.workers import register

WORKSPACES = """
insert into accounts_workspace (id, name, slug) select u, left(u::text, 8), u::text from unnest(%s::uuid[]) u
"""
WORKFLOWS = """
insert into automation_workflow (id, workspace_id, name, definition, description, tags, meta_data, is_active, version,
                                 revision)
select u, u, 'w', '{}', '', '[]', '{}', true, '1.0.0', 1 from unnest(%s::uuid[]) u
"""
RUNS = """
with r as (
  insert into automation_run (workspace_id, workflow_id, version_id, queue, priority)
  select %(place)s, %(place)s, %(place)s, %(queue)s, %(priority)s from generate_series(1, %(count)s) returning id)
insert into automation_rundata (run_id) select id from r returning run_id
"""
OLD_RUNS = """
insert into automation_run (workspace_id, workflow_id, version_id, status, finished_at, finishes)
select %(place)s, %(place)s, %(place)s, 50, now(), 1 from generate_series(1, %(count)s)
"""
BIG, SMALL, OTHER = UUID(int=1), UUID(int=2), UUID(int=3)


@pytest.fixture
def store(transactional_db):
    store = Connection()
    store.rows(WORKSPACES, ([BIG, SMALL, OTHER],))
    store.rows(WORKFLOWS, ([BIG, SMALL, OTHER],))
    yield store
    store.close()


@pytest.fixture
def worker(store):
    worker_id = uuid4()
    register(store, worker_id=worker_id, name=f"host/{worker_id}", pid=1, release="", slots=4)
    return worker_id


@pytest.fixture
def queue_up(store):
    def insert(place, count=1, *, queue="default", priority=5):
        values = {"place": place, "count": count, "queue": queue, "priority": priority}
        return [run_id for (run_id,) in store.rows(RUNS, values)]

    return insert


def places(runs):
    return dict(Counter(run.workspace_id for run in runs))


def test_the_free_slots_go_to_the_workspaces_with_the_fewest_runs_under_way(store, worker, queue_up):
    queue_up(BIG, 40)
    assert places(claim_runs(store, worker_id=worker, limit=10)) == {BIG: 10}
    queue_up(SMALL, 5)
    queue_up(OTHER, 1)

    assert places(claim_runs(store, worker_id=worker, limit=4)) == {SMALL: 3, OTHER: 1}
    assert places(claim_runs(store, worker_id=worker, limit=9)) == {SMALL: 2, BIG: 7}


def test_two_workspaces_without_runs_share_a_claim_evenly(store, worker, queue_up):
    queue_up(BIG, 40)
    queue_up(SMALL, 40)

    assert places(claim_runs(store, worker_id=worker, limit=16)) == {BIG: 8, SMALL: 8}


def test_within_a_workspace_priority_goes_before_age_and_buys_nothing_from_others(store, worker, queue_up):
    late = queue_up(BIG, 2, priority=9)
    (first,) = queue_up(BIG, 1, priority=0)
    (foreign,) = queue_up(SMALL, 1, priority=9)

    assert {run.id for run in claim_runs(store, worker_id=worker, limit=2)} == {first, foreign}
    assert [run.id for run in claim_runs(store, worker_id=worker, limit=2)] == late


def test_the_queues_are_served_in_order_and_what_is_due_before_its_turn(store, worker, queue_up):
    for queue in ("bulk", "default", "interactive"):
        queue_up(BIG, 4, queue=queue)
    claims = Claims(store)

    def queues(wanted):
        return dict(Counter(run.queue for run in claims.ready(worker_id=worker, wanted=wanted)))

    assert queues(Wanted(shared=2, owed={"interactive": 0, "default": 0, "bulk": 1})) == {"interactive": 1, "bulk": 1}
    assert queues(Wanted(shared=4)) == {"interactive": 3, "default": 1}
    assert queues(Wanted(shared=4)) == {"default": 3, "bulk": 1}


def test_reserved_slots_take_interactive_runs_only(store, worker, queue_up):
    queue_up(BIG, 4)
    queue_up(BIG, 4, queue="interactive")
    claims = Claims(store)

    def queues(wanted):
        return dict(Counter(run.queue for run in claims.ready(worker_id=worker, wanted=wanted)))

    assert queues(Wanted(shared=0, reserved=3)) == {"interactive": 3}
    assert queues(Wanted(shared=2, reserved=2)) == {"interactive": 1, "default": 2}
    assert queues(Wanted(shared=0, reserved=2)) == {}


def test_more_workspaces_than_one_claim_looks_at_are_all_served(store, worker, queue_up):
    many = [uuid4() for _ in range(60)]
    store.rows(WORKSPACES, (many,))
    store.rows(WORKFLOWS, (many,))
    for place in many:
        queue_up(place, 1)

    claimed = [run for _ in range(10) for run in claim_runs(store, worker_id=worker, limit=16)]

    assert places(claimed) == dict.fromkeys(many, 1)


def test_claims_at_the_same_time_take_different_runs_and_leave_none(store, worker, queue_up):
    queue_up(BIG, 200)
    queue_up(SMALL, 100)
    taken: list[int] = []

    def claim_all():
        own = Connection()
        while claimed := claim_runs(own, worker_id=worker, limit=7):
            taken.extend(run.id for run in claimed)
        own.close()

    threads = [threading.Thread(target=claim_all) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (len(taken), len(set(taken))) == (300, 300)


def test_a_worker_declared_dead_claims_nothing(store, worker, queue_up):
    queue_up(BIG, 1)
    store.rows("update automation_worker set state = 3")

    assert claim_runs(store, worker_id=worker, limit=1) == []


def test_a_claim_reads_a_handful_of_pages_however_much_is_queued_and_has_ended(store, worker, queue_up):
    queue_up(BIG, 20_000)
    queue_up(SMALL, 1)
    store.rows(OLD_RUNS, {"place": BIG, "count": 20_000})
    store.rows("analyze automation_run")
    claims = Claims(store)
    claims.ready(worker_id=worker, wanted=Wanted(shared=16))  # plans

    def pages_read():
        store.rows("select pg_stat_force_next_flush()")
        return int(
            store.rows("select blks_hit + blks_read from pg_stat_database where datname = current_database()")[0][0]
        )

    before = pages_read()
    claimed = claims.ready(worker_id=worker, wanted=Wanted(shared=16))
    read = pages_read() - before

    assert len(claimed) == 16
    assert read < 1500, f"{read} pages"  # 40,000 rows stand on more than 1,300 pages, and each would be looked up
