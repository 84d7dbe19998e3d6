"""The judgments once more, as columns of numbers to count: see evaluation/marks.py for how they are kept up."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from mmproject.ids import ID_LENGTH, content_id


class JudgmentDay(models.Model):
    """One day of judgments: whether its columns say what the judgments say, and which columns those are."""

    id = models.CharField(primary_key=True, max_length=10)  # 2026-11-25, in the site's time zone
    dirty = models.BooleanField(default=True, db_index=True)  # something has changed since it was counted
    settled = models.BooleanField(default=False, db_index=True)  # counted when no write could be under way any more
    token = models.CharField(max_length=ID_LENGTH)  # another one after every change
    marked_at = models.DateTimeField()
    generation = models.CharField(max_length=ID_LENGTH, blank=True)  # of its JudgmentColumns
    count = models.PositiveIntegerField(default=0)
    counted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("day of judgments")
        verbose_name_plural = _("days of judgments")

    def __str__(self) -> str:
        return self.id


class JudgmentColumns(models.Model):
    """Up to `columns.PART_ROWS` judgments of a day, the oldest first.

    Beside these fields the document holds `columns`, bytes by name (see evaluation/columns.py): no field that both
    engines know holds bytes, so they are written and read past the ORM.
    """

    id = models.CharField(primary_key=True, max_length=100)
    day = models.CharField(max_length=10)
    generation = models.CharField(max_length=ID_LENGTH)
    part = models.PositiveIntegerField()
    count = models.PositiveIntegerField()

    class Meta:
        verbose_name = _("columns of judgments")
        verbose_name_plural = _("columns of judgments")
        indexes = [models.Index(fields=["day", "part"], name="columns_day_part")]

    def __str__(self) -> str:
        return self.id

    @staticmethod
    def make_id(*, day: str, generation: str, part: int) -> str:
        return f"{day} {generation} {part}"


class TallyName(models.Model):
    """The number that stands for a value in a column, and the value's name as it was judged last."""

    id = models.CharField(primary_key=True, max_length=ID_LENGTH)
    dimension = models.CharField(max_length=10)
    value = models.CharField(max_length=300)
    number = models.PositiveIntegerField()
    slot = models.CharField(max_length=30, unique=True)  # dimension and number: nobody else gets the same
    name = models.CharField(max_length=300, blank=True)

    class Meta:
        verbose_name = _("name in the statistics")
        verbose_name_plural = _("names in the statistics")
        indexes = [
            models.Index(fields=["dimension", "number"], name="tally_dimension_number"),
            models.Index(fields=["dimension", "name"], name="tally_dimension_name"),
        ]

    def __str__(self) -> str:
        return self.name

    @staticmethod
    def make_id(*, dimension: str, value: str) -> str:
        return content_id("tally name", dimension, value)
