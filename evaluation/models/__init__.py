"""The documents of evaluation."""

from evaluation.models.alignments import WordAlignment
from evaluation.models.judgments import Judgment, Verdict
from evaluation.models.predictions import FoundBy, ListingOpinion, Prediction, PredictionRun, RunKind
from evaluation.models.training import ModelVersion, TrainingJournal, TrainingKind, TrainingPicture, TrainingRun

__all__ = [
    "FoundBy",
    "Judgment",
    "ListingOpinion",
    "ModelVersion",
    "Prediction",
    "PredictionRun",
    "RunKind",
    "TrainingJournal",
    "TrainingKind",
    "TrainingPicture",
    "TrainingRun",
    "Verdict",
    "WordAlignment",
]
