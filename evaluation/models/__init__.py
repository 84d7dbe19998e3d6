"""The documents of evaluation."""

from evaluation.models.alignments import WordAlignment
from evaluation.models.judgments import Judgment, Verdict
from evaluation.models.predictions import FoundBy, ListingOpinion, Prediction, PredictionRun, RunKind
from evaluation.models.tallies import JudgmentColumns, JudgmentDay, TallyName
from evaluation.models.training import (
    ModelActivation,
    ModelVersion,
    TrainingJournal,
    TrainingKind,
    TrainingPicture,
    TrainingRun,
)

__all__ = [
    "FoundBy",
    "Judgment",
    "JudgmentColumns",
    "JudgmentDay",
    "ListingOpinion",
    "ModelActivation",
    "ModelVersion",
    "Prediction",
    "PredictionRun",
    "RunKind",
    "TallyName",
    "TrainingJournal",
    "TrainingKind",
    "TrainingPicture",
    "TrainingRun",
    "Verdict",
    "WordAlignment",
]
