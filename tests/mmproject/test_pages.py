"""The way in: who is sent where, the login, the languages, the health page, the headers of every page."""

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse

from mmproject.heartbeat import heartbeat_note
from mmproject.queue import impatient_redis
from mmproject.roles import PERMISSIONS


@pytest.mark.parametrize(
    ("role", "page"),
    [
        ("annotator", "annotation:search"),
        ("evaluator", "evaluation:predict"),
        ("reviewer", "annotation:search"),
        ("operator", "evaluation:training"),
        ("superuser", "annotation:search"),
    ],
)
def test_home_sends_each_to_their_work(sign_in, role, page):
    answer = sign_in(role).get(reverse("home"))
    assert answer["Location"] == reverse(page)
    assert sign_in(role).get(answer["Location"]).status_code == 200


def test_home_sends_strangers_to_the_login(client, sign_in):
    assert client.get(reverse("home"))["Location"] == reverse("login")


def test_the_login_says_when_it_does_not_know_someone(client, person):
    person("annotator")
    page = client.post(reverse("login"), {"username": "annotator", "password": "wrong"}).content.decode()
    assert "do not match" in page
    assert 'value="annotator"' in page


def test_the_login_lets_in(client, person):
    user = person("annotator")
    user.set_password("a long enough password")
    user.save()
    answer = client.post(reverse("login"), {"username": "annotator", "password": "a long enough password"})
    assert answer["Location"] == reverse("home")


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_the_language_can_be_chosen(client, sign_in, language):
    client.post(reverse("set_language"), {"language": language, "next": "/login/"})
    page = client.get(reverse("login")).content.decode()
    assert f'lang="{language}"' in page
    assert ("登录" in page) == (language == "zh-hans")


def test_health_names_each_part(client, sign_in):
    answer = client.get(reverse("healthz"))
    assert answer.status_code == 200
    parts = answer.json()
    workers = parts.pop("workers")
    assert parts == {"default": "ok", "mongo": "ok", "redis": "ok"}
    assert set(workers) == {"crawl", "predict", "train"}


def test_health_tells_when_a_worker_was_seen_and_fails_for_none(client, sign_in):
    impatient_redis().delete("heartbeat:train")
    heartbeat_note(queue="crawl")
    answer = client.get(reverse("healthz"))
    assert answer.json()["workers"]["crawl"] in {"last seen 0 s ago", "last seen 1 s ago"}
    assert answer.json()["workers"]["train"] == "never seen"
    assert answer.status_code == 200


def test_health_tells_which_part_is_away(client, sign_in, settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    answer = client.get(reverse("healthz"))
    assert answer.status_code == 503
    assert answer.json()["redis"].startswith("does not answer")
    assert answer.json()["mongo"] == "ok"
    assert answer.json()["workers"]["crawl"] == "unknown without Redis"


def test_pages_forbid_inline_scripts_and_frames(sign_in):
    answer = sign_in("annotator").get(reverse("annotation:search"))
    policy = answer["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert answer["X-Content-Type-Options"] == "nosniff"
    page = answer.content.decode()
    assert "<script>" not in page
    assert " onclick=" not in page


@pytest.mark.parametrize("path", ["/nowhere/", "/annotation/nowhere/"])
def test_a_page_that_is_not_there_is_a_kind_404(sign_in, path):
    answer = sign_in("annotator").get(path)
    assert answer.status_code == 404
    assert "There is no such page here." in answer.content.decode()


def test_a_forbidden_page_says_so(sign_in):
    answer = sign_in("annotator").get(reverse("evaluation:statistics"))
    assert answer.status_code == 403
    assert "Your account may not open this page" in answer.content.decode()


def test_every_group_has_exactly_its_permissions(person):
    person("annotator")
    for name, wanted in PERMISSIONS.items():
        permissions = Group.objects.get(name=name).permissions.select_related("content_type")
        assert sorted(f"{one.content_type.app_label}.{one.codename}" for one in permissions) == sorted(set(wanted))


def test_no_role_but_the_administrators_reaches_users(person):
    for role in PERMISSIONS:
        assert person(role).has_perm("auth.change_user") == (role == "administrator")


def test_an_administrator_cannot_make_a_superuser(sign_in, person):
    target = person("annotator")
    url = reverse("admin:auth_user_change", args=[target.pk])
    client = sign_in("administrator")
    assert 'name="is_superuser"' not in client.get(url).content.decode()
    form = {
        "username": target.username,
        "is_superuser": "on",
        "date_joined_0": "2026-01-01",
        "date_joined_1": "00:00:00",
    }
    client.post(url, form)
    assert not User.objects.get(pk=target.pk).is_superuser


def test_an_administrator_cannot_touch_a_superuser(sign_in, person):
    url = reverse("admin:auth_user_change", args=[person("superuser").pk])
    client = sign_in("administrator")
    assert client.post(url, {"username": "taken"}).status_code == 403
    password = reverse("admin:auth_user_password_change", args=[person("superuser").pk])
    assert client.get(password).status_code == 403
    assert User.objects.filter(username="superuser").exists()


def test_the_api_schema_is_for_people_who_are_signed_in(client: Client, sign_in):
    assert client.get(reverse("schema")).status_code in {401, 403}
    assert b"/api/goodslist" in sign_in("annotator").get(reverse("schema")).content
