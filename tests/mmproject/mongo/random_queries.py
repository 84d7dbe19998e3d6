"""Random queries by the ORM: filters, exclusions, orders, slices, joins, aggregates, groups, updates and deletions."""

import datetime
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Avg, Count, F, Max, Min, Q, QuerySet, Sum, Value
from django.db.models.functions import (
    Coalesce,
    ExtractMonth,
    ExtractWeekDay,
    ExtractYear,
    TruncDate,
    TruncDay,
    TruncHour,
    TruncMonth,
    TruncWeek,
    TruncYear,
)

from tests.mmproject.mongo.app.models import Label, Page, Remark
from tests.mmproject.mongo.random_rows import HOSTILE, START, STATUSES

ZONES = [None, ZoneInfo("Asia/Shanghai"), ZoneInfo("America/New_York"), datetime.UTC]
TEXT_LOOKUPS = [
    *("exact", "iexact", "contains", "icontains", "startswith", "istartswith", "endswith", "iendswith", "gt", "lte"),
]
# Methods of Maker; what is here twice is asked twice as often.
QUERIES = [
    *("keys", "keys", "excluded", "page", "objects", "number", "totals", "groups", "far_groups", "per_label"),
    *("distinct", "distinct_number", "remarks", "by_time", "moments", "sliced_number", "change", "removal"),
    *("first_or_last", "chained"),
]

Query = Callable[[], Any]


