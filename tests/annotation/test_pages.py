"""The annotators' page."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from annotation.models import Label
from crawler.models import Crawl, Listing, Source, WorkState
from crawler.services import SearchResult
from tests.annotation.factories import make_listing, make_product

HTMX = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture
def found(monkeypatch):
    """`found(listings, state="ready", …)` makes that the crawler's answer; returns what it was asked."""
    asked = []

    def answer(listings=(), *, state="ready", **fields):
        def search(**question):
            asked.append(question)
            values = {"search_page": None, "crawl": None, "from_cache": True, "has_next": False, "error": ""} | fields
            return SearchResult(
                state=state,
                keyword=question["keyword"],
                page=question["page"],
                source="demo-shop",
                listings=list(listings),
                **values,
            )

        monkeypatch.setattr("annotation.views.search", search)
        return asked

    return answer


@pytest.mark.parametrize("role", ["nobody", "evaluator"])
@pytest.mark.parametrize("name", ["search", "product_options"])
def test_only_annotators_may_read(sign_in, role, name):
    assert sign_in(role).get(reverse(f"annotation:{name}")).status_code == 403


@pytest.mark.parametrize("role", ["nobody", "evaluator"])
def test_only_annotators_may_submit(sign_in, role):
    assert sign_in(role).post(reverse("annotation:submit")).status_code == 403


def test_strangers_are_sent_to_the_login(client, db):
    answer = client.get(reverse("annotation:search"))
    assert answer.status_code == 302
    assert answer["Location"].startswith(reverse("login"))


@pytest.mark.parametrize(("method", "name"), [("get", "search"), ("get", "product_options"), ("post", "submit")])
def test_a_part_of_a_page_is_never_the_login_page(client, db, method, name):
    """htmx would swap it over what is ticked and typed."""
    answer = getattr(client, method)(reverse(f"annotation:{name}"), **HTMX)
    assert answer.status_code == 401
    assert answer.content == b""


def test_going_back_in_history_may_be_the_login_page(client, db):
    answer = client.get(reverse("annotation:search"), **HTMX, HTTP_HX_HISTORY_RESTORE_REQUEST="true")
    assert answer.status_code == 302


@pytest.mark.parametrize("query", [{}, {"keyword": "tea"}])
def test_going_back_in_history_is_answered_by_the_whole_page(sign_in, found, query):
    found([make_listing()])
    answer = sign_in("annotator").get(
        reverse("annotation:search"), query, **HTMX, HTTP_HX_HISTORY_RESTORE_REQUEST="true"
    )
    assert 'id="workspace"' in answer.content.decode()


def test_an_empty_keyword_offers_an_example(sign_in):
    make_product(keywords="orange juice, 橙汁")
    page = sign_in("annotator").get(reverse("annotation:search")).content.decode()
    assert "for example: orange juice" in page
    assert "?keyword=orange%20juice" in page


def test_an_empty_catalogue_says_what_to_do(sign_in):
    page = sign_in("annotator").get(reverse("annotation:search")).content.decode()
    assert "The catalogue is empty" in page


def test_results_are_checkboxes_in_labels_with_price_and_shop(sign_in, found):
    listing = make_listing("鲜榨橙汁 1L")
    found([listing])
    page = sign_in("annotator").get(reverse("annotation:search"), {"keyword": "橙汁"}).content.decode()
    assert f'type="checkbox" class="tick" name="listing" value="{listing.id}"' in page
    for text in ("鲜榨橙汁 1L", "12.50 CNY", "Corner shop", listing.url, listing.image_sha256):
        assert text in page


def test_spider_in_the_address_forces_a_crawl(sign_in, found):
    asked = found()
    client = sign_in("annotator")
    client.get(reverse("annotation:search"), {"keyword": "juice", "spider": "true"})
    client.get(reverse("annotation:search"), {"keyword": "juice"})
    assert [question["force_update"] for question in asked] == [True, False]


def test_nothing_found_offers_to_crawl_afresh(sign_in, found):
    found()
    page = sign_in("annotator").get(reverse("annotation:search"), {"keyword": "zzz"}).content.decode()
    assert "The shop shows nothing for “zzz”" in page
    assert "spider=true" in page


@pytest.mark.parametrize(
    ("state", "created", "leased", "waits"),
    [
        (WorkState.PENDING, -1, 0, False),
        (WorkState.PENDING, -10, 0, True),
        (WorkState.RUNNING, -10, 30, False),
        (WorkState.RUNNING, -90, -1, True),  # its worker was killed
    ],
)
def test_it_says_when_no_worker_is_at_the_crawl(sign_in, found, state, created, leased, waits):
    now = timezone.now()
    times = {"created_at": now + timedelta(seconds=created), "leased_until": now + timedelta(seconds=leased)}
    found(state="pending", crawl=Crawl(source="demo-shop", keyword="tea", page=1, state=state, **times))
    page = sign_in("annotator").get(reverse("annotation:search"), {"keyword": "tea"}).content.decode()
    assert ("Waiting for a crawl worker" in page) is waits


