"""Review in the Django admin."""

import pytest
from django.urls import reverse

from annotation import services
from annotation.models import Label, Product, Review
from annotation.reviews import labels_review
from tests.annotation.factories import make_listing, make_product


@pytest.fixture
def labels(person):
    make_product()
    listings = [make_listing("橙汁 1L"), make_listing("<b>juice</b>"), make_listing("third", shop_name="Other")]
    services.submission_create(
        submission_id="s-1",
        product_name="Alpha Orange Juice",
        keyword="juice",
        source="demo-shop",
        pages=1,
        shown_listing_ids=[listing.id for listing in listings],
        matched_listing_ids=[listing.id for listing in listings],
        annotator=person("annotator"),
    )
    return list(Label.objects.order_by("title"))


def changelist(client, **query):
    answer = client.get(reverse("admin:annotation_label_changelist"), query)
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_list_shows_titles_escaped(sign_in, labels):
    page = changelist(sign_in("reviewer"))
    assert "橙汁 1L" in page
    assert "&lt;b&gt;juice" in page
    assert "3 labels" in page


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({"q": "橙汁"}, 1),
        ({"q": "OTHER"}, 1),
        ({"q": "a.*b"}, 0),
        ({"review__exact": "pending"}, 3),
        ({"review__exact": "approved"}, 0),
        ({"brand_name": "Alpha"}, 3),
    ],
)
def test_search_and_filters_narrow_the_list(sign_in, labels, query, count):
    assert f"{count} label" in changelist(sign_in("reviewer"), **query)


@pytest.mark.parametrize(("action", "review"), [("approve", Review.APPROVED), ("reject", Review.REJECTED)])
def test_labels_are_reviewed_in_bulk(sign_in, labels, action, review):
    chosen = [label.id for label in labels[:2]]
    data = {"action": action, "_selected_action": chosen}
    if action == "reject":
        data |= {"confirmed": "yes", "reason": "product"}
    answer = sign_in("reviewer").post(reverse("admin:annotation_label_changelist"), data, follow=True)
    assert "2 labels are now" in answer.content.decode()
    assert set(Label.objects.filter(review=review).values_list("id", flat=True)) == set(chosen)
    assert Label.objects.get(id=chosen[0]).reviewer_name == "reviewer"


def test_reviewing_again_keeps_the_first_reviewer(sign_in, labels, person):
    labels_review(label_ids=[labels[0].id], review=Review.APPROVED, reviewer=person("superuser"))
    data = {"action": "approve", "_selected_action": [labels[0].id]}
    sign_in("reviewer").post(reverse("admin:annotation_label_changelist"), data)
    assert Label.objects.get(id=labels[0].id).reviewer_name == "superuser"


def test_a_bulk_rejection_first_asks_why(sign_in, labels):
    client, url = sign_in("reviewer"), reverse("admin:annotation_label_changelist")
    data = {"action": "reject", "_selected_action": [label.id for label in labels[:2]]}
    page = client.post(url, data).content.decode()
    assert "Why are 2 labels wrong?" in page
    assert f'name="_selected_action" value="{labels[0].id}"' in page
    assert client.post(url, data | {"confirmed": "yes", "reason": "because"}).status_code == 422
    assert not Label.objects.filter(review=Review.REJECTED).exists()
    client.post(url, data | {"confirmed": "yes", "reason": "advert", "note": "an advert"})
    rejected = Label.objects.filter(review=Review.REJECTED)
    assert [(label.reject_reason, label.review_note) for label in rejected] == [("advert", "an advert")] * 2


def test_a_label_shows_its_history_and_is_changed_by_no_form(sign_in, labels, person):
    note = "<script>alert(1)</script>"
    ids = [labels[0].id]
    labels_review(label_ids=ids, review="rejected", reason="variant", note=note, reviewer=person("superuser"))
    url = reverse("admin:annotation_label_change", args=ids)
    client = sign_in("reviewer")
    page = client.get(url).content.decode()
    assert "rejected: wrong variant or size" in page
    assert note not in page
    assert "&lt;script&gt;alert(1)" in page
    assert f"{reverse('admin:annotation_label_review')}?label={labels[0].id}" in page
    client.post(url, {"review": "approved", "title": "changed by hand"})
    label = Label.objects.get(id=labels[0].id)
    assert (label.review, label.reviewer_name) == (Review.REJECTED, "superuser")
    assert label.title != "changed by hand"


@pytest.mark.parametrize("role", ["annotator", "evaluator", "nobody"])
def test_who_is_no_reviewer_is_kept_out(sign_in, labels, role):
    answer = sign_in(role).get(reverse("admin:annotation_label_changelist"))
    assert answer.status_code == 302
    assert "login" in answer["Location"]


def test_an_operator_sees_no_labels(sign_in, labels):
    assert sign_in("operator").get(reverse("admin:annotation_label_changelist")).status_code == 403


def test_a_reviewer_cannot_reach_users(sign_in):
    assert sign_in("reviewer").get(reverse("admin:auth_user_changelist")).status_code == 403


def test_a_reviewer_adds_a_product(sign_in):
    make_product()
    data = {
        "id": "alpha-milk",
        "name": "Alpha Milk",
        "brand": "alpha",
        "keywords": "milk",
        "description": "",
        "active": "on",
    }
    answer = sign_in("reviewer").post(reverse("admin:annotation_product_add"), data)
    assert answer.status_code == 302, answer.content.decode()
    assert Product.objects.get(id="alpha-milk").brand_name == "Alpha"


def test_two_products_of_one_name_are_refused(sign_in):
    make_product()
    data = {"id": "another", "name": "Alpha Orange Juice", "brand": "alpha", "active": "on"}
    answer = sign_in("reviewer").post(reverse("admin:annotation_product_add"), data)
    assert "already exists" in answer.content.decode()
    assert Product.objects.count() == 1


@pytest.mark.parametrize("name", ["brand", "product", "submission", "label"])
def test_every_list_opens(sign_in, labels, name):
    client = sign_in("superuser")
    assert client.get(reverse(f"admin:annotation_{name}_changelist")).status_code == 200
