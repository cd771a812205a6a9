"""Scenario 15: many runs whose keys let two in at a time, cancelled at random while workers are killed."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest

from tests.chaos.loads import Load, two_effects

pytestmark = [pytest.mark.processes, pytest.mark.slow, pytest.mark.timeout(600)]

NOTHING = (0, 0, 0, 0, 0)
RUNS = 1_000
CUSTOMERS = 4
LIMIT = 2
CANCEL_SHARE = 0.25
KILLS = 4
LATEST_CANCEL_SECONDS = 2.5
CONCURRENCY = {"limit": LIMIT, "key": "{{ trigger.body.customer }}", "when_full": "queue"}

# At each commit, one after the other: how many runs of a key are running then, this commit included. Only one
# transaction at a time is between the look and the end of its commit, so no two can miss each other.
WATCH = """
create table if not exists chaos_crowd (limit_key text, runs integer, at timestamptz default clock_timestamp());
truncate chaos_crowd;
create or replace function chaos_watch() returns trigger language plpgsql as $$
declare found integer;
begin
  perform pg_advisory_xact_lock(4711);
  select count(*) into found from automation_run where limit_key = new.limit_key and status = 20;
  insert into chaos_crowd values (new.limit_key, found);
  return null;
end $$;
drop trigger if exists chaos_watch on automation_run;
create constraint trigger chaos_watch after update on automation_run deferrable initially deferred
for each row when (new.status = 20 and old.status <> 20 and new.limit_key is not null) execute function chaos_watch()
"""
UNWATCH = "drop trigger chaos_watch on automation_run; drop function chaos_watch()"
CANCELS = """
select extract(epoch from finished_at - cancel_requested_at)::float8, status, id from automation_run
where workflow_id = %s and cancel_requested_at is not null
"""


@pytest.fixture
def watched(house):
    house.change(WATCH)
    yield
    house.change(UNWATCH)


def test_limits_hold_at_every_commit_and_cancels_are_quick(house, chaos, watched):
    final = []

    async def faults(scene):
        asked: asyncio.Queue = asyncio.Queue()

        def maybe_cancel(_delivery, run):
            if scene.random.random() < CANCEL_SHARE:
                asked.put_nowait((run, scene.random.uniform(0, 1)))

        scene.on_promise = maybe_cancel
        cancelling = [asyncio.create_task(cancel(scene, asked, final)) for _ in range(8)]
        replacing = asyncio.create_task(scene.replace())
        for kill in range(1, KILLS + 1):
            await scene.accepted(kill * RUNS // (KILLS + 1))
            if house.workers:
                await scene.kill(scene.random.choice(house.workers))
        await scene.accepted(RUNS)
        scene.on_promise = lambda _delivery, _run: None
        await asked.join()
        replacing.cancel()
        for task in cancelling:
            task.cancel()
        await scene.start_worker()

    load = Load(
        clients=4, pause_seconds=0.08, effect_seconds=0.15, extra=lambda c: {"customer": f"c{c.randrange(CUSTOMERS)}"}
    )
    define = partial(two_effects, concurrency=CONCURRENCY)
    tally = chaos(faults, scenario=15, workers=3, load=load, define=define, converges_in=180)

    crowds, most = house.rows("select count(*), max(runs) from chaos_crowd")[0]
    cancels = house.rows(CANCELS, tally.workflow)
    held = [(seconds, run) for seconds, status, run in cancels if status == 52]
    latest = max(seconds for seconds, run in held if run not in tally.interrupted)
    tally.more |= {
        "cancelled": len(held),
        "latest cancel": f"{latest:.1f} s",
        "most running per key": most,
        "looked at commits": crowds,
    }
    assert tally.errors == NOTHING
    assert most == LIMIT
    assert latest <= LATEST_CANCEL_SECONDS + tally.slack
    assert {status for _, status, _ in cancels} == {52}  # a cancel that was taken is never overtaken by a success
    told = house.rows("select uid::text, status from automation_run where uid = any(%s::uuid[])", final)
    assert {status for _, status in told} == {52}  # cancelled for good, as was said
    assert house.count("workflow_id = %s and status < 50", tally.workflow) == 0  # no place is held for ever


async def cancel(scene, asked, final):
    """Cancel what is asked, some time into its life."""
    while True:
        run, delay = await asked.get()
        await asyncio.sleep(delay)
        scene.tally.cancelled.add(run)
        try:
            answer = await asyncio.to_thread(scene.house.product.call, "POST", f"/runs/{run}/cancel")
            if answer["status"] == "cancelled":
                final.append(run)
        except RuntimeError:  # it had ended before
            pass
        asked.task_done()
