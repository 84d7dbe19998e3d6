"""Serving: a model folder loaded once, asked in batches. Importing this loads no torch."""

from typing import TYPE_CHECKING

from ml.serving.pairs import MatchPrediction, ModelFolderError, Pair, Probabilities, QuestionError

if TYPE_CHECKING:
    from ml.serving.predictor import Predictor

__all__ = ["MatchPrediction", "ModelFolderError", "Pair", "Predictor", "Probabilities", "QuestionError"]


def __getattr__(name: str) -> object:
    """`Predictor` needs torch, so it is imported when it is first asked for."""
    if name == "Predictor":
        from ml.serving.predictor import Predictor

        return Predictor
    raise AttributeError(name)
