"""A label, its pages, their remarks: two levels of foreign keys, and a column of every kind."""

from django.db import models


class Label(models.Model):
    id = models.CharField(primary_key=True, max_length=40)
    name = models.CharField(max_length=200)
    weight = models.IntegerField(null=True)

    class Meta:
        app_label = "probe"

    def __str__(self) -> str:
        return self.name


class Page(models.Model):
    id = models.CharField(primary_key=True, max_length=40)
    title = models.CharField(max_length=200)
    note = models.TextField(null=True)
    status = models.CharField(max_length=10, db_index=True)
    depth = models.IntegerField()
    score = models.FloatField(null=True)
    active = models.BooleanField(default=True)
    seen_at = models.DateTimeField(null=True)
    day = models.DateField(null=True)
    label = models.ForeignKey(Label, null=True, on_delete=models.SET_NULL, related_name="pages")

    class Meta:
        app_label = "probe"

    def __str__(self) -> str:
        return self.title


class Remark(models.Model):
    id = models.CharField(primary_key=True, max_length=40)
    page = models.ForeignKey(Page, on_delete=models.CASCADE, related_name="remarks")
    text = models.CharField(max_length=200, null=True)
    stars = models.IntegerField(null=True)

    class Meta:
        app_label = "probe"


class Thing(models.Model):
    """What SQLite would not hold as we do: JSON, decimals, binary; an automatic key; unique and descending indexes."""

    code = models.CharField(max_length=20, unique=True)
    serial = models.CharField(max_length=20, null=True, unique=True)
    shelf = models.CharField(max_length=20, default="a")
    place = models.IntegerField(default=0)
    data = models.JSONField(default=dict)
    extra = models.JSONField(null=True)
    price = models.DecimalField(max_digits=12, decimal_places=2, null=True)
    raw = models.BinaryField(null=True)
    token = models.UUIDField(null=True)
    at = models.TimeField(null=True)
    lasted = models.DurationField(null=True)
    seen_at = models.DateTimeField(null=True)

    class Meta:
        app_label = "probe"
        unique_together = [("code", "shelf")]
        constraints = [models.UniqueConstraint(fields=["shelf", "place", "code"], name="thing_place")]
        indexes = [models.Index(fields=["shelf", "-seen_at"], name="thing_shelf_seen")]


class Tag(models.Model):
    name = models.CharField(max_length=20)
    things = models.ManyToManyField(Thing, related_name="tags")

    class Meta:
        app_label = "probe"


MODELS = [Label, Page, Remark, Thing, Tag]
