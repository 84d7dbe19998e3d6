"""A real demo shop on the address that the settings name, so that workers in other processes reach it too."""

from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import urlsplit

import pytest
from django.conf import settings as django_settings

from crawler.breakers import breaker_reset
from crawler.demo_shop.behaviour import Behaviour
from crawler.demo_shop.catalog import DemoCatalog, load_catalog
from crawler.demo_shop.server import ShopServer, running_shop
from crawler.management.commands.demo_source import demo_source
from crawler.models import Source

HOSTILE_TITLE = (
    "<script>alert(1)</script>\"'><img src=x onerror=alert(2)> {{ 7*7 }} </script> hostile & ünïcode 你好 \u202e"
)


@pytest.fixture(scope="session")
def goods() -> DemoCatalog:
    """The drawn goods, and one whose seller attacks."""
    catalog = load_catalog(None)
    hostile = replace(catalog.goods[0], item_id="666", title=HOSTILE_TITLE, words="")
    return replace(catalog, goods=[*catalog.goods, hostile])


@pytest.fixture(scope="session")
def _shop_server(goods: DemoCatalog) -> Iterator[ShopServer]:
    port = urlsplit(django_settings.DEMO_SHOP_URL).port
    with running_shop(goods, port=port or 80) as server:
        yield server


@pytest.fixture
def source(transactional_db: None) -> Source:
    """The shop as a source, to which nobody needs to be polite: tests of the rate and of robots.txt set their own."""
    source = demo_source(base_url=django_settings.DEMO_SHOP_URL)
    source.rate, source.robots = "5000/second", False
    source.save()
    breaker_reset(source.id)  # what other tests made fail
    return source


@pytest.fixture
def shop(_shop_server: ShopServer, request: pytest.FixtureRequest) -> Iterator[ShopServer]:
    """The shop, behaving and with its counters at zero; a source, too, in a test that has the databases."""
    if request.node.get_closest_marker("django_db"):
        request.getfixturevalue("source")
    _shop_server.conduct.behave(Behaviour())
    _shop_server.conduct.stats(reset=True)
    yield _shop_server
    _shop_server.conduct.behave(Behaviour())
