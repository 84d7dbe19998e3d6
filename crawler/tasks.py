"""Celery tasks; each calls one service."""

from celery import shared_task

from crawler import cleaning, pictures, schedules, services
from crawler.imports import services as imports


@shared_task(name="crawler.tasks.run_crawl")
def run_crawl(crawl_id: str) -> None:
    services.crawl_run(crawl_id=crawl_id)


@shared_task(name="crawler.tasks.resume_crawls")
def resume_crawls() -> None:
    services.crawls_resume()
    pictures.pictures_resume()


@shared_task(name="crawler.tasks.retry_picture")
def retry_picture(listing_id: str) -> None:
    pictures.picture_fetch(listing_id=listing_id)


@shared_task(name="crawler.tasks.run_import")
def run_import(import_id: str) -> None:
    imports.import_run(import_id=import_id)


@shared_task(name="crawler.tasks.resume_imports")
def resume_imports() -> None:
    imports.imports_resume()


@shared_task(name="crawler.tasks.queue_scheduled_crawls")
def queue_scheduled_crawls() -> None:
    schedules.scheduled_crawls_queue()


@shared_task(name="crawler.tasks.clean_raw_pages")
def clean_raw_pages() -> None:
    cleaning.raw_pages_clean()


@shared_task(name="crawler.tasks.clean_crawls")
def clean_crawls() -> None:
    cleaning.crawls_clean()
