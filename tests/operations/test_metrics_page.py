"""The metrics page as Prometheus reads it; the dashboard and the alerts ask for what is there."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from brainops.core import metrics
from tests.architecture.source import CHECKOUT

TOKEN = "token-of-the-scraper"
# Labels whose values are lists of ours. Nothing a user names may stand here: each value is a series for ever.
BOUNDED = {"answer", "route", "method", "status", "le", "queue", "state", "kind", "outcome", "class", "reason", "limit"}
NAMED = re.compile(r"\bbrainops_[a-z_]+")
DASHBOARD = json.loads((CHECKOUT / "docs/grafana/brainops.json").read_text(encoding="utf-8"))
ALERTS = yaml.safe_load((CHECKOUT / "docs/prometheus/alerts.yaml").read_text(encoding="utf-8"))
QUERIES = [target["expr"] for panel in DASHBOARD["panels"] for target in panel.get("targets", ())]
RULES = [rule for group in ALERTS["groups"] for rule in group["rules"]]


@pytest.fixture
def families(client: Any, settings: Any, db: None) -> dict[str, Any]:
    """The page after one series of every metric has been counted."""
    settings.BRAINOPS_METRICS_TOKEN = TOKEN
    for metric in metrics._metrics:
        labels = tuple("x" for _ in metric._labels)
        metric.add(1, labels) if isinstance(metric, metrics.Counter) else metric.observe(0.2, labels)
    with_tick()
    page = client.get("/internal/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    return {family.name: family for family in text_string_to_metric_families(page.content.decode())}


def with_tick() -> None:
    from automation.models import Tick

    for name in ("pulse", "consumer"):
        Tick.objects.create(name=name, ran_at="2026-01-01T00:00:00Z")


def samples_of(families: dict[str, Any]) -> dict[str, set[str]]:
    """The labels of every series, by its full name."""
    return {sample.name: set(sample.labels) for family in families.values() for sample in family.samples}


def test_a_parser_reads_every_line_and_names_follow_the_rules(families):
    kinds = {name: family.type for name, family in families.items()}

    assert "unknown" not in kinds.values()
    assert {name for name in kinds if not name.startswith("brainops_")} == set()
    assert {name for name, kind in kinds.items() if kind == "histogram" and not name.endswith("_seconds")} == set()
    counters = {sample.name for family in families.values() if family.type == "counter" for sample in family.samples}
    assert {name for name in counters if not name.endswith("_total")} == set()
    assert [name for name, family in families.items() if not family.documentation.endswith(".")] == []


def test_no_label_takes_a_value_that_a_user_chooses(families):
    assert set().union(*samples_of(families).values()) - BOUNDED == set()


def test_each_histogram_is_cumulative_and_ends_with_its_count(families):
    series: dict[tuple[str, ...], list[float]] = defaultdict(list)
    for family in families.values():
        for sample in family.samples:
            if family.type == "histogram" and not sample.name.endswith("_sum"):
                labels = {name: value for name, value in sample.labels.items() if name != "le"}
                series[family.name, *labels.values()].append(sample.value)

    assert len(series) > 3
    assert [name for name, counts in series.items() if counts != sorted(counts) or counts[-1] != counts[-2]] == []


def test_every_query_of_the_dashboard_and_every_alert_names_metrics_that_exist(families):
    there = set(samples_of(families))
    asked = {name for query in [*QUERIES, *(rule["expr"] for rule in RULES)] for name in NAMED.findall(query)}

    assert len(QUERIES) > 30
    assert asked - there == set()


def test_every_metric_is_on_the_dashboard(families):
    shown = {re.sub(r"_(bucket|count|sum)$", "", name) for query in QUERIES for name in NAMED.findall(query)}
    there = {re.sub(r"_(bucket|count|sum)$", "", name) for name in samples_of(families)}

    assert there - shown == {"brainops_runs_open_oldest_seconds"}  # says the same as the queues, for waiting runs too


@pytest.mark.parametrize("expression", [*QUERIES, *(rule["expr"] for rule in RULES)])
def test_the_labels_asked_for_are_those_of_the_metric(expression, families):
    there = samples_of(families)
    for name, matchers in re.findall(r"\b(brainops_[a-z_]+)\{([^}]*)\}", expression):
        assert set(re.findall(r"(\w+)\s*(?:=~|!=|=)", matchers)) <= there[name]


def test_every_alert_says_how_bad_it_is_and_what_to_do():
    assert {rule["labels"]["severity"] for rule in RULES} == {"page", "ticket"}
    assert [rule["alert"] for rule in RULES if not rule["annotations"]["description"].endswith(".")] == []
    page = (CHECKOUT / "docs/operations.md").read_text(encoding="utf-8")
    assert [rule["alert"] for rule in RULES if rule["alert"] not in page] == []
