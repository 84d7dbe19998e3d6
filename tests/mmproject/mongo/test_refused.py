"""What the backend cannot express raises NotSupportedError that names the construct, and touches no document."""

import re

import pytest
from django.db import NotSupportedError
from django.db.models import (
    Case,
    CharField,
    Count,
    Exists,
    F,
    FilteredRelation,
    Max,
    OuterRef,
    Q,
    StdDev,
    Subquery,
    Sum,
    Value,
    When,
    Window,
)
from django.db.models.functions import Concat, Length, Now, Random, RowNumber, TruncTime, Upper

from tests.mmproject.mongo.app.models import Label, Page, Remark, Thing

pytestmark = [
    pytest.mark.django_db(databases=["default", "mongo"], transaction=True),
    pytest.mark.usefixtures("probes"),
]

NEWEST = Remark.objects.filter(page=OuterRef("pk"))
REFUSED = {
    "Window": lambda: Page.objects.annotate(n=Window(RowNumber(), order_by="pk")),
    "Subquery": lambda: Page.objects.annotate(n=Subquery(NEWEST.values("text")[:1])),
    "Exists": lambda: Page.objects.filter(Exists(NEWEST)),
    "OuterRef": lambda: Page.objects.filter(pk__in=NEWEST.values("page_id")),
    "Exists ": lambda: Page.objects.exclude(remarks__text="a"),
    "Case": lambda: Page.objects.annotate(n=Case(When(depth=1, then=Value("a")), output_field=CharField())),
    "Case ": lambda: Page.objects.annotate(n=Count("remarks", filter=Q(remarks__stars=1))),
    "HAVING": lambda: Label.objects.annotate(n=Count("pages")).filter(n__gt=0),
    "SUM(DISTINCT": lambda: Page.objects.values("status").annotate(n=Sum("depth", distinct=True)),
    "STDDEV": lambda: Page.objects.values("status").annotate(n=StdDev("depth")),
    "union": lambda: Page.objects.all().union(Page.objects.all()),
    "intersection": lambda: Page.objects.all().intersection(Page.objects.all()),
    "difference": lambda: Page.objects.all().difference(Page.objects.all()),
    "nulls_last": lambda: Page.objects.order_by(F("score").asc(nulls_last=True)),
    "nulls_first": lambda: Page.objects.order_by(F("score").desc(nulls_first=True)),
    "Random": lambda: Page.objects.order_by("?"),
    "Random ": lambda: Page.objects.annotate(n=Random()),
    "UPPER": lambda: Page.objects.annotate(n=Upper("title")),
    "LENGTH": lambda: Page.objects.filter(title__in=["a"]).order_by(Length("title")),
    "CONCAT": lambda: Page.objects.annotate(n=Concat("title", Value("a"))),
    "TruncTime": lambda: Page.objects.annotate(n=TruncTime("seen_at")),
    "operator /": lambda: Page.objects.annotate(n=F("depth") / 2),
    "operator %%": lambda: Page.objects.filter(depth=F("depth") % 2),
    "FilteredRelation": lambda: Label.objects.annotate(
        new=FilteredRelation("pages", condition=Q(pages__status="new"))
    ).filter(new__depth=1),
    "contains on a FloatField": lambda: Page.objects.filter(score__contains="1"),
    "icontains on a DateTimeField": lambda: Page.objects.filter(seen_at__icontains="2026"),
    "the function PATTERN": lambda: Page.objects.filter(title__contains=F("note")),
    "a condition used as a value": lambda: Page.objects.extra(select={"n": '"depth" > 1'}),
    "DISTINCT ON": lambda: Page.objects.distinct("status"),
    "HasKey": lambda: Thing.objects.filter(data__has_key="a"),
    "contains lookup": lambda: Thing.objects.filter(data__contains={"a": 1}),
    "order JSON by": lambda: Thing.objects.filter(data__a__gt=[1]),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_query_that_cannot_be_expressed(name):
    with pytest.raises(NotSupportedError, match=f"(?i){re.escape(name.strip())}"):
        list(REFUSED[name]())


WRITES = {
    "ignoring conflicts": lambda: Label.objects.bulk_create([Label(id="x", name="x")], ignore_conflicts=True),
    "updating conflicts": lambda: Label.objects.bulk_create(
        [Label(id="x", name="x")], update_conflicts=True, update_fields=["name"], unique_fields=["id"]
    ),
    "Case": lambda: Page.objects.bulk_update([Page(pk="p1", depth=5)], ["depth"]),
    "INSERT": lambda: Page.objects.create(id="p2", title=Upper(Value("x")), status="new", depth=0),
    "CURRENT_TIMESTAMP": lambda: Page.objects.update(seen_at=Now()),
    "Subquery": lambda: Page.objects.update(note=Subquery(NEWEST.values("text")[:1])),
}


@pytest.mark.parametrize("name", WRITES)
def test_a_write_that_cannot_be_expressed_writes_nothing(name):
    Page.objects.create(id="p1", title="a", status="new", depth=0)
    with pytest.raises(NotSupportedError, match=f"(?i){name}"):
        WRITES[name]()
    assert list(Page.objects.values_list("pk", "title", "depth", "note")) == [("p1", "a", 0, None)]
    assert not Label.objects.exists()


def test_aggregates_over_groups_are_expressed():
    for key, status in [("a", "new"), ("b", "new"), ("c", "done")]:
        Page.objects.create(id=key, title="", status=status, depth=0)
    assert Page.objects.values("status").annotate(n=Count("pk")).aggregate(most=Max("n")) == {"most": 2}
