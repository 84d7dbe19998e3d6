"""What an application asks of the ORM, one sentence a test."""

import datetime
import threading

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connections, transaction
from django.db.models import Count, F, Q
from django.db.models.functions import TruncMonth

from tests.mmproject.mongo.app.models import Label, Page, Remark, Tag, Thing

pytestmark = [
    pytest.mark.django_db(databases=["default", "mongo"], transaction=True),
    pytest.mark.usefixtures("probes"),
]

NOON = datetime.datetime(2026, 1, 15, 12, tzinfo=datetime.UTC)


def make_page(key="p1", **fields):
    return Page.objects.create(**({"id": key, "title": key, "status": "new", "depth": 0} | fields))


def make_pages(number):
    return Page.objects.bulk_create(
        Page(id=f"p{n:03d}", title=f"page {n}", status=["new", "done"][n % 2], depth=n % 5) for n in range(number)
    )


# --- writing ---


def test_save_updates_what_is_there_and_inserts_what_is_not():
    page = Page(id="p1", title="one", status="new", depth=1)
    page.save()
    page.title = "two"
    page.save()
    assert list(Page.objects.values_list("id", "title")) == [("p1", "two")]


def test_save_with_update_fields_leaves_the_rest_alone():
    page = make_page(depth=1)
    Page.objects.update(depth=7)
    page.title = "changed"
    page.save(update_fields=["title"])
    page.refresh_from_db()
    assert (page.title, page.depth) == ("changed", 7)


def test_an_automatic_key_counts_up_and_past_given_ones():
    first, second = Thing.objects.create(code="a"), Thing.objects.create(code="b")
    Thing.objects.create(id=50, code="c")
    assert (second.pk - first.pk, Thing.objects.create(code="d").pk) == (1, 51)


def test_bulk_create_sets_the_keys():
    things = Thing.objects.bulk_create([Thing(code=str(n)) for n in range(30)])
    assert sorted(thing.pk for thing in things) == sorted(Thing.objects.values_list("pk", flat=True))


def test_a_duplicate_key_is_an_integrity_error():
    make_page("p1", title="first")
    with pytest.raises(IntegrityError):
        make_page("p1", title="second")
    assert Page.objects.get().title == "first"


def test_a_duplicate_of_a_unique_field_is_an_integrity_error():
    Thing.objects.create(code="a")
    other = Thing.objects.create(code="b")
    with pytest.raises(IntegrityError):
        Thing.objects.create(code="a")
    with pytest.raises(IntegrityError):
        Thing.objects.filter(pk=other.pk).update(code="a")


def test_nulls_of_a_unique_field_do_not_collide():
    Thing.objects.create(code="a", serial=None)
    Thing.objects.create(code="b", serial=None)
    Thing.objects.create(code="c", serial="1")
    with pytest.raises(IntegrityError):
        Thing.objects.create(code="d", serial="1")
    assert Thing.objects.filter(serial="1").count() == 1


def test_a_form_sees_a_duplicate_before_the_database_does():
    Thing.objects.create(code="a")
    with pytest.raises(ValidationError, match="already exists"):
        Thing(code="a").validate_unique()


def test_bulk_create_is_all_or_nothing():
    make_page("p5")
    with pytest.raises(IntegrityError):
        Page.objects.bulk_create(Page(id=f"p{n}", title="x", status="new", depth=0) for n in range(10))
    assert list(Page.objects.values_list("id", flat=True)) == ["p5"]


def test_get_or_create_and_update_or_create():
    assert Label.objects.get_or_create(id="a", defaults={"name": "one"})[1] is True
    assert Label.objects.get_or_create(id="a", defaults={"name": "two"})[1] is False
    label, created = Label.objects.update_or_create(id="a", defaults={"name": "three"})
    assert (created, label.name, Label.objects.get().name) == (False, "three", "three")


def test_ten_threads_that_get_or_create_make_one():
    def work(results):
        try:
            results.append(Label.objects.get_or_create(id="same", defaults={"name": "x"})[1])
        finally:
            connections.close_all()

    results = in_threads(work)
    assert (len(results), sum(results), Label.objects.count()) == (10, 1, 1)


def test_a_conditional_update_has_one_winner():
    """The compare-and-set that leases rest on: each caller writes another value, so each could win."""
    for turn in range(20):
        make_page(f"lease-{turn}", seen_at=NOON)

        def work(results, key=f"lease-{turn}"):
            until = NOON + datetime.timedelta(hours=1)
            mine = {"seen_at": until, "note": str(threading.get_ident())}
            try:
                results.append(Page.objects.filter(pk=key, seen_at__lt=until).update(**mine))
            finally:
                connections.close_all()

        assert sum(in_threads(work)) == 1


def test_update_counts_what_matched_and_computes_from_the_old_values():
    make_page("p1", depth=1, score=2.0)
    make_page("p2", depth=5, score=None)
    assert Page.objects.update(depth=F("depth") + 10, score=F("depth") * 2) == 2
    assert list(Page.objects.order_by("id").values_list("depth", "score")) == [(11, 2.0), (15, 10.0)]


def test_update_takes_text_for_text():
    make_page("p1")
    Page.objects.update(title="$depth", depth=F("depth") + 1)
    assert Page.objects.get().title == "$depth"


