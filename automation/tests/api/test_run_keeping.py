"""Large values over HTTP, pins, and the retention of a workflow."""

from __future__ import annotations

import hashlib

import orjson
import pytest
from django.db import connection

from automation.models import Payload, Run, StepRun, Workflow, WorkflowVersion
from automation.store.payloads import packed, preview
from brainops.accounts.models import Role
from brainops.audit.models import AuditEntry

pytestmark = pytest.mark.django_db

VALUE = {"rows": ["x" * 100] * 1000}
RAW = orjson.dumps(VALUE)
SHA256 = hashlib.sha256(RAW).hexdigest()
LARGE = "x" * 100_000


def start(api, inputs=None):
    """A run that nobody works on; returns its uid."""
    workflow = api.make()
    response = api.post(f"/workflows/{workflow['id']}/execute", {"inputs": inputs or {}})
    assert response.status_code == 202, response.content
    return response.json()["id"]


def keep(uid, value=VALUE):
    """Give the run a step with a large output."""
    payload = packed(orjson.dumps(value))
    run = Run.objects.get(uid=uid)
    Payload.objects.create(run=run, sha256=payload.sha256, size=payload.size, codec="zlib", data=payload.data)
    shown = preview(orjson.dumps(value))
    StepRun.objects.create(run=run, path="big", kind="transform", status=50, output=shown, output_ref=payload.sha256)
    return payload.sha256


def test_a_run_shows_the_beginning_of_a_large_value_and_where_all_of_it_is(owner):
    uid = start(owner)
    sha256 = keep(uid)

    [step] = owner.get(f"/runs/{uid}").json()["steps"]
    listed = owner.get(f"/runs/{uid}/steps").json()["results"][0]
    whole = owner.get(f"/runs/{uid}/payloads/{step['output_ref']}")

    assert step["output"] == {"preview": RAW[:2048].decode(), "size": len(RAW), "truncated": True}
    assert (listed["output"], listed["output_ref"]) == (step["output"], sha256)
    assert (whole.status_code, whole["Content-Type"], whole.json()) == (200, "application/json", VALUE)


def test_a_large_input_is_kept_whole_and_shown_by_its_beginning(owner):
    uid = start(owner, {"name": LARGE})

    shown = owner.get(f"/runs/{uid}").json()
    whole = owner.get(f"/runs/{uid}/payloads/{shown['input_ref']}").json()

    assert shown["inputs"]["name"] == {"preview": '"' + "x" * 2047, "size": 100_002, "truncated": True}
    assert whole == {"inputs": {"name": LARGE}, "trigger": None}


def test_a_value_is_cached_by_its_checksum_for_ever_and_for_the_caller_alone(owner):
    uid = start(owner)
    keep(uid)

    first = owner.get(f"/runs/{uid}/payloads/{SHA256}")
    again = owner.send("GET", f"/runs/{uid}/payloads/{SHA256}", if_none_match=first["ETag"])

    assert (first["ETag"], first["Cache-Control"]) == (f'"{SHA256}"', "private, max-age=31536000, immutable")
    assert (again.status_code, again.content) == (304, b"")


def test_nobody_reads_a_value_of_another_workspace(owner, stranger):
    uid = start(owner)
    keep(uid)
    own = start(stranger)

    foreign = stranger.get(f"/runs/{uid}/payloads/{SHA256}")
    through_own = stranger.get(f"/runs/{own}/payloads/{SHA256}")
    known_tag = stranger.send("GET", f"/runs/{uid}/payloads/{SHA256}", if_none_match=f'"{SHA256}"')

    assert [answer.status_code for answer in (foreign, through_own, known_tag)] == [404, 404, 404]


def test_what_is_sent_beside_a_pin_is_refused(owner):
    uid = start(owner)

    answers = [owner.send(method, f"/runs/{uid}/pin", {"days": 3}) for method in ("POST", "DELETE")]

    assert [answer.status_code for answer in answers] == [400, 400]
    assert Run.objects.get(uid=uid).is_pinned is False


@pytest.mark.parametrize("name", ["0" * 64, "nothing", "%00", "..%2f"])
def test_a_value_that_is_not_there_is_not_found(owner, name):
    assert owner.get(f"/runs/{start(owner)}/payloads/{name}").status_code in (400, 404)


