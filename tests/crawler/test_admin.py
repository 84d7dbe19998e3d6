import pytest

from crawler.models import Crawl, Listing, SearchPage
from tests.shop import HOSTILE_TITLE

pytestmark = pytest.mark.django_db(databases=["default", "mongo"], transaction=True)
LISTS = ["crawl", "searchpage", "listing"]


@pytest.mark.parametrize("model", LISTS)
def test_an_operator_sees_the_list_and_each_document(sign_in, shop, crawled, model):
    crawled("hostile")
    client = sign_in("operator")
    assert client.get(f"/admin/crawler/{model}/").status_code == 200
    assert client.get(f"/admin/crawler/{model}/", {"q": "hostile"}).status_code == 200
    document = {"crawl": Crawl, "searchpage": SearchPage, "listing": Listing}[model].objects.get()
    page = client.get(f"/admin/crawler/{model}/{document.pk}/change/")
    assert page.status_code == 200
    assert "_save" not in page.content.decode()


@pytest.mark.parametrize("model", LISTS)
def test_an_annotator_does_not(sign_in, model):
    assert sign_in("annotator").get(f"/admin/crawler/{model}/").status_code == 302


@pytest.mark.parametrize("model", LISTS)
def test_nobody_adds_documents_by_hand(sign_in, model):
    assert sign_in("superuser").get(f"/admin/crawler/{model}/add/").status_code == 403


def test_a_hostile_title_is_text(sign_in, shop, crawled):
    crawled("hostile")
    page = sign_in("operator").get("/admin/crawler/listing/").content.decode()
    assert HOSTILE_TITLE not in page
    assert "&lt;script&gt;alert(1)" in page


def test_crawls_are_filtered_by_state(sign_in, shop, crawled, behave):
    behave(fail_next=1, status=403)
    crawled("honey")
    crawled("hostile")
    page = sign_in("operator").get("/admin/crawler/crawl/", {"state__exact": "failed"}).content.decode()
    assert "honey" in page
    assert ">hostile<" not in page


def test_a_crawl_is_run_again(sign_in, shop, crawled, behave):
    behave(fail_next=1, status=403)
    crawl = crawled("honey").crawl
    data = {"action": "retry", "_selected_action": [crawl.id]}
    response = sign_in("operator").post("/admin/crawler/crawl/", data, follow=True)
    assert "1 crawl is queued." in response.content.decode()
    assert Crawl.objects.filter(state="pending").count() == 1
