"""Where a model sees the words of a title."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from crawler.models import WorkState
from mmproject.ids import ID_LENGTH, content_id


class WordAlignment(models.Model):
    """Where in a listing's picture one model version sees each word of its title; `pending`: waits for a worker."""

    id = models.CharField(primary_key=True, max_length=ID_LENGTH)
    model_id = models.CharField(max_length=ID_LENGTH)
    about_id = models.CharField(max_length=ID_LENGTH)  # the listing; by this name it keeps none from being cleaned away
    title = models.CharField(_("title"), max_length=500)
    image_sha256 = models.CharField(max_length=64)  # by this name it keeps the picture from being cleaned away
    state = models.CharField(_("state"), max_length=10, choices=WorkState.choices, default=WorkState.PENDING)
    error = models.CharField(_("error"), max_length=500, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    words = models.JSONField(default=list)  # [[word, SHA-256 of the drawn picture], …] in the title's order
    asked_at = models.DateTimeField(_("asked"))

    class Meta:
        verbose_name = _("word alignment")
        verbose_name_plural = _("word alignments")
        indexes = [models.Index(fields=["state", "asked_at"], name="alignment_state_asked")]

    def __str__(self) -> str:
        return self.title

    @staticmethod
    def make_id(*, model_id: str, listing_id: str) -> str:
        return content_id("word alignment", model_id, listing_id)
