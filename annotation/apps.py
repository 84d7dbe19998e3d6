from django.apps import AppConfig
from django.db.models.signals import post_delete, post_save
from django.utils.translation import gettext_lazy as _


class AnnotationConfig(AppConfig):
    name = "annotation"
    verbose_name = _("Annotation")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from annotation.models import Webhook
        from annotation.webhook_events import forget_webhooks

        post_save.connect(forget_webhooks, sender=Webhook, dispatch_uid="webhooks-saved")
        post_delete.connect(forget_webhooks, sender=Webhook, dispatch_uid="webhooks-deleted")