def test_a_failed_crawl_says_why_and_offers_another_try(sign_in, found):
    found(state="failed", error="The shop answered 503.")
    page = sign_in("annotator").get(reverse("annotation:search"), {"keyword": "juice"}).content.decode()
    assert "The shop answered 503." in page
    assert "Try again" in page


def test_a_failed_crawl_still_shows_what_the_cache_has(sign_in, found):
    found([make_listing("an old one")], state="failed", error="The shop answered 503.")
    page = sign_in("annotator").get(reverse("annotation:search"), {"keyword": "juice"}).content.decode()
    assert "an old one" in page
    assert "earlier crawl" in page


def test_a_listing_without_picture_is_shown_with_the_reason_and_cannot_be_ticked(sign_in, found):
    found([make_listing(image_sha256="", image_error="404 Not Found")])
    page = sign_in("annotator").get(reverse("annotation:search"), {"keyword": "juice"}).content.decode()
    assert "404 Not Found" in page
    assert "disabled" in page


def test_hostile_words_from_the_shop_are_inert(sign_in, found):
    found(
        [
            make_listing(
                "<script>alert(1)</script>", url="javascript:alert(1)", shop_name='"><img src=x onerror=alert(1)>'
            )
        ]
    )
    page = sign_in("annotator").get(reverse("annotation:search"), {"keyword": '"><script>'}).content.decode()
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    assert 'href="javascript:' not in page


@pytest.mark.parametrize(
    "query", [{"keyword": "x" * 201}, {"keyword": "x", "page": "0"}, {"keyword": "x", "page": "two"}]
)
def test_a_bad_address_is_a_422(sign_in, query):
    assert sign_in("annotator").get(reverse("annotation:search"), query).status_code == 422


def submission(*listings, **changes):
    values = {
        "submission": "s-1",
        "product": "Alpha Orange Juice",
        "keyword": "juice",
        "source": "demo-shop",
        "pages": "1",
    }
    ids = [listing.id for listing in listings]
    return values | {"shown": ids, "listing": ids} | changes


def test_submit_saves_and_clears_the_search_box_but_keeps_the_product(sign_in):
    make_product()
    answer = sign_in("annotator").post(reverse("annotation:submit"), submission(make_listing(), make_listing()), **HTMX)
    page = answer.content.decode()
    assert "Saved: 2 labels for Alpha Orange Juice." in page
    assert 'name="keyword" maxlength="200" value=""' in page
    assert 'id="product"' not in page  # what is typed there since is not touched
    assert "autofocus" not in page  # it would take the keyboard from whoever types there already
    assert Label.objects.count() == 2


def test_submit_twice_saves_once(sign_in):
    make_product()
    client, listing = sign_in("annotator"), make_listing()
    for _ in range(2):
        assert client.post(reverse("annotation:submit"), submission(listing), **HTMX).status_code == 200
    assert Label.objects.count() == 1


def test_submit_without_product_only_shows_a_message(sign_in):
    answer = sign_in("annotator").post(reverse("annotation:submit"), submission(make_listing(), product=""), **HTMX)
    assert answer.status_code == 422
    assert answer["HX-Retarget"] == "#messages"
    assert "Choose the product" in answer.content.decode()
    assert not Label.objects.exists()


@pytest.mark.parametrize("changes", [{"pages": "-1"}, {"keyword": ""}, {"submission": "x" * 65}, {"pages": "many"}])
def test_a_mangled_submission_is_a_422(sign_in, changes):
    make_product()
    answer = sign_in("annotator").post(reverse("annotation:submit"), submission(make_listing(), **changes), **HTMX)
    assert answer.status_code == 422
    assert not Label.objects.exists()


def test_submit_needs_a_csrf_token(person):
    from django.test import Client

    client = Client(enforce_csrf_checks=True)
    client.force_login(person("annotator"))
    assert client.post(reverse("annotation:submit"), submission(make_listing())).status_code == 403


@pytest.mark.parametrize(("method", "name"), [("post", "search"), ("get", "submit"), ("post", "product_options")])
def test_each_page_takes_one_method(sign_in, method, name):
    assert getattr(sign_in("annotator"), method)(reverse(f"annotation:{name}")).status_code == 405


@pytest.mark.parametrize("typed", ["alpha", "JUICE orange", "橙"])
def test_the_product_list_narrows_as_one_types(sign_in, typed):
    make_product(keywords="橙汁")
    make_product("Beta Milk", brand="Beta")
    page = sign_in("annotator").get(reverse("annotation:product_options"), {"product": typed}).content.decode()
    assert "Alpha Orange Juice" in page
    assert "Beta Milk" not in page


