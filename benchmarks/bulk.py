"""POST /workflows/bulk on a thousand workflows: milliseconds for each workflow, and what memory it takes.

Needs DATABASE_URL of an empty, migrated database and the secrets of an installation; nothing else may run on it.
The requests go through the whole stack of the web process: authentication, the JSON gate, the audit log, the answer.
"""

from __future__ import annotations

import os
import resource
import time
from typing import Any
from uuid import uuid4

import orjson

WORKFLOWS = 1000
STEPS = 20
RUNS_EACH = 10  # for the deletion
ROUNDS = 3
DOCUMENT = {
    "schema": 1,
    "steps": [{"id": f"step{number}", "uses": "log", "with": {"message": "x" * 200}} for number in range(STEPS)],
}
SEQUENCE: tuple[tuple[str, dict[str, Any]], ...] = (
    ("deactivate", {}),
    ("activate", {}),
    ("tag", {"tags": ["one", "two"]}),
    ("untag", {"tags": ["one", "two"]}),
    ("archive", {"meta_data": {"archived_for": "a benchmark"}}),
    ("unarchive", {}),
)
RUNS = """
insert into automation_run (workspace_id, workflow_id, version_id, status, finishes, started_at, finished_at)
select workspace_id, id, current_version_id, 50, 1, now(), now() from automation_workflow, generate_series(1, %s)
"""


def main() -> dict[str, Any]:
    """Each action in turn, a few rounds; the deletion last. Returns the figures."""
    send, ids = _caller()
    took: dict[str, list[float]] = {}
    for number in range(ROUNDS):
        for action, more in SEQUENCE:
            body = {"action": action, "ids": ids, **more}
            if action == "archive":
                body["meta_data"] = {"round": number}
            took.setdefault(action, []).append(_timed(send, body))
    took["dry run of a deletion"] = [_timed(send, {"action": "delete", "ids": ids, "dry_run": True})]
    took["deletion"] = [_timed(send, {"action": "delete", "ids": ids})]
    send, ids = _caller(runs_each=RUNS_EACH)
    took["deletion with ten runs each"] = [_timed(send, {"action": "delete", "ids": ids})]
    return {
        "workflows": WORKFLOWS,
        "load": round(os.getloadavg()[0], 1),
        "ms_per_workflow": {name: round(min(found) * 1000 / WORKFLOWS, 3) for name, found in took.items()},
        "slowest_round_ms_per_workflow": {
            name: round(max(found) * 1000 / WORKFLOWS, 3) for name, found in took.items()
        },
        "peak_memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
    }


def _caller(*, runs_each: int = 0) -> tuple[Any, list[str]]:
    """A function that sends a request and checks its answer, and a thousand workflows of its caller."""
    from django.db import connection
    from django.test import Client

    from automation.services import workflows
    from automation.services.workflow_drafts import Content, Draft
    from brainops.accounts.caller import system_caller
    from brainops.accounts.models import Membership, Role, User, Workspace
    from brainops.accounts.services import api_keys

    mark = uuid4().hex[:8]
    workspace = Workspace.objects.create(name="Benchmark", slug=f"benchmark-{mark}")
    user = User.objects.create_user(f"{mark}@example.com", username=mark)
    Membership.objects.create(user=user, workspace=workspace, role=Role.OWNER)
    by = system_caller(workspace.id, "benchmark")
    key = api_keys.issue(user, workspace, name="benchmark", role=Role.OWNER, scopes=["*"], by=by)
    client = Client(headers={"Authorization": f"Bearer {key.text}"})
    ids = [str(workflows.create(by, Draft(Content(f"Workflow {number}", DOCUMENT))).id) for number in range(WORKFLOWS)]
    with connection.cursor() as cursor:
        cursor.execute(RUNS, [runs_each])
        cursor.execute("analyze")

    def send(body: bytes) -> None:
        path = "/api/v1/automation/workflows/bulk"
        answer = client.post(path, body, content_type="application/json", secure=True)
        counts = answer.json().get("counts")
        if counts is None or counts["done"] != WORKFLOWS:
            raise SystemExit(f"The request was not done: {answer.content[:300]!r}")

    return send, ids


def _timed(send: Any, body: dict[str, Any]) -> float:
    text = orjson.dumps(body)
    started = time.perf_counter()
    send(text)
    return time.perf_counter() - started


if __name__ == "__main__":
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "brainops.settings")
    django.setup()
    from benchmarks.figures import machine, show

    show("bulk", main() | machine())
