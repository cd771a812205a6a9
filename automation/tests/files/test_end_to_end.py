"""From a file in a folder to the output of a run, on the real runtime."""

from __future__ import annotations

import time
from typing import Any

import pytest

from automation.models import Run, Trigger
from automation.tests.api.conftest import make_person
from automation.tests.conftest import runtime as runtime
from automation.tests.files.rows import watch
from brainops.accounts.models import Role

pytestmark = pytest.mark.django_db(transaction=True)

SUM = {
    "schema": 1,
    "steps": [
        {
            "id": "orders",
            "uses": "read_file",
            "with": {"file": "{{ trigger.item.file }}", "types": {"total": "number"}, "nulls": ["NA"]},
        }
    ],
    "output": {
        "total": "{{ steps.orders.output.items | map(attribute='total') | sum }}",
        "errors": "{{ steps.orders.output.errors | length }}",
    },
}


def run_of(trigger: Trigger, *, seconds: float = 60) -> Run:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        run = Run.objects.select_related("data").filter(trigger_id=trigger.id).first()
        if run and run.is_final:
            return run
        time.sleep(0.02)
    raise AssertionError(f"No run has ended within {seconds} s.")


def test_a_file_that_comes_is_read_by_a_run_and_moved(root: Any, runtime: Any):
    trigger = watch(
        definition=SUM, where="local", root="shared", include=["*.csv"], every="1s", after="move", move_to="done"
    )
    (root / "a.csv").write_bytes(b"id,total\n1,2.5\n2,4\n3\n")

    run = run_of(trigger)
    until = time.monotonic() + 60
    while (root / "a.csv").exists() and time.monotonic() < until:
        time.sleep(0.02)

    assert (run.status_word, run.data.output) == ("succeeded", {"total": 6.5, "errors": 1})
    assert [path.name for path in root.iterdir()] == ["done"]


def test_people_see_where_the_files_are_and_download_what_came(root: Any, runtime: Any):
    trigger = watch(where="local", root="shared", folder="", every="1s")
    (root / "a.csv").write_bytes(b"id\n1\n")
    viewer = make_person(trigger.workspace, Role.VIEWER)
    item = run_of(trigger).data.input["trigger"]["item"]

    answer = viewer.get(f"/files/{item['file']['$file']}")

    assert viewer.get(f"/triggers/{trigger.id}").json()["file"] == {"watches": "shared:/"}
    assert b"".join(answer.streaming_content) == b"id\n1\n"
