"""Exports and imports that a worker does: progress, the file, expiry, who may see them."""

from __future__ import annotations

import io
import json
import time
import zipfile
from datetime import timedelta

import pytest

from automation.models import Direction, Transfer, TransferChunk, TransferItem, TransferState, Workflow
from automation.runtime.process import Runtime
from automation.services import transfers
from automation.services.exchange.assembling import Assembly, whole
from automation.services.exchange.reading import File
from automation.services.exchange.rows import Shape
from automation.services.transfers_due import work_on_next
from automation.tests.conftest import runtime as runtime
from automation.tests.exchange.conftest import (
    Api,
    actions,
    codes,
    export,
    file_of,
    import_,
    rows_of_all_tables,
    say,
    send,
    workflow,
)
from brainops.accounts.models import Role
from brainops.accounts.services.api_keys import recognise
from brainops.audit.models import AuditEntry
from brainops.core import clock
from brainops.core.errors import Conflict

FORMS = {
    "json": "application/json",
    "ndjson": "application/x-ndjson",
    "yaml": "application/yaml",
    "zip": "application/zip",
}


def fill(who: Api, count: int) -> None:
    """Many small workflows, some with a history."""
    told = [
        workflow(f"W{number}", say(str(number)), version="1.0.1", history=history(number)) for number in range(count)
    ]
    import_(who, file_of(*told))


def history(number: int) -> list[dict]:
    return [{"number": "1.0.0", "name": "Old", "definition": say("old")}] if number % 3 == 0 else []


def start_export(who: Api, **body: object) -> dict:
    response = who.post("/workflows/export", {"async": True, **body})
    assert (response.status_code, response.headers["Location"]) == (202, response.json()["url"])
    return response.json()


def download(who: Api, id_: str) -> bytes:
    return b"".join(who.get(f"/exports/{id_}/download").streaming_content)


@pytest.mark.parametrize("form", FORMS)
def test_a_large_export_is_written_by_a_worker_and_downloaded(owner: Api, other: Api, form: str, settings):
    settings.BRAINOPS_LIMITS = {**settings.BRAINOPS_LIMITS, "export_now": 100}
    fill(owner, 230)

    begun = owner.post("/workflows/export", {"format": form})
    early = owner.get(f"/exports/{begun.json()['id']}/download")
    assert work_on_next() is True
    assert work_on_next() is False
    shown = owner.get(f"/exports/{begun.json()['id']}").json()

    assert (begun.status_code, begun.json()["state"], begun.json()["progress"]) == (
        202,
        "queued",
        {"total": 230, "done": 0},
    )
    assert (early.status_code, early.json()["code"]) == (409, "not_ready")
    assert (shown["state"], shown["progress"]) == ("done", {"total": 230, "done": 230})
    assert shown["counts"] == {"workflows": 230, "versions": 230 + 77, "triggers": 0}
    file = download(owner, shown["id"])
    assert (len(file), shown["download_url"]) == (shown["size"], f"{shown['url']}/download")
    answer = import_(other, file, kind=FORMS[form])
    assert answer["counts"]["create"] == 230
    assert [entry.summary for entry in AuditEntry.objects.filter(action="workflow.export")] == [
        f"Exported 230 workflows as {form}."
    ]


@pytest.mark.parametrize("form", FORMS)
def test_a_file_that_several_processes_wrote_says_the_same(owner: Api, form: str):
    fill(owner, 230)
    rows = Workflow.objects.filter(workspace=owner.workspace)
    assembly = Assembly.begin(form, Shape())
    written = assembly.start()

    while not assembly.is_over:
        written += b"".join(assembly.portion(rows)) + (b"" if assembly.is_over else assembly.flush())
        if not assembly.is_over:  # the next portion is another process'
            assembly = Assembly.resume(form, Shape(), json.loads(json.dumps(assembly.saved())))
    written += assembly.finish()

    at_once = b"".join(whole(form, rows, Shape()))
    assert [piece.value for piece in File(lambda: io.BytesIO(written), form).pieces()] == [
        piece.value for piece in File(lambda: io.BytesIO(at_once), form).pieces()
    ]
    if form == "zip":
        assert zipfile.ZipFile(io.BytesIO(written)).testzip() is None


