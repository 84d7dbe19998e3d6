"""The columns that figures are counted from say what the judgments say, after whatever was written."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from annotation.models import Product
from evaluation import services
from evaluation.marks import changing, days_mark
from evaluation.models import Judgment, JudgmentColumns, JudgmentDay, TallyName, Verdict
from evaluation.selectors.statistics import statistics
from evaluation.selectors.statistics_filters import Filters
from evaluation.services import tallies
from mmproject.mongo.collections import collection
from tests.evaluation.factories import make_catalogue, make_judgment

pytestmark = pytest.mark.django_db(databases=["default", "mongo"], transaction=True)

PRODUCTS = [
    Product(id=f"tea-{n}", name=f"Tea {n}", brand_id=[None, "brand-0", "brand-1"][n % 3], brand_name="B")
    for n in range(4)
]
DAYS = st.integers(0, 3).map(lambda day: datetime(2026, 1, 1 + day, 12, tzinfo=UTC))
WORDS = st.sampled_from(Verdict.values)
writes = st.lists(
    st.one_of(
        st.tuples(st.just("create"), st.integers(0, 9), WORDS, DAYS, st.sampled_from(PRODUCTS), st.booleans()),
        st.tuples(st.just("update"), st.integers(0, 9), WORDS, DAYS),
        st.tuples(st.just("save"), st.integers(0, 9), WORDS, DAYS),
        st.tuples(st.just("delete"), st.integers(0, 9)),
        st.tuples(st.just("delete one"), st.integers(0, 9)),
        st.tuples(st.just("read")),
    ),
    max_size=12,
)


def write(what, number=0, verdict="", moment=None, product=None, rejected=False):
    rows = Judgment.objects.filter(prediction_id=f"prediction-{number}")
    if what == "create" and not rows.exists():
        right = PRODUCTS[0] if verdict == Verdict.WRONG and product is not PRODUCTS[0] else None
        make_judgment(number, predicted=product, verdict=verdict, right=right, judged_at=moment, rejected=rejected)
    elif what == "update":
        rows.update(verdict=verdict, judged_at=moment)
    elif what == "save":
        for row in rows:
            row.verdict, row.judged_at = verdict, moment
            row.save()
    elif what == "delete":
        rows.delete()
    elif what == "delete one":
        for row in rows:
            row.delete()
    elif what == "read":
        services.days_refresh()


def counted(by):
    figures = statistics(filters=Filters(), by=(by,))
    return {
        row.key: (row.right, row.wrong, row.unsure, row.refused_right, row.refused_wrong) for row in figures.groups[by]
    }


def recounted(key):
    kinds = {}
    for row in Judgment.objects.all():
        kinds.setdefault(key(row), Counter())[row.verdict, row.rejected] += 1
    return {
        name: (
            found["right", False],
            found["wrong", False],
            found["unsure", False] + found["unsure", True],
            found["right", True],
            found["wrong", True],
        )
        for name, found in kinds.items()
    }


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(writes)
def test_whatever_was_written_the_columns_say_what_a_recount_says(done):
    for model in (Judgment, JudgmentDay, JudgmentColumns, TallyName):
        model.objects.all().delete()
    for one in done:
        write(*one)
    services.days_refresh()
    assert counted("day") == recounted(lambda row: f"{row.judged_at:%Y-%m-%d}")
    assert counted("product") == recounted(lambda row: row.predicted_product_id)
    named = set(JudgmentDay.objects.values_list("generation", flat=True))
    assert set(JudgmentColumns.objects.values_list("generation", flat=True)) <= named


def test_a_writer_that_dies_between_its_write_and_the_second_mark_is_made_good():
    product = make_catalogue()[0]
    judged = make_judgment(1, predicted=product)
    with changing([judged.judged_at]):  # the first mark …
        services.days_refresh()  # … which somebody else counts away before the write
        collection(Judgment).update_one({"id": judged.id}, {"$set": {"verdict": "wrong"}})
        JudgmentDay.objects.update(dirty=False)
        killed = JudgmentDay.objects.get()
    JudgmentDay.objects.update(token=killed.token, dirty=False, settled=False, marked_at=killed.marked_at)
    assert counted("product") == {"tea-0": (1, 0, 0, 0, 0)}  # the mark of the dead writer is gone: nobody knows yet
    JudgmentDay.objects.update(marked_at=timezone.now() - timedelta(minutes=3))
    services.days_count()
    assert counted("product") == {"tea-0": (0, 1, 0, 0, 0)}
    assert JudgmentDay.objects.get().settled
    assert services.days_count() == 0


def test_the_nightly_recount_finds_what_was_written_past_the_models():
    product = make_catalogue()[0]
    make_judgment(1, predicted=product)
    services.days_refresh()
    collection(Judgment).update_many({}, {"$set": {"verdict": "unsure", "judged_at": datetime(2025, 5, 5)}})  # noqa: DTZ001
    services.days_find()
    services.days_count()
    assert counted("day") == {"2025-05-05": (0, 0, 1, 0, 0)}


def test_what_was_judged_before_there_were_columns_is_counted():
    make_judgment(1, predicted=make_catalogue()[0])
    JudgmentDay.objects.all().delete()
    services.days_refresh()
    assert counted("product") == {"tea-0": (1, 0, 0, 0, 0)}


def test_a_count_that_is_overtaken_by_a_write_leaves_the_day_dirty(monkeypatch):
    product = make_catalogue()[0]
    first = make_judgment(1, predicted=product)
    wrote = tallies._part_write

    def overtaken(day, *args):
        wrote(day, *args)
        days_mark([day])

    monkeypatch.setattr(tallies, "_part_write", overtaken)
    services.days_refresh()
    assert JudgmentDay.objects.get().dirty
    assert not JudgmentColumns.objects.exists()
    monkeypatch.undo()
    services.days_refresh()
    assert counted("product") == {first.predicted_product_id: (1, 0, 0, 0, 0)}


def test_a_day_of_many_judgments_is_counted_in_parts(monkeypatch):
    monkeypatch.setattr(tallies, "PART_ROWS", 2)
    product = make_catalogue()[0]
    for number in range(5):
        make_judgment(number, predicted=product)
    services.days_refresh()
    assert sorted(JudgmentColumns.objects.values_list("count", flat=True)) == [1, 2, 2]
    assert counted("product") == {"tea-0": (5, 0, 0, 0, 0)}


def test_a_day_too_big_to_wait_for_is_left_to_a_worker(monkeypatch, nudges):
    monkeypatch.setattr(tallies, "AT_ONCE", 2)
    product = make_catalogue()[0]
    old = datetime(2026, 1, 1, 12, tzinfo=UTC)
    for number in range(3):
        make_judgment(number, predicted=product, judged_at=old)
    make_judgment(3, predicted=product)
    assert services.days_refresh() == ["2026-01-01"]
    assert (tallies.COUNT_DAYS,) in nudges
    assert counted("product") == {"tea-0": (1, 0, 0, 0, 0)}
    services.days_count()
    assert counted("product") == {"tea-0": (4, 0, 0, 0, 0)}


def test_a_product_is_called_as_it_was_judged_last():
    product = make_catalogue()[0]
    make_judgment(1, predicted=product)
    services.days_refresh()
    product.name = "Tea with a new name"
    make_judgment(2, predicted=product)
    services.days_refresh()
    assert [row.name for row in statistics(by=("product",)).by_product] == ["Tea with a new name"]
