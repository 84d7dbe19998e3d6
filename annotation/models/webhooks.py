"""Who elsewhere is told of submissions and reviews."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from crawler.models import WorkState
from mmproject.ids import ID_LENGTH, content_id, new_id


class Webhook(models.Model):
    """An address of somebody else's that is told of submissions and reviews."""

    id = models.CharField(primary_key=True, max_length=ID_LENGTH, default=new_id, editable=False)
    name = models.CharField(_("name"), max_length=120)
    url = models.URLField(_("address"), max_length=500)
    secret = models.CharField(max_length=64, editable=False)  # signs what is sent; shown to its maker once
    on_submission = models.BooleanField(_("tell of submissions"), default=True)
    on_review = models.BooleanField(_("tell of reviews"), default=True)
    enabled = models.BooleanField(_("enabled"), default=True)
    created_by = models.CharField(_("made by"), max_length=150, blank=True, editable=False)
    created_at = models.DateTimeField(_("made"), editable=False)

    class Meta:
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class WebhookDelivery(models.Model):
    """One event on its way to one webhook. The key comes from both, so that an event told twice is sent once."""

    id = models.CharField(primary_key=True, max_length=ID_LENGTH)
    webhook_id = models.CharField(max_length=ID_LENGTH, db_index=True)
    webhook_name = models.CharField(_("webhook"), max_length=120)
    event = models.CharField(_("event"), max_length=40)
    payload = models.JSONField(default=dict)
    state = models.CharField(_("state"), max_length=10, choices=WorkState.choices, default=WorkState.PENDING)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    next_try_at = models.DateTimeField(_("next try"))
    status = models.PositiveIntegerField(_("answer"), null=True, blank=True)
    error = models.CharField(_("error"), max_length=500, blank=True)
    created_at = models.DateTimeField(_("made"))
    delivered_at = models.DateTimeField(_("delivered"), null=True, blank=True)

    class Meta:
        verbose_name = _("webhook delivery")
        verbose_name_plural = _("webhook deliveries")
        indexes = [
            models.Index(fields=["state", "next_try_at"], name="delivery_due"),
            models.Index(fields=["webhook_id", "state", "next_try_at"], name="delivery_of_webhook"),
            models.Index(fields=["-created_at"], name="delivery_created"),
        ]

    def __str__(self) -> str:
        return f"{self.event} → {self.webhook_name}"

    @staticmethod
    def make_id(*, webhook_id: str, event: str, about: str) -> str:
        return content_id("webhook-delivery", webhook_id, event, about)