def test_a_large_file_is_imported_by_a_worker(owner: Api, other: Api, settings):
    fill(owner, 120)
    file = export(owner, format="ndjson")
    settings.BRAINOPS_LIMITS = {**settings.BRAINOPS_LIMITS, "import_now_bytes": 1024}

    begun = send(other, file, kind=FORMS["ndjson"])
    assert work_on_next() is True
    url = begun.json()["url"].removeprefix("/api/v1/automation")
    shown = other.get(url).json()

    assert (begun.status_code, begun.headers["Location"]) == (202, begun.json()["url"])
    assert (shown["state"], shown["progress"], shown["size"]) == ("done", {"total": 120, "done": 120}, len(file))
    assert (shown["counts"]["applied"], shown["counts"]["counts"]["create"], len(shown["counts"]["ids"])) == (
        True,
        120,
        120,
    )
    page = other.get(f"{url}/items", limit=100).json()
    assert [item["index"] for item in page["results"]] == list(range(100))
    assert other.get(f"{url}/items", action="refused").json()["results"] == []
    assert Workflow.objects.filter(workspace=other.workspace).count() == 120
    assert TransferChunk.objects.count() == 0  # the file is gone


def test_a_dry_run_by_a_worker_changes_no_workflow(owner: Api):
    file = file_of(workflow("A"), workflow("B", {"schema": 1, "steps": [{"id": "a", "uses": "nothing"}]}))
    before = rows_of_all_tables()["automation_workflow"]

    url = send(owner, file, async_=True, dry_run=True).json()["url"].removeprefix("/api/v1/automation")
    work_on_next()

    shown = owner.get(url).json()
    assert (shown["counts"]["applied"], shown["counts"]["counts"]["create"], shown["counts"]["missing"]) == (
        False, 1, {"kinds": ["nothing"]},
    )  # fmt: skip
    assert [item["action"] for item in owner.get(f"{url}/items").json()["results"]] == ["create", "refused"]
    assert rows_of_all_tables()["automation_workflow"] == before


def test_all_or_nothing_by_a_worker_imports_nothing_and_says_why(owner: Api):
    file = file_of(workflow("A"), workflow("B", {"schema": 1, "steps": [{"id": "a", "uses": "nothing"}]}))

    url = send(owner, file, async_=True, all_or_nothing=True).json()["url"].removeprefix("/api/v1/automation")
    work_on_next()

    shown = owner.get(url).json()
    assert (shown["state"], shown["error"]["code"]) == ("failed", "nothing_imported")
    assert [item["action"] for item in owner.get(f"{url}/items").json()["results"]] == ["create", "refused"]
    assert Workflow.objects.count() == 0


def test_a_file_that_cannot_be_read_fails_with_its_problems(owner: Api):
    url = send(owner, b"[", async_=True).json()["url"].removeprefix("/api/v1/automation")
    work_on_next()

    shown = owner.get(url).json()
    assert (shown["state"], shown["error"]["code"]) == ("failed", "malformed_json")
    assert TransferChunk.objects.count() == 0


def test_the_report_of_a_worker_holds_no_secret(owner: Api):
    hook = {"kind": "webhook", "config": {"scheme": "github"}}
    url = send(owner, file_of(workflow(triggers=[hook])), async_=True).json()["url"].removeprefix("/api/v1/automation")
    work_on_next()

    (item,) = owner.get(f"{url}/items").json()["results"]
    assert (item["action"], item["triggers_added"], "shown_once" in item) == ("create", 1, False)


def test_rights_lost_in_the_meantime_stop_the_work(owner: Api, member):
    builder = member(Role.BUILDER)
    url = send(builder, file_of(workflow()), async_=True).json()["url"].removeprefix("/api/v1/automation")
    builder.user.is_active = False
    builder.user.save()

    work_on_next()

    assert owner.get(url).json()["error"]["code"] == "permission_denied"
    assert Workflow.objects.count() == 0


