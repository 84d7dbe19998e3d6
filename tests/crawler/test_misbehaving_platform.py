"""A crawl platform that does everything wrong, through the whole search: no cached data is lost, no worker hangs."""

import pytest

from crawler import raw_pages
from crawler.models import ErrorKind, Source
from crawler.sources.presets import PRESETS
from tests.crawler.unharmed import failed

pytestmark = pytest.mark.django_db(databases=["default", "mongo"], transaction=True)


@pytest.fixture(autouse=True)
def _as_platform(source, shop):
    preset = PRESETS["platform"]
    Source.objects.filter(id=source.id).update(kind=preset["kind"], config=preset["config"])


@pytest.mark.parametrize(
    ("how", "kind", "told"),
    [
        ({"api": "error"}, ErrorKind.FETCH, "The platform reports: the quota of today is used up"),
        ({"api": "html"}, ErrorKind.FETCH, "sent “text/html” instead of application/javascript, application/json"),
        ({"fail_next": 1000, "failure": "hang"}, ErrorKind.FETCH, "took too long to answer"),
        ({"fail_next": 1000, "failure": "reset"}, ErrorKind.FETCH, "broke off the connection"),
        ({"fail_next": 1000, "status": 503}, ErrorKind.FETCH, "503 Service Unavailable"),
    ],
)
def test_what_it_fails_with_is_told(before, hurried, again, behave, how, kind, told):
    behave(applies_to="api", **how)
    failed(again(), kind, told)
    before.is_served_unchanged()
    assert before.new_files() == set()


@pytest.mark.parametrize(
    ("mode", "told", "kept"),
    [
        ("not-json", "127.0.0.1 did not send JSON: Expecting value", b"callback({});"),
        (
            "other-shape",
            "no longer matches: “$.data.items[*]” (listings) found nothing",
            b'{"result": {"list": []}}',
        ),
    ],
)
def test_an_answer_that_changed_shape_is_told_and_kept(before, again, behave, mode, told, kept):
    behave(api=mode)
    result = again()
    failed(result, ErrorKind.LAYOUT, told)
    with raw_pages.opened(result.crawl.raw_page) as page:
        assert page.read() == kept
    assert before.new_files() == {result.crawl.raw_page}
    before.is_served_unchanged()


def test_what_was_posted_is_posted_again_when_it_stumbles(before, again, behave, requests_seen):
    behave(fail_next=2, status=502, applies_to="api")
    seen = requests_seen("api")
    assert again().state == "ready"
    assert requests_seen("api") == seen + 3
