"""Figures about predictions. Importing this loads no numpy; each file beside it is imported by its name."""

from ml.metrics.accuracy import Accuracy, wilson_interval

__all__ = ["Accuracy", "wilson_interval"]
