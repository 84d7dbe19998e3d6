"""The pages of imports in the admin."""

import pytest
from celery import current_app
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from crawler.imports import services
from crawler.imports.services import import_run
from crawler.models import Listing, ListingImport, Source, WorkState
from tests.crawler.import_files import csv_of
from tests.shop import HOSTILE_TITLE

pytestmark = pytest.mark.django_db(databases=["default", "mongo"], transaction=True)

ADD = "/admin/crawler/listingimport/add/"
LIST = "/admin/crawler/listingimport/"
TABLE = csv_of("1,Tea,5", "2,Oil,x", header="item_id,title,price")


@pytest.fixture(autouse=True)
def _no_worker(monkeypatch) -> None:
    monkeypatch.setattr(current_app, "send_task", lambda *args, **options: None)


@pytest.fixture
def operator(files_source, sign_in):
    return sign_in("operator")


def upload(client, data: bytes = TABLE, name: str = "list.csv", **values):
    file = SimpleUploadedFile(name, data)
    return client.post(ADD, {"source": "files", "file": file, "format": "auto"} | values)


def checked(client, data: bytes = TABLE, name: str = "list.csv") -> ListingImport:
    """Uploaded, and its dry run done."""
    assert upload(client, data, name).status_code == 302
    one = ListingImport.objects.order_by("-created_at").first()
    import_run(import_id=one.id)
    return ListingImport.objects.get(id=one.id)


def address(one: ListingImport, what: str = "change") -> str:
    return reverse(f"admin:crawler_listingimport_{what}", args=[one.id])


def test_the_form_offers_sources_of_files_only(operator, source):
    page = operator.get(ADD).content.decode()
    assert "Files (files)" in page
    assert source.name not in page
    assert "At most 200 megabytes" in page


def test_without_a_source_of_files_the_page_says_so(operator):
    Source.objects.all().delete()
    assert "There is no source of files yet" in operator.get(ADD).content.decode()
    assert upload(operator).status_code == 422


def test_an_upload_is_first_a_dry_run(operator):
    answer = upload(operator)
    one = ListingImport.objects.get()
    assert (answer.status_code, answer.url) == (302, address(one))
    assert (one.dry_run, one.state, one.requested_by, one.source) == (True, WorkState.PENDING, "operator", "files")
    page = operator.get(address(one)).content.decode()
    assert "Waiting for a worker" in page
    assert f'hx-get="{address(one, "progress")}"' in page
    assert "Import for real" not in page
    assert "Look again" in page  # without a script


def test_a_dry_run_shows_counts_and_what_is_wrong_and_then_imports(operator):
    one = checked(operator)
    assert not Listing.objects.exists()
    page = operator.get(address(one)).content.decode()
    assert "Import for real" in page
    assert "It is no price." in page
    assert "hx-get" not in page
    answer = operator.post(address(one, "confirm"))
    real = ListingImport.objects.get(dry_run=False)
    assert (answer.status_code, answer.url) == (302, address(real))
    assert (real.dry_run, real.requested_by, real.total) == (False, "operator", 2)
    import_run(import_id=real.id)
    page = operator.get(address(real)).content.decode()
    assert "The import is finished." in page
    assert "Import for real" not in page
    assert Listing.objects.get().title == "Tea"


def test_a_second_post_leads_to_the_same_import(operator):
    one = checked(operator)
    first, second = operator.post(address(one, "confirm")), operator.post(address(one, "confirm"))
    assert first.url == second.url
    assert ListingImport.objects.filter(dry_run=False).count() == 1


def test_progress_is_polled_until_it_is_done(operator):
    upload(operator)
    one = ListingImport.objects.get()
    assert operator.get(address(one, "progress")).status_code == 200
    ListingImport.objects.update(state=WorkState.RUNNING, total=10, done=4)
    page = operator.get(address(one, "progress"))
    assert (page.status_code, '<progress max="10" value="4">' in page.content.decode()) == (200, True)
    ListingImport.objects.update(state=WorkState.PENDING)
    import_run(import_id=one.id)
    assert operator.get(address(one, "progress")).status_code == 286


