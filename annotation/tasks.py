"""Celery tasks; each calls one service."""

from celery import shared_task

from annotation import agreement, disputes, reviews, services, webhook_sending
from annotation.tables import services as tables


@shared_task(name="annotation.tasks.resume_submissions")
def resume_submissions() -> None:
    services.submissions_resume()


@shared_task(name="annotation.tasks.resume_reviews")
def resume_reviews() -> None:
    reviews.reviews_resume()
    disputes.disputes_resume()


@shared_task(name="annotation.tasks.send_webhook")
def send_webhook(webhook_id: str) -> None:
    webhook_sending.deliveries_send(webhook_id=webhook_id)


@shared_task(name="annotation.tasks.resume_webhooks")
def resume_webhooks() -> None:
    webhook_sending.deliveries_resume()


@shared_task(name="annotation.tasks.compute_agreement")
def compute_agreement() -> None:
    agreement.agreement_compute()


@shared_task(name="annotation.tasks.run_table_import")
def run_table_import(import_id: str) -> None:
    tables.table_import_run(import_id=import_id)


@shared_task(name="annotation.tasks.resume_table_imports")
def resume_table_imports() -> None:
    tables.table_imports_resume()
