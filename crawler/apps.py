import logging

from django.apps import AppConfig
from django.db.models.signals import post_delete, post_save
from django.utils.translation import gettext_lazy as _


class CrawlerConfig(AppConfig):
    name = "crawler"
    verbose_name = _("Crawler")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # A line for every picture that is fetched would hide everything else.
        logging.getLogger("httpx2").setLevel(logging.WARNING)
        from crawler.models import Source
        from crawler.selectors import forget_sources

        post_save.connect(forget_sources, sender=Source, dispatch_uid="sources-saved")
        post_delete.connect(forget_sources, sender=Source, dispatch_uid="sources-deleted")
