"""Counters and histograms of what this process did, and the text that Prometheus reads.

A process counts in memory what it did itself. What it counted since the last time goes to the database every few
seconds (`core.shared_metrics`), so that one scrape tells of all processes, workers too. Gauges (runs by state, waiting
work, workers) are read from the database by providers at the scrape.
Format: https://prometheus.io/docs/instrumenting/exposition_formats/ (text, version 0.0.4).
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from brainops.core.registry import Registry

REQUEST_BOUNDS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)  # seconds
RUN_BOUNDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0, 7200.0)  # seconds
_MOST_SERIES = 2000  # label sets of one metric; more would be a mistake in a label
_SUM = "sum"
_INFINITE = "+Inf"

Labels = tuple[str, ...]
# (name of the metric, values of its labels, part): `part` is empty for a counter, a bound or `sum` for a histogram.
Amounts = dict[tuple[str, Labels, str], float]


@dataclass(frozen=True, slots=True)
class Sample:
    """One value that a provider reads at the scrape. `kind` is `gauge` or `counter`."""

    name: str
    help: str
    value: float
    labels: Mapping[str, str]
    kind: str = "gauge"


class _Metric:
    """What was counted under one name since it was last taken, by label values and part."""

    kind = ""

    def __init__(self, name: str, help: str, labels: Sequence[str] = ()) -> None:
        self.name, self.help, self._labels = name, help, tuple(labels)
        self._lock = threading.Lock()
        self._known: set[Labels] = set()
        self._amounts: dict[tuple[Labels, str], float] = defaultdict(float)
        _metrics.append(self)

    def take(self) -> Amounts:
        """What was counted since the last time; from now on it is counted anew."""
        with self._lock:
            taken, self._amounts = self._amounts, defaultdict(float)
        return {(self.name, labels, part): amount for (labels, part), amount in taken.items() if amount}

    def give_back(self, labels: Labels, part: str, amount: float) -> None:
        """Count again what was taken and could not be stored."""
        with self._lock:
            self._amounts[labels, part] += amount

    def _has_room(self, labels: Labels) -> bool:
        if labels not in self._known and len(self._known) < _MOST_SERIES:
            self._known.add(labels)
        return labels in self._known

    def lines(self, amounts: Mapping[tuple[Labels, str], float]) -> Iterator[str]:
        """The series in text form."""
        raise NotImplementedError(f"{type(self).__name__} does not say how it is written.")


class Counter(_Metric):
    """A number that only grows, by label values."""

    kind = "counter"

    def add(self, amount: float = 1, labels: Labels = ()) -> None:
        """Add to the series of these label values."""
        with self._lock:
            if self._has_room(labels):
                self._amounts[labels, ""] += amount

    def lines(self, amounts: Mapping[tuple[Labels, str], float]) -> Iterator[str]:
        """The series in text form. A counter without labels is there from the start."""
        if not self._labels:
            amounts = {((), ""): 0.0} | dict(amounts)
        for (labels, _), value in sorted(amounts.items()):
            yield f"{self.name}{_braces(zip(self._labels, labels, strict=True))} {_number(value)}"


class Histogram(_Metric):
    """Durations in seconds, by label values."""

    kind = "histogram"

    def __init__(
        self, name: str, help: str, labels: Sequence[str] = (), *, bounds: tuple[float, ...] = REQUEST_BOUNDS
    ) -> None:
        super().__init__(name, help, labels)
        self._bounds = bounds
        self._parts = [*(f"{bound:g}" for bound in bounds), _INFINITE]

    def observe(self, seconds: float, labels: Labels = ()) -> None:
        """Count one duration."""
        with self._lock:
            if self._has_room(labels):
                self._amounts[labels, self._parts[bisect_left(self._bounds, seconds)]] += 1
                self._amounts[labels, _SUM] += seconds

    def lines(self, amounts: Mapping[tuple[Labels, str], float]) -> Iterator[str]:
        """The series in text form: cumulative buckets, sum and count."""
        for labels in sorted({labels for labels, _ in amounts}):
            named = list(zip(self._labels, labels, strict=True))
            counts = self._counts({part: amount for (of, part), amount in amounts.items() if of == labels})
            running = 0.0
            for part, count in zip(self._parts, counts, strict=True):
                running += count
                yield f"{self.name}_bucket{_braces([*named, ('le', part)])} {_number(running)}"
            yield f"{self.name}_sum{_braces(named)} {amounts.get((labels, _SUM), 0.0):.6f}"
            yield f"{self.name}_count{_braces(named)} {_number(running)}"

    def _counts(self, amounts: Mapping[str, float]) -> list[float]:
        """How many fell between two bounds. Those of an earlier release, with other bounds, count upwards."""
        counts = [0.0] * len(self._parts)
        for part, amount in amounts.items():
            if part != _SUM:
                counts[bisect_left(self._bounds, float(part))] += amount
        return counts


# Functions without arguments that return samples; rooms register theirs when their app is ready.
sample_providers: Registry[Callable[[], Iterable[Sample]]] = Registry("metrics")
_metrics: list[_Metric] = []


def take_all() -> Amounts:
    """What this process counted since the last time, in one fixed order."""
    return dict(sorted((key, amount) for metric in _metrics for key, amount in metric.take().items()))


def give_back(amounts: Amounts) -> None:
    """Count again what was taken and could not be stored."""
    by_name = {metric.name: metric for metric in _metrics}
    for (name, labels, part), amount in amounts.items():
        by_name[name].give_back(labels, part, amount)


def render(amounts: Amounts) -> str:
    """All metrics with the given amounts, and all samples of the providers."""
    by_name: dict[str, dict[tuple[Labels, str], float]] = defaultdict(dict)
    for (name, labels, part), amount in amounts.items():
        by_name[name][labels, part] = amount
    lines: list[str] = []
    for metric in _metrics:
        fitting = {key: amount for key, amount in by_name[metric.name].items() if len(key[0]) == len(metric._labels)}
        lines += [f"# HELP {metric.name} {metric.help}", f"# TYPE {metric.name} {metric.kind}", *metric.lines(fitting)]
    lines += _sample_lines(sample for provide in sample_providers.values() for sample in provide())
    return "\n".join(lines) + "\n"


def _sample_lines(samples: Iterable[Sample]) -> Iterator[str]:
    described: set[str] = set()
    for sample in sorted(samples, key=lambda one: one.name):
        if sample.name not in described:
            described.add(sample.name)
            yield f"# HELP {sample.name} {sample.help}"
            yield f"# TYPE {sample.name} {sample.kind}"
        yield f"{sample.name}{_braces(sample.labels.items())} {_number(sample.value)}"


def _number(value: float) -> str:
    """Whole numbers in full: `%g` would round a counter of millions, and its rate would be wrong."""
    return str(int(value)) if float(value).is_integer() else repr(float(value))


def _braces(labels: Iterable[tuple[str, str]]) -> str:
    text = ",".join(f'{name}="{_escape(value)}"' for name, value in labels)
    return f"{{{text}}}" if text else ""


def _escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
