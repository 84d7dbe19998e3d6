"""The documents of evaluation."""

# In the order in which the names of pictures are copied on: see crawler.references.
from evaluation.models.training import (
    ModelActivation,
    ModelVersion,
    TrainingJournal,
    TrainingKind,
    TrainingPicture,
    TrainingRun,
)

# isort: split
from evaluation.models.predictions import FoundBy, ListingOpinion, Prediction, PredictionRun, RunKind

# isort: split
from evaluation.models.judgments import Judgment, Verdict

# isort: split
from evaluation.models.alignments import WordAlignment
from evaluation.models.tallies import JudgmentColumns, JudgmentDay, TallyName

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
