"""Writes, one question a module: prediction runs, their predictions, opinions, judgments, models, training,
dataset, alignments.

Everything here can be run again after a crash at any point: the documents hold the intent, the queue is only a nudge.
"""

from evaluation.services.alignments import alignment_ask, alignment_draw, alignment_kept, alignments_resume
from evaluation.services.judgments import judgments_save
from evaluation.services.models import model_activate, model_restore, model_retire, model_roll_back
from evaluation.services.opinions import opinions_predict
from evaluation.services.predictions import predictions_run
from evaluation.services.run_addresses import address_fetch
from evaluation.services.run_starts import Versions, run_start, run_start_address, run_start_upload
from evaluation.services.runs import run_advance, runs_resume
from evaluation.services.tallies import days_count, days_find, days_refresh
from evaluation.services.thresholds import threshold_set
from evaluation.services.training import CONFIG, training_cancel, training_resume, training_start, trainings_resume
from evaluation.services.training_work import training_run

__all__ = [
    "CONFIG",
    "Versions",
    "address_fetch",
    "alignment_ask",
    "alignment_draw",
    "alignment_kept",
    "alignments_resume",
    "days_count",
    "days_find",
    "days_refresh",
    "judgments_save",
    "model_activate",
    "model_restore",
    "model_retire",
    "model_roll_back",
    "opinions_predict",
    "predictions_run",
    "run_advance",
    "run_start",
    "run_start_address",
    "run_start_upload",
    "runs_resume",
    "threshold_set",
    "training_cancel",
    "training_resume",
    "training_run",
    "training_start",
    "trainings_resume",
]
