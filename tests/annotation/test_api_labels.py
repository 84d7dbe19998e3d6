"""`/api/labels`: submitting, who sees which, pages that stay put, reviewing."""

from datetime import timedelta

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from annotation.models import Label, Review, Submission
from tests.annotation.factories import make_listing, make_product

pytestmark = pytest.mark.django_db(databases=["default", "mongo"], transaction=True)
URL, JSON = "/api/labels", "application/json"


@pytest.fixture
def annotator(sign_in, source):
    make_product()
    return sign_in("annotator")


@pytest.fixture
def reviewer(sign_in):
    return sign_in("reviewer")


def submission(*listings, **changes) -> dict:
    return {
        "submission": "s-1",
        "product": "alpha-orange-juice",
        "keyword": "juice",
        "source": "demo-shop",
        "listings": [listing.id for listing in listings],
    } | changes


def make_label(number: int, **fields) -> Label:
    values = {
        "id": f"label-{number:03}",
        "submission_id": "s",
        "listing_id": f"listing-{number}",
        "source": "demo-shop",
        "title": f"juice {number}",
        "url": "https://shop.example/",
        "product_id": "juice",
        "product_name": "Juice",
        "brand_id": "alpha",
        "brand_name": "Alpha",
        "keyword": "juice",
        "annotator_id": 0,
        "annotator_name": "somebody",
        "created_at": timezone.now(),
    } | fields
    label = Label(**values)
    label.save(force_insert=True)
    return label


def ids(client, **query) -> list[str]:
    answer = client.get(URL, query)
    assert answer.status_code == 200, answer.content
    return [one["id"] for one in answer.json()["labels"]]


class TestSubmitting:
    def test_it_works(self, annotator):
        one, other, unticked = make_listing("橙汁 1L"), make_listing(), make_listing()
        shown = [one.id, other.id, unticked.id]
        answer = annotator.post(URL, submission(one, other, shown=shown, pages=2), JSON)
        assert answer.status_code == 201
        data = answer.json()
        assert (data["submission"], data["state"]) == ("s-1", "done")
        first = data["labels"][0]
        assert (first["listing"], first["title"], first["product"], first["brand"]) == (
            one.id,
            "橙汁 1L",
            "alpha-orange-juice",
            "alpha",
        )
        assert (first["annotator"], first["review"], first["reviewer"]) == ("annotator", "pending", "")
        assert first["image"] == f"/images/{one.image_sha256}.jpg"
        assert annotator.get(f"{URL}/{first['id']}").json() == first
        assert (Submission.objects.get().shown_listing_ids, Submission.objects.get().pages) == (shown, 2)

    def test_the_same_again_changes_nothing(self, annotator):
        body = submission(make_listing(), make_listing())
        first, second = annotator.post(URL, body, JSON), annotator.post(URL, body, JSON)
        assert (first.status_code, second.status_code) == (201, 200)
        assert first.json() == second.json()
        assert (Submission.objects.count(), Label.objects.count()) == (1, 2)

    def test_an_id_that_said_something_else_is_a_conflict(self, annotator):
        one, other = make_listing(), make_listing()
        annotator.post(URL, submission(one), JSON)
        for body in (submission(other), submission(one, keyword="tea"), submission(one, product="tea")):
            answer = annotator.post(URL, body, JSON)
            assert answer.status_code == 409
            assert answer["Content-Type"] == "application/problem+json"
            assert "“s-1”" in answer.json()["detail"]
        assert Label.objects.count() == 1

    def test_somebody_elses_id_is_a_conflict(self, annotator, reviewer):
        body = submission(make_listing())
        annotator.post(URL, body, JSON)
        answer = reviewer.post(URL, body, JSON)
        assert answer.status_code == 409
        assert "labels" not in answer.json()

    @pytest.mark.parametrize(
        ("changes", "field", "named"),
        [
            ({"submission": ""}, "submission", ""),
            ({"submission": "s" * 65}, "submission", "sss"),
            ({"product": "nowhere"}, "product", "“nowhere”"),
            ({"product": "old"}, "product", "“old”"),
            ({"source": "nowhere"}, "source", "“nowhere”"),
            ({"listings": []}, "listings", ""),
            ({"listings": "abc"}, "listings", "abc"),
            ({"listings": ["unknown"]}, "listings", "unknown"),
            ({"listings": ["x"] * 1001}, "listings", "1000"),
            ({"shown": ["other"]}, "listings", "was not on this page"),
            ({"keyword": "k" * 201}, "keyword", "kkk"),
            ({"pages": 0}, "pages", "“0”"),
        ],
    )
    def test_bad_input_is_refused_with_field_and_value(self, annotator, changes, field, named):
        make_product("Old", active=False)
        answer = annotator.post(URL, submission(make_listing(), **changes), JSON)
        assert answer.status_code == 400
        assert answer["Content-Type"] == "application/problem+json"
        assert named in answer.json()["errors"][field][0]
        assert not Submission.objects.exists()

    def test_a_listing_without_a_picture_is_refused(self, annotator):
        answer = annotator.post(URL, submission(make_listing("bare", image_sha256="")), JSON)
        assert "“bare”" in answer.json()["errors"]["listings"][0]

    @pytest.mark.parametrize("role", ["evaluator", "operator", "nobody"])
    def test_only_annotators_may(self, sign_in, annotator, role):
        assert sign_in(role).post(URL, submission(make_listing()), JSON).status_code == 403

    def test_more_listings_are_no_more_queries(self, annotator):
        def queries(name, count):
            body = submission(*(make_listing() for _ in range(count)), submission=name, keyword=name)
            with CaptureQueriesContext(connections["mongo"]) as seen:
                assert annotator.post(URL, body, JSON).status_code == 201
            return len(seen)

        few = queries("few", 2)
        assert queries("many", 40) <= few


