"""The page about oneself, and the token that one makes there."""

import re

import pytest
from django.test import Client
from django.urls import reverse
from rest_framework.authtoken.models import Token

PAGE, MAKE, REVOKE = "/profile/", "/profile/token/", "/profile/token/revoke/"


def shown_token(answer) -> str:
    found = re.search(r'id="token">([0-9a-f]{40})<', answer.content.decode())
    return found[1] if found else ""


def api_status(token: str) -> int:
    return Client().get("/api/labels", headers={"Authorization": f"Token {token}"}).status_code


@pytest.fixture
def client(sign_in):
    return sign_in("annotator")


def test_it_says_who_one_is(client):
    page = client.get(PAGE).content.decode()
    assert "<h1>annotator</h1>" in page
    assert "Annotator: searches the shops" in page
    assert "Reviewer:" not in page
    assert "You have no token." in page


@pytest.mark.parametrize(
    ("role", "text"), [("nobody", "None yet"), ("superuser", "may do everything"), ("administrator", "Administrator:")]
)
def test_it_names_the_roles(sign_in, role, text):
    assert text in sign_in(role).get(PAGE).content.decode()


def test_every_page_links_to_it(client):
    assert f'href="{PAGE}"' in client.get(reverse("annotation:search")).content.decode()


def test_a_token_is_made_and_shown_once(client):
    answer = client.post(MAKE)
    token = shown_token(answer)
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    assert api_status(token) == 200
    later = client.get(PAGE).content.decode()
    assert "You have a token, made on" in later
    assert token not in later
    assert token not in client.get(reverse("annotation:search")).content.decode()


def test_renewing_replaces_it(client):
    first, second = shown_token(client.post(MAKE)), shown_token(client.post(MAKE))
    assert first != second
    assert (api_status(first), api_status(second)) == (401, 200)
    assert Token.objects.count() == 1


def test_revoking_takes_it_away_and_is_safe_twice(client):
    token = shown_token(client.post(MAKE))
    for _ in range(2):
        answer = client.post(REVOKE, follow=True)
        assert answer.redirect_chain == [(PAGE, 302)]
        assert "You have no token now" in answer.content.decode()
    assert api_status(token) == 401


def test_one_touches_only_ones_own(client, sign_in):
    token = shown_token(sign_in("reviewer").post(MAKE))
    client.post(MAKE)
    client.post(REVOKE)
    assert api_status(token) == 200


def test_a_token_gives_what_its_owner_may_and_ends_with_the_account(sign_in, person):
    token = shown_token(sign_in("evaluator").post(MAKE))
    assert api_status(token) == 403
    user = person("evaluator")
    user.is_active = False
    user.save()
    assert api_status(token) == 401


@pytest.mark.parametrize("url", [MAKE, REVOKE])
def test_writing_is_for_post_with_the_csrf_token_only(client, person, url):
    assert client.get(url).status_code == 405
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(person("annotator"))
    assert strict.post(url).status_code == 403
    assert not Token.objects.exists()


@pytest.mark.parametrize(("method", "url"), [("get", PAGE), ("post", MAKE), ("post", REVOKE)])
def test_strangers_are_sent_to_the_login(db, method, url):
    answer = getattr(Client(), method)(url)
    assert answer["Location"].startswith(reverse("login"))


def test_the_admin_shows_no_tokens(sign_in, person):
    token = Token.objects.create(user=person("annotator"))
    client = sign_in("superuser")
    assert token.key not in client.get(reverse("admin:index")).content.decode()
    assert client.get("/admin/authtoken/tokenproxy/").status_code == 404
