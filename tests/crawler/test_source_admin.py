"""Sources in the admin: configured with care, tried before they are trusted, never deleted under their listings."""

import json

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from redis.exceptions import RedisError

from crawler import source_admin
from crawler.breakers import _failed, breaker_state
from crawler.models import Listing, Source
from crawler.sources.presets import DEMO_SHOP

pytestmark = pytest.mark.django_db(databases=["default", "mongo"], transaction=True)
LIST = "/admin/crawler/source/"
ADD = "/admin/crawler/source/add/"
CHANGE = "/admin/crawler/source/demo-shop/change/"


def form(**values) -> dict:
    base = {
        "id": "shop",
        "name": "Shop",
        "kind": "storefront",
        "enabled": "on",
        "position": 5,
        "base_url": "https://shop.example/",
        "hosts": "shop.example\n*.cdn.example",
        "rate": "2/second",
        "timeout_s": 40,
        "headers": "{}",
        "config": json.dumps(DEMO_SHOP),
        "fresh_s": 3600,
        "stale_s": 86400,
        "empty_fresh_s": 300,
        "robots": "on",
        "robots_reason": "",
    }
    return {name: value for name, value in (base | values).items() if value is not None}


def errors(answer) -> dict:
    assert answer.status_code == 200, answer.status_code
    return answer.context["adminform"].form.errors


def with_fingerprint(client, **values) -> dict:
    """A form filled in on the page as it is now."""
    page = client.get(CHANGE)
    source = Source.objects.get(id="demo-shop")
    kept = {name: getattr(source, name) for name in ("name", "kind", "base_url", "rate")}
    return form(**kept, hosts="", fingerprint=page.context["adminform"].form.initial["fingerprint"]) | values


# --- adding ----------------------------------------------------------------------------------------------------------


def test_an_operator_adds_a_source(sign_in):
    answer = sign_in("operator").post(ADD, form(hosts=" Shop.example  *.cdn.example "))
    assert answer.status_code == 302, errors(answer)
    source = Source.objects.get(id="shop")
    assert source.config == DEMO_SHOP
    assert source.hosts == "shop.example\n*.cdn.example"
    assert source.headers == {}


def test_a_key_that_is_taken_is_refused(sign_in, source):
    answer = sign_in("operator").post(ADD, form(id="demo-shop"))
    assert "already exists" in str(errors(answer)["id"])
    assert Source.objects.get().name == source.name


@pytest.mark.parametrize(
    ("values", "field", "message"),
    [
        ({"config": '{"search_url": '}, "config", "This is not JSON: Expecting value: line 1 column"),
        ({"config": "[1]"}, "config", "config should be a JSON object"),
        ({"config": ""}, "config", "search_url=None should be a text"),
        ({"config": '{"search_url": "s?q="}'}, "config", "where the {keyword} goes"),
        ({"config": '{"search_url": "?q={keyword}", "pages": 1}'}, "config", "pages is unknown here"),
        (
            {"config": '{"search_url": "?q={keyword}", "selectors": {"card": 5}}'},
            "config",
            "selectors.card=5 should be",
        ),
        ({"headers": '{"A": 1}'}, "headers", "should be a JSON object of texts"),
        ({"headers": '{"A b": "x"}'}, "headers", "cannot be sent as a header"),
        ({"headers": '{"Cookie": "${SECRET_KEY}"}'}, "headers", "only variables whose name starts with"),
        ({"base_url": "ftp://shop.example"}, "base_url", "should start with http"),
        ({"base_url": "", "hosts": ""}, "base_url", "is not an address"),
        ({"rate": "often"}, "rate", "“often” is no rate"),
        ({"rate": "0/second"}, "rate", "“0/second” is no rate"),
        ({"hosts": "https://shop.example/"}, "hosts", "“https://shop.example/” is not a host"),
        ({"hosts": "shop.*"}, "hosts", "“shop.*” is not a host"),
        ({"hosts": "shop.example:80"}, "hosts", "is not a host"),
        ({"hosts": "other.example"}, "hosts", "shop.example, is not among them"),
        ({"timeout_s": 46}, "timeout_s", "46 is out of range: from 1 to 45"),
        ({"timeout_s": 0}, "timeout_s", "0 is out of range"),
        ({"fresh_s": 0}, "fresh_s", "0 is out of range"),
        ({"stale_s": 10**9}, "stale_s", "is out of range"),
        ({"empty_fresh_s": -1}, "empty_fresh_s", "greater than or equal to 0"),
        ({"robots": None}, "robots_reason", "Say why"),
        ({"robots": None, "robots_reason": "  "}, "robots_reason", "Say why"),
        ({"id": "a b"}, "id", "valid"),
        ({"kind": "ftp"}, "kind", "Select a valid choice"),
    ],
)
def test_what_would_keep_it_from_being_asked_is_said_at_its_field(sign_in, values, field, message):
    found = errors(sign_in("operator").post(ADD, form(**values)))
    assert message in " ".join(found[field])
    assert not Source.objects.filter(id="shop").exists()


def test_wrong_json_is_shown_as_it_was_typed(sign_in):
    page = sign_in("operator").post(ADD, form(config='{"search_url": oops')).content.decode()
    assert "{&quot;search_url&quot;: oops" in page


def test_robots_are_ignored_with_a_reason(sign_in):
    answer = sign_in("operator").post(ADD, form(robots=None, robots_reason="our own shop"))
    assert answer.status_code == 302, errors(answer)


