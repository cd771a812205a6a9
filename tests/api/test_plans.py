"""No filter of the list of runs reads the whole table, however many runs there are."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection

from automation.services import run_search
from automation.tests.api.conftest import Api
from brainops.accounts.caller import Caller, system_caller

ID = "6f1c0c7e-0000-4000-8000-000000000000"
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
RUNS = """
with made as (
  insert into automation_run (workspace_id, workflow_id, version_id, status, finishes, created_at, started_at,
                              finished_at)
  select workspace_id, id, current_version_id, case when n %% 20 = 0 then 51 else 50 end, 1, at, at, at + n * '1 ms'::interval
  from automation_workflow, generate_series(1, 20000) n, lateral (select now() - (20000 - n) * '1 s'::interval as at) t
  returning id, status)
insert into automation_rundata (run_id, error) select id, case when status = 51 then jsonb_build_object(
  'message', 'No answer from ' || id, 'class', 'transient', 'type', 'HttpError') end from made
"""
FILTERS: dict[str, dict[str, Any]] = {
    "nothing": {},
    "a status": {"status": ["succeeded"]},
    "a rare status": {"status": ["timed_out"]},
    "a workflow": {"workflow_id": ID},
    "a version": {"version": "1.0.0"},
    "a version of a workflow": {"version": "1.0.0", "workflow_id": ID},
    "a version without runs": {"version": "1.0.1"},
    "a version that is not there": {"version": "9.9.9"},
    "a tag": {"workflow_tag": ["x"]},
    "a trigger": {"trigger_id": ID},
    "a kind of trigger": {"trigger_kind": ["schedule"]},
    "no trigger": {"trigger_kind": ["none"]},
    "a person": {"created_by": ID},
    "before": {"created_until": LONG_AGO},
    "since": {"created_since": LONG_AGO},
    "slow ones": {"min_seconds": 19.99},
    "quick ones": {"max_seconds": 1},
    "words of an error": {"search": "answer"},
    "rare words of an error": {"search": "zebra"},
    "a class of errors": {"error_class": "auth"},
    "a type of errors": {"error_type": "HttpError"},
    "unknown effects": {"has_unknown": True},
    "retries": {"parent_run_id": ID},
    "called ones": {"called_by_run_id": ID},
}


@pytest.fixture
def caller(owner: Api) -> Caller:
    """A caller in a workspace with 20,000 runs."""
    owner.make()
    with connection.cursor() as cursor:
        cursor.execute(RUNS.replace("%%", "%"))
        cursor.execute("analyze automation_run")
        cursor.execute("analyze automation_rundata")
    return system_caller(owner.workspace.id, "tests")


@pytest.mark.parametrize("order", ["-id", "id"])
def test_every_filter_of_the_list_of_runs_goes_through_an_index(caller: Caller, order: str):
    plans = {}
    for name, wanted in FILTERS.items():
        page = run_search.find_rows(caller, **wanted).order_by(order)[:51]
        plans[name] = run_search.shown(page).order_by(order).explain()

    whole = [name for name, plan in plans.items() if "Seq Scan on automation_run " in plan + " "]
    assert whole == [], "\n\n".join(plans[name] for name in whole)
