"""Imports of the catalogue and of labels made elsewhere."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from crawler.models import ImportFormat, WorkState
from mmproject.ids import ID_LENGTH, new_id


class TableKind(models.TextChoices):
    """What can be exported and imported as a table."""

    BRANDS = "brands", _("brands")
    PRODUCTS = "products", _("products")
    LABELS = "labels", _("labels")


class TableImport(models.Model):
    """One import of a file, or its dry run: the intent first, then how far it is and what came of it."""

    id = models.CharField(primary_key=True, max_length=ID_LENGTH, default=new_id)
    kind = models.CharField(_("what"), max_length=10, choices=TableKind.choices)
    file_name = models.CharField(_("file"), max_length=255)
    stored_name = models.CharField(max_length=255, blank=True)  # in the storage; empty: not needed any more
    format = models.CharField(_("format"), max_length=10, choices=ImportFormat.choices, default=ImportFormat.AUTO)
    dry_run = models.BooleanField(_("dry run"), default=True)
    strict = models.BooleanField(_("nothing if a row is wrong"), default=False)
    state = models.CharField(_("state"), max_length=10, choices=WorkState.choices, default=WorkState.PENDING)
    total = models.PositiveIntegerField(_("rows"), default=0)
    done = models.PositiveIntegerField(_("done"), default=0)  # rows that are written and counted, whatever happens now
    created = models.PositiveIntegerField(_("new"), default=0)
    updated = models.PositiveIntegerField(_("changed"), default=0)
    unchanged = models.PositiveIntegerField(_("unchanged"), default=0)
    failed = models.PositiveIntegerField(_("left out"), default=0)
    errors = models.JSONField(default=list)  # the first ones: line, field, value, message
    changes = models.JSONField(
        default=list
    )  # the first ones: line, name, fields {field: [before, after]}; new: no fields
    warnings = models.JSONField(default=list)
    error = models.CharField(_("error"), max_length=500, blank=True)
    requested_by_id = models.IntegerField()
    requested_by = models.CharField(_("requested by"), max_length=150)
    # What is wrong is told in the language of who asked
    language = models.CharField(_("language"), max_length=10, blank=True)
    created_at = models.DateTimeField(_("asked for"))
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)  # since rows were last written
    lease_token = models.CharField(max_length=ID_LENGTH, blank=True)
    leased_until = models.DateTimeField(_("leased until"))

    class Meta:
        verbose_name = _("import of a table")
        verbose_name_plural = _("imports of tables")
        indexes = [
            models.Index(fields=["state", "leased_until"], name="table_import_lease"),
            models.Index(fields=["-created_at"], name="table_import_created"),
        ]

    def __str__(self) -> str:
        return self.file_name