def test_nothing_to_import_offers_no_button_and_takes_no_post(operator):
    one = checked(operator, csv_of("2,Oil,x", header="item_id,title,price"))
    assert "Import for real" not in operator.get(address(one)).content.decode()
    answer = operator.post(address(one, "confirm"))
    assert answer.status_code == 422
    assert "There is nothing in the file that would change a listing." in answer.content.decode()
    assert not ListingImport.objects.filter(dry_run=False).exists()


def test_a_file_that_cannot_be_read_says_why(operator):
    page = operator.get(address(checked(operator, b"colour\nred"))).content.decode()
    assert "No column “title”" in page
    assert "Import another file" in page


def test_hostile_texts_are_texts(operator):
    quoted = HOSTILE_TITLE.replace('"', '""')
    one = checked(operator, csv_of(f'1,Tea,"{quoted}"', header=f'id,title,price,"{quoted}"'), '"><script>.csv')
    page = operator.get(address(one)).content.decode() + operator.get(LIST).content.decode()
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    assert '"><script>' not in page
    assert "&lt;script&gt;alert(1)" in page


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"name": "list.exe"}, "“list.exe” is none of the files that can be imported"),
        ({"data": b""}, "“list.csv” is empty"),
        ({"source": "nowhere"}, "Select a valid choice"),
        ({"file": ""}, "This field is required"),
        ({"format": "pdf"}, "Select a valid choice"),
    ],
)
def test_an_upload_that_cannot_be_taken_is_told_on_the_form(operator, values, told):
    answer = upload(operator, **values)
    assert answer.status_code == 422
    page = answer.content.decode()
    assert told in page
    assert "choose the file again" in page
    assert not ListingImport.objects.exists()


def test_what_was_chosen_stays_when_the_file_is_not_taken(operator):
    Source(id="other", name="Other", kind="files").save()
    page = upload(operator, b"", source="other", format="xlsx").content.decode()
    assert '<option value="other" selected>' in page
    assert '<option value="xlsx" selected>' in page


def test_a_file_that_is_too_large_is_told(operator, monkeypatch):
    monkeypatch.setattr(services, "MAX_UPLOAD", 10)
    answer = upload(operator)
    assert (answer.status_code, "use the command for larger files" in answer.content.decode()) == (422, True)


@pytest.mark.parametrize("role", ["annotator", "evaluator", "reviewer", "nobody"])
def test_nobody_else_may_import_or_look(files_source, sign_in, role):
    one = checked(sign_in("operator"))
    client = sign_in(role)
    refused = {302, 403}
    assert client.get(ADD).status_code in refused
    assert upload(client).status_code in refused
    assert client.get(LIST).status_code in refused
    assert client.get(address(one)).status_code in refused
    assert client.get(address(one, "progress")).status_code == 403
    assert client.post(address(one, "confirm")).status_code in refused
    assert ListingImport.objects.count() == 1


def test_strangers_are_sent_to_the_login_page(files_source, client):
    assert client.get(ADD).status_code == 302
    assert client.get("/admin/crawler/listingimport/x/progress/").status_code == 403


def test_who_may_look_but_not_import_sees_no_button(files_source, sign_in, person):
    from django.contrib.auth.models import Permission

    one = checked(sign_in("operator"))
    person("reviewer").user_permissions.add(Permission.objects.get(codename="view_listingimport"))
    client = sign_in("reviewer")
    page = client.get(address(one)).content.decode()
    assert "It is no price." in page
    assert "Import for real" not in page
    assert client.post(address(one, "confirm")).status_code == 403
    assert client.get(ADD).status_code == 403


def test_an_unknown_import_is_not_found(operator):
    for what in ("change", "progress"):
        assert operator.get(f"/admin/crawler/listingimport/nothing/{what}/").status_code == 404
    assert operator.post("/admin/crawler/listingimport/nothing/confirm/").status_code == 404
    assert operator.get("/admin/crawler/listingimport/nothing/confirm/").status_code == 405


def test_imports_are_neither_changed_nor_deleted_by_hand(operator, sign_in):
    one = checked(operator)
    client = sign_in("superuser")
    assert client.get(address(one, "delete")).status_code == 403
    assert "_save" not in client.get(address(one)).content.decode()


def test_the_list_shows_imports(operator):
    checked(operator)
    page = operator.get(LIST, {"q": "list"}).content.decode()
    assert "list.csv" in page
    assert "Import listings" in page
    assert "dry run" in page
