"""News against parks on real rows: whatever comes first, each run is woken exactly once and nothing is lost."""

from __future__ import annotations

import random
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, connections

from automation.engine.commands import AskApproval, TakeSignal
from automation.engine.status import RunStatus, WaitKind
from automation.models import Approval, Run
from automation.services.approval_decisions import approve
from automation.services.signals import send
from automation.store.checkpoint import Entry, Move, write_checkpoint
from automation.store.claim import Claimed, claim_runs
from automation.store.commands import CommandContext, perform_in_transaction
from automation.store.connection import Connection
from automation.store.intake import NewRun, insert_run
from automation.store.workers import register
from automation.tests.approvals.rows import make_run
from brainops.accounts.caller import Caller, system_caller
from brainops.accounts.models import Workspace

RUNS, WAITERS, SENDERS = 600, 3, 3
PATIENCE_SECONDS = 60.0

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


class Waiter:
    """A worker in small: claims, asks, and finishes or parks."""

    def __init__(self, command: Any) -> None:
        self.command = command
        self.store = Connection()
        self.worker = uuid4()
        register(self.store, worker_id=self.worker, name=f"race/{self.worker}", pid=1, release="", slots=4)

    def work(self, answers: list[tuple[int, Any]]) -> None:
        """Until every run has its answer."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while len(answers) < RUNS and time.monotonic() < deadline:
            for run in claim_runs(self.store, worker_id=self.worker, queue="default", limit=2):
                self.take(run, answers)
        self.store.close()

    def take(self, run: Claimed, answers: list[tuple[int, Any]]) -> None:
        about = CommandContext(run.id, run.uid, run.claim, run.workspace_id, run.workflow_id, 0, "wait", 1)
        time.sleep(random.random() * 0.002)
        answer = self.store.transaction(lambda cursor: perform_in_transaction(cursor, about, self.command, 1))
        time.sleep(random.random() * 0.002)
        move = Move(RunStatus.WAITING, wait_kind=WaitKind.SIGNAL, signals=run.signals)
        if answer["state"] not in ("waiting", "pending"):
            answers.append((run.id, answer))
            move = Move(RunStatus.SUCCEEDED)
        assert write_checkpoint(self.store, [Entry(run.id, run.claim, move=move)])


def start(workspace: Workspace) -> list[Run]:
    """Runs in the queue."""
    first = make_run(workspace, status=RunStatus.SUCCEEDED)
    new = NewRun(workspace.id, first.workflow_id, first.version_id, inputs={})
    with connection.cursor() as cursor:
        ids = [insert_run(cursor, new).id for _ in range(RUNS)]
    return list(Run.objects.filter(id__in=ids).order_by("id"))


def play(command: Any, runs: list[Run], tell: Any) -> list[tuple[int, Any]]:
    """Tell each run once while others claim, ask and park; return what was answered to whom."""
    answers: list[tuple[int, Any]] = []

    def speak(share: list[Run]) -> None:
        for run in share:
            time.sleep(random.random() * 0.008)
            tell(run)
        connections.close_all()

    with ThreadPoolExecutor(WAITERS + SENDERS) as pool:
        made = [pool.submit(speak, runs[n::SENDERS]) for n in range(SENDERS)]
        made += [pool.submit(Waiter(command).work, answers) for _ in range(WAITERS)]
        for future in made:
            future.result()
    return answers


def claims_of(runs: list[Run]) -> Counter[int]:
    """How many runs were claimed how often."""
    ids = [run.id for run in runs]
    rows = Run.objects.filter(id__in=ids)
    assert set(rows.values_list("status", "signals", "finishes")) == {(RunStatus.SUCCEEDED, 1, 1)}
    return Counter(rows.values_list("attempt", flat=True))


def test_a_signal_before_during_and_after_the_park_wakes_its_run_once(home):
    by: Caller = system_caller(home.id, "race")
    runs = start(home)

    answers = play(TakeSignal("go"), runs, lambda run: send(by, run.uid, "go", payload=run.id))

    assert sorted((run_id, answer["payload"]) for run_id, answer in answers) == [(run.id, run.id) for run in runs]
    claims = claims_of(runs)
    assert set(claims) == {1, 2}  # the signal came first, or it woke the run: once
    assert min(claims.values()) > RUNS / 50, claims


def test_a_decision_before_during_and_after_the_park_wakes_its_run_once(home):
    by: Caller = system_caller(home.id, "race")
    runs = start(home)

    def decide(run: Run) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            asked = Approval.objects.filter(run_id=run.id).values_list("id", flat=True).first()
            if asked is not None:
                approve(by, asked)
                return
            time.sleep(0.001)

    answers = play(AskApproval("Go?"), runs, decide)

    said = sorted((run_id, answer["state"], answer["decided_by"]) for run_id, answer in answers)
    assert said == [(run.id, "approved", "race") for run in runs]
    assert set(claims_of(runs)) == {2}  # asked in the first claim, answered in the second
