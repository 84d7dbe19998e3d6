"""Celery tasks; each calls one service and may be delivered any number of times."""

from celery import shared_task

from evaluation import services


@shared_task(name="evaluation.tasks.predict_pending")
def predict_pending() -> None:
    services.predictions_run()


@shared_task(name="evaluation.tasks.predict_opinions")
def predict_opinions(model_id: str, *listing_ids: str) -> None:
    services.opinions_predict(model_id=model_id, listing_ids=listing_ids)


@shared_task(name="evaluation.tasks.fetch_address")
def fetch_address(run_id: str) -> None:
    services.address_fetch(run_id=run_id)


@shared_task(name="evaluation.tasks.resume_predictions")
def resume_predictions() -> None:
    services.runs_resume()


@shared_task(name="evaluation.tasks.run_training")
def run_training() -> None:
    services.training_run()


@shared_task(name="evaluation.tasks.resume_training")
def resume_training() -> None:
    services.trainings_resume()


@shared_task(name="evaluation.tasks.draw_alignment")
def draw_alignment(alignment_id: str) -> None:
    services.alignment_draw(alignment_id=alignment_id)


@shared_task(name="evaluation.tasks.resume_alignments")
def resume_alignments() -> None:
    services.alignments_resume()


@shared_task(name="evaluation.tasks.count_judgments")
def count_judgments() -> None:
    services.days_count()


@shared_task(name="evaluation.tasks.recount_judgments")
def recount_judgments() -> None:
    services.days_find()
    services.days_count()
