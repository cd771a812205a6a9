"""Counts of many processes reach one scrape, and never go back."""

from __future__ import annotations

import threading

import pytest
from django.db import DatabaseError, transaction

from brainops.core import metrics, shared_metrics
from brainops.core.metrics import Counter, Histogram
from brainops.core.registry import Registry

pytestmark = pytest.mark.django_db


@pytest.fixture
def own_metrics(monkeypatch):
    monkeypatch.setattr(metrics, "_metrics", [])
    monkeypatch.setattr(metrics, "sample_providers", Registry("metrics"))


@pytest.fixture
def bells(own_metrics):
    return Counter("bells_total", "Bells.", ("queue",))


def test_what_two_processes_counted_is_one_sum(bells):
    bells.add(2, ("bulk",))
    shared_metrics.flush()
    bells.add(3, ("bulk",))  # as another process would, whose memory begins at nothing

    assert shared_metrics.totals() == {("bells_total", ("bulk",), ""): 5.0}
    assert 'bells_total{queue="bulk"} 5' in metrics.render(shared_metrics.totals())


def test_a_histogram_is_whole_again_after_a_restart(own_metrics):
    waits = Histogram("wait_seconds", "Waits.", bounds=(0.1, 1.0))
    waits.observe(0.05)
    shared_metrics.flush()
    waits.observe(5.0)
    shared_metrics.flush()

    assert metrics.render(shared_metrics.totals()).splitlines()[2:] == [
        'wait_seconds_bucket{le="0.1"} 1',
        'wait_seconds_bucket{le="1"} 1',
        'wait_seconds_bucket{le="+Inf"} 2',
        "wait_seconds_sum 5.050000",
        "wait_seconds_count 2",
    ]


def test_nothing_counted_writes_nothing(bells, django_assert_num_queries):
    bells.add(0, ("bulk",))

    with django_assert_num_queries(0):
        assert shared_metrics.flush() == 0


def test_what_could_not_be_stored_is_stored_the_next_time(bells, monkeypatch):
    bells.add(7, ("bulk",))
    with monkeypatch.context() as away:
        away.setattr(shared_metrics, "ADD", "select * from nowhere where %s = %s and %s = %s")
        with pytest.raises(DatabaseError), transaction.atomic():
            shared_metrics.flush()

    assert shared_metrics.totals() == {("bells_total", ("bulk",), ""): 7.0}


def test_buckets_of_an_earlier_release_count_in_the_next_larger_one(own_metrics):
    Histogram("wait_seconds", "Waits.", bounds=(0.5, 1.0))
    stored = {("wait_seconds", (), "0.1"): 2.0, ("wait_seconds", (), "30"): 1.0, ("wait_seconds", (), "sum"): 31.0}

    assert metrics.render(stored).splitlines()[2:5] == [
        'wait_seconds_bucket{le="0.5"} 2',
        'wait_seconds_bucket{le="1"} 2',
        'wait_seconds_bucket{le="+Inf"} 3',
    ]


def test_amounts_of_a_metric_whose_labels_changed_are_left_out(bells):
    assert "old" not in metrics.render({("bells_total", ("old", "labels"), ""): 4.0})


@pytest.mark.django_db(transaction=True)
def test_the_thread_of_a_web_process_stores_by_itself(bells):
    bells.add(1, ("bulk",))
    is_over = threading.Event()
    thread = threading.Thread(target=shared_metrics.flush_for_ever, args=(0.01,), kwargs={"until": is_over})
    thread.start()
    try:
        for _ in range(500):
            if not bells._amounts and stored():
                break
            is_over.wait(0.02)
    finally:
        is_over.set()
        thread.join(10)

    assert stored() == {("bells_total", ("bulk",), ""): 1.0}


def stored():
    return shared_metrics.totals()
