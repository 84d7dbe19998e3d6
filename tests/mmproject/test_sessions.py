"""Who is signed in stays so, whatever becomes of Redis."""

import pytest
from django.contrib.sessions.backends.cached_db import SessionStore
from django.core.cache import caches
from django.db import connections
from django.test.utils import CaptureQueriesContext


@pytest.fixture
def redis_away():
    """The sessions' cache asks a Redis that is not there."""
    cache = caches["sessions"]
    servers, cache._servers = cache._servers, ["redis://127.0.0.1:1/0"]
    cache.__dict__.pop("_cache", None)
    yield
    cache._servers = servers
    cache.__dict__.pop("_cache", None)


def test_a_session_is_read_from_redis_without_asking_the_database(sign_in):
    client = sign_in("nobody")
    with CaptureQueriesContext(connections["default"]) as queries:
        assert client.get("/profile/").status_code == 200
    assert queries.captured_queries
    assert not [query for query in queries if "django_session" in query["sql"]]


def test_whoever_is_signed_in_stays_so_while_redis_is_away(sign_in, redis_away):
    client = sign_in("nobody")
    assert client.get("/profile/").status_code == 200


def test_what_redis_has_forgotten_is_read_from_the_database(sign_in):
    client = sign_in("nobody")
    caches["sessions"].delete(SessionStore.cache_key_prefix + client.cookies["sessionid"].value)
    assert client.get("/profile/").status_code == 200


def test_signing_out_ends_it_in_both(sign_in):
    client = sign_in("nobody")
    cookie = client.cookies["sessionid"].value
    client.post("/logout/")
    client.cookies["sessionid"] = cookie
    assert client.get("/profile/").status_code == 302
