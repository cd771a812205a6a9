"""Large values on the page of a run: their beginning, and all of it as a download."""

from __future__ import annotations

import orjson
import pytest
from django.db import connection
from django.template.defaultfilters import filesizeformat
from django.test import Client

from automation.models import Payload, Run, RunData, StepRun
from automation.store.intake import NewRun, insert_run
from automation.store.payloads import packed, preview
from automation.tests.admin.conftest import make_run
from automation.tests.triggers.rows import make_workflow

VALUE = {"rows": ["<b>" + "x" * 100] * 1000}
RAW = orjson.dumps(VALUE)
PAYLOAD = packed(RAW)


@pytest.fixture
def run(db: None) -> Run:
    run = make_run()
    Payload.objects.create(run=run, sha256=PAYLOAD.sha256, size=PAYLOAD.size, codec="zlib", data=PAYLOAD.data)
    values = {"output": preview(RAW), "output_ref": PAYLOAD.sha256}
    StepRun.objects.create(run=run, path="say", kind="log", status=50, **values)
    RunData.objects.filter(run=run).update(**values)
    return run


def url(run: Run, part: str = "") -> str:
    return f"/admin/automation/run/{run.uid}/{part}"


def test_the_page_shows_the_beginning_the_whole_size_and_a_download(run: Run, admin_of_all: Client):
    page = admin_of_all.get(url(run)).content.decode()

    assert "only the beginning is shown" in page
    assert filesizeformat(len(RAW)) in page
    assert f'href="{url(run, "data/output.json")}"' in page
    assert f'href="{url(run, f"data/{PAYLOAD.sha256}.json")}"' in page
    assert "<b>xxx" not in page


@pytest.mark.parametrize("part", ["output", PAYLOAD.sha256])
def test_the_download_is_the_whole_value(run: Run, admin_of_all: Client, part: str):
    answer = admin_of_all.get(url(run, f"data/{part}.json"))

    assert (answer.status_code, answer.json()) == (200, VALUE)
    assert answer["Content-Disposition"].startswith("attachment;")


def test_large_inputs_download_whole_too(admin_of_all: Client):
    workflow = make_workflow()
    inputs = {"text": "x" * 100_000}
    with connection.cursor() as cursor:
        run = insert_run(
            cursor, NewRun(workflow.workspace_id, workflow.id, workflow.current_version_id, inputs, {"kind": "webhook"})
        )

    page = admin_of_all.get(f"/admin/automation/run/{run.uid}/").content.decode()
    whole = admin_of_all.get(f"/admin/automation/run/{run.uid}/data/inputs.json")

    assert "only the beginning is shown" in page
    assert whole.json() == inputs


@pytest.mark.parametrize("part", ["0" * 64, "nothing"])
def test_what_is_not_there_is_not_found(run: Run, admin_of_all: Client, part: str):
    assert admin_of_all.get(url(run, f"data/{part}.json")).status_code == 404
