"""Django's own admin over documents: lists, search, filters, dates, actions, deletion."""

import datetime

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.test import Client, override_settings
from django.urls import path

from tests.mmproject.mongo.app.models import Label, Page, Remark, Thing

pytestmark = pytest.mark.django_db(databases=["default", "mongo"], transaction=True)

START = datetime.datetime(2026, 1, 15, 10, 30, tzinfo=datetime.UTC)
site = admin.AdminSite(name="admin")


@admin.action(description="mark done")
def mark_done(model_admin, request, queryset):
    queryset.update(status="done")


class PageAdmin(admin.ModelAdmin):
    list_display = ["title", "status", "score", "label", "seen_at"]
    list_filter = ["status", "active", "label"]
    list_select_related = ["label"]
    search_fields = ["title", "label__name", "depth"]
    date_hierarchy = "seen_at"
    list_per_page = 20
    actions = [mark_done]
    autocomplete_fields = ["label"]


class LabelAdmin(admin.ModelAdmin):
    search_fields = ["name"]


site.register(Page, PageAdmin)
site.register(Label, LabelAdmin)
site.register(Thing)
urlpatterns = [path("admin/", site.urls)]


@pytest.fixture
def client(probes):
    labels = Label.objects.bulk_create([Label(id="a", name="cat"), Label(id="b", name="dog")])
    Page.objects.bulk_create(
        Page(
            id=f"p{n:02d}",
            title=f"page {n}",
            status=["new", "done", "failed"][n % 3],
            depth=n,
            active=n % 2 == 0,
            seen_at=START + datetime.timedelta(days=n),
            label=[*labels, None][n % 3],
        )
        for n in range(60)
    )
    Remark.objects.create(id="r1", page_id="p00")
    with override_settings(ROOT_URLCONF=__name__):
        client = Client()
        client.force_login(User.objects.create_superuser("root", password="a long enough password"))
        yield client


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", "60 pages"),
        ("?p=3", "60 pages"),
        ("?o=-3.2", "60 pages"),
        ("?status__exact=done", "20 pages"),
        ("?active__exact=1", "30 pages"),
        ("?label__id__exact=b", "20 pages"),
        ("?label__isnull=True", "20 pages"),
        ("?q=page+11", "1 page"),
        ("?q=dog", "20 results"),
        ("?q=%25", "0 results"),
        ("?q=(.*", "0 results"),
        ("?seen_at__year=2026", "February"),
        ("?seen_at__year=2026&seen_at__month=2", "28 pages"),
    ],
)
def test_the_list(client, query, expected):
    response = client.get(f"/admin/probe/page/{query}")
    assert response.status_code == 200
    assert expected in response.content.decode()


def test_an_action_changes_what_was_chosen(client):
    client.post("/admin/probe/page/", {"action": "mark_done", "_selected_action": ["p00", "p03"]})
    assert Page.objects.filter(status="done").count() == 22


def test_deletion_shows_and_takes_what_belongs_to_it(client):
    chosen = {"action": "delete_selected", "_selected_action": ["p00", "p01"]}
    assert "Remark" in client.post("/admin/probe/page/", chosen).content.decode()
    client.post("/admin/probe/page/", chosen | {"post": "yes"})
    assert (Page.objects.count(), Remark.objects.count()) == (58, 0)


def test_a_form_saves_and_tells_a_duplicate(client):
    page = {"id": "new", "title": "t", "note": "n", "status": "new", "depth": "1", "score": "1.5", "label": "a"}
    page |= {"seen_at_0": "2026-03-01", "seen_at_1": "10:00:00", "day": "2026-03-01"}
    assert client.post("/admin/probe/page/add/", page).status_code == 302
    assert Page.objects.get(id="new").label.name == "cat"
    response = client.post("/admin/probe/page/add/", page)
    assert response.status_code == 200
    assert "already exists" in response.content.decode()
    assert client.post("/admin/probe/page/new/change/", page | {"title": "other"}).status_code == 302
    assert Page.objects.get(id="new").title == "other"
    assert client.get("/admin/probe/page/new/history/").status_code == 200


def test_autocomplete_searches(client):
    query = {"app_label": "probe", "model_name": "page", "field_name": "label", "term": "DO"}
    found = client.get("/admin/autocomplete/", query).json()["results"]
    assert [entry["text"] for entry in found] == ["dog"]
