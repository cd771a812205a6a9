"""The tables of the core room."""

from brainops.core.models.metric import MetricAmount

__all__ = ["MetricAmount"]