def test_strangers_and_viewers_see_no_transfer(owner: Api, member, stranger: Api):
    id_ = start_export(owner)["id"]
    work_on_next()

    for path in (f"/exports/{id_}", f"/exports/{id_}/download"):
        assert stranger.get(path).status_code == 404
        assert member(Role.VIEWER).get(path).status_code == 404  # it may see its own, and has none
    assert stranger.delete(f"/exports/{id_}").status_code == 404
    assert owner.get(f"/imports/{id_}").status_code == 404
    assert (owner.get("/exports").json()["results"][0]["id"], stranger.get("/exports").json()["results"]) == (id_, [])
    assert member(Role.VIEWER).get("/imports").status_code == 403


def test_a_deleted_export_takes_its_file_along_and_is_audited(owner: Api):
    id_ = start_export(owner)["id"]
    work_on_next()

    assert owner.delete(f"/exports/{id_}").status_code == 204

    assert (Transfer.objects.count(), TransferChunk.objects.count()) == (0, 0)
    assert AuditEntry.objects.filter(action="export.delete", target_id=id_).count() == 1


def test_what_has_expired_is_swept_with_its_file(owner: Api):
    owner.make()
    start_export(owner)
    send(owner, file_of(workflow()), async_=True)
    while work_on_next():
        pass
    assert (TransferChunk.objects.count(), TransferItem.objects.count()) == (1, 1)

    assert transfers.forget_expired() == 0
    Transfer.objects.update(expires_at=clock.now() - timedelta(seconds=1))

    assert transfers.forget_expired() == 2
    assert (Transfer.objects.count(), TransferChunk.objects.count(), TransferItem.objects.count()) == (0, 0, 0)


def test_a_workspace_has_so_many_under_way_and_no_more(owner: Api, settings):
    settings.BRAINOPS_LIMITS = {**settings.BRAINOPS_LIMITS, "transfers": 1}
    start_export(owner)

    response = owner.post("/workflows/export", {"async": True})

    assert (response.status_code, response.json()["code"]) == (409, "too_many_transfers")


def test_imports_that_are_uploaded_side_by_side_are_no_way_around_it(owner: Api, settings):
    settings.BRAINOPS_LIMITS = {**settings.BRAINOPS_LIMITS, "transfers": 1}
    caller, uploading = recognise(owner.key.text), TransferState.UPLOADING
    both = [transfers.create(caller, Direction.IMPORT, "json", {}, state=uploading) for _ in range(2)]

    transfers.release(both[0])
    with pytest.raises(Conflict) as refusal:
        transfers.release(both[1])

    assert refusal.value.code == "too_many_transfers"
    assert list(Transfer.objects.order_by("created_at").values_list("state", flat=True)) == ["queued", "uploading"]


def test_the_same_key_starts_one_transfer(owner: Api):
    first = owner.post("/workflows/export", {"async": True}, idempotency_key="k")
    second = owner.post("/workflows/export", {"async": True}, idempotency_key="k")
    uploads = [send(owner, file_of(workflow()), async_=True, key="u").json()["id"] for _ in range(2)]

    assert (second.json(), second.headers["Brainops-Duplicate"]) == (first.json(), "true")
    assert uploads[0] == uploads[1]
    assert Transfer.objects.count() == 2


def test_a_worker_notices_the_work_by_itself(owner: Api, runtime: Runtime):
    owner.make()
    id_ = start_export(owner)["id"]

    deadline = time.monotonic() + 20
    while owner.get(f"/exports/{id_}").json()["state"] != "done" and time.monotonic() < deadline:
        time.sleep(0.05)

    assert owner.get(f"/exports/{id_}").json()["state"] == "done"


def test_an_export_with_nothing_in_it_is_a_whole_file(owner: Api, other: Api):
    for form, kind in FORMS.items():
        answer = import_(other, export(owner, format=form), kind=kind)
        assert (answer["applied"], answer["results"]) == (True, [])


def test_a_workflow_that_is_deleted_while_the_import_waits_is_made_anew(owner: Api):
    id_ = owner.make(definition=say("old"))["id"]
    url = send(owner, file_of(workflow(definition=say("new"))), async_=True).json()["url"]
    owner.delete(f"/workflows/{id_}")

    work_on_next()

    (item,) = owner.get(f"{url.removeprefix('/api/v1/automation')}/items").json()["results"]
    assert (item["action"], codes(item)) == ("create", [])
    assert actions({"results": [item]}) == ["create"]
