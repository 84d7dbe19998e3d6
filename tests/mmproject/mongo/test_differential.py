"""Random queries give the same answer on MongoDB as on SQLite. `python -m benchmarks.mongo` runs 20,000 of them."""

import pytest

from tests.mmproject.mongo import differential
from tests.mmproject.mongo.app.models import Page
from tests.mmproject.mongo.worlds import MONGO, at

pytestmark = pytest.mark.django_db(databases=["default", "mongo"], transaction=True)

CASES = 2_000


def test_random_queries_agree_with_sqlite(twins):
    mismatches = differential.compare(cases=CASES, seed=2026)
    assert not mismatches, f"{len(mismatches)} of {CASES} differ; the first: {mismatches[0]}"


def test_the_comparison_sees_a_lost_row(twins, monkeypatch):
    """The comparison itself can fail: a row that is on one side only shows."""
    fill = differential.fill

    def fill_and_lose(rnd):
        fill(rnd)
        with at(MONGO):
            Page.objects.filter(pk="p007").delete()

    monkeypatch.setattr(differential, "fill", fill_and_lose)
    assert len(differential.compare(cases=40, seed=1)) > 5
