"""Every hand-written statement plans on the migrated schema, with the index it was written for."""

from __future__ import annotations

import importlib
import pkgutil
import re
import uuid
from typing import Any

import pytest
from django.db import connection

from automation import store
from automation.store import cancel, checkpoint, claim, ended, intake, load, recover, start, ticks, wake, workers

ID = uuid.uuid4()
WORKER = {"worker": ID, "queue": "default", "limit": 16}
NEW = intake.NewRun(workspace_id=ID, workflow_id=ID, version_id=ID, inputs={}, dedupe_key="key:x")
ENTRY = checkpoint.Entry(run_id=1, claim=ID)
CHECKPOINT = checkpoint._moves([ENTRY]) | checkpoint._steps([ENTRY])
PERSON = {"id": ID, "name": "host/0", "host": "host", "pid": 1, "release": "", "slots": 1}

# statement name: (parameters, indexes it must use when a sequential scan is forbidden)
CASES: dict[str, tuple[Any, tuple[str, ...]]] = {
    "cancel.CANCEL": (([1],), ("automation_run_pkey",)),
    "checkpoint.WITHOUT_LOGS": (
        CHECKPOINT,
        ("automation_run_pkey", "automation_rundata_pkey", "automation_steprun_pkey"),
    ),
    "checkpoint.WITH_LOGS": (CHECKPOINT | checkpoint._lines([ENTRY]), ("automation_run_pkey",)),
    "claim.CLAIM": (WORKER, ("run_ready", "automation_worker_pkey")),
    "claim.CLAIM_SUSPECT": (WORKER, ("run_suspect",)),
    "claim.HELD": ((1, ID), ("automation_run_pkey",)),
    "ended.ENDED": ({"runs": [1], "respond": [1]}, ("automation_run_pkey",)),
    "intake.INSERT": (NEW.parameters(), ()),
    "intake.FIND_DUPLICATE": ((ID, "key:x"), ("run_dedupe",)),
    "load.STEPS": (([1],), ("automation_steprun_pkey",)),
    "load.VERSIONS": (([ID],), ("automation_workflowversion_pkey",)),
    "recover.DECLARE_DEAD": ({"dead": 10.0}, ("worker_heartbeat",)),
    "recover.RECOVER": ((), ("run_owner",)),
    "recover.PRUNE": ((), ()),
    "recover.ORPHANS": ((), ("run_owner",)),
    "start.START": (NEW.parameters() | {"run_is_pinned": False}, ("automation_workflow_",)),
    "start.START_WITH_KEPT": (
        NEW.parameters() | {"run_is_pinned": True, "kept_paths": ["a"], "run_parent_run_id": 1},
        ("automation_steprun_pkey",),
    ),
    "ticks.TAKE_TURN": ({"name": "tick", "every": 1.0}, ()),
    "wake.WAKE_DUE": ((), ("run_wake",)),
    "wake.TIME_OUT": ((), ("run_deadline",)),
    "workers.REGISTER": (PERSON, ()),
    "workers.HEARTBEAT": ({"id": ID, "busy": "[]"}, ("run_owner", "run_ready", "run_suspect")),
    "workers.SET_STATE": ((2, ID), ("automation_worker_pkey",)),
}
MODULES = {
    module.__name__.rpartition(".")[2]: module
    for module in (cancel, checkpoint, claim, ended, intake, load, recover, start, ticks, wake, workers)
}
STATEMENT = re.compile(r"^\s*(with|select|insert|update|delete)\b", re.IGNORECASE)
PIECES = {"checkpoint.CHECKPOINT"}  # completed by other statements


def statement_of(name: str) -> str:
    module, _, constant = name.partition(".")
    return getattr(MODULES[module], constant)


@pytest.mark.django_db
@pytest.mark.parametrize("name", CASES)
def test_a_hand_statement_plans_with_the_index_it_was_written_for(name: str):
    parameters, indexes = CASES[name]

    with connection.cursor() as cursor:
        cursor.execute("set local enable_seqscan = off")
        cursor.execute("explain " + statement_of(name), parameters)
        plan = "\n".join(row[0] for row in cursor.fetchall())

    assert [index for index in indexes if index not in plan] == []


def test_no_hand_statement_is_left_out_of_this_file():
    found = set()
    for module in pkgutil.iter_modules(store.__path__):
        loaded = importlib.import_module(f"{store.__name__}.{module.name}")
        for constant, value in vars(loaded).items():
            if constant.isupper() and isinstance(value, str) and STATEMENT.match(value):
                found.add((module.name, constant, value))
    missing = {f"{module}.{constant}" for module, constant, value in found} - CASES.keys() - PIECES
    texts = {statement_of(name) for name in CASES}

    assert sorted(name for name in missing if _text(name) not in texts) == []


def _text(name: str) -> str:
    module, _, constant = name.partition(".")
    return getattr(importlib.import_module(f"{store.__name__}.{module}"), constant)
