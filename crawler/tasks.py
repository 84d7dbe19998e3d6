"""Celery tasks; each calls one service."""

from celery import shared_task

from crawler import services


@shared_task(name="crawler.tasks.run_crawl")
def run_crawl(crawl_id: str) -> None:
    services.crawl_run(crawl_id=crawl_id)


@shared_task(name="crawler.tasks.resume_crawls")
def resume_crawls() -> None:
    services.crawls_resume()
