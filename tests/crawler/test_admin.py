import pytest
from django.contrib.auth.models import Permission

from crawler.models import Crawl, Listing, SearchPage
from crawler.services import search
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


def test_a_crawl_tells_what_it_took_and_why(sign_in, shop, crawled, behave):
    behave(fail_next=1, status=403)
    crawl = crawled("honey", requested_by="somebody").crawl
    client = sign_in("operator")
    page = client.get("/admin/crawler/crawl/").content.decode()
    for words in ("not fetched", "answered 403", "searched, not cached"):
        assert words in page
    details = client.get(f"/admin/crawler/crawl/{crawl.id}/change/").content.decode()
    for words in ("not fetched", "answered 403", "somebody"):
        assert words in details
    filters = {"error_kind__exact": "fetch", "reason__exact": "search"}
    assert ">honey<" in sign_in("operator").get("/admin/crawler/crawl/", filters).content.decode()
    filters["error_kind__exact"] = "layout"
    assert ">honey<" not in sign_in("operator").get("/admin/crawler/crawl/", filters).content.decode()


def test_what_waits_is_cancelled_and_what_has_ended_is_not(sign_in, shop, crawled):
    done, waiting = crawled("honey").crawl, search(keyword="milk").crawl
    data = {"action": "cancel", "_selected_action": [done.id, waiting.id]}
    page = sign_in("operator").post("/admin/crawler/crawl/", data, follow=True).content.decode()
    assert "1 crawl is cancelled." in page
    assert "1 crawl had ended already." in page
    states = {crawl.id: crawl.state for crawl in Crawl.objects.all()}
    assert states == {done.id: "done", waiting.id: "cancelled"}
    assert (
        "1 crawl is cancelled."
        not in sign_in("operator").post("/admin/crawler/crawl/", data, follow=True).content.decode()
    )


@pytest.mark.parametrize("action", ["retry", "cancel"])
def test_who_may_only_look_neither_crawls_again_nor_cancels(person, sign_in, source, action):
    viewer = person("nobody")
    viewer.is_staff = True
    viewer.save()
    viewer.user_permissions.add(Permission.objects.get(codename="view_crawl"))
    crawl = search(keyword="milk").crawl
    client = sign_in("nobody")
    page = client.get("/admin/crawler/crawl/").content.decode()
    assert 'value="retry"' not in page
    client.post("/admin/crawler/crawl/", {"action": action, "_selected_action": [crawl.id]})
    assert [one.state for one in Crawl.objects.all()] == ["pending"]


@pytest.fixture
def kept_page(shop, crawled, behave) -> Crawl:
    """A crawl whose page could not be read."""
    behave(search="no-cards")
    return crawled("honey").crawl


def test_a_raw_page_is_a_download_of_plain_text(sign_in, kept_page):
    client = sign_in("operator")
    url = f"/admin/crawler/crawl/{kept_page.id}/raw-page/"
    assert url in client.get("/admin/crawler/crawl/").content.decode()
    assert url in client.get(f"/admin/crawler/crawl/{kept_page.id}/change/").content.decode()
    answer = client.get(url)
    assert answer["Content-Type"] == "text/plain"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Disposition"] == f'attachment; filename="crawl-{kept_page.id}.txt"'
    assert b"Are you human?" in b"".join(answer.streaming_content)


def test_there_is_none_once_it_was_removed_or_never_kept(sign_in, kept_page):
    client = sign_in("operator")
    url = f"/admin/crawler/crawl/{kept_page.id}/raw-page/"
    Crawl.objects.update(raw_page="images/aa/secret.jpg")
    assert client.get(url).status_code == 404
    Crawl.objects.update(raw_page="")
    assert client.get(url).status_code == 404
    assert client.get("/admin/crawler/crawl/nothing/raw-page/").status_code == 404


@pytest.mark.parametrize("role", ["annotator", "evaluator", "reviewer"])
def test_others_get_no_raw_page(sign_in, kept_page, role):
    assert sign_in(role).get(f"/admin/crawler/crawl/{kept_page.id}/raw-page/").status_code in {302, 403}