def test_a_damaged_value_is_refused_and_never_served(owner):
    uid = start(owner)
    keep(uid)
    with connection.cursor() as cursor:
        cursor.execute("update automation_payload set size = 3")

    answer = owner.get(f"/runs/{uid}/payloads/{SHA256}")

    assert (answer.status_code, answer.json()["code"]) == (409, "payload_broken")
    assert SHA256 in answer.json()["detail"]


def test_a_retry_takes_the_whole_input(owner):
    uid = start(owner, {"name": LARGE})
    Run.objects.filter(uid=uid).update(status=51, finished_at="2026-01-01T00:00:00Z", finishes=1)

    new = owner.post(f"/runs/{uid}/retry", {"from": "start"}).json()["id"]

    shown = owner.get(f"/runs/{new}").json()
    whole = owner.get(f"/runs/{new}/payloads/{shown['input_ref']}").json()
    assert whole["inputs"] == {"name": LARGE}


def test_a_run_is_pinned_and_unpinned_once_each_and_says_so(owner):
    uid = start(owner)

    answers = [owner.post(f"/runs/{uid}/pin").status_code for _ in range(2)]
    pinned = owner.get(f"/runs/{uid}").json()["is_pinned"]
    answers += [owner.delete(f"/runs/{uid}/pin").status_code for _ in range(2)]

    assert (answers, pinned) == ([204] * 4, True)
    assert owner.get(f"/runs/{uid}").json()["is_pinned"] is False
    actions = AuditEntry.objects.filter(action__startswith="run.").order_by("id").values_list("action", flat=True)
    assert list(actions)[-2:] == ["run.pin", "run.unpin"]


def test_who_may_only_look_pins_nothing(owner, member, stranger):
    uid = start(owner)

    assert member(Role.VIEWER).post(f"/runs/{uid}/pin").status_code == 403
    assert stranger.post(f"/runs/{uid}/pin").status_code == 404
    assert Run.objects.get(uid=uid).is_pinned is False


def test_retention_is_set_changed_and_taken_back_without_a_version(owner):
    workflow = owner.make(retention={"succeeded": "7d"})
    path = f"/workflows/{workflow['id']}"

    patched = owner.patch(path, {"retention": {"failed": "30d", "keep_last": 5}}).json()
    put = owner.put(path, {"name": "Hello", "definition": workflow["definition"]}).json()
    taken_back = owner.patch(path, {"retention": None}).json()

    assert workflow["retention"] == {"succeeded": "7d"}
    assert patched["retention"] == {"succeeded": "7d", "failed": "30d", "keep_last": 5}
    assert put["retention"] == patched["retention"]  # not said: left as it is
    assert (taken_back["retention"], taken_back["version"]) == (None, "1.0.0")
    assert WorkflowVersion.objects.filter(workflow_id=workflow["id"]).count() == 1
    assert Workflow.objects.get(id=workflow["id"]).revision == 3
    entry = AuditEntry.objects.filter(action="workflow.update").order_by("id").first()
    assert (entry.summary, entry.changes) == (
        "Changed retention of workflow 'Hello'.",
        {"retention": [{"succeeded": "7d"}, {"succeeded": "7d", "failed": "30d", "keep_last": 5}]},
    )


@pytest.mark.parametrize(
    ("retention", "pointer"),
    [
        ({"succeeded": "1h"}, "/retention/succeeded"),
        ({"failed": "soon"}, "/retention/failed"),
        ({"running": "7d"}, "/retention/running"),
        ({"keep_last": -1}, "/retention/keep_last"),
        ("7d", "/retention"),
    ],
)
def test_a_retention_that_means_nothing_is_refused_with_its_place(owner, retention, pointer):
    workflow = owner.make()

    answer = owner.put(f"/workflows/{workflow['id']}", {**_settable(workflow), "retention": retention})

    assert answer.status_code == 400
    assert [problem["pointer"] for problem in answer.json()["problems"]] == [pointer]


def _settable(workflow):
    return {name: workflow[name] for name in ("name", "definition")}