class TestWhoSeesWhat:
    def test_annotators_see_their_own(self, annotator, reviewer, person):
        mine = make_label(1, annotator_id=person("annotator").pk, annotator_name="annotator")
        make_label(2)
        assert ids(annotator) == [mine.id]
        assert ids(annotator, annotator="somebody") == []
        assert annotator.get(f"{URL}/{mine.id}").status_code == 200
        assert annotator.get(f"{URL}/label-002").status_code == 404
        assert len(ids(reviewer)) == 2
        assert reviewer.get(f"{URL}/label-002").status_code == 200

    @pytest.mark.parametrize("role", ["evaluator", "operator", "nobody"])
    def test_others_may_not(self, sign_in, role):
        make_label(1)
        client = sign_in(role)
        assert client.get(URL).status_code == 403
        assert client.get(f"{URL}/label-001").status_code == 403


class TestFilters:
    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ({"review": "approved"}, [2]),
            ({"product": "tea"}, [3]),
            ({"brand": "beta"}, [3]),
            ({"annotator": "other"}, [4]),
            ({"source": "files"}, [5]),
            ({"listing": "listing-4"}, [4]),
            ({"submission": "s"}, [5, 4, 3, 2, 1]),
            ({"keyword": "milk"}, [1]),
            ({"keyword": "MILK"}, []),
            ({"keyword": ".*"}, []),
            ({"created_after": "2026-01-04T00:00:00Z"}, [5, 4]),
            ({"created_before": "2026-01-02T00:00:00Z"}, [1]),
            ({"created_after": "2026-01-02T00:00:00Z", "created_before": "2026-01-04T00:00:00Z"}, [3, 2]),
            ({"product": "juice", "source": "files"}, [5]),
            ({"product": "", "review": ""}, [5, 4, 3, 2, 1]),
        ],
    )
    def test_they_narrow_the_list(self, reviewer, query, found):
        start = timezone.datetime(2026, 1, 1, tzinfo=timezone.get_fixed_timezone(0))
        special = [
            {"keyword": "milk"},
            {"review": Review.APPROVED},
            {"product_id": "tea", "brand_id": "beta"},
            {"annotator_name": "other"},
            {"source": "files"},
        ]
        for number, fields in enumerate(special, start=1):
            make_label(number, created_at=start + timedelta(days=number - 1), **fields)
        assert ids(reviewer, **query) == [f"label-{number:03}" for number in found]

    @pytest.mark.parametrize(
        ("query", "field"),
        [
            ({"review": "perhaps"}, "review"),
            ({"created_after": "yesterday"}, "created_after"),
            ({"created_before": "9999-99-99"}, "created_before"),
            ({"product": "a\0b"}, "product"),
            ({"cursor": "x"}, "cursor"),
            ({"cursor": "-label"}, "cursor"),
            ({"cursor": "²-label"}, "cursor"),
            ({"cursor": "9" * 30 + "-label"}, "cursor"),
            ({"products": "juice"}, "products"),
        ],
    )
    def test_bad_ones_are_refused(self, reviewer, query, field):
        answer = reviewer.get(URL, query)
        assert answer.status_code == 400
        assert answer["Content-Type"] == "application/problem+json"
        assert set(answer.json()["errors"]) == {field}


