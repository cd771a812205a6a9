"""Compare the three books: promises of the clients' log, effects of the target's ledger, rows of the database."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from tests.chaos.figures import Figures, quantile
from tests.chaos.house import DEAD_SECONDS, House
from tests.chaos.ledger import Effect, Ledger

RUNS = """
select id, uid::text, status, finishes, extract(epoch from created_at)::float8,
       extract(epoch from finished_at)::float8, crashes
from automation_run where workflow_id = %s
"""


ERRORS = """
select d.error ->> 'type', left(d.error ->> 'message', 300), count(*)
from automation_run r join automation_rundata d on d.run_id = r.id
where r.workflow_id = %s and r.status in (51, 53) group by 1, 2 order by 3 desc limit 3
"""


@dataclass
class Tally:
    """What one scenario counted."""

    scenario: int
    workflow: str = ""
    part: str = ""
    faults: int = 0
    accepted: set[str] = field(default_factory=set)  # deliveries
    answers: list[tuple[float, float, int]] = field(default_factory=list)  # sent at, seconds, status (0 = none)
    interrupted: dict[int, float] = field(default_factory=dict)  # run → when its worker was stopped, the last time
    stored: dict[tuple[str, str], float] = field(default_factory=dict)  # (run uid, step) → known stored since
    converges_in: float | None = None
    steps: tuple[str, ...] = ()  # whose effects every run must have
    cancelled: set[str] = field(default_factory=set)  # runs that somebody asked to cancel
    rest: float = 0.0
    slowest_start: float = 0.0  # of a worker, until it breathed: how busy the machine is with other things
    more: dict[str, Any] = field(default_factory=dict)
    # counted in the end
    effects: list[Effect] = field(default_factory=list)
    runs: dict[str, str] = field(default_factory=dict)  # delivery → run
    lasted: list[tuple[float, float]] = field(default_factory=list)  # created at, seconds until the end
    lost: int = 0  # promised, and not succeeded once everything came to rest, or an effect not seen
    doubled: int = 0  # runs beyond one per delivery, or finished more than once
    failed: int = 0
    repeated: int = 0  # effects beyond the first under their key
    rerun: int = 0  # effects of steps whose result was stored before
    changed_keys: int = 0  # steps whose repeats did not carry the first key
    recovery: float | None = None

    def quantile(self, share: float, *, since: float = 0, until: float = float("inf")) -> float:
        """The quantile `share` of the answers' seconds."""
        return quantile([taken for at, taken, _ in self.answers if since <= at < until], share)

    def statuses(self, *, since: float = 0, until: float = float("inf")) -> set[int]:
        return {status for at, _, status in self.answers if since <= at < until}

    @property
    def slack(self) -> float:
        """Seconds that limits are widened by, on a machine where even the start of a worker takes longer than 3 s."""
        return max(0.0, self.slowest_start - 3)

    @property
    def recovers_in(self) -> float:
        """Seconds after which runs of a killed worker must be over elsewhere."""
        return DEAD_SECONDS + 3 + self.slack

    @property
    def errors(self) -> tuple[int, int, int, int, int]:
        """What must be nothing in every scenario: lost, doubled, failed, stored steps run again, changed keys."""
        return (self.lost, self.doubled, self.failed, self.rerun, self.changed_keys)

    def figures(self) -> Figures:
        return Figures(
            scenario=self.scenario,
            accepted=len(self.accepted),
            faults=self.faults,
            lost=self.lost,
            doubled=self.doubled,
            failed=self.failed,
            repeated=self.repeated,
            recovery=self.recovery,
            rest=self.rest,
            intake_p99=self.quantile(0.99) if self.answers else None,
            intake_p100=self.quantile(1) if self.answers else None,
            more=self.more,
            part=self.part,
        )


def count(house: House, workflow: str, tally: Tally, ledger: Ledger) -> None:
    """Fill in what the books say once everything came to rest."""
    rows = house.rows(RUNS, workflow)
    promises = ledger.promises()
    delivery_of = {run: delivery for delivery, runs in promises.items() for run in runs}
    tally.runs = {delivery: run for run, delivery in delivery_of.items()}
    tally.effects = list(ledger.effects())
    seen: dict[tuple[str, str], list[Effect]] = defaultdict(list)
    for effect in tally.effects:
        seen[effect.delivery, effect.step].append(effect)
    succeeded = {uid for _, uid, status, *_ in rows if status == 50}
    let_go = {uid for _, uid, status, *_ in rows if status == 52} & tally.cancelled
    unseen = {delivery for delivery in promises for step in tally.steps if (delivery, step) not in seen}
    unseen -= {delivery_of[uid] for uid in let_go if uid in delivery_of}
    tally.lost = len(delivery_of.keys() - succeeded - let_go) + len(unseen)
    tally.doubled = len({row[1] for row in rows} - delivery_of.keys()) + sum(row[3] != 1 for row in rows)
    tally.doubled += sum(len(runs) - 1 for runs in promises.values())
    tally.failed = len(rows) - len(succeeded) - len(let_go)
    if tally.failed:
        tally.more["errors"] = house.rows(ERRORS, workflow)
    tally.repeated = sum(len(effects) - 1 for effects in seen.values())
    tally.changed_keys = sum(len({effect.key for effect in effects}) > 1 for effects in seen.values())
    tally.rerun = _rerun(tally, seen, delivery_of)
    tally.lasted = [(created, finished - created) for *_, created, finished, _ in rows]
    _recoveries(tally, {row[0]: row[-2:] for row in rows})


def _recoveries(tally: Tally, ends: dict[int, Any]) -> None:
    """How long it took from the stop of a worker to the end of its runs; those of two dead processes stand apart.

    They go on one by one, each alone in a process of its own.
    """
    lasted: dict[bool, list[float]] = {False: [], True: []}
    for run, at in tally.interrupted.items():
        if run in ends:
            finished, crashes = ends[run]
            lasted[crashes >= 2].append(finished - at)
    tally.recovery = max(lasted[False], default=None)
    if suspects := lasted[True]:
        tally.more["recovery of runs killed twice"] = f"{max(suspects):.1f} s ({len(suspects)} runs)"


def _rerun(tally: Tally, seen: dict[tuple[str, str], list[Effect]], delivery_of: dict[str, str]) -> int:
    """Effects after their result was known to be stored, and first steps after a second one."""
    again = sum(
        effect.at > at
        for (uid, step), at in tally.stored.items()
        if uid in delivery_of
        for effect in seen[delivery_of[uid], step]
    )
    backwards = 0
    for delivery in {delivery for delivery, _ in seen}:
        seconds = [effect.claim for effect in seen.get((delivery, "second"), ())]
        if seconds:
            backwards += sum(effect.claim > min(seconds) for effect in seen.get((delivery, "first"), ()))
    return again + backwards
