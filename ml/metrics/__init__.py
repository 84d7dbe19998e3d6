"""Figures about predictions."""

from ml.metrics.accuracy import Accuracy, wilson_interval

__all__ = ["Accuracy", "wilson_interval"]
