"""A model's raw collection, on either engine: pipelines are written with `field_name`."""

import datetime

import pytest
from django.core.exceptions import FieldDoesNotExist

from annotation.models import Product
from crawler.models import SearchPage
from mmproject.mongo.collections import collection, field_name

pytestmark = pytest.mark.django_db(databases=["default", "mongo"], transaction=True)

NOON = datetime.datetime(2026, 1, 15, 12, tzinfo=datetime.UTC)


def make_page(key, page):
    return SearchPage.objects.create(id=key, source="s", keyword="k", page=page, fetched_at=NOON, fresh_until=NOON)


def test_a_pipeline_finds_what_the_orm_wrote():
    make_page("a", 1)
    make_page("b", 3)
    key, page = field_name(SearchPage, "pk"), field_name(SearchPage, "page")
    pipeline = [
        {"$match": {key: {"$in": ["a", "b"]}, field_name(SearchPage, "fetched_at"): NOON}},
        {"$group": {"_id": None, "sum": {"$sum": f"${page}"}, "keys": {"$push": f"${key}"}}},
    ]
    (found,) = collection(SearchPage).aggregate(pipeline)
    assert (found["sum"], sorted(found["keys"])) == (4, ["a", "b"])


def test_the_orm_finds_what_a_pipeline_wrote():
    make_page("a", 1)
    collection(SearchPage).update_one({field_name(SearchPage, "id"): "a"}, {"$set": {"page": 7}})
    assert SearchPage.objects.get(pk="a").page == 7


def test_a_foreign_key_is_its_column():
    assert field_name(Product, "brand") == "brand_id"
    with pytest.raises(FieldDoesNotExist):
        field_name(Product, "nothing")


def test_writes_are_journaled():
    assert collection(SearchPage).write_concern.document.get("j") is True
