"""Random workflows that break somewhere, are mended and retried: the same end as if nothing had ever been broken."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from automation.engine.document import parse_document
from automation.engine.keep import KeptPaths, kept_paths
from automation.engine.kinds import Done
from automation.engine.plan import build_plan
from automation.engine.simulate import Setup, Simulated, run_flow
from automation.engine.status import RunStatus, StepStatus
from automation.steps import all_kinds
from automation.tests.engine.random_documents import documents
from automation.tests.engine.samples import failure, kind

INPUTS = {"x": [1, 2, 3]}
# A `try` that dealt with a failure and a pass of a `while` stay as they are, so their end may differ.
MENDABLE = documents(containers=("loop", "group", "loop", "group"), is_steady=True)


def comes_to(document, *, broken=frozenset(), rows=()) -> Simulated:
    """Run it; attempts whose place in the list of paths is in `broken` fail."""

    def run(call):
        return failure() if sum(map(ord, call.path)) % 7 in broken else Done(call.config["set"])

    kinds = {**all_kinds(), "transform": kind("transform", run)}
    return run_flow(build_plan(document, kinds), Setup(inputs=INPUTS, results=tuple(rows)))


def copied(first: Simulated, kept: KeptPaths):
    """The rows as the start of a retry copies them (`store/start.py`)."""
    for path in kept.final:
        yield replace(first.steps[path], is_kept=True)
    for path in kept.reopened:
        again = [index for batch, index in kept.items_again if batch == path]
        reason = {"again": again} if again else None
        yield replace(first.steps[path], status=StepStatus.OPEN, is_kept=True, reason=reason, finished_at=None)


def end(simulated: Simulated):
    rows = {path: row for path, row in simulated.steps.items() if not row.kind.endswith(".batch")}
    return simulated.finished, {path: (row.status, row.port, row.output) for path, row in rows.items()}


@given(MENDABLE, st.frozensets(st.integers(0, 6), min_size=1, max_size=3))
@settings(max_examples=200, deadline=None)
def test_a_retry_of_what_failed_comes_to_the_end_of_a_run_without_failures(document, broken):
    whole = comes_to(document)
    assume(whole.finished.status is RunStatus.SUCCEEDED)
    first = comes_to(document, broken=broken)
    parsed = parse_document(document)

    second = comes_to(document, rows=copied(first, kept_paths(parsed, parsed, first.steps)))

    assert end(second) == end(whole)
    assert all(row.status.is_final for row in second.steps.values())


@given(MENDABLE, st.data())
@settings(max_examples=200, deadline=None)
def test_a_retry_from_anywhere_comes_to_the_same_end_and_repeats_nothing_it_keeps(document, data):
    first = comes_to(document)
    assume(first.finished.status is RunStatus.SUCCEEDED)
    parsed = parse_document(document)
    places = [*(step.id for step in parsed.steps()), *(path for path, _ in first.attempts)]
    restart = data.draw(st.sampled_from(places))
    kept = kept_paths(parsed, parsed, first.steps, restart=restart)

    second = comes_to(document, rows=copied(first, kept))

    assert end(second) == end(first)
    attempted = {path for path, _ in second.attempts}
    assert not attempted & kept.final
    assert all(row.status.is_final for row in second.steps.values())
    assert restart in attempted or restart not in {path for path, _ in first.attempts}
