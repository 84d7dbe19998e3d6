"""The Django project: settings, urls, the Celery app, the Mongo backend and the one-machine stack."""

from mmproject.celery import app as celery_app

__all__ = ["celery_app"]
