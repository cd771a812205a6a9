"""Limits, queues and debounces with a real worker."""

from __future__ import annotations

import time

import pytest

from automation.engine.keep import KeptPaths
from automation.models import Run, RunMode
from automation.services import runs, waiting
from automation.tests.limits.watch import seen, watched_limits

NAP = {"id": "nap", "uses": "delay", "with": {"for": "60ms"}}

pytestmark = pytest.mark.timeout(60)


@pytest.fixture
def begin():
    def start(version, inputs=None, **values):
        return runs.start(version.workflow_id, workspace_id=version.workspace_id, inputs=inputs or {}, **values)

    return start


def test_runs_of_a_full_limit_follow_each_other_without_a_pause(limited, begin, runtime, ended):
    version = limited(NAP, concurrency={"limit": 2})
    with watched_limits():
        started = [begin(version) for _ in range(10)]
        finished = [ended(run.uid) for run in started]
        checked, most, broken = seen()

    assert [run.status_word for run in finished] == ["succeeded"] * 10
    assert (most, broken) == (2, [])
    assert checked >= 30
    assert [run.id for run in sorted(finished, key=lambda run: run.started_at)] == [run.id for run in started]


def test_the_retry_of_a_limited_run_waits_for_its_slot_too(limited, begin, runtime, ended):
    version = limited(NAP, concurrency={"limit": 1, "key": "{{ inputs.n }}"})
    first = ended(begin(version, {"n": 1}).uid)
    busy = begin(version, {"n": 1})
    again = begin(version, {"n": 1}, kept=runs.Kept(first.id, KeptPaths()))

    assert first.status_word == "succeeded"
    assert again.status.word == "blocked"
    assert [ended(run.uid).status_word for run in (busy, again)] == ["succeeded"] * 2


def test_gathered_starts_become_one_run_when_it_is_quiet(limited, begin, runtime, ended):
    version = limited(debounce={"wait": "300ms"})
    answers = [begin(version, {"n": n}) for n in range(5)]
    run = ended(answers[0].uid)

    assert {answer.id for answer in answers} == {run.id}
    assert run.data.input["inputs"] == {"n": 4}
    assert 0.3 <= (run.started_at - run.created_at).total_seconds() < 5


def test_a_caller_who_waits_is_answered_while_the_worker_is_full_of_bulk(limited, begin, runtime):
    slow = limited({"id": "nap", "uses": "delay", "with": {"for": "1500ms"}}, queue="bulk")
    for _ in range(40):
        begin(slow)
    deadline = time.monotonic() + 10
    while Run.objects.filter(status=20).count() < 4 and time.monotonic() < deadline:
        time.sleep(0.01)

    asked = time.monotonic()
    run = begin(limited(), mode=RunMode.SYNC)
    answer = waiting.wait_for_end(run.id, seconds=5)
    waited = time.monotonic() - asked
    waiting.room().close()

    assert answer is not None
    assert Run.objects.filter(queue="bulk", status=10).exists()
    assert waited < 1.4, waited
