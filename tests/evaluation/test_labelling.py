"""/evaluation/labelling/: judgments become labels to review, each once; what a reviewer rejects is not trained on."""

import pytest

from annotation.models import Label, Review
from annotation.reviews import labels_review
from evaluation.models import Judgment, Prediction
from evaluation.selectors.training import usable_judgments
from evaluation.services.judgments import Answer, predictions_judge
from evaluation.services.labelling import judgments_label
from evaluation.services.said import Said
from tests.evaluation.factories import make_catalogue, make_judgment, make_listing, make_run

pytestmark = pytest.mark.django_db(databases=["default", "mongo"], transaction=True)
URL = "/evaluation/labelling/"


@pytest.fixture
def products(person):
    return make_catalogue(3)


def said():
    with Said() as what:
        what.gather(unlabelled=False)
        return {one.listing_id: one.product_id for one in what}


def test_one_click_makes_labels_to_review(sign_in, products):
    right = make_judgment(1, predicted=products[0], listing=make_listing(1))
    wrong = make_judgment(2, predicted=products[0], verdict="wrong", right=products[1], listing=make_listing(2))
    client = sign_in("evaluator")
    assert right.id in client.get(URL).content.decode()
    page = client.post(URL, {"judgment": [right.id, wrong.id]}, follow=True).content.decode()
    assert "2 new labels wait for review." in page
    assert right.id not in page
    labels = {label.judgment_id: label for label in Label.objects.all()}
    assert {label.review for label in labels.values()} == {Review.PENDING}
    assert (labels[right.id].product_id, labels[right.id].suggested_by) == ("tea-0", "Model")
    assert (labels[wrong.id].product_id, labels[wrong.id].suggested_by) == ("tea-1", "")
    assert Judgment.objects.get(id=right.id).label_id == labels[right.id].id
    review = sign_in("reviewer").get("/admin/annotation/label/review/").content.decode()
    assert "a judgment of a prediction" in review


def test_the_same_said_twice_is_one_label_and_done_again_changes_nothing(products):
    listing = make_listing(1)
    ids = [make_judgment(n, predicted=products[0], listing=listing, evaluator_id=n).id for n in (1, 2)]
    assert judgments_label(judgment_ids=ids) == 1
    assert judgments_label(judgment_ids=ids) == 0
    assert Label.objects.count() == 1
    assert len(set(Judgment.objects.values_list("label_id", flat=True))) == 1


@pytest.mark.parametrize("values", [{"verdict": "unsure"}, {"verdict": "wrong"}, {"rejected": True}])
def test_what_names_no_product_makes_none(products, values):
    judgment = make_judgment(1, predicted=products[0], listing=make_listing(1), **values)
    assert judgments_label(judgment_ids=[judgment.id]) == 0
    assert not Label.objects.exists()
    assert said() == {}
    assert usable_judgments() == 0


def test_nothing_counts_twice_and_the_rejected_not_at_all(products, person):
    judgment = make_judgment(1, predicted=products[0], listing=make_listing(1))
    assert (said(), usable_judgments()) == ({judgment.listing_id: "tea-0"}, 1)
    judgments_label(judgment_ids=[judgment.id])
    assert (said(), usable_judgments()) == ({judgment.listing_id: "tea-0"}, 0)
    label = Label.objects.get()
    labels_review(label_ids=[label.id], review=Review.REJECTED, reason="product", reviewer=person("reviewer"))
    assert said() == {}


def test_said_otherwise_the_label_goes_unless_it_was_reviewed(products, person):
    evaluator = person("evaluator")
    make_run(evaluator, [products[0], products[1]])
    ids = list(Prediction.objects.order_by("position").values_list("id", flat=True))
    right = {one: Answer(position=0, verdict="right") for one in ids}
    judgments_label(judgment_ids=[row.id for row in predictions_judge(answers=right, evaluator=evaluator)])
    reviewed = Label.objects.get(product_id="tea-1")
    labels_review(label_ids=[reviewed.id], review=Review.APPROVED, reviewer=person("reviewer"))
    unsure = {one: Answer(position=0, verdict="unsure") for one in ids}
    predictions_judge(answers=unsure, evaluator=evaluator)
    assert list(Label.objects.values_list("id", flat=True)) == [reviewed.id]
    assert set(Judgment.objects.values_list("label_id", flat=True)) == {""}


def test_who_may(sign_in):
    assert sign_in("reviewer").get(URL).status_code == 200
    assert sign_in("annotator").get(URL).status_code == 403
    assert "Tick at least one" in sign_in("evaluator").post(URL, follow=True).content.decode()
