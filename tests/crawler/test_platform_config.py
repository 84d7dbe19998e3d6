"""What a crawl platform is asked, and what its configuration may hold."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from crawler.errors import ConfigError
from crawler.responses import Fetched
from crawler.sources.platform import PlatformConfig, read_answer, request_body
from tests.crawler.test_platform import ROW, URL, answer, config


class TestRequest:
    def test_get_sends_no_body(self):
        assert request_body(config(), keyword="茶", page=2) is None

    def test_a_body_is_filled_in_wherever_it_holds_texts(self):
        body = {
            "query": {"text": "{keyword}", "tags": ["a {keyword} b", 1, None, True]},
            "page": "{page}",
            "from": "{offset}",
            "label": "page {page} from {offset}",
            "{keyword}": "{other}",
        }
        shop = config(method="post", body=body, page_size=50)
        assert request_body(shop, keyword='茶 "{page}"', page=3) == {
            "query": {"text": '茶 "{page}"', "tags": ['a 茶 "{page}" b', 1, None, True]},
            "page": 3,
            "from": 100,
            "label": "page 3 from 100",
            "{keyword}": "{other}",
        }

    def test_a_post_without_a_body_sends_an_empty_object(self):
        assert request_body(config(method="POST"), keyword="x", page=1) == {}


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ([], "config should be a JSON object"),
        ({}, "search_url=None should be a text"),
        ({"search_url": "s"}, "keyword"),
        ({"search_url": "s?{keyword}", "method": "PUT"}, "method='PUT' cannot be used: use one of GET, POST"),
        ({"search_url": "s?{keyword}", "body": {}}, "body={} cannot be used: only POST"),
        ({"search_url": "s?{keyword}", "page_size": 1000}, "page_size=1000 should be"),
        ({"search_url": "s?{keyword}", "paths": []}, "paths should be a JSON object"),
        ({"search_url": "s?{keyword}", "paths": {"colour": "$"}}, "paths.colour is unknown"),
        ({"search_url": "s?{keyword}", "paths": {"title": "$.t", "url": "$.u"}}, "paths.listings=None"),
        ({"search_url": "s?{keyword}", "paths": {"listings": "$.x", "url": "$.u"}}, "paths.title=None"),
        ({"search_url": "s?{keyword}", "paths": {"listings": "$.x", "title": "$.t"}}, "paths.item_id=None"),
        ({"search_url": "s?{keyword}", "paths": {"listings": "data.items"}}, r"paths.listings='data.items' cannot"),
        ({"search_url": "s?{keyword}", "paths": {"listings": ["$.x", "$.["]}}, r"paths.listings=\['\$.x', '\$.\["),
        ({"search_url": "s?{keyword}", "paths": {"price": "$[?unknown(@)]"}}, "paths.price="),
        ({"search_url": "s?{keyword}", "paths": {"price": "$" + "[?(@.a" * 2000}}, "paths.price="),
        ({"search_url": "s?{keyword}", "paths": {"price": 5}}, "paths.price=5"),
    ],
)
def test_a_wrong_configuration_is_told_with_its_key_and_value(values, told):
    with pytest.raises(ConfigError, match=told) as error:
        PlatformConfig.parse(values)
    assert error.value.field == "config"
    assert "\n" not in str(error.value)


path_pieces = st.sampled_from(["$", ".a", "..", "[*]", "[?@.a", "==", "search(", "-1", *"[]()',:|"])


@given(st.text(max_size=20) | st.lists(path_pieces, max_size=8).map("".join))
@example("$\n.a")
@example("\ud800")
def test_any_path_is_usable_or_a_configuration_error(path):
    try:
        shop = config(paths={"price": path or "$"})
    except ConfigError:
        return
    body = json.dumps(answer(ROW)).encode()
    read_answer(Fetched(url=URL, content_type="application/json", charset="", body=body), shop, page=1)
