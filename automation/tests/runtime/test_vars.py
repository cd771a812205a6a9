"""Variables of real runs: taken once, when a run begins, and the same for all its life."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection

from automation.engine.status import RunStatus
from automation.models import Run, RunData, Variable
from automation.runtime.plans import Plans, variables_of
from automation.services.retries import Repeat, retry
from automation.services.signals import send
from automation.store.claim import claim_runs
from automation.tests.approvals.test_end_to_end import eventually
from brainops.accounts.caller import system_caller
from brainops.accounts.models import Workspace

READ = {"id": "read", "uses": "transform", "with": {"set": {"limit": "{{ vars.limit }}"}}}
WAIT = {"id": "wait", "uses": "wait_signal", "needs": ["read"], "with": {"name": "go"}}
OUTPUT = ["{{ steps.read.output.limit }}", "{{ vars.limit }}"]


@pytest.fixture
def home(make_workflow: Any) -> Workspace:
    return Workspace.objects.get(slug="acme")


def set_variable(home: Workspace, value: Any, name: str = "limit") -> None:
    Variable.objects.update_or_create(workspace=home, name=name, defaults={"value": value})


def test_a_run_that_waited_goes_on_with_the_variables_it_began_with(home, make_workflow, accept, runtime, ended):
    set_variable(home, 1)
    accepted = accept(make_workflow(READ, WAIT, output=OUTPUT))
    eventually(lambda: Run.objects.filter(uid=accepted.uid, status=RunStatus.WAITING).exists())

    set_variable(home, 2)
    send(system_caller(home.id, "tests"), accepted.uid, "go", payload=None)

    assert ended(accepted.uid).data.output == [1, 1]


def test_a_retry_begins_with_the_variables_of_its_day(home, make_workflow, accept, runtime, ended):
    failing = {
        "id": "check",
        "uses": "fail",
        "if": "{{ vars.limit == 1 }}",
        "needs": ["read"],
        "with": {"message": "no"},
    }
    set_variable(home, 1)
    run = ended(accept(make_workflow(READ, failing, output=OUTPUT)).uid)
    set_variable(home, 2)

    again = ended(retry(system_caller(home.id, "tests"), run.uid, Repeat("failed")).uid)

    assert [run.status_word, again.status_word] == ["failed", "succeeded"]
    assert again.data.output == [1, 2]  # what was kept of the first run was read then


def test_a_run_keeps_only_what_its_workflow_reads_and_not_what_others_keep(home, make_workflow, accept, runtime, ended):
    stranger = Workspace.objects.create(name="Other", slug="other")
    for where, name in ((home, "limit"), (home, "unread"), (stranger, "limit")):
        set_variable(where, f"{name} of {where.slug}", name)

    run = ended(accept(make_workflow(READ, output=OUTPUT)).uid)

    assert RunData.objects.get(run=run).vars == {"limit": "limit of acme"}


def test_several_runs_of_one_claim_get_their_own_and_a_workspace_without_any_gets_none(
    home, make_workflow, accept, store, new_worker
):
    stranger = Workspace.objects.create(name="Other", slug="other")
    set_variable(home, {"deep": [None, 1.5]})
    versions = [make_workflow(READ), make_workflow({**READ, "with": {"set": {"x": 1}}})]
    foreign = make_workflow(READ)
    type(foreign).objects.filter(id=foreign.id).update(workspace=stranger)
    foreign.refresh_from_db()
    for version in (*versions, foreign):
        accept(version)

    claimed = claim_runs(store, worker_id=new_worker(), limit=3)
    loaded = Plans(store).get([run.version_id for run in claimed])

    for _ in range(2):  # the second time they were here before
        taken = variables_of(store, [(run, loaded[run.version_id]) for run in claimed])
        assert taken == {claimed[0].id: {"limit": {"deep": [None, 1.5]}}, claimed[2].id: {}}


def test_runs_that_read_no_variable_cost_no_query(home, make_workflow, accept, store, new_worker):
    accept(make_workflow({**READ, "with": {"set": {"x": 1}}}))
    claimed = claim_runs(store, worker_id=new_worker(), limit=3)
    loaded = Plans(store).get([run.version_id for run in claimed])
    store.close()

    assert variables_of(store, [(run, loaded[run.version_id]) for run in claimed]) == {}
    assert store._raw is None  # nobody opened the connection
    with connection.cursor() as cursor:
        cursor.execute("select vars from automation_rundata")
        assert cursor.fetchall() == [(None,)]
