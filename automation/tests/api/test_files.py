"""GET /files/{id}: the bytes, as an attachment and nothing else, to those who may see runs."""

from __future__ import annotations

import pytest

from automation.engine.status import RunStatus, StepStatus
from automation.models import FileUse, Run, StepRun
from automation.services import files
from automation.store.connection import Connection
from automation.store.prune import prune_runs, untie
from brainops.accounts.models import Role

pytestmark = pytest.mark.django_db(transaction=True)

PAGE = b"<script>alert(1)</script>"


def kept(api, name="page.html", data=PAGE):
    return files.keep(api.workspace.id, name, "text/html", data)["$file"]


def test_a_file_is_downloaded_and_never_shown(owner):
    answer = owner.get(f"/files/{kept(owner)}")

    shown = ("Content-Type", "Content-Length", "Content-Disposition", "X-Content-Type-Options", "Cache-Control")
    assert b"".join(answer.streaming_content) == PAGE
    assert [answer[name] for name in shown] == [
        "application/octet-stream",
        str(len(PAGE)),
        'attachment; filename="page.html"',
        "nosniff",
        "no-store",
    ]
    assert answer["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'; sandbox"


def test_a_name_cannot_add_a_header(owner):
    name = 'a"\r\nSet-Cookie: x=1; ü.csv'

    answer = owner.get(f"/files/{kept(owner, name)}")

    assert answer["Content-Disposition"] == (
        "attachment; filename*=utf-8''a%22%EF%BF%BD%EF%BF%BDSet-Cookie%3A%20x%3D1%3B%20%C3%BC.csv"
    )
    assert "Set-Cookie" not in answer


def test_members_read_files_and_strangers_find_none(owner, member, stranger):
    path = f"/files/{kept(owner)}"

    assert [api.get(path).status_code for api in (owner, member(Role.VIEWER), stranger)] == [200, 200, 404]


def test_a_retry_holds_the_files_of_the_run_it_repeats(owner):
    definition = {
        "schema": 1,
        "inputs": {"properties": {"file": {}}},
        "steps": [
            {"id": "a", "uses": "log", "with": {"message": "a"}},
            {"id": "b", "uses": "fail", "needs": ["a"], "with": {"message": "broken"}},
        ],
    }
    workflow_id = owner.make(definition=definition)["id"]
    reference = {"$file": kept(owner)}
    uid = owner.post(f"/workflows/{workflow_id}/execute", {"inputs": {"file": reference}}).json()["id"]
    run = Run.objects.get(uid=uid)
    StepRun.objects.create(run=run, path="a", status=StepStatus.SUCCEEDED, kind="log", attempt=1)
    Run.objects.filter(id=run.id).update(status=RunStatus.FAILED, finished_at="2026-01-01T00:00:00Z", finishes=1)

    answer = owner.post(f"/runs/{uid}/retry", {})
    untie(Connection(), [run.id])
    prune_runs(Connection(), [run.id])
    files.forget_expired()

    assert answer.status_code == 202, answer.content
    assert [str(use.run.uid) for use in FileUse.objects.all()] == [answer.json()["id"]]
    assert owner.get(f"/files/{reference['$file']}").status_code == 200