def test_what_is_typed_for_a_product_is_never_a_pattern(sign_in):
    make_product()
    page = sign_in("annotator").get(reverse("annotation:product_options"), {"product": ".*"}).content.decode()
    assert "Alpha" not in page


def test_look_alikes_stand_together_and_can_be_ticked_together(sign_in, found):
    same, other = "0" * 16, "f" * 16
    listings = [make_listing(f"tea {n}", phash=phash) for n, phash in enumerate((same, other, same, same))]
    found(listings)
    page = sign_in("annotator").get(reverse("annotation:search"), {"keyword": "tea"}).content.decode()
    assert [page.index(f"tea {n}<") for n in (0, 2, 3, 1)] == sorted(page.index(f"tea {n}<") for n in range(4))
    assert "3 look alike" in page
    assert page.count('data-tick-alike="1-1"') == 1
    assert page.count('data-alike="1-1"') == 3
    assert page.count("looks like the one before") == 2


def test_an_old_result_says_how_old_and_why(sign_in, found):
    found([make_listing("an old one")], stale_reason="Fetched 2 days ago; it is being fetched again.")
    page = sign_in("annotator").get(reverse("annotation:search"), {"keyword": "tea"}).content.decode()
    assert "Fetched 2 days ago; it is being fetched again." in page


def test_the_source_can_be_chosen_where_there_are_several(sign_in, source, found):
    asked = found([make_listing()], has_next=True)
    client = sign_in("annotator")
    assert '<select name="source"' not in client.get(reverse("annotation:search")).content.decode()
    Source(id="other", name="Other shop", kind=source.kind, position=2).save()
    page = client.get(reverse("annotation:search"), {"keyword": "tea", "source": "other"}).content.decode()
    assert asked[-1]["source"] == "other"
    assert '<option value="other" selected>Other shop</option>' in page
    assert "source=demo-shop&amp;page=2" in page  # more of the source that answered


class TestRecentProducts:
    """Offered below the product's field."""

    def test_the_latest_eight_come_first_and_each_once(self, sign_in):
        client, listing = sign_in("annotator"), make_listing()
        names = [f"Tea {number}" for number in range(9)]
        for number, name in enumerate([*names, "Tea 4"]):
            if number < 9:
                make_product(name, brand="")
            client.post(reverse("annotation:submit"), submission(listing, submission=f"s-{number}", product=name))
        page = client.get(reverse("annotation:search")).content.decode()
        offered = re.findall('data-product="([^"]*)"', page)
        assert offered == ["Tea 4", "Tea 8", "Tea 7", "Tea 6", "Tea 5", "Tea 3", "Tea 2", "Tea 1"]

    def test_they_are_ones_own(self, sign_in):
        make_product()
        sign_in("annotator").post(reverse("annotation:submit"), submission(make_listing()))
        assert "data-product" not in sign_in("reviewer").get(reverse("annotation:search")).content.decode()


class TestPicture:
    """`/annotation/listings/…/picture/`: fetch a failed picture again."""

    def url(self, listing) -> str:
        return reverse("annotation:picture", args=[listing.id])

    def failed(self):
        return make_listing(
            image_sha256="", image_state="failed", image_error="404 Not Found", image_url="http://x/1.jpg"
        )

    def test_it_works(self, sign_in):
        listing, client = self.failed(), sign_in("annotator")
        before = client.get(self.url(listing)).content.decode()
        assert "404 Not Found" in before
        assert f'hx-post="{self.url(listing)}"' in before
        after = client.post(self.url(listing)).content.decode()
        assert "Fetching the picture again" in after
        assert f'hx-get="{self.url(listing)}"' in after  # the card polls itself
        Listing.objects.filter(id=listing.id).update(image_state="done", image_sha256="a" * 64, image_retry_at=None)
        done = client.get(self.url(listing)).content.decode()
        assert "a" * 64 in done
        assert "hx-" not in done

    def test_the_second_call_changes_nothing(self, sign_in):
        listing, client = self.failed(), sign_in("annotator")
        client.post(self.url(listing))
        wished = Listing.objects.get().image_retry_at
        client.post(self.url(listing))
        assert Listing.objects.get().image_retry_at == wished

    @pytest.mark.parametrize("role", ["nobody", "evaluator"])
    def test_only_annotators_may(self, sign_in, role):
        listing = self.failed()
        assert sign_in(role).post(self.url(listing)).status_code == 403
        assert Listing.objects.get().image_state == "failed"

    def test_an_unknown_listing_is_not_found(self, sign_in):
        assert sign_in("annotator").post("/annotation/listings/nothing/picture/").status_code == 404

    def test_it_only_allows_get_and_post(self, sign_in):
        assert sign_in("annotator").delete(self.url(self.failed())).status_code == 405
