"""Tasks in the admin: made from the product list, given out, closed."""

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db import connections
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from annotation.models import Brand, Product, Task
from annotation.work import tasks_create
from tests.annotation.factories import make_product
from tests.annotation.work_to_do import make_submission, make_task, new_task

PRODUCTS, TASKS = "/admin/annotation/product/", "/admin/annotation/task/"
CHOICES = {"source": "demo-shop", "own": "on", "at_most": "3", "overlap": "1", "priority": "0", "do": "create"}


@pytest.fixture
def reviewer(sign_in, source):
    return sign_in("reviewer")


def act(client, url: str, action: str, documents, **data):
    chosen = {"action": action, ACTION_CHECKBOX_NAME: [document.pk for document in documents]}
    return client.post(url, chosen | data, follow=True)


def text(answer) -> str:
    return " ".join(answer.content.decode().split())


def made() -> list[tuple[str, str, str]]:
    return list(
        Task.objects.order_by("product_name", "keyword").values_list("product_name", "keyword", "assignee_name")
    )


class TestCreating:
    def test_it_counts_first_and_makes_nothing(self, reviewer):
        products = [make_product(keywords="orange juice, 橙汁"), make_product("Bare")]
        page = text(act(reviewer, PRODUCTS, "create_tasks", products))
        assert "2 tasks</strong>, of 2 products" in page
        assert "1 product has no such keyword" in page
        assert "Alpha Orange Juice: 橙汁" in page
        page = text(act(reviewer, PRODUCTS, "create_tasks", products, **CHOICES | {"do": "preview", "suggested": "on"}))
        assert "5 tasks</strong>" in page  # the names of both, too, with and without the brand
        assert made() == []

    def test_confirmed_it_makes_them_and_the_same_again_says_so(self, reviewer, person):
        products = [
            make_product("Juice", keywords="a, b"),
            make_product("Tea", keywords="c"),
            make_product("Wine", keywords="d"),
        ]
        choices = CHOICES | {"assignees": [person("annotator").pk, person("superuser").pk], "priority": "7"}
        assert "4 tasks are made." in text(act(reviewer, PRODUCTS, "create_tasks", products, **choices))
        turns = [
            ("Juice", "a", "annotator"),
            ("Juice", "b", "annotator"),
            ("Tea", "c", "superuser"),
            ("Wine", "d", "annotator"),
        ]
        assert made() == turns
        task = Task.objects.first()
        assert (task.priority, task.overlap, task.created_by, task.source) == (7, 1, "reviewer", "demo-shop")
        products.append(make_product("Beer", keywords="e"))
        page = text(act(reviewer, PRODUCTS, "create_tasks", products, **choices | {"priority": "1"}))
        assert "1 task is made. 4 were there already." in page
        assert Task.objects.filter(priority=7).count() == 4

    def test_all_across_the_pages_are_meant_and_only_those_that_are_filtered(self, reviewer):
        Brand.objects.create(id="b", name="B")
        Product.objects.bulk_create(
            Product(
                id=f"p-{n}", name=f"Product {n}", brand_id="b", brand_name="B", keywords=f"k {n}", active=n % 2 == 0
            )
            for n in range(250)
        )
        url = f"{PRODUCTS}?active__exact=1"
        some = [Product.objects.get(id="p-0")]
        page = text(act(reviewer, url, "create_tasks", some, select_across="1"))
        assert "125 tasks</strong>" in page
        assert 'name="select_across" value="1"' in page
        page = text(act(reviewer, url, "create_tasks", some, select_across="1", **CHOICES))
        assert "125 tasks are made." in page

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"own": ""}, "Choose which keywords"),
            ({"source": "nowhere"}, "nowhere is not one of the available choices"),
            ({"overlap": "0"}, "greater than or equal to 1"),
            ({"overlap": "11"}, "less than or equal to 10"),
            ({"priority": "9999"}, "less than or equal to 1000"),
            ({"at_most": ""}, "This field is required"),
            ({"assignees": ["999999"]}, "999999 is not one of the available choices"),
        ],
    )
    def test_what_makes_no_sense_is_said_and_nothing_is_made(self, reviewer, changes, message):
        answer = act(reviewer, PRODUCTS, "create_tasks", [make_product(keywords="a")], **CHOICES | changes)
        assert answer.status_code == 422
        assert message in text(answer)
        assert made() == []

    def test_a_task_for_several_annotators_is_assigned_to_nobody(self, reviewer, person):
        choices = CHOICES | {"overlap": "2", "assignees": [person("annotator").pk]}
        answer = act(reviewer, PRODUCTS, "create_tasks", [make_product(keywords="a")], **choices)
        assert "is open to all" in text(answer)
        assert made() == []

    def test_without_any_keyword_nothing_is_made(self, reviewer):
        page = text(act(reviewer, PRODUCTS, "create_tasks", [make_product()], **CHOICES))
        assert "0 tasks</strong>" in page

    def test_who_may_not_add_tasks_is_not_offered_it(self, sign_in, person, reviewer):
        from django.contrib.auth.models import Group

        Group.objects.get(name="reviewer").permissions.get(codename="add_task").delete()
        product = make_product(keywords="a")
        assert 'value="create_tasks"' not in text(reviewer.get(PRODUCTS))
        act(reviewer, PRODUCTS, "create_tasks", [product], **CHOICES)
        assert made() == []

    def test_hostile_names_are_inert(self, reviewer):
        hostile = "<script>alert(1)</script>"
        page = text(act(reviewer, PRODUCTS, "create_tasks", [make_product(hostile, keywords=hostile)]))
        assert hostile not in page


