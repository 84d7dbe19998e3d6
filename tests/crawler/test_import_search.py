"""Imported listings, searched like any other source."""

from datetime import timedelta

import pytest
from django.utils import timezone

from crawler.errors import ConfigError
from crawler.images import store_image
from crawler.models import ImageState, Listing, Source
from crawler.services import search
from crawler.sources import check_config, open_source
from tests.crawler.import_files import picture

pytestmark = pytest.mark.django_db(databases=["default", "mongo"], transaction=True)


def listing(item_id: str, title: str, *, age_s: int = 0, source: str = "files", **values) -> Listing:
    at = timezone.now() - timedelta(seconds=age_s)
    return Listing.objects.create(
        id=Listing.make_id(source=source, item_id=item_id),
        item_id=item_id,
        source=source,
        title=title,
        first_seen_at=at,
        last_seen_at=at,
        image_state=ImageState.FAILED,
        image_error="There is no picture “a.jpg”.",
        **values,
    )


def found(keyword: str, page: int = 1) -> list[str]:
    with open_source("files") as source:
        return [one.title for one in source.search(keyword, page).listings]


def test_every_word_is_in_title_or_shop_whatever_its_case(files_source):
    listing("1", "Orange Juice 1 l", shop_name="Fruit House", age_s=3)
    listing("2", "Orange jam", shop_name="Juice bar", age_s=2)
    listing("3", "Apple juice", age_s=1)
    listing("4", "Orange juice", source="elsewhere")
    assert found("orange juice") == ["Orange jam", "Orange Juice 1 l"]  # the newest first
    assert found("HOUSE  juice") == ["Orange Juice 1 l"]
    assert found("pear") == []


@pytest.mark.parametrize(
    ("title", "keyword"),
    [
        ("C++ (50%) a_b [x]", "c++"),
        ("C++ (50%) a_b [x]", "50%)"),
        ("C++ (50%) a_b [x]", "a_b"),
        ("C++ (50%) a_b [x]", "[x]"),
        (r"back\slash $1 ^a", "\\slash"),
        (r"back\slash $1 ^a", "$1 ^a"),
        ("龙井 绿茶 500ml", "绿茶 ５００ｍｌ"),
        ("Straße", "straße"),
        ("ÄPFEL", "äpfel"),
    ],
)
def test_a_keyword_is_text_not_a_pattern(files_source, title, keyword):
    listing("1", title)
    listing("2", "Cxx 501 aXb x backslash")
    assert found(keyword) == [title]


@pytest.mark.parametrize("keyword", [".*", "%", "_", "^", "t.a", "(?i)tea", "[a-z]+", "\\w"])
def test_patterns_find_only_themselves(files_source, keyword):
    listing("1", "Tea")
    assert found(keyword) == []


def test_pages_do_not_overlap_and_tell_the_total(files_source):
    Source.objects.update(config={"page_size": 3})
    at = timezone.now()
    for number in range(7):
        listing(str(number), f"Tea {number}")
    Listing.objects.update(last_seen_at=at)  # imported at the same moment
    pages = []
    with open_source("files") as source:
        for number in (1, 2, 3, 4):
            page = source.search("tea", number)
            pages.append(page)
    assert [(len(page.listings), page.has_next, page.total) for page in pages] == [
        (3, True, 7),
        (3, True, 7),
        (1, False, 7),
        (0, False, 7),
    ]
    assert len({one.item_id for page in pages for one in page.listings}) == 7


@pytest.mark.parametrize("config", [{"page_size": 0}, {"page_size": "3"}, {"colour": 1}, []])
def test_a_wrong_configuration_is_told(files_source, config):
    files_source.config = config
    with pytest.raises(ConfigError):
        check_config(files_source)


def test_a_search_changes_no_listing(files_source, crawled):
    stored = store_image(picture())
    listing("1", "Tea", age_s=60)
    with_picture = listing("2", "Tea too", age_s=60)
    Listing.objects.filter(id=with_picture.id).update(
        image_state=ImageState.DONE, image_sha256=stored.sha256, phash=stored.phash, image_error=""
    )
    before = list(Listing.objects.order_by("id").values())
    result = crawled("tea", source="files")
    assert (result.state, len(result.listings), result.search_page.total) == ("ready", 2, 2)
    assert result.crawl.requests == 0
    assert list(Listing.objects.order_by("id").values()) == before
    assert search(keyword="TEA", source="files").from_cache
