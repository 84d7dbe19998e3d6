"""Text from outside is text, wherever it is shown: every page of the site, with documents that are hostile everywhere.

Titles, keywords, names, notes and addresses of every model hold markup and `javascript:`; whatever page shows them,
nothing of it becomes an element, an attribute or a link. A page that is added is looked at without being named here.
"""

from collections.abc import Iterator

import pytest
from django.contrib import admin
from django.db import models
from django.urls import get_resolver
from django.utils import timezone
from selectolax.lexbor import LexborHTMLParser

from annotation.models import Label, LabelChange, Product, Review, Submission
from crawler.models import ImageState, Listing, SearchPage, WorkState
from mmproject.ids import content_id
from tests.test_matrix import address, walk

pytestmark = pytest.mark.django_db(databases=["default", "mongo"], transaction=True)

MARK = "hostile-mark"
HOSTILE = f"\"'><img src=x onerror=alert(1)><script>alert('{MARK}')</script>{{{{7*7}}}}"
ADDRESS = f"javascript:alert('{MARK}')"
LINKS = ("href", "src", "action", "formaction", "data", "xlink:href", "hx-get", "hx-post")
KEYWORD = HOSTILE[:200]


def hostile(model: type[models.Model], **fixed: object) -> models.Model:
    """A new document of `model` in which every text that comes from outside is hostile."""
    values: dict[str, object] = {}
    for field in model._meta.concrete_fields:
        if field.auto_created or isinstance(field, models.ForeignKey):
            continue
        if field.primary_key:
            values[field.attname] = content_id(model._meta.label, "hostile")
        elif isinstance(field, models.DateTimeField):
            values[field.attname] = timezone.now()
        elif isinstance(field, models.URLField) or field.name.endswith("url"):
            values[field.attname] = ADDRESS
        elif "sha256" in field.name:
            values[field.attname] = "0" * 64
        elif field.choices or field.has_default() or field.name.endswith("_id"):
            if not field.has_default():
                values[field.attname] = field.choices[0][0] if field.choices else None if field.null else "1"
        elif isinstance(field, models.CharField | models.TextField):
            values[field.attname] = HOSTILE[: field.max_length]
        elif isinstance(field, models.IntegerField | models.FloatField):
            values[field.attname] = 1
    return model(**values | fixed)


@pytest.fixture
def world(person, source) -> dict[str, object]:
    """The keys of hostile documents, one of each model of the admin, as `tests.test_matrix.address` wants them."""
    user = person("superuser")
    type(user).objects.filter(pk=user.pk).update(first_name=HOSTILE[:100])
    mine = {"annotator_id": user.pk, "annotator_name": HOSTILE[:150]}
    samples: dict[str, object] = {}
    for model in admin.site._registry:
        if model._meta.app_label == "auth" or model is type(source):
            continue
        fixed = {name: value for name, value in mine.items() if name in {f.attname for f in model._meta.fields}}
        if model is Listing:
            fixed |= {"source": source.id, "image_state": ImageState.DONE, "phash": ""}
        document = hostile(model, **fixed)
        document.save(force_insert=True)
        samples[f"{model._meta.app_label}/{model._meta.model_name}"] = document.pk
    listing = Listing.objects.get()
    product = Product.objects.get()
    SearchPage.objects.all().delete()
    page = SearchPage.make_id(source=source.id, normalized_keyword=_normalized(KEYWORD), page=1)
    now = timezone.now()
    SearchPage(
        id=page, source=source.id, keyword=KEYWORD, page=1, listing_ids=[listing.id], fetched_at=now,
        fresh_until=now + timezone.timedelta(days=1), stale_until=now + timezone.timedelta(days=2),
    ).save()  # fmt: skip
    samples["crawler/searchpage"] = page
    Label.objects.update(
        product_id=product.id, listing_id=listing.id, review=Review.REJECTED, reject_reason="other",
        reviewed_at=now, review_note=HOSTILE[:500],
    )  # fmt: skip
    waiting = hostile(Label, **mine, id="waiting", product_id=product.id, listing_id=listing.id, source=source.id)
    waiting.save(force_insert=True)
    Submission.objects.update(state=WorkState.DONE, matched_listing_ids=[listing.id], shown_listing_ids=[listing.id])
    hostile(
        LabelChange, label_id=samples["annotation/label"], changed_by_id=user.pk, number=1,
        before={"review": "pending"}, after={"review": "rejected", "review_note": HOSTILE},
    ).save(force_insert=True)  # fmt: skip
    return samples