class TestTheList:
    def test_it_filters_and_searches(self, reviewer, person):
        make_task("tea", assignee=person("annotator"), priority=5)
        make_task("juice", overlap=2)
        make_task("wine", priority=-1, source="elsewhere")
        for query, wanted in [
            ({"q": "TEA"}, {"tea"}),
            ({"assignee": "annotator"}, {"tea"}),
            ({"assignee": "-"}, {"juice", "wine"}),
            ({"priority": "high"}, {"tea"}),
            ({"priority": "normal"}, {"juice"}),
            ({"priority": "low"}, {"wine"}),
            ({"source": "demo-shop"}, {"tea", "juice"}),
            ({"state__exact": "done"}, set()),
        ]:
            found = reviewer.get(TASKS, query).context["cl"].result_list
            assert {task.keyword for task in found} == wanted, query
        assert "0 / 2" in text(reviewer.get(TASKS))

    def test_the_number_of_queries_does_not_grow(self, reviewer):
        make_task()
        reviewer.get(TASKS)

        def queries() -> int:
            with (
                CaptureQueriesContext(connections["mongo"]) as mongo,
                CaptureQueriesContext(connections["default"]) as sql,
            ):
                reviewer.get(TASKS)
            return len(mongo) + len(sql)

        few = queries()
        tasks_create(tasks=[new_task(f"keyword {n}") for n in range(60)], created_by="")
        assert queries() == few

    def test_tasks_are_assigned_after_asking_whom_to(self, reviewer, person):
        tasks = [make_task("a"), make_task("b", overlap=2)]
        page = text(act(reviewer, TASKS, "assign", tasks))
        assert "2 tasks" in page
        assert made()[0][2] == ""
        page = text(act(reviewer, TASKS, "assign", tasks, confirmed="yes", assignee=person("annotator").pk))
        assert "1 task has changed. 1 was left as it is" in page
        assert [one[2] for one in made()] == ["annotator", ""]
        act(reviewer, TASKS, "assign", tasks, confirmed="yes", assignee="")
        assert [one[2] for one in made()] == ["", ""]
        assert act(reviewer, TASKS, "assign", tasks, confirmed="yes", assignee="99999").status_code == 422

    def test_the_priority_is_set_after_asking_for_it(self, reviewer):
        task = make_task()
        assert act(reviewer, TASKS, "prioritise", [task], confirmed="yes", priority="x").status_code == 422
        act(reviewer, TASKS, "prioritise", [task], confirmed="yes", priority="12")
        assert Task.objects.get().priority == 12

    def test_tasks_are_closed_and_reopened(self, reviewer):
        task = make_task()
        for action, state in [("close", "cancelled"), ("close", "cancelled"), ("reopen", "pending")]:
            act(reviewer, TASKS, action, [task])
            assert Task.objects.get().state == state

    def test_one_task_shows_who_did_it_and_cannot_be_edited(self, reviewer, person):
        task = make_task()
        make_submission(task, person("annotator"), skip_reason="none", skip_note="<b>empty</b>")
        make_submission(task, person("superuser"), matched_listing_ids=["a"], shown_listing_ids=["a", "b"])
        make_submission(task, person("reviewer"), cancelled_at=timezone.now())
        url = f"{TASKS}{task.id}/change/"
        page = text(reviewer.get(url))
        for words in ("skipped: none of them", "&lt;b&gt;empty", "1 of 2 ticked", "taken back"):
            assert words in page
        reviewer.post(url, {"priority": "9", "state": "done"})
        task.refresh_from_db()
        assert (task.priority, task.state) == (0, "pending")
