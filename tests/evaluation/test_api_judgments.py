"""`/api/judgments` and `/api/statistics`: what evaluators say, by programs, and what follows from it."""

import pytest

from evaluation.models import Judgment, Prediction, Verdict
from tests.evaluation.factories import make_catalogue, make_judgment, make_run

pytestmark = pytest.mark.django_db(databases=["default", "mongo"], transaction=True)
URL, JSON = "/api/judgments", "application/json"


@pytest.fixture
def products(person):
    return make_catalogue(4)


@pytest.fixture
def run(person, products):
    return make_run(person("evaluator"), [products[0], products[1], products[2], None])


@pytest.fixture
def ids(run):
    return list(Prediction.objects.filter(run_id=run.id).order_by("position").values_list("id", flat=True))


@pytest.fixture
def client(sign_in):
    return sign_in("evaluator")


def say(client, *judgments):
    return client.post(URL, {"judgments": list(judgments)}, JSON)


def test_several_are_saved_with_a_snapshot(client, run, ids):
    answer = say(
        client,
        {"prediction": ids[0], "verdict": "right"},
        {"prediction": ids[1], "verdict": "wrong", "right_product": "tea-3"},
        {"prediction": ids[2], "verdict": "wrong", "absent": True},
    )
    assert answer.status_code == 200, answer.content
    saved = {one["prediction"]: one for one in answer.json()["judgments"]}
    assert saved[ids[0]]["verdict"] == "right"
    assert (saved[ids[1]]["predicted_product"], saved[ids[1]]["right_product_name"]) == ("tea-1", "Tea 3")
    assert (saved[ids[2]]["right_product"], saved[ids[2]]["evaluator"]) == ("", "evaluator")
    assert set(Judgment.objects.values_list("keyword", flat=True)) == {"tea"}


def test_said_again_it_replaces_and_the_same_changes_nothing(client, ids):
    say(client, {"prediction": ids[0], "verdict": "right"})
    before = Judgment.objects.get()
    say(client, {"prediction": ids[0], "verdict": "right"})
    assert Judgment.objects.get().judged_at == before.judged_at
    say(client, {"prediction": ids[0], "verdict": "unsure"})
    assert Judgment.objects.get().verdict == Verdict.UNSURE


@pytest.mark.parametrize(
    ("second", "words"),
    [
        ({"verdict": "wrong"}, "Which product is it?"),
        ({"verdict": "wrong", "right_product": "cola"}, "Which product is it?"),
        ({"verdict": "wrong", "right_product": "tea-1"}, "what the model said"),
        ({"verdict": "odd"}, "odd"),
        ({"prediction": "nothing", "verdict": "right"}, "“nothing”"),
    ],
)
def test_all_or_none(client, ids, second, words):
    answer = say(client, {"prediction": ids[0], "verdict": "right"}, {"prediction": ids[1]} | second)
    assert answer.status_code == 400
    assert words in str(answer.json()["errors"])
    assert not Judgment.objects.exists()


@pytest.mark.parametrize("data", [{}, {"judgments": []}, {"judgments": "x"}, {"judgments": [{}]}, [1]])
def test_bad_input_is_refused(client, run, data):
    assert client.post(URL, data, JSON).status_code == 400


def test_twice_in_one_request_is_refused(client, ids):
    answer = say(client, *({"prediction": ids[0], "verdict": verdict} for verdict in ("right", "wrong")))
    assert answer.status_code == 400
    assert not Judgment.objects.exists()


class TestRejected:
    """The model said: not in our catalogue."""

    @pytest.fixture(autouse=True)
    def _rejected(self, run):
        Prediction.objects.filter(run_id=run.id).update(rejected=True)

    def test_right_means_that_it_is_not_there(self, client, ids):
        (saved,) = say(client, {"prediction": ids[0], "verdict": "right"}).json()["judgments"]
        assert (saved["rejected"], saved["right_product"]) == (True, "")

    def test_wrong_names_the_product_also_the_one_that_the_model_thought_of(self, client, ids):
        (saved,) = say(client, {"prediction": ids[0], "verdict": "wrong", "right_product": "tea-0"}).json()["judgments"]
        assert saved["right_product"] == "tea-0"

    def test_wrong_and_not_there_contradict(self, client, ids):
        answer = say(client, {"prediction": ids[0], "verdict": "wrong", "absent": True})
        assert answer.status_code == 400
        assert "what the model said" in str(answer.json()["errors"])