def _normalized(keyword: str) -> str:
    from crawler.keywords import normalized

    return normalized(keyword)


def pages(samples: dict[str, object]) -> Iterator[str]:
    """The address of every page that can be read: with a key of its own kind where it wants one, and with words."""
    for route, _ in walk(get_resolver().url_patterns):
        if any(part in route for part in ("logout", "jsi18n", "api/schema")):
            continue
        path = address(route, samples)
        if "unknown" in path and "<" in route and not path.startswith("/admin/"):
            for key in samples.values():
                yield path.replace("unknown", str(key))
        else:
            yield path
    words = {"keyword": KEYWORD, "product": Product.objects.get().name, "q": HOSTILE}
    for path in (
        "/annotation/",
        "/annotation/products/",
        "/admin/annotation/label/",
        "/admin/annotation/label/review/",
    ):
        yield f"{path}?{_query(words)}"


def _query(words: dict[str, str]) -> str:
    from urllib.parse import urlencode

    return urlencode(words)


def alive(html: str) -> list[str]:
    """What of this page could act: handlers, scripts of its own, links that are programs, pictures out of nowhere."""
    found = []
    for node in LexborHTMLParser(html).css("*"):
        attributes = {name.lower(): value or "" for name, value in node.attributes.items()}
        found += [f"<{node.tag} {name}={value!r}>" for name, value in attributes.items() if name.startswith("on")]
        for name in LINKS:
            if attributes.get(name, "").strip().lower().startswith(("javascript:", "data:", "vbscript:")):
                found.append(f"<{node.tag} {name}={attributes[name]!r}>")
        if node.tag == "script" and not attributes.get("src") and attributes.get("type") != "application/json":
            found.append(f"<script>{node.text()[:60]}")
        if node.tag == "img" and attributes.get("src") == "x":
            found.append("<img src=x>")
    return found


def test_nothing_from_outside_comes_alive_on_any_page(sign_in, world):
    client = sign_in("superuser")
    wrong, shown = [], set()
    for path in dict.fromkeys(pages(world)):
        answer = client.get(path)
        if not answer.get("Content-Type", "").startswith("text/html"):
            answer.close()
            continue
        assert answer.status_code < 500, path
        html = answer.content.decode()
        if "49" in html and "{{7*7}}" not in html and MARK in html:
            wrong.append(f"{path}: a template in a text was rendered")
        wrong += [f"{path}: {what}" for what in alive(html)]
        policy = answer.get("Content-Security-Policy", "")
        if "default-src 'self'" not in policy or "unsafe" in policy:
            wrong.append(f"{path}: Content-Security-Policy {policy!r}")
        if MARK in html:
            shown.add(path.partition("?")[0])
    assert not wrong, "\n".join(wrong[:40])
    # The test is worth something only where the hostile text is really on the pages.
    for path in (
        "/annotation/",
        "/annotation/feedback/",
        "/admin/annotation/label/",
        "/admin/annotation/label/review/",
    ):
        assert path in shown, f"{path} shows nothing hostile: {sorted(shown)}"
    assert len(shown) > 20


@pytest.mark.parametrize(
    "html",
    [
        "<p onclick='x()'>",
        "<a href=' javascript:x()'>",
        "<img src=x onerror=y>",
        "<script>x()</script>",
        "<button hx-get='javascript:x'>",
    ],
)
def test_what_could_act_is_noticed(html):
    assert alive(html)