class Maker:
    """Makes one random query. It draws everything before it touches a database, so that both get the same one."""

    def __init__(self, rnd: random.Random) -> None:
        self.rnd = rnd
        self.name = ""

    def query(self) -> Query:
        make = getattr(self, self.rnd.choice(QUERIES))
        self.name = make.__name__
        return make()

    def say(self, condition: Q) -> None:
        self.name += f" {condition}"

    # --- conditions ---

    def condition(self, depth: int | None = None) -> Q:
        depth = self.rnd.choice([0, 1, 2, 3]) if depth is None else depth
        if depth == 0 or self.rnd.random() < 0.2:
            found = self.leaf()
        else:
            found = self.condition(depth - 1)
            for _ in range(self.rnd.randrange(1, 3)):
                other = self.condition(depth - 1)
                found = found & other if self.rnd.random() < 0.5 else found | other
        return ~found if self.rnd.random() < 0.3 else found

    def leaf(self) -> Q:
        rnd = self.rnd
        kind = rnd.choice(["text", "text", "number", "number", "moment", "null", "label", "columns", "other"])
        if kind == "text":
            column = rnd.choice(["title", "note", "label__name", "status"])
            lookup = rnd.choice(
                [
                    "exact",
                    "iexact",
                    "contains",
                    "icontains",
                    "startswith",
                    "istartswith",
                    "endswith",
                    "iendswith",
                    "gt",
                    "lte",
                ]
            )
            return Q((f"{column}__{lookup}", self.text()))
        if kind == "number":
            column = rnd.choice(["depth", "score", "label__weight"])
            lookup = rnd.choice(["exact", "gt", "gte", "lt", "lte", "range", "in"])
            if lookup == "range":
                return Q((f"{column}__range", (rnd.randrange(-1, 3), rnd.randrange(1, 6))))
            if lookup == "in":
                return Q((f"{column}__in", [rnd.choice([None, 0, 1, 2, 0.5, 2.5]) for _ in range(rnd.randrange(4))]))
            return Q((f"{column}__{lookup}", rnd.choice([-1, 0, 1, 2, 3, 2.5])))
        if kind == "moment":
            moment = START + datetime.timedelta(minutes=rnd.randrange(200_000))
            lookup, value = rnd.choice(
                [
                    *(("gt", moment), ("lte", moment), ("date", moment.date()), ("year", 2026)),
                    *(("month", moment.month), ("week_day", rnd.randrange(1, 8)), ("hour__gte", rnd.randrange(24))),
                    ("quarter", rnd.randrange(1, 5)),
                ]
            )
            return Q((f"seen_at__{lookup}", value))
        if kind == "null":
            column = rnd.choice(["score", "note", "seen_at", "label", "label__weight", "day", "label__name"])
            return Q((f"{column}__isnull", rnd.random() < 0.5))
        if kind == "label":
            return rnd.choice(
                [
                    Q(label=rnd.choice(["l0", "l1", "l5", "nobody"])),
                    Q(label__in=rnd.sample(["l0", "l1", "l2", "l3", "x"], 2)),
                    Q(label__in=_Labels(rnd.choice([1, 2, None]))),
                    Q(label__name=self.text(), label__weight__gt=1),
                ]
            )
        if kind == "columns":
            return rnd.choice(
                [
                    Q(score__gt=F("depth")),
                    Q(depth=F("label__weight")),
                    Q(score__lte=F("depth") + F("label__weight")),
                    Q(depth__lt=F("depth") * 2 - 1),
                    Q(title=F("note")),
                ]
            )
        return rnd.choice(
            [
                Q(active=rnd.random() < 0.5),
                Q(status__in=rnd.sample([*STATUSES, "other"], 2)),
                Q(day=START.date() + datetime.timedelta(days=rnd.randrange(140))),
                Q(title__regex=rnd.choice(["^a", "b$", "[ab]", "橙"])),
                Q(depth__icontains=rnd.choice(["1", "-", "x"])),
                Q(pk__in=[]),
                Q(),
            ]
        )

    def text(self) -> str:
        found = self.rnd.choice(HOSTILE)
        return found if self.rnd.random() < 0.7 else found[: self.rnd.randrange(3)] + self.rnd.choice(HOSTILE)

    def pages(self) -> Callable[[], QuerySet]:
        condition = self.condition()
        self.say(condition)
        return lambda: Page.objects.filter(_here(condition))

    def remark_condition(self) -> Q:
        rnd = self.rnd
        return rnd.choice(
            [
                Q(),
                Q(page__status=rnd.choice(STATUSES)),
                ~Q(page__label__name=self.text()),
                Q(page__label__weight=2) | Q(stars__gt=3),
                Q(page__depth__lte=2, text__icontains=self.text()),
                ~(Q(page__score__gt=1) & Q(stars=None)),
                Q(page__label=None),
            ]
        )

    def order(self, columns: list[str]) -> list[Any]:
        chosen = self.rnd.sample(columns, self.rnd.randrange(1, 3))
        return [f"-{column}" if self.rnd.random() < 0.5 else column for column in chosen]

    def slice(self) -> slice:
        start = self.rnd.choice([0, 0, 1, 5])
        return slice(start, self.rnd.choice([None, start + 1, start + 9]))

    # --- queries ---

    def keys(self) -> Query:
        pages = self.pages()
        return lambda: sorted(pages().values_list("pk", flat=True))

    def excluded(self) -> Query:
        condition = self.condition()
        self.say(condition)
        return lambda: sorted(Page.objects.exclude(_here(condition)).values_list("pk", flat=True))

    def page(self) -> Query:
        pages, cut = self.pages(), self.slice()
        order = self.order(
            ["title", "depth", "score", "seen_at", "active", "label__name", "label__weight", "note", "day"]
        )
        columns = self.rnd.sample(["title", "depth", "score", "seen_at", "label__name", "label__weight", "active"], 3)
        self.name += f" {order} {cut}"
        return lambda: pages().order_by(*order, "pk").values("pk", *columns)[cut]

    def objects(self) -> Query:
        pages, cut = self.pages(), self.slice()
        joined = self.rnd.random() < 0.5

        def run() -> list[Any]:
            found = pages().order_by("-depth", "pk")
            found = (found.select_related("label") if joined else found.prefetch_related("label"))[cut]
            return [
                (p.pk, p.title, p.note, p.status, p.score, p.active, p.seen_at, p.day, p.label and p.label.name)
                for p in found
            ]

        return run

    def number(self) -> Query:
        pages = self.pages()
        return lambda: (pages().count(), pages().exists())

    def sliced_number(self) -> Query:
        pages, cut = self.pages(), self.slice()
        return lambda: (pages().order_by("pk")[cut].count(), pages()[:3].aggregate(n=Count("pk"))["n"])

    def aggregates(self, prefix: str = "") -> dict[str, Any]:
        every = {
            "n": Count(f"{prefix}pk"),
            "scored": Count(f"{prefix}score"),
            "kinds": Count(f"{prefix}status", distinct=True),
            "values": Count(f"{prefix}score", distinct=True),
            "sum": Sum(f"{prefix}score"),
            "or_zero": Coalesce(Sum(f"{prefix}depth"), Value(0)),
            "mean": Avg(f"{prefix}depth"),
            "most": Max(f"{prefix}seen_at"),
            "least": Min(f"{prefix}title"),
            "double": Sum(F(f"{prefix}depth") * 2 + 1),
        }
        return {name: every[name] for name in self.rnd.sample(list(every), 3)}

    def totals(self) -> Query:
        pages, wanted = self.pages(), self.aggregates()
        return lambda: pages().aggregate(**wanted)

    def groups(self) -> Query:
        pages, wanted = self.pages(), self.aggregates()
        by = self.rnd.sample(["status", "depth", "active", "score", "label__name", "label__weight", "day"], 2)
        first = self.rnd.choice([*wanted, by[0]])
        self.name += f" by {by} {list(wanted)}"
        return lambda: pages().values(*by).annotate(**wanted).order_by(first, *by)

    def far_groups(self) -> Query:
        condition = self.remark_condition()
        self.say(condition)
        by = self.rnd.sample(["stars", "page__status", "page__label__name", "page__depth", "text"], 2)
        return lambda: (
            Remark.objects.filter(condition)
            .values(*by)
            .annotate(n=Count("pk"), mean=Avg("stars"), most=Max("page__score"))
            .order_by("-n", *by)
        )

    def per_label(self) -> Query:
        wanted = self.aggregates("pages__")
        weight = self.rnd.choice([None, 2])
        return lambda: (
            Label.objects.filter(*([Q(weight=weight)] if weight else [])).annotate(**wanted).order_by("pk").values()
        )

    def distinct(self) -> Query:
        pages = self.pages()
        columns = self.rnd.sample(["status", "depth", "label__name", "active", "note"], 2)
        return lambda: pages().order_by(*columns).values_list(*columns).distinct()

    def distinct_number(self) -> Query:
        pages = self.pages()
        columns = self.rnd.sample(["status", "score", "label__weight", "day"], 2)
        return lambda: pages().values(*columns).distinct().count()

    def remarks(self) -> Query:
        condition, cut = self.remark_condition(), self.slice()
        self.say(condition)
        return lambda: [
            (r.pk, r.text, r.stars, r.page.title, r.page.label and r.page.label.name)
            for r in Remark.objects.select_related("page__label").filter(condition).order_by("-page__depth", "pk")[cut]
        ]

    def by_time(self) -> Query:
        zone = self.rnd.choice(ZONES)
        kind = self.rnd.choice([TruncDate, TruncDay, TruncHour, TruncMonth, TruncWeek, TruncYear])
        kind = self.rnd.choice([kind, kind, ExtractYear, ExtractMonth, ExtractWeekDay])
        pages = self.pages()
        self.name += f" {kind.__name__} {zone}"
        return lambda: (
            pages().annotate(t=kind("seen_at", tzinfo=zone)).values("t").annotate(n=Count("pk")).order_by("t")
        )

    def moments(self) -> Query:
        pages = self.pages()
        kind, order = self.rnd.choice(["day", "month", "year"]), self.rnd.choice(["ASC", "DESC"])
        return lambda: (pages().datetimes("seen_at", kind, order=order), pages().dates("day", kind, order=order))

    def first_or_last(self) -> Query:
        pages, order = self.pages(), self.order(["depth", "score", "title"])
        return lambda: [
            found and found.pk
            for found in (pages().order_by(*order, "pk").first(), pages().order_by(*order, "pk").last())
        ]

    def chained(self) -> Query:
        one, other = self.pages(), self.condition()
        self.say(other)
        return lambda: sorted(one().filter(_here(other)).values_list("pk", "label__name"), key=repr)

    def change(self) -> Query:
        pages = self.pages()
        change = self.rnd.choice(
            [
                {"status": self.rnd.choice(STATUSES), "score": None},
                {"depth": F("depth") + 1},
                {"score": F("score") * 2 - F("depth"), "note": self.text()},
                {"active": self.rnd.random() < 0.5},
            ]
        )
        return lambda: (pages().update(**change), Page.objects.order_by("pk").values_list("pk", *change))

    def removal(self) -> Query:
        condition = self.remark_condition() & Q(stars=self.rnd.randrange(1, 6))
        self.say(condition)
        return lambda: (
            Remark.objects.filter(condition).delete()[0],
            sorted(Remark.objects.values_list("pk", flat=True)),
        )


@dataclass(frozen=True)
class _Labels:
    """A subquery, made anew on each database."""

    weight: int | None


def _here(condition: Q) -> Q:
    """The condition with its subqueries on the database that is current."""
    made = Q()
    made.connector, made.negated = condition.connector, condition.negated
    for child in condition.children:
        if isinstance(child, Q):
            made.children.append(_here(child))
        elif isinstance(child[1], _Labels):
            made.children.append((child[0], Label.objects.filter(weight=child[1].weight)))
        else:
            made.children.append(child)
    return made
