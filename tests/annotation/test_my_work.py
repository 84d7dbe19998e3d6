"""The page of one's own work, the next task after a submit, and keywords for the chosen product."""

from datetime import timedelta

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from annotation.followers import follow
from annotation.work import tasks_create
from tests.annotation.factories import make_listing, make_product
from tests.annotation.work_to_do import make_claim, make_submission, make_task, new_task

URL = "/annotation/work/"
HOSTILE = "<script>alert(1)</script>"


def text(answer) -> str:
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def test_it_shows_what_is_next_and_leads_to_it(sign_in, person, source):
    task = make_task("juice", assignee=person("annotator"), priority=3, brand_name="Alpha")
    page = text(sign_in("annotator").get(URL))
    address = f"/annotation/?product=Juice&amp;keyword=juice&amp;source=demo-shop&amp;task={task.id}"
    assert page.count(f'href="{address}"') == 2
    assert "Start <kbd>t</kbd>" in page
    assert "0 / 1" in page
    assert '<progress id="assigned" max="1" value="0">' in page
    assert source.name in page


def test_after_the_first_of_today_it_is_the_next(sign_in, person):
    done = make_task("a", assignee=person("annotator"))
    make_task("b", assignee=person("annotator"))
    follow(make_submission(done, person("annotator"), skip_reason="none"))
    page = text(sign_in("annotator").get(URL))
    assert "Next task <kbd>t</kbd>" in page
    assert "1 / 2" in page
    assert '<b>1</b> done today <span class="muted small">1 skipped</span>' in page


def test_the_pace_of_the_last_day_is_told(sign_in, person):
    task = make_task()
    for seconds in (10, 50, 90, 130):
        make_submission(task, person("annotator"), at=timezone.now() - timedelta(seconds=seconds))
    page = text(sign_in("annotator").get(URL))
    assert "<b>90</b> tasks an hour" in page
    assert "40 s for each" in page


def test_it_says_who_is_at_a_task_and_how_many_have_done_it(sign_in, person):
    task = make_task(overlap=3)
    make_claim(task, person("superuser"), until=timezone.now() + timedelta(minutes=5))
    follow(make_submission(task, person("reviewer")))
    page = text(sign_in("annotator").get(URL))
    assert "superuser is at it" in page
    assert "1 of 3 have done it" in page


def test_without_tasks_it_says_so(sign_in):
    assert "No task is waiting for you." in text(sign_in("annotator").get(URL))


def test_how_much_of_what_was_suggested_is_kept_is_told(sign_in, person):
    fields = {"suggested_by": "model 1", "suggested_listing_ids": ["a", "b"], "matched_listing_ids": ["a", "c"]}
    task = make_task()
    make_submission(task, person("annotator"), shown_listing_ids=["a", "b", "c", "d", "e", "f"], **fields)
    make_submission(task, person("annotator"), shown_listing_ids=["x"], matched_listing_ids=["x"])
    make_submission(task, person("reviewer"), shown_listing_ids=["a", "b", "c"], **fields)
    page = text(sign_in("annotator").get(URL))
    assert "you kept 1 of 2 (50 %)" in page
    assert "you ticked 1 of 4 (25 %)" in page


def test_hostile_words_are_inert(sign_in):
    make_task(HOSTILE, product_name=HOSTILE, brand_name=HOSTILE)
    page = text(sign_in("annotator").get(URL))
    assert HOSTILE not in page
    assert "&lt;script&gt;" in page


@pytest.mark.parametrize("role", ["nobody", "evaluator", "operator"])
@pytest.mark.parametrize("path", [URL, "/annotation/keywords/"])
def test_only_annotators_may(sign_in, role, path):
    assert sign_in(role).get(path).status_code == 403


def test_the_number_of_queries_does_not_grow(sign_in, person):
    client = sign_in("annotator")
    client.get(URL)

    def queries() -> int:
        with CaptureQueriesContext(connections["mongo"]) as mongo, CaptureQueriesContext(connections["default"]) as sql:
            client.get(URL)
        return len(mongo) + len(sql)

    few = queries()
    tasks_create(tasks=[new_task(f"keyword {n}") for n in range(50)], created_by="")
    assert queries() <= few


def test_the_next_task_is_offered_where_there_are_no_results_and_after_a_submit(sign_in, source):
    make_product(keywords="orange juice")
    listing = make_listing()
    client = sign_in("annotator")
    assert "Next task <kbd>" not in text(client.get("/annotation/"))
    task = make_task("tea")
    assert f"task={task.id}" in text(client.get("/annotation/"))
    data = {"submission": "s-1", "product": "Alpha Orange Juice", "keyword": "juice", "source": "demo-shop", "pages": 1}
    data |= {"shown": listing.id, "listing": listing.id}
    answer = client.post("/annotation/submit/", data, HTTP_HX_REQUEST="true")
    assert f"task={task.id}" in text(answer)


def test_keywords_are_suggested_for_the_chosen_product(sign_in):
    product = make_product("Alpha Juice", keywords="橙汁")
    product.brand.aliases = "阿尔法"
    product.brand.save()
    client = sign_in("annotator")
    page = text(client.get("/annotation/keywords/", {"product": "Alpha Juice"}))
    for keyword in ("橙汁", "Alpha Juice", "阿尔法 Juice"):
        assert f'data-keyword="{keyword}"' in page
    assert "product=Alpha%20Juice" in page
    for name in ("", "no such product", "x" * 500):
        assert text(client.get("/annotation/keywords/", {"product": name})) == ""


def test_hostile_keywords_are_inert(sign_in):
    make_product(HOSTILE, keywords='"><img src=x onerror=alert(1)>')
    page = text(sign_in("annotator").get("/annotation/keywords/", {"product": HOSTILE}))
    assert "<img" not in page
    assert "<script" not in page
