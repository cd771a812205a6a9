"""Storage: measured by workspace, from every page of small tables and a sample of large ones."""

from __future__ import annotations

import os

import pytest
from django.db import connection

from automation.models import Run, RunData, StorageUse
from automation.services import storage_use
from automation.store import storage_use as store
from automation.tests.api.conftest import make_person, make_workspace

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _whole_tables(monkeypatch):
    """Other tests may have left a table with many empty pages, and a sample is no exact number."""
    monkeypatch.setattr(store, "PAGES", 10**9)


def fill(home, *, runs: int, size: int) -> None:
    """Runs whose inputs hold `size` random bytes as text, which hardly shrinks."""
    workflow = make_person(home).make()
    version = workflow["id"]
    for _ in range(runs):
        run = Run.objects.create(workspace=home, workflow_id=workflow["id"], version_id=version)
        RunData.objects.create(run=run, input={"x": os.urandom(size // 2).hex()})


def test_each_workspace_has_what_its_runs_take():
    small, large, empty = make_workspace(), make_workspace(), make_workspace()
    fill(small, runs=2, size=1000)
    fill(large, runs=4, size=20_000)

    used = storage_use.measure()

    assert 2 * 1000 < used[small.id] < 2 * 3000
    assert 4 * 10_000 < used[large.id] < 4 * 30_000
    assert dict(StorageUse.objects.values_list("workspace_id", "used_bytes")) == used
    assert empty.id not in used


def test_a_workspace_whose_runs_are_gone_falls_to_zero():
    home = make_workspace()
    fill(home, runs=1, size=1000)
    storage_use.measure()
    Run.objects.all().delete()

    storage_use.measure()

    assert StorageUse.objects.get(workspace=home).used_bytes == 0


def test_a_sample_of_pages_comes_near_the_whole(monkeypatch):
    home = make_workspace()
    fill(home, runs=300, size=1500)
    with connection.cursor() as cursor:
        whole = store.weigh(cursor, "automation_rundata")[home.id]
        cursor.execute(store.TABLE_BYTES, ("automation_rundata",))
        monkeypatch.setattr(store, "PAGES", cursor.fetchone()[0] / store.PAGE_BYTES / 2)  # each page by a coin
        samples = [store.weigh(cursor, "automation_rundata").get(home.id, 0) for _ in range(30)]

    # some 60 pages: one sample is off by 13 %, the mean of thirty by 2.4 %
    assert sum(samples) / 30 == pytest.approx(whole, rel=0.25)
    assert len(set(samples)) > 1


def test_the_sweep_measures_only_when_it_is_due():
    storage_use.measure_if_due()
    make_workspace()
    first = StorageUse.objects.count()
    home = make_workspace()
    fill(home, runs=1, size=100)
    storage_use.measure()
    Run.objects.all().delete()

    storage_use.measure_if_due()

    assert first == 0
    assert StorageUse.objects.get(workspace=home).used_bytes > 0
