"""MetricAmount: one number of the metrics, added to by all processes."""

from __future__ import annotations

from django.db import models


class MetricAmount(models.Model):
    """How much was counted under a name and label values. Only `core.shared_metrics` writes and reads it.

    `labels` is a JSON list of the values; `part` is empty for a counter, a bound or `sum` for a histogram.
    """

    pk = models.CompositePrimaryKey("name", "labels", "part")
    name = models.TextField()
    labels = models.TextField()
    part = models.TextField()
    amount = models.FloatField()

    def __str__(self) -> str:
        return f"{self.name} {self.labels} {self.part}: {self.amount:g}"
