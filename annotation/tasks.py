"""Celery tasks; each calls one service."""

from celery import shared_task

from annotation import disputes, reviews, services


@shared_task(name="annotation.tasks.resume_submissions")
def resume_submissions() -> None:
    services.submissions_resume()


@shared_task(name="annotation.tasks.resume_reviews")
def resume_reviews() -> None:
    reviews.reviews_resume()
    disputes.disputes_resume()
