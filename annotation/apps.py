from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_delete, post_save
from django.utils.translation import gettext_lazy as _


class AnnotationConfig(AppConfig):
    name = "annotation"
    verbose_name = _("Annotation")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from annotation.models import Brand, Product, Webhook
        from annotation.product_search import catalogue_changed
        from annotation.webhook_events import forget_webhooks

        post_save.connect(_brand_saved, sender=Brand, dispatch_uid="brand-followed")
        for signal in (post_save, post_delete):
            signal.connect(catalogue_changed, sender=Product, dispatch_uid="catalogue-changed")
            signal.connect(forget_webhooks, sender=Webhook, dispatch_uid="webhooks-changed")


def _brand_saved(instance: Any, raw: bool = False, **_signal: Any) -> None:
    from annotation.catalogue import brand_followed

    if not raw:  # a fixture brings its products as they are
        brand_followed(brand=instance)
