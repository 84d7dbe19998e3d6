"""Random rows, hostile texts and nulls among them, the same on MongoDB and on SQLite."""

import datetime
import random

from tests.mmproject.mongo.app.models import Label, Page, Remark
from tests.mmproject.mongo.worlds import MONGO, TWIN, at

START = datetime.datetime(2026, 1, 15, 10, 30, 0, 250_000, tzinfo=datetime.UTC)
STATUSES = ["new", "done", "failed"]
SCORES = [None, None, -1.5, 0.0, 0.5, 2.0, 2.5, 9.0]
HOSTILE = [
    *("", " ", "a", "A", "ab", "aB", "b\na", "a\n", "\n", "%", "_", "a%b", "a_b", "axb", "\\", "\\%", "\\d", "a.b"),
    *(".*", "(", "[a]+", "^a$", "a|b", "$", "$ne", '{"$ne": null}', '{"a.b": 1}', "'", '"', "''); --", "%s", "%(0)s"),
    *("NULL", "null", "żółć", "ŻÓŁĆ", "橙汁", "橙汁 1L", "🍊", "a\x00b", "\ta", "true", "1", "-1", "é", "e\u0301"),
    *("\\A", "\\Q", "#", "/"),
]


def fill(rnd: random.Random) -> None:
    """New random rows, the same on both."""
    labels = [Label(id=f"l{n}", name=rnd.choice(HOSTILE), weight=rnd.choice([None, 1, 2, 2, 3])) for n in range(6)]
    pages = [_page(rnd, f"p{n:03d}", labels) for n in range(70)]
    remarks = [
        Remark(
            id=f"r{n:03d}",
            page=rnd.choice(pages[:50]),
            text=rnd.choice([None, *HOSTILE]),
            stars=rnd.choice([None, 1, 2, 3, 4, 5]),
        )
        for n in range(90)
    ]
    for alias in (TWIN, MONGO):
        with at(alias):
            for model, rows in ((Remark, ()), (Page, ()), (Label, labels), (Page, pages), (Remark, remarks)):
                if not rows or model is Label:
                    model.objects.all().delete()
                model.objects.bulk_create(rows)


def _page(rnd: random.Random, key: str, labels: list[Label]) -> Page:
    moment = START + datetime.timedelta(minutes=rnd.randrange(0, 200_000, 37))
    return Page(
        id=key,
        title=rnd.choice(HOSTILE) + rnd.choice(["", "", rnd.choice(HOSTILE)]),
        note=rnd.choice([None, *HOSTILE]),
        status=rnd.choice(STATUSES),
        depth=rnd.randrange(-1, 6),
        score=rnd.choice(SCORES),
        active=rnd.random() < 0.5,
        seen_at=rnd.choice([None, moment, moment]),
        day=rnd.choice([None, moment.date()]),
        label=rnd.choice([None, *labels[:5]]),
    )
