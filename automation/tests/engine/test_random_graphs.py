"""Random graphs: the engine comes to what the reference says, in every order and after every crash."""

from contextlib import suppress
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from automation.engine.advance import advance
from automation.engine.attempt import Surroundings, attempt
from automation.engine.plan import Plan
from automation.engine.prepare import Skipped, prepare
from automation.engine.progress import Progress
from automation.engine.scope import new_scope, show
from automation.engine.settle import Attempt, settle, skip, woken
from automation.engine.simulate import START, Setup, run_flow
from automation.engine.status import RunStatus, StepStatus
from automation.tests.engine.reference import PROBE, Meaning, ending_failures, meanings
from automation.tests.engine.samples import plan

READ = "{{{{ steps.{0}.output if steps.{0}.status == 'succeeded' else 0 }}}}"
WORDS = {StepStatus.SUCCEEDED: "succeeded", StepStatus.FAILED: "failed", StepStatus.SKIPPED: "skipped"}


@st.composite
def graphs(draw):
    """Up to nine probe steps, each needing some of those before it, listed in any order."""
    steps = []
    for number in range(draw(st.integers(1, 9))):
        does = draw(st.sampled_from(["succeed", "succeed", "true", "false", "fail", "flaky", "sleep"]))
        step = {"id": f"s{number}", "uses": "probe", "with": {"does": does, "adds": [number + 1]}}
        if draw(st.booleans()):
            step["on_error"] = "continue"
        if draw(st.integers(0, 9)) == 0:
            step["if"] = False
        sources = draw(st.lists(st.sampled_from(steps), max_size=3, unique_by=lambda s: s["id"])) if steps else []
        if sources:
            step["needs"] = [draw(st.sampled_from(outcomes(source))) for source in sources]
            step["join"] = draw(st.sampled_from(["all", "any", *range(1, len(sources) + 1)]))
            if step["join"] == "all":
                step["with"]["adds"] += [READ.format(source["id"]) for source in sources]
        steps.append(step)
    return draw(st.permutations(steps))


def outcomes(step):
    name = step["id"]
    ports = [f"{name}.true", f"{name}.false"] if step["with"]["does"] in ("true", "false") else []
    return [name, *ports, *([f"{name}.error"] if step.get("on_error") == "continue" else [])]


def planned(steps) -> Plan:
    return plan(*steps, kinds=(PROBE,))


def as_meanings(rows):
    return {
        path: Meaning(WORDS[row.status], row.output if row.status is StepStatus.SUCCEEDED else None, row.port)
        for path, row in rows.items()
    }


def agrees(steps, status, step, rows):
    """The rows are what the reference says; after a failure that ended the run some may be missing."""
    expected, failures = meanings(steps), ending_failures(steps)
    found = as_meanings({path: row for path, row in rows.items() if row.status in WORDS})
    assert found.items() <= expected.items()
    if failures:
        assert (status, step in failures) == (RunStatus.FAILED, True)
    else:
        assert (status, found) == (RunStatus.SUCCEEDED, expected)


@given(graphs(), st.integers())
@settings(max_examples=300)
def test_the_engine_comes_to_what_the_reference_says_in_every_order(steps, seed):
    random = Random(seed)

    result = run_flow(planned(steps), Setup(choose=lambda ready: random.randrange(len(ready))))

    agrees(steps, result.finished.status, (result.finished.error or {}).get("step"), result.steps)


class Crash(Exception):
    pass


@given(graphs(), st.integers(), st.integers(0, 30))
@settings(max_examples=300)
def test_a_crash_after_any_row_changes_nothing(steps, seed, survivors):
    random = Random(seed)
    kept = []

    def crash(row):
        if len(kept) == survivors:
            raise Crash
        kept.append(row)

    def choose(ready):
        return random.randrange(len(ready))

    with suppress(Crash):
        run_flow(planned(steps), Setup(choose=choose, on_row=crash))
    latest = {row.path: row for row in kept}
    result = run_flow(planned(steps), Setup(choose=choose, results=tuple(latest.values())))

    agrees(steps, result.finished.status, (result.finished.error or {}).get("step"), result.steps)


@given(graphs(), st.integers())
@settings(max_examples=300)
def test_steps_that_run_at_the_same_time_come_to_the_same(steps, seed):
    """Any number of steps under way, results coming back in any order, nothing but `advance` deciding."""
    random, made, rows, under_way = Random(seed), planned(steps), {}, {}
    while True:
        decided = advance(made, rows)
        assert decided == advance(made, dict(reversed(rows.items())))
        rows |= {row.path: row for row in decided.skipped}
        if decided.verdict is not None:
            break
        for step in decided.ready:
            under_way.setdefault(step.path, 1)
        path = random.choice(sorted(under_way))
        row = attempted(made, made.by_id[path], rows, under_way.pop(path))
        if row.status is StepStatus.RETRYING:
            under_way[path] = row.attempt + 1
        else:
            rows[path] = row

    agrees(steps, decided.verdict.status, decided.verdict.step, rows)


def attempted(made, step, rows, number):
    scope = new_scope(made, inputs={}, trigger=None, run={}, results=rows.values())
    prepared = prepare(step, scope)
    if isinstance(prepared, Skipped):
        return skip(step, prepared.reason, now=START)
    around = Surroundings(scope, "key", START, remaining_seconds=lambda: 30, is_cancelled=lambda: False)
    outcome = attempt(step, prepared, number, around)
    row = settle(step, outcome, Attempt(number, prepared.config, START, START)).result
    return woken(row, now=START) if row.status is StepStatus.WAITING else row


@given(graphs(), st.integers())
@settings(max_examples=300)
def test_progress_says_after_every_row_what_advance_says(steps, seed):
    random, made = Random(seed), planned(steps)
    progress, rows, offered = Progress(made), {}, set()
    while True:
        decided = advance(made, rows)
        rows |= {row.path: row for row in decided.skipped}
        offered |= {step.path for step in progress.take_ready()}
        assert {row.path for row in progress.take_skipped()} == {row.path for row in decided.skipped}
        assert progress.verdict == decided.verdict
        if decided.verdict is not None:
            break
        assert {step.path for step in decided.ready} == offered - rows.keys()
        path = random.choice(sorted(offered - rows.keys()))
        row = attempted(made, made.by_id[path], rows, 2)
        rows[path] = row
        progress.record(row)

    assert {path: row.status for path, row in progress.results.items()} == {p: r.status for p, r in rows.items()}


def test_a_scope_shows_final_rows_only():
    made = planned([{"id": "a", "uses": "probe", "with": {"does": "sleep", "adds": [1]}}])
    scope = new_scope(made, inputs={}, trigger=None, run={})
    row = attempted(made, made.by_id["a"], {}, 1)

    assert scope["steps"] == {"a": {"status": "pending", "output": None, "error": None}}
    show(scope, row)
    assert scope["steps"] == {"a": {"status": "succeeded", "output": 1, "error": None}}
