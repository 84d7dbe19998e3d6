import pytest
from django.template import Context, Template

from mmproject.links import is_web_link


@pytest.mark.parametrize("url", ["http://shop.example/1", "https://shop.example/?q=a b", " HTTPS://shop.example"])
def test_web_addresses_may_be_links(url):
    assert is_web_link(url)


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "\tjavascript:alert(1)",
        "data:text/html,x",
        "//host/x",
        "/x",
        "",
        "http://[",
        "http:",
    ],
)
def test_anything_else_stays_text(url):
    assert not is_web_link(url)
    template = Template("{% load i18n %}{% include 'components/shop_link.html' with url=url text='shop' %}")
    assert "href" not in template.render(Context({"url": url}))