def test_concurrent_increments_are_all_counted():
    make_page("p1", depth=0)

    def work(results):
        try:
            for _ in range(20):
                Page.objects.filter(pk="p1").update(depth=F("depth") + 1)
        finally:
            connections.close_all()

    in_threads(work)
    assert Page.objects.get().depth == 200


def test_update_over_a_foreign_key():
    label = Label.objects.create(id="a", name="one")
    make_page("p1", label=label)
    make_page("p2")
    assert Page.objects.filter(label__name="one").update(status="done") == 1
    assert Page.objects.get(status="done").pk == "p1"


def test_delete_cascades_and_sets_null():
    label = Label.objects.create(id="a", name="one")
    page = make_page("p1", label=label)
    Remark.objects.create(id="r1", page=page)
    label.delete()
    assert Page.objects.get().label_id is None
    assert page.delete()[0] == 2
    assert Remark.objects.count() == 0


def test_atomic_keeps_what_was_written():
    """Documented, not wished for: there is no rollback."""

    def fail():
        with transaction.atomic(using="mongo"):
            make_page("p1")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert Page.objects.count() == 1


# --- reading ---


def test_slices_and_orders():
    make_pages(30)
    assert [page.pk for page in Page.objects.order_by("-depth", "pk")[6:8]] == ["p003", "p008"]
    assert Page.objects.order_by("pk").last().pk == "p029"
    assert Page.objects.latest("pk").pk == "p029"
    assert Page.objects.order_by("pk")[3:3].count() == 0


def test_iterator_reads_in_chunks():
    make_pages(60)
    assert sum(1 for _ in Page.objects.iterator(chunk_size=7)) == 60


def test_in_bulk_only_and_defer():
    make_pages(5)
    assert set(Page.objects.in_bulk(["p000", "p004", "nobody"])) == {"p000", "p004"}
    assert Page.objects.only("title").get(pk="p002").depth == 2
    assert Page.objects.defer("title").get(pk="p002").title == "page 2"


def test_get_finds_one_none_or_too_many():
    make_pages(2)
    with pytest.raises(Page.DoesNotExist):
        Page.objects.get(pk="nobody")
    with pytest.raises(Page.MultipleObjectsReturned):
        Page.objects.get()


def test_a_joined_page_takes_one_query(django_assert_num_queries):
    label = Label.objects.create(id="a", name="one")
    make_page("p1", label=label)
    make_page("p2")
    with django_assert_num_queries(1, using="mongo"):
        found = {page.pk: page.label and page.label.name for page in Page.objects.select_related("label")}
    assert found == {"p1": "one", "p2": None}
    with django_assert_num_queries(2, using="mongo"):
        assert [len(label.pages.all()) for label in Label.objects.prefetch_related("pages")] == [1]


def test_the_same_table_joined_twice():
    thing, other = Thing.objects.create(code="a"), Thing.objects.create(code="b")
    red, blue = Tag.objects.create(name="red"), Tag.objects.create(name="blue")
    thing.tags.add(red, blue)
    other.tags.add(red)
    assert Thing.objects.filter(tags__name="red").filter(tags__name="blue").get() == thing
    thing.tags.remove(red)
    assert list(thing.tags.all()) == [blue]
    other.tags.clear()
    assert not other.tags.exists()


def test_groups_by_month_in_the_time_zone():
    late = datetime.datetime(2026, 1, 31, 20, tzinfo=datetime.UTC)  # already February in Shanghai
    make_page("p1", seen_at=late)
    zone = datetime.timezone(datetime.timedelta(hours=8))
    (found,) = Page.objects.annotate(m=TruncMonth("seen_at", tzinfo=zone)).values("m").annotate(n=Count("pk"))
    assert found == {"m": datetime.datetime(2026, 2, 1, tzinfo=zone), "n": 1}


def test_search_text_is_data():
    for number, title in enumerate(["100% (a.b)_[x]+\\d", "aXb", ".*", "^a", "line\nend"]):
        make_page(f"p{number}", title=title)
    found = {
        text: Page.objects.filter(title__icontains=text).count() for text in ["% (A", "a.b", ".*", "^", "a_b", "\\D"]
    }
    assert found == {"% (A": 1, "a.b": 1, ".*": 1, "^": 1, "a_b": 0, "\\D": 1}
    assert Page.objects.filter(title__iexact="A.B").count() == 0
    assert Page.objects.filter(title__endswith="line").count() == 0


@pytest.mark.parametrize("value", [{"$ne": None}, {"$gt": ""}, ["a"], '{"$ne": null}'])
def test_an_operator_as_a_value_finds_nothing(value):
    make_page("p1")
    assert Page.objects.filter(title=value).count() == 0


def test_a_comparison_with_null_is_never_true():
    make_page("p1", score=None)
    assert Page.objects.filter(score__gt=0).count() == 0
    assert Page.objects.filter(~Q(score__in=[1.0])).count() == 1  # Django itself adds "or is null"
    assert Page.objects.exclude(depth__in=[None, 1]).count() == 1  # Django drops the None


def in_threads(work, number=10):
    results, errors = [], []

    def run():
        try:
            work(results)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=run) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    return results
