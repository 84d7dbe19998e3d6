"""/evaluation/runs/<id>/ and what it polls: the state told, each card once, ticks never wiped."""

import re
from datetime import timedelta

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from crawler.models import Crawl, WorkState
from evaluation import services
from evaluation.models import Prediction, PredictionRun
from tests.evaluation.factories import (
    finish_crawl,
    make_cached_page,
    make_catalogue,
    make_listing,
    make_model,
    make_run,
)


def progress_url(run):
    return reverse("evaluation:run_progress", args=[run.id])


def cards_in(response):
    return re.findall(r'id="card-(\d+)"', response.content.decode())


@pytest.fixture
def waiting_run(person):
    make_model()
    make_cached_page("tea", [make_listing(number) for number in range(3)])
    return services.run_start(keyword="tea", user=person("evaluator"))


def test_it_shows_each_prediction(sign_in, person):
    products = make_catalogue()
    run = make_run(person("evaluator"), [products[0], products[1], None])
    page = sign_in("evaluator").get(reverse("evaluation:run", args=[run.id])).content.decode()
    assert page.count('class="prediction text"') == 3
    assert "Tea 1" in page
    assert "80 %" in page
    assert "damaged picture" in page
    assert page.count('value="right"') == 2  # what failed cannot be judged
    assert 'hx-trigger="every' not in page


def test_hostile_titles_and_links_are_data(sign_in, person):
    run = make_run(person("evaluator"), [make_catalogue()[0]])
    hostile = '"><script>alert(1)</script>'
    Prediction.objects.filter(run_id=run.id).update(title=hostile, url="javascript:alert(1)", shop_name=hostile)
    page = sign_in("evaluator").get(reverse("evaluation:run", args=[run.id])).content.decode()
    assert "<script>alert" not in page
    assert "javascript:" not in page


def test_it_polls_while_the_crawl_is_under_way(sign_in, person):
    make_model()
    run = services.run_start(keyword="tea", user=person("evaluator"))
    Crawl.objects.filter(id=run.crawl_id).update(state=WorkState.RUNNING, images_total=9, images_done=4)
    client = sign_in("evaluator")
    response = client.get(progress_url(run), {"cards": "no"})
    assert response.status_code == 200
    assert "4 of 9 pictures" in response.content.decode()
    assert cards_in(response) == []


def test_it_says_that_it_waits_for_a_crawl_worker(sign_in, person):
    make_model()
    run = services.run_start(keyword="tea", user=person("evaluator"))
    Crawl.objects.filter(id=run.crawl_id).update(created_at=timezone.now() - timedelta(seconds=10))
    client = sign_in("evaluator")
    assert "Waiting for a crawl worker" in client.get(progress_url(run)).content.decode()
    crawls = Crawl.objects.filter(id=run.crawl_id)
    crawls.update(state=WorkState.RUNNING, leased_until=timezone.now() + timedelta(minutes=1))
    assert "Waiting for a crawl worker" not in client.get(progress_url(run)).content.decode()
    crawls.update(leased_until=timezone.now() - timedelta(seconds=1))  # its worker was killed
    assert "Waiting for a crawl worker" in client.get(progress_url(run)).content.decode()


def test_polling_carries_a_finished_crawl_on(sign_in, person):
    make_model()
    run = services.run_start(keyword="tea", user=person("evaluator"))
    finish_crawl(run.crawl_id, listings=[make_listing(number) for number in range(3)])
    response = sign_in("evaluator").get(progress_url(run), {"cards": "no"})
    assert cards_in(response) == ["0", "1", "2"]
    assert '<ul id="cards" hx-swap-oob="innerHTML">' in response.content.decode()
    assert Prediction.objects.filter(run_id=run.id).count() == 3


