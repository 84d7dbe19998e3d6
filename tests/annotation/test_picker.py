"""What a product is found by in the picker, and that this follows every change of the catalogue."""

import importlib
import subprocess
import sys

import pytest
from django.apps import apps
from django.db import connections
from hypothesis import given, settings
from hypothesis import strategies as st
from pypinyin import lazy_pinyin

from annotation import product_search
from annotation.catalogue import product_change
from annotation.models import Brand, Product
from annotation.picker import MAX_SPELLINGS, folded, search_text_for
from annotation.product_search import products_matching
from tests.annotation.factories import make_product

DATABASES = {"databases": ["default", "mongo"], "transaction": True}
# Characters as catalogues hold them: every one of them has a reading in pypinyin.
HAN = st.text("可口乐重庆绿茶女儿红长白山行蒙牛纯奶薯片农夫泉面朝仙都单", min_size=1, max_size=20)


def found(query: str) -> list[str]:
    return [product.name for product in products_matching(query)]


def matches(query: str, text: str) -> bool:
    return all(word in text for word in folded(query).split())


@given(name=st.text(max_size=30), data=st.data())
def test_any_product_is_found_by_any_part_of_its_name(name, data):
    start = data.draw(st.integers(0, len(name)))
    end = data.draw(st.integers(start, len(name)))
    assert matches(name[start:end], search_text_for(name=name))


@given(name=HAN)
@settings(max_examples=50)
def test_any_product_is_found_by_its_pinyin_and_its_initials(name):
    text = search_text_for(name=name)
    sounds = lazy_pinyin(name)
    assert matches(" ".join(sounds), text)
    assert matches("".join(sounds), text)
    assert matches("".join(sound[0] for sound in sounds), text)


@given(text=st.text())
def test_folding_twice_changes_nothing(text):
    assert folded(folded(text)) == folded(text)


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("可口可乐", "kele"),
        ("可口可乐", "kkkl"),
        ("可口可乐", "kekou"),
        ("可口可乐", "KeKou"),
        ("可口可乐", "ke kou ke le"),
        ("可口 可乐 ５００ＭＬ", "可口可乐500ml"),
        ("女儿红", "nverhong"),
        ("女儿红", "nuerhong"),
        ("行长", "hangzhang"),
        ("长城干红", "changcheng"),
        ("乐薯片", "yueshu"),  # another reading
        ("Nescafé Gold", "nescafe"),
        ("Alpha Orange Juice", "aoj"),
        ("ＡＢＣ Milk", "abc mi"),
    ],
)
def test_it_is_found_as_people_type_it(name, typed):
    assert matches(typed, search_text_for(name=name))


def test_brand_aliases_and_keywords_count_too():
    text = search_text_for(name="Cola 500 ml", brand_name="百事", aliases="Pepsi，bs", keywords="汽水, 碳酸饮料")
    for typed in ("百事 cola", "baishi", "pepsi", "qishui", "tsyl", "COLA qs"):
        assert matches(typed, text), typed
    assert not matches("fanta", text)


def test_many_readings_do_not_blow_it_up():
    name = "行长重乐" * 40
    assert len(search_text_for(name=name)) < len(name) * (2 + (MAX_SPELLINGS + 1) * 7)


def test_a_search_never_loads_the_dictionaries():
    code = "import sys, annotation.picker as p; p.folded('可口'); assert 'pypinyin' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.django_db(**DATABASES)
class TestSearch:
    def test_words_in_any_order_and_nothing_else(self):
        make_product()
        make_product("Beta Milk", brand="Beta")
        assert found("juice ALPHA") == ["Alpha Orange Juice"]
        assert found("milk juice") == []
        assert found(".*") == []
        assert found("") == ["Alpha Orange Juice", "Beta Milk"]

    def test_names_that_begin_so_come_first_then_words_then_the_rest(self):
        for name in ("a lemontea", "b tea", "tea", "c 茶tea"):
            make_product(name, brand="")
        assert found("tea") == ["tea", "b tea", "a lemontea", "c 茶tea"]

    def test_the_list_is_short(self):
        for number in range(25):
            make_product(f"Tea {number:02}", brand="")
        assert found("tea") == [f"Tea {number:02}" for number in range(20)]

    def test_it_queries_no_database_once_it_knows_the_catalogue(self, django_assert_num_queries):
        make_product()
        found("alpha")
        with django_assert_num_queries(0, connection=connections["mongo"]):
            assert found("alpha")

    def test_a_change_is_found_at_once(self):
        product = make_product("可口可乐", brand="")
        assert found("kele") == ["可口可乐"]
        product_change(product=product, name="雪碧", keywords="汽水")
        assert found("kele") == []
        assert found("xuebi") == found("qs") == ["雪碧"]
        product_change(product=product, active=False)
        assert found("xuebi") == []

    def test_a_change_in_another_process_is_found(self):
        make_product()
        assert found("alpha") == ["Alpha Orange Juice"]
        Product.objects.update(active=False)
        product_search.catalogue_changed()  # as that process does: the counter is in Redis
        assert found("alpha") == []

    def test_a_deleted_product_is_gone(self):
        product = make_product()
        assert found("alpha")
        product.delete()
        assert found("alpha") == []

    def test_saving_a_brand_renames_it_on_its_products(self):
        product = make_product("Cola", brand="Pepsi")
        brand = Brand.objects.get()
        brand.name, brand.aliases = "百事", "pesi"
        brand.save()
        product.refresh_from_db()
        assert product.brand_name == "百事"
        assert found("baishi cola") == found("pesi") == ["Cola"]
        assert found("pepsi") == []

    def test_another_brand_is_followed(self):
        product = make_product("Cola", brand="Pepsi")
        brand = Brand(id="coke", name="可口", aliases="coke")
        brand.save()
        product_change(product=product, brand=brand)
        assert found("coke") == found("kekou") == ["Cola"]
        assert found("pepsi") == []

    def test_some_fields_saved_alone_do_not_forget_it(self):
        product = make_product("Cola")
        product.name = "雪碧"
        product.save(update_fields=["name"])
        assert found("xb") == ["雪碧"]

    def test_what_was_written_past_the_models_is_found_by_its_name(self):
        Product.objects.bulk_create([Product(id="tea", name="Green TEA")])
        assert found("green tea") == ["Green TEA"]

    def test_the_migration_fills_what_was_there_before(self):
        product = make_product("可口可乐", brand="Coke")
        Brand.objects.update(aliases="kk")
        text = Product.objects.get().search_text
        Product.objects.update(search_text="")
        fill = importlib.import_module("annotation.migrations.0005_search_text").fill
        with connections["mongo"].schema_editor() as editor:
            fill(apps, editor)
        assert Product.objects.get(id=product.id).search_text == text.replace("coke", "coke kk")