class TestList:
    def test_filters_and_pages(self, client, products):
        for number in range(3):
            make_judgment(number, predicted=products[0], run_id="one")
        make_judgment(3, predicted=products[1], verdict="wrong", right=products[2], evaluator_name="other")
        first = client.get(URL, {"page_size": 3}).json()
        second = client.get(URL, {"page_size": 3, "cursor": first["next_cursor"]}).json()
        assert len({one["id"] for one in first["judgments"] + second["judgments"]}) == 4
        for query, count in [
            ({"job": "one"}, 3),
            ({"verdict": "wrong"}, 1),
            ({"right_product": "tea-2"}, 1),
            ({"product": "tea-0", "evaluator": "other"}, 0),
            ({"prediction": "prediction-1"}, 1),
        ]:
            assert len(client.get(URL, query).json()["judgments"]) == count, query

    @pytest.mark.parametrize("query", [{"cursor": "x"}, {"verdct": "right"}, {"judged_after": "soon"}])
    def test_what_it_cannot_filter_by_is_refused(self, client, query):
        answer = client.get(URL, query)
        assert answer.status_code == 400
        assert list(answer.json()["errors"]) == list(query)


class TestStatistics:
    def test_figures(self, client, products):
        make_judgment(0, predicted=products[0], model_id="a")
        make_judgment(1, predicted=products[0], verdict="wrong", right=products[2], model_id="a")
        make_judgment(2, predicted=products[1], model_id="b")
        make_judgment(3, predicted=products[1], model_id="b", trained_on=True)
        data = client.get("/api/statistics").json()
        assert (data["fresh"]["product"]["right"], data["fresh"]["product"]["of"]) == (2, 3)
        assert data["fresh"]["product"]["low"] < data["fresh"]["product"]["percent"] < data["fresh"]["product"]["high"]
        assert data["trained_on"]["judged"] == 1
        assert data["mix_ups"] == [{"predicted": "Tea 0", "right": "Tea 2", "count": 1}]
        of_a = client.get("/api/statistics", {"model": "a"}).json()
        assert (of_a["fresh"]["product"]["right"], of_a["fresh"]["product"]["of"]) == (1, 2)
        assert [row["key"] for row in of_a["by_model"]] == ["a"]

    def test_filters_are_those_of_the_page(self, client, products):
        make_judgment(0, predicted=products[0], shop_name="one", product_confidence=0.85)
        make_judgment(1, predicted=products[0], shop_name="one", product_confidence=0.95, verdict="wrong")
        make_judgment(2, predicted=products[1], shop_name="other")
        for query, right, of in [
            ({"shop": "one"}, 1, 2),
            ({"shop": "one", "confidence": "80-90"}, 1, 1),
            ({"product": "tea-1"}, 1, 1),
            ({"until": "2001-01-01"}, 0, 0),
        ]:
            data = client.get("/api/statistics", query).json()
            assert (data["fresh"]["product"]["right"], data["fresh"]["product"]["of"]) == (right, of), query
        assert [row["name"] for row in client.get("/api/statistics").json()["by_shop"]] == ["one", "other"]

    @pytest.mark.parametrize("query", [{"confidence": "much"}, {"since": "soon"}, {"verdict": "good"}])
    def test_a_filter_that_makes_no_sense_is_refused_by_name(self, client, query):
        answer = client.get("/api/statistics", query)
        assert answer.status_code == 400
        assert list(answer.json()["errors"]) == list(query)

    def test_nothing_judged_is_null_not_nought(self, client):
        assert client.get("/api/statistics").json()["fresh"]["product"]["percent"] is None

    def test_an_unknown_filter_is_refused(self, client):
        assert client.get("/api/statistics", {"modell": "a"}).status_code == 400


@pytest.mark.parametrize("role", ["annotator", "reviewer", "nobody"])
def test_others_may_not(sign_in, role):
    client = sign_in(role)
    assert client.get(URL).status_code == client.post(URL, {}, JSON).status_code == 403
    assert client.get("/api/statistics").status_code == 403
