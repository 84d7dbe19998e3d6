"""What goes into a document comes out again, of every kind of field."""

import datetime
import decimal
import uuid

import pytest
from django.db import DataError, connections
from django.db.models import Avg, Max, Sum

from mmproject.mongo.collections import collection
from tests.mmproject.mongo.app.models import Page, Thing

pytestmark = [
    pytest.mark.django_db(databases=["default", "mongo"], transaction=True),
    pytest.mark.usefixtures("probes"),
]


def stored(**fields):
    Thing.objects.create(code="a", **fields)
    return Thing.objects.get()


@pytest.mark.parametrize(
    "value",
    [
        {},
        [],
        "",
        "text",
        "1",
        "null",
        '{"a": 1}',
        0,
        1.5,
        True,
        {"a": {"b": [1, "x", None, {"c": []}]}},
        [[1], [None]],
        {"a.b": {"$set": 1, "$ref": "x", "$id": 2}, "$where": "1", "": "empty"},
        {"$ref": "x", "$id": 1, "$db": "z", "more": {"$ref": "y"}},
        {"橙": "🍊\n\x00"},
        [None],
    ],
)
def test_json_comes_back_as_it_was(value):
    thing = stored(data=value, extra=value)
    assert (thing.data, thing.extra) == (value, value)
    assert type(thing.data) is type(value)
    Thing.objects.update(data=[value])
    assert Thing.objects.values_list("data", flat=True).get() == [value]
    thing.data = {"k": value}
    thing.save()
    assert Thing.objects.get().data == {"k": value}


def test_json_is_kept_as_an_object_not_as_text():
    stored(data={"a": [1]}, extra=None)
    document = collection(Thing).find_one()
    assert (document["data"], document["extra"]) == ({"a": [1]}, None)


def test_json_paths_address_keys_and_positions():
    for code, data in [
        ("a", {"k": 1, "l": ["x", "y"], "a.b": 1}),
        ("b", {"k": None}),
        ("c", {"k": "1", "l": "x"}),
        ("d", [{"k": 1}]),
        ("e", {}),
        ("f", {"k": [1]}),
    ]:
        Thing.objects.create(code=code, data=data)

    def found(**lookup):
        return "".join(sorted(Thing.objects.filter(**lookup).values_list("code", flat=True)))

    assert found(data__k=1) == "a"
    assert found(data__k="1") == "c"
    assert found(data__k=None) == "b"
    assert found(data__k=[1]) == "f"
    assert found(data__k__isnull=True) == "de"
    assert found(data__k__isnull=False) == "abcf"
    assert found(data__l__1="y") == "a"
    assert found(data__0__k=1) == "d"
    assert found(data__k__gte=0) == "a"
    assert found(data__k__lt="2") == "c"
    assert found(data__k__in=[1, "1"]) == "ac"
    assert found(data={"k": None}) == "b"
    assert found(data={}) == "e"
    assert found(**{"data__a.b": 1}) == "a"
    assert sorted(Thing.objects.exclude(data__k=1).values_list("code", flat=True)) == ["b", "c", "f"]


def test_a_list_that_holds_a_null_is_not_null():
    Thing.objects.create(code="a", extra=[None])
    Thing.objects.create(code="b", extra=None)
    assert Thing.objects.get(extra__isnull=True).code == "b"
    assert Thing.objects.get(extra__isnull=False).code == "a"
    assert Thing.objects.get(extra=[None]).code == "a"


def test_decimals_are_exact():
    thing = stored(price=decimal.Decimal("1234567890.10"))
    assert thing.price == decimal.Decimal("1234567890.10")
    Thing.objects.create(code="b", price=decimal.Decimal("0.05"))
    assert Thing.objects.aggregate(s=Sum("price"), m=Max("price")) == {
        "s": decimal.Decimal("1234567890.15"),
        "m": decimal.Decimal("1234567890.10"),
    }
    assert Thing.objects.get(price__lt=decimal.Decimal("0.06")).code == "b"
    assert Thing.objects.aggregate(a=Avg("price"))["a"] == decimal.Decimal("617283945.075")


def test_other_kinds():
    token, lasted = uuid.uuid4(), datetime.timedelta(days=1, microseconds=7)
    thing = stored(raw=b"\x00\xff", token=token, at=datetime.time(23, 59, 1), lasted=lasted)
    assert (bytes(thing.raw), thing.token, thing.at, thing.lasted) == (
        b"\x00\xff",
        token,
        datetime.time(23, 59, 1),
        lasted,
    )
    assert Thing.objects.get(token=token, at__gt=datetime.time(23), lasted__gt=datetime.timedelta(hours=1)) == thing


def test_moments_are_utc_to_the_millisecond():
    zone = datetime.timezone(datetime.timedelta(hours=8))
    moment = datetime.datetime(2026, 3, 1, 7, 30, 15, 123_999, tzinfo=zone)
    seen = stored(seen_at=moment).seen_at
    assert seen == moment.replace(microsecond=123_000)
    assert seen.tzinfo is datetime.UTC
    assert Thing.objects.filter(seen_at=moment).exists()
    assert Thing.objects.filter(seen_at__date="2026-02-28").exists()


def test_days_and_years_at_the_edges():
    for day in (datetime.date(1, 1, 1), datetime.date(1969, 12, 31), datetime.date(9999, 12, 31)):
        Page.objects.create(id=str(day), title="x", status="new", depth=0, day=day)
        assert Page.objects.get(id=str(day)).day == day
    assert Page.objects.filter(day__year=1969).count() == 1


def test_a_number_beyond_64_bits_is_a_data_error():
    with pytest.raises(DataError):
        Thing.objects.create(code="a", data={"n": 2**70})
    assert not Thing.objects.exists()


def test_a_text_that_is_no_text_is_a_data_error():
    with pytest.raises(DataError):
        Thing.objects.create(code="\ud800")


def test_a_document_too_large_is_an_error_and_not_cut():
    with pytest.raises(connections["mongo"].Database.DatabaseError.__mro__[-2]):
        Page.objects.create(id="big", title="x", note="x" * 17_000_000, status="new", depth=0)
    assert not Page.objects.exists()
