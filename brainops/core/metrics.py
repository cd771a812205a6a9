"""Counters and histograms of this process in Prometheus' text form.

Small on purpose: the gauges that matter (runs by state, waiting work, workers) are read from the database by providers
at the scrape, since no process knows them. A process only counts what it did itself.
Format: https://prometheus.io/docs/instrumenting/exposition_formats/ (text, version 0.0.4).
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from brainops.core.registry import Registry

_BOUNDS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)  # seconds
_MOST_SERIES = 2000  # label sets of one metric; more would be a mistake in a label


@dataclass(frozen=True, slots=True)
class Sample:
    """One value that a provider reads at the scrape. `kind` is `gauge` or `counter`."""

    name: str
    help: str
    value: float
    labels: Mapping[str, str]
    kind: str = "gauge"


class Counter:
    """A number that only grows, by label values."""

    kind = "counter"

    def __init__(self, name: str, help: str, labels: Sequence[str] = ()) -> None:
        self.name, self.help, self._labels = name, help, tuple(labels)
        self._lock = threading.Lock()
        self._values: dict[tuple[str, ...], float] = {}
        _metrics.append(self)

    def add(self, amount: float = 1, labels: tuple[str, ...] = ()) -> None:
        """Add to the series of these label values."""
        with self._lock:
            if labels in self._values or len(self._values) < _MOST_SERIES:
                self._values[labels] = self._values.get(labels, 0) + amount

    def lines(self) -> Iterator[str]:
        """The series in text form."""
        with self._lock:
            values = dict(self._values)
        for labels, value in values.items():
            yield f"{self.name}{_braces(zip(self._labels, labels, strict=True))} {value:g}"


class Histogram:
    """Durations in seconds, by label values."""

    kind = "histogram"

    def __init__(self, name: str, help: str, labels: Sequence[str] = ()) -> None:
        self.name, self.help, self._labels = name, help, tuple(labels)
        self._lock = threading.Lock()
        self._series: dict[tuple[str, ...], tuple[list[int], list[float]]] = {}
        _metrics.append(self)

    def observe(self, seconds: float, labels: tuple[str, ...] = ()) -> None:
        """Count one duration."""
        with self._lock:
            series = self._series.get(labels)
            if series is None:
                if len(self._series) >= _MOST_SERIES:
                    return
                series = self._series[labels] = ([0] * (len(_BOUNDS) + 1), [0.0])
            series[0][bisect_left(_BOUNDS, seconds)] += 1
            series[1][0] += seconds

    def lines(self) -> Iterator[str]:
        """The series in text form: cumulative buckets, sum and count."""
        with self._lock:
            copy = {labels: (list(counts), total[0]) for labels, (counts, total) in self._series.items()}
        for labels, (counts, total) in copy.items():
            named = list(zip(self._labels, labels, strict=True))
            running = 0
            for bound, number in zip((*_BOUNDS, float("inf")), counts, strict=True):
                running += number
                limit = "+Inf" if bound == float("inf") else f"{bound:g}"
                yield f"{self.name}_bucket{_braces([*named, ('le', limit)])} {running}"
            yield f"{self.name}_sum{_braces(named)} {total:.6f}"
            yield f"{self.name}_count{_braces(named)} {running}"


# Functions without arguments that return samples; rooms register theirs when their app is ready.
sample_providers: Registry[Callable[[], Iterable[Sample]]] = Registry("metrics")
_metrics: list[Counter | Histogram] = []


def render() -> str:
    """All metrics of this process and all samples of the providers."""
    lines: list[str] = []
    for metric in _metrics:
        lines += [f"# HELP {metric.name} {metric.help}", f"# TYPE {metric.name} {metric.kind}", *metric.lines()]
    lines += _sample_lines(sample for provide in sample_providers.values() for sample in provide())
    return "\n".join(lines) + "\n"


def _sample_lines(samples: Iterable[Sample]) -> Iterator[str]:
    described: set[str] = set()
    for sample in sorted(samples, key=lambda one: one.name):
        if sample.name not in described:
            described.add(sample.name)
            yield f"# HELP {sample.name} {sample.help}"
            yield f"# TYPE {sample.name} {sample.kind}"
        yield f"{sample.name}{_braces(sample.labels.items())} {sample.value:g}"


def _braces(labels: Iterable[tuple[str, str]]) -> str:
    text = ",".join(f'{name}="{_escape(value)}"' for name, value in labels)
    return f"{{{text}}}" if text else ""


def _escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