def test_a_preset_fills_the_form(sign_in):
    client = sign_in("operator")
    page = client.get(ADD)
    assert '<a href="?preset=demo-shop">' in page.content.decode()
    initial = client.get(ADD, {"preset": "demo-shop", "name": "Ours"}).context["adminform"].form.initial
    assert (initial["config"], initial["kind"], initial["name"]) == (DEMO_SHOP, "storefront", "Ours")
    assert "config" not in client.get(ADD, {"preset": "nonsense"}).context["adminform"].form.initial


# --- changing --------------------------------------------------------------------------------------------------------


def test_a_source_is_changed_and_its_json_is_readable(sign_in, source):
    client = sign_in("operator")
    page = client.get(CHANGE).content.decode()
    assert "&quot;search_url&quot;: &quot;search?q={keyword}&amp;page={page}&quot;,\n" in page
    answer = client.post(CHANGE, with_fingerprint(client, name="Renamed 店"))
    assert answer.status_code == 302, errors(answer)
    assert Source.objects.get().name == "Renamed 店"


def test_the_key_stays(sign_in, source):
    client = sign_in("operator")
    client.post(CHANGE, with_fingerprint(client, id="another"))
    assert [one.id for one in Source.objects.all()] == ["demo-shop"]


def test_another_operators_change_is_not_overwritten(sign_in, source):
    client = sign_in("operator")
    mine = with_fingerprint(client, name="Mine")
    Source.objects.update(rate="1/minute")
    assert "Somebody else has changed this source" in str(errors(client.post(CHANGE, mine)))
    assert Source.objects.get().rate == "1/minute"
    assert client.post(CHANGE, with_fingerprint(client, name="Mine", rate="1/minute")).status_code == 302


def test_a_source_that_was_deleted_meanwhile_is_said_so(sign_in, source):
    client = sign_in("operator")
    values = with_fingerprint(client)
    Source.objects.all().delete()
    assert client.post(CHANGE, values).status_code == 302  # the admin says that it does not exist, and leads home


@pytest.mark.parametrize("role", ["annotator", "evaluator", "reviewer"])
def test_others_may_not(sign_in, source, role):
    client = sign_in(role)
    for url in (LIST, ADD, CHANGE):
        assert client.get(url).status_code in {302, 403}
    assert client.post(ADD, form()).status_code in {302, 403}
    assert Source.objects.count() == 1


# --- deleting --------------------------------------------------------------------------------------------------------


def make_listing() -> Listing:
    now = timezone.now()
    return Listing.objects.create(id="l", source="demo-shop", item_id="1", first_seen_at=now, last_seen_at=now)


def test_a_source_with_listings_is_not_deleted(sign_in, source):
    make_listing()
    client = sign_in("superuser")
    page = client.get(CHANGE).content.decode()
    assert "/demo-shop/delete/" not in page
    assert "1 listing, so it cannot be deleted: switch it off instead." in page
    assert client.post("/admin/crawler/source/demo-shop/delete/", {"post": "yes"}).status_code == 403
    answer = client.post(LIST, {"action": "delete_selected", "_selected_action": ["demo-shop"], "post": "yes"})
    assert answer.status_code in {200, 302}
    assert Source.objects.exists()


def test_one_without_any_is_deleted_by_a_superuser_only(sign_in, source):
    url = "/admin/crawler/source/demo-shop/delete/"
    assert sign_in("operator").post(url, {"post": "yes"}).status_code == 403
    assert sign_in("superuser").post(url, {"post": "yes"}).status_code == 302
    assert not Source.objects.exists()


# --- the list and its actions ----------------------------------------------------------------------------------------


def act(client, action: str) -> str:
    answer = client.post(LIST, {"action": action, "_selected_action": ["demo-shop"]}, follow=True)
    return answer.content.decode()


def test_sources_are_switched_off_and_on(sign_in, source):
    client = sign_in("operator")
    assert "1 source is disabled now." in act(client, "disable")
    assert not Source.objects.get().enabled
    assert "0 sources are disabled now." in act(client, "disable")
    assert "1 source is enabled now." in act(client, "enable")
    assert Source.objects.get().enabled


def test_the_breaker_is_shown_and_closed(sign_in, source):
    for _ in range(6):
        _failed("demo-shop", "the shop answered 503 <b>")
    client = sign_in("operator")
    page = client.get(LIST).content.decode()
    assert "paused until" in page
    assert "the shop answered 503 &lt;b&gt;" in page
    assert "paused until" in client.get(CHANGE).content.decode()
    assert "The next crawl asks the source again." in act(client, "ask_again")
    assert not breaker_state("demo-shop").is_open
    assert "paused until" not in client.get(LIST).content.decode()


def test_without_redis_the_breaker_stays_and_it_is_said(sign_in, source, monkeypatch):
    def away(source_id):
        raise RedisError("away")

    monkeypatch.setattr(source_admin, "breaker_reset", away)
    assert "Redis does not answer, so nothing was changed: away" in act(sign_in("operator"), "ask_again")


def test_the_list_tells_the_last_success_and_the_last_error(sign_in, shop, crawled, behave):
    crawled("honey")
    behave(fail_next=1, status=403)
    crawled("milk")
    page = sign_in("operator").get(LIST).content.decode()
    assert "s ago" in page
    assert "answered 403" in page


def test_the_number_of_queries_does_not_grow(sign_in, source):
    client = sign_in("operator")
    counts = set()
    for size in (1, 8):
        for number in range(Source.objects.count(), size):
            source.id = f"shop-{number}"
            source.save()
        with CaptureQueriesContext(connections["mongo"]) as queries:
            assert client.get(LIST).status_code == 200
        counts.add(len(queries))
    assert len(counts) == 1
