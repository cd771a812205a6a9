"""Two writers commit the ends of called runs and the steps of their callers, each run's caller in the other's batch."""

from __future__ import annotations

import threading

from django.db import connection

from automation.engine.results import StepResult
from automation.engine.status import RunStatus, StepStatus
from automation.models import Run
from automation.runtime.writer import Writer
from automation.store.checkpoint import Entry, Move

FAMILIES = 60


def adopt(parents, children):
    with connection.cursor() as cursor:
        for parent, child in zip(parents, children, strict=True):
            cursor.execute("update automation_run set has_children = true where id = %s", [parent.id])
            cursor.execute(
                "update automation_run set called_by_run_id = %s, called_by_path = 'call' where id = %s",
                [parent.id, child.id],
            )


def test_every_end_and_every_step_is_committed(claim):
    runs = claim(4 * FAMILIES)[1]
    groups = [runs[place::4] for place in range(4)]
    parents, children = groups[0] + groups[1], groups[2] + groups[3]
    adopt(parents, children)
    callers = {child.id: parent.id for parent, child in zip(parents, children, strict=True)}
    writers = [Writer(), Writer()]

    def work(writer, steps_of, ends_of):
        receipts = []
        for parent, child in zip(steps_of, reversed(ends_of), strict=True):
            row = StepResult("a", "log", StepStatus.SUCCEEDED)
            receipts.append(writer.submit(Entry(parent.id, parent.claim, (row,))))
            receipts.append(
                writer.submit(Entry(child.id, child.claim, move=Move(RunStatus.SUCCEEDED), called_by=callers[child.id]))
            )
        answers.extend(receipt.wait() for receipt in receipts)

    answers: list[int | None] = []
    ways = [(writers[0], groups[0], groups[3]), (writers[1], groups[1], groups[2])]
    threads = [threading.Thread(target=work, args=way) for way in ways]
    for thread in [*threads, *writers]:
        thread.start()
    for thread in threads:
        thread.join()
    for writer in writers:
        writer.stop(10)

    assert None not in answers
    ended = Run.objects.filter(id__in=[run.id for run in children])
    assert {(run.status, run.finishes) for run in ended} == {(RunStatus.SUCCEEDED, 1)}
    assert set(Run.objects.filter(id__in=[run.id for run in parents]).values_list("signals", flat=True)) == {1}
