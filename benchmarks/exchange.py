"""Exports and imports of 1,000 and 10,000 workflows: how long they take, and how much memory they add to a process.

Needs DATABASE_URL of an empty, migrated database and the secrets of an installation; nothing else may run on it. The
workflows are those of the gallery, with an earlier version and a schedule each. A thousand go through the whole stack
of the web process; ten thousand are what a worker does.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import orjson

AT_ONCE, MANY = 1000, 10_000


def main() -> dict[str, Any]:
    """Import, import again, export, in the forms there are; returns the figures."""
    from django.conf import settings

    settings.DEBUG = False  # else each statement is kept in memory
    caller, send = _person()
    small = _file(AT_ONCE)
    figures: dict[str, Any] = {"file_of_1000_mb": round(len(small) / 1e6, 1)}
    send("import?dry_run=true", _file(20))  # what is made once: checkers, kinds
    figures["dry_run_of_1000"] = _measured(lambda: send("import?dry_run=true", small))
    figures["import_of_1000"] = _measured(lambda: send("import", small))
    figures["the_same_file_again"] = _measured(lambda: send("import", small))
    for form in ("json", "ndjson", "zip", "yaml"):
        body = orjson.dumps({"format": form})
        figures[f"export_of_1000_as_{form}"] = _measured(lambda body=body: send("export", body))
    figures |= _many(caller, send)
    return figures


def _many(caller: Any, send: Callable[[str, bytes], bytes]) -> dict[str, Any]:
    from automation.models import Transfer
    from automation.services.transfers_due import work_on_next

    large = _file(MANY)
    Path(name := f"/tmp/{uuid4().hex}").write_bytes(large)
    size, large = len(large), b""
    figures: dict[str, Any] = {"file_of_10000_mb": round(size / 1e6, 1)}
    figures["upload_of_10000"] = _measured(lambda: _upload(caller, Path(name)))
    Path(name).unlink()
    figures["import_of_10000_by_a_worker"] = _measured(work_on_next)
    for form in ("json", "zip"):
        send("export", orjson.dumps({"format": form, "async": True}))
        figures[f"export_of_10000_as_{form}_by_a_worker"] = _measured(work_on_next)
    figures["stream_of_10000_as_json"] = _measured(lambda: _drain(caller))
    failed = Transfer.objects.exclude(state="done").count()
    return {**figures, "failed": failed}


def _upload(caller: Any, path: Path) -> None:
    from automation.models import Direction, TransferState
    from automation.services import transfers
    from automation.services.exchange.plans import Options

    options = Options().as_json()
    transfer = transfers.create(caller, Direction.IMPORT, "json", options, state=TransferState.UPLOADING)
    with path.open("rb") as file:
        transfers.upload(transfer, iter(lambda: file.read(64 << 10), b""))
    transfers.release(transfer)


def _drain(caller: Any) -> None:
    from automation.services import exports

    for _piece in exports.export(caller, exports.Wanted()).pieces:
        pass


def _measured(work: Callable[[], Any]) -> dict[str, float]:
    """Seconds, those of them that this process computed, and megabytes beyond what it had before."""
    import gc

    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew (Linux: proc(5))
    before = _status("VmRSS")
    started, cpu = time.perf_counter(), time.process_time()
    work()
    took, cpu = time.perf_counter() - started, time.process_time() - cpu
    return {
        "seconds": round(took, 2),
        "cpu_seconds": round(cpu, 2),
        "memory_mb": round((_status("VmHWM") - before) / 1024, 1),
    }


def _status(name: str) -> int:
    """Kilobytes of a line of /proc/self/status."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1])
    return 0


def _file(count: int) -> bytes:
    return orjson.dumps({"format": "brainops/export", "format_version": 1, "workflows": list(_workflows(count))})


def _workflows(count: int) -> Iterator[dict[str, Any]]:
    from automation.gallery import all_samples

    bodies = [sample.body for sample in all_samples() if not _calls(sample.body)]
    for number in range(count):
        body = bodies[number % len(bodies)]
        last = {"id": "last", "uses": "log", "with": {"message": f"Number {number}"}}
        definition = {**body["definition"], "steps": [*body["definition"]["steps"], last]}
        yield {
            "key": f"benchmark-{count}-{number}",
            "name": f"{body['name']} {count}/{number}",
            "description": body.get("description", ""),
            "tags": body.get("tags", []),
            "version": "1.0.1",
            "definition": definition,
            "history": [{"number": "1.0.0", "name": body["name"], "definition": body["definition"]}],
            "triggers": [{"kind": "schedule", "config": {"cron": "0 6 * * *"}, "is_active": False}]
            if not definition.get("inputs", {}).get("required")
            else [],
        }


def _calls(body: dict[str, Any]) -> bool:
    from automation.services.workflow_calls import references

    return any(references(body["definition"]))


def _person() -> tuple[Any, Callable[[str, bytes], bytes]]:
    """The owner of a new workspace, and a way to send a body to /workflows/… as that person."""
    from django.test import Client

    from brainops.accounts.caller import Caller, system_caller
    from brainops.accounts.models import Membership, Role, User, Workspace
    from brainops.accounts.services import api_keys

    workspace = Workspace.objects.create(name="Benchmark", slug=f"benchmark-{uuid4().hex[:8]}")
    user = User.objects.create_user(f"{workspace.slug}@example.com", username=workspace.slug)
    Membership.objects.create(user=user, workspace=workspace, role=Role.OWNER)
    by = system_caller(workspace.id, "benchmark")
    key = api_keys.issue(user, workspace, name="benchmark", role=Role.OWNER, scopes=("*",), by=by)
    client = Client(headers={"Authorization": f"Bearer {key.text}", "Host": "127.0.0.1"})

    def send(path: str, body: bytes) -> bytes:
        answer = client.generic("POST", f"/api/v1/automation/workflows/{path}", body, content_type="application/json")
        found = b"".join(answer.streaming_content) if answer.streaming else answer.content
        if answer.status_code not in (200, 202) or (b'"refused":0' not in found and path.startswith("import")):
            raise RuntimeError(found[:2000].decode())
        return found

    caller = Caller(user_id=user.id, label=user.email, via="token", workspace_id=workspace.id, role=Role.OWNER)
    return caller, send


if __name__ == "__main__":
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "brainops.settings")
    django.setup()
    from benchmarks.figures import machine, show

    show("exchange", main() | machine())
