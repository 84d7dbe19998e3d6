import logging

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CrawlerConfig(AppConfig):
    name = "crawler"
    verbose_name = _("Crawler")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # A line for every picture that is fetched would hide everything else.
        logging.getLogger("httpx2").setLevel(logging.WARNING)