def test_it_says_that_it_waits_for_a_prediction_worker(sign_in, waiting_run):
    long_ago = timezone.now() - timedelta(minutes=1)
    Prediction.objects.filter(run_id=waiting_run.id).update(created_at=long_ago)
    page = sign_in("evaluator").get(progress_url(waiting_run), {"cards": "yes"}).content.decode()
    assert "waiting for a prediction worker" in page
    Prediction.objects.filter(run_id=waiting_run.id).update(leased_until=timezone.now() + timedelta(minutes=1))
    page = sign_in("evaluator").get(progress_url(waiting_run), {"cards": "yes"}).content.decode()
    assert "waiting for a prediction worker" not in page
    assert "0 of 3 predicted" in page


def test_only_cards_that_became_ready_are_sent(sign_in, waiting_run):
    Prediction.objects.filter(run_id=waiting_run.id, position=1).update(
        state=WorkState.DONE, product_id="tea-0", product_name="Tea 0", product_confidence=0.5
    )
    client = sign_in("evaluator")
    response = client.get(progress_url(waiting_run), {"cards": "yes", "waiting": ["0", "1", "2"]})
    assert cards_in(response) == ["1"]
    assert "1 of 3 predicted" in response.content.decode()
    again = client.get(progress_url(waiting_run), {"cards": "yes", "waiting": ["0", "2"]})
    assert cards_in(again) == []


def test_polling_ends_when_all_is_answered(sign_in, waiting_run):
    Prediction.objects.filter(run_id=waiting_run.id).update(state=WorkState.FAILED, error="no")
    response = sign_in("evaluator").get(progress_url(waiting_run), {"cards": "yes", "waiting": ["0"]})
    assert response.status_code == 286
    assert PredictionRun.objects.get().state == WorkState.DONE
    assert 'hx-trigger="every' not in response.content.decode()


def test_a_failed_crawl_is_told(sign_in, person):
    make_model()
    run = services.run_start(keyword="tea", user=person("evaluator"))
    Crawl.objects.filter(id=run.crawl_id).update(state=WorkState.FAILED, error="The shop is closed.")
    response = sign_in("evaluator").get(progress_url(run))
    assert response.status_code == 286
    assert "The shop is closed." in response.content.decode()


def test_an_empty_page_is_told(sign_in, person):
    make_model()
    make_cached_page("tea", [])
    run = services.run_start(keyword="tea", user=person("evaluator"))
    assert "shows nothing" in sign_in("evaluator").get(reverse("evaluation:run", args=[run.id])).content.decode()


def test_nobody_sees_what_others_ticked(sign_in, person):
    products = make_catalogue()
    run = make_run(person("evaluator"), [products[0]])
    sign_in("superuser").post(reverse("evaluation:judge", args=[run.id]), {"verdict-0": "right"})
    page = sign_in("evaluator").get(reverse("evaluation:run", args=[run.id])).content.decode()
    assert "checked" not in page
    assert "0 of 1 saved" in page


def test_the_number_of_queries_does_not_grow_with_the_cards(sign_in, person):
    products = make_catalogue()
    few = make_run(person("evaluator"), [products[0]])
    many = make_run(person("evaluator"), [products[0]] * 20)
    client = sign_in("evaluator")
    for run in (few, many):
        with CaptureQueriesContext(connections["mongo"]) as queries:
            client.get(reverse("evaluation:run", args=[run.id]))
        assert len(queries) == 4


@pytest.mark.parametrize("name", ["evaluation:run", "evaluation:run_progress"])
def test_others_may_not_and_unknown_runs_are_not_found(sign_in, name):
    assert sign_in("annotator").get(reverse(name, args=["x"])).status_code == 403
    assert sign_in("evaluator").get(reverse(name, args=["x"])).status_code == 404
    assert sign_in("evaluator").post(reverse(name, args=["x"])).status_code == 405


def test_the_right_product_is_looked_up_as_annotators_do(sign_in):
    make_catalogue(3)
    page = sign_in("evaluator").get("/evaluation/products/", {"product": "TEA 2"}).content.decode()
    assert page.count('role="option"') == 1
    assert 'data-value="Tea 2"' in page


def test_only_evaluators_may_look_it_up(sign_in):
    assert sign_in("annotator").get("/evaluation/products/").status_code == 403
