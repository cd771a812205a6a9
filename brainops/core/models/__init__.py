"""The tables of the core room."""

from brainops.core.models.change import ModelChange, ModelWatch
from brainops.core.models.metric import MetricAmount

__all__ = ["MetricAmount", "ModelChange", "ModelWatch"]
