"""The Celery app. Queues: `crawl` (waits on the network), `predict` (one model a process), `train` (one at a time)."""

import os

from celery import Celery

from mmproject.environment import load_state

load_state()
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mmproject.settings")

app = Celery("mmproject")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