class TestPages:
    def test_they_hold_everything_once_though_labels_share_their_moment(self, reviewer):
        now = timezone.now()
        for number in range(11):
            make_label(number, created_at=now - timedelta(seconds=number // 5))
        seen: list[str] = []
        cursor = ""
        while True:
            page = reviewer.get(URL, {"page_size": 3, "cursor": cursor, "product": "juice"}).json()
            seen += [one["id"] for one in page["labels"]]
            cursor = page["next_cursor"]
            if not cursor:
                break
            assert len(page["labels"]) == 3
        wanted = sorted(Label.objects.all(), key=lambda label: (label.created_at, label.id), reverse=True)
        assert seen == [label.id for label in wanted]

    def test_what_arrives_meanwhile_shifts_nothing(self, reviewer):
        for number in range(4):
            make_label(number)
        first = reviewer.get(URL, {"page_size": 2}).json()
        make_label(9)
        Label.objects.filter(id=first["labels"][1]["id"]).delete()
        second = reviewer.get(URL, {"page_size": 2, "cursor": first["next_cursor"]}).json()
        assert [one["id"] for one in second["labels"]] == ["label-001", "label-000"]
        assert second["next_cursor"] == ""

    def test_more_labels_are_no_more_queries(self, reviewer):
        def queries(**query):
            with CaptureQueriesContext(connections["mongo"]) as seen:
                assert reviewer.get(URL, query).status_code == 200
            return len(seen)

        for number in range(30):
            make_label(number)
        assert queries(page_size=1) == queries(page_size=30) == 1

    def test_a_page_is_read_from_an_index(self, reviewer):
        names = {str(index["key"]) for index in _indexes()}
        assert any("created_at" in name and "id" in name for name in names), names


def _indexes() -> list:
    from mmproject.mongo.collections import collection

    return list(collection(Label).list_indexes())


class TestReviewing:
    def test_it_approves_rejects_and_reopens(self, reviewer):
        make_label(1)
        for action, review in [("approve", "approved"), ("reject", "rejected"), ("reopen", "pending")]:
            why = {"reason": "variant", "note": "that is 2 l"} if action == "reject" else {}
            answer = reviewer.post(f"{URL}/label-001/review", {"action": action, **why}, JSON)
            assert answer.status_code == 200
            data = answer.json()
            assert (data["review"], data["reviewer"]) == (review, "reviewer")
            assert (data["reject_reason"], data["review_note"]) == (why.get("reason", ""), why.get("note", ""))
            assert data["reviewed_at"]

    def test_the_same_again_keeps_the_first_reviewer(self, reviewer, sign_in):
        make_label(1)
        first = sign_in("superuser").post(f"{URL}/label-001/review", {"action": "approve"}, JSON)
        assert reviewer.post(f"{URL}/label-001/review", {"action": "approve"}, JSON).json() == first.json()

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({}, "action"),
            ({"action": ""}, "action"),
            ({"action": "delete"}, "action"),
            ({"action": ["approve"]}, "action"),
            ({"action": "reject"}, "reason"),
            ({"action": "reject", "reason": "ugly"}, "reason"),
            ({"action": "reject", "reason": "other", "note": "x" * 501}, "note"),
        ],
    )
    def test_bad_input_is_refused(self, reviewer, body, field):
        make_label(1)
        answer = reviewer.post(f"{URL}/label-001/review", body, JSON)
        assert answer.status_code == 400
        assert set(answer.json()["errors"]) == {field}
        assert Label.objects.get().review == Review.PENDING

    def test_an_unknown_label_is_not_found(self, reviewer):
        assert reviewer.post(f"{URL}/unknown/review", {"action": "approve"}, JSON).status_code == 404

    @pytest.mark.parametrize("role", ["annotator", "evaluator", "operator", "nobody"])
    def test_only_reviewers_may(self, sign_in, person, role):
        make_label(1, annotator_id=person(role).pk)
        assert sign_in(role).post(f"{URL}/label-001/review", {"action": "approve"}, JSON).status_code == 403
        assert Label.objects.get().review == Review.PENDING
