"""`/api/tasks`: who sees which, making and changing them."""

import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext

from annotation.followers import follow
from annotation.models import Task
from annotation.work import tasks_close, tasks_create
from tests.annotation.factories import make_product
from tests.annotation.work_to_do import make_submission, make_task, new_task

URL, JSON = "/api/tasks", "application/json"


@pytest.fixture
def reviewer(sign_in, source):
    make_product()
    return sign_in("reviewer")


@pytest.fixture
def annotator(sign_in):
    return sign_in("annotator")


def keywords(client, **query) -> list[str]:
    answer = client.get(URL, query)
    assert answer.status_code == 200, answer.content
    return [one["keyword"] for one in answer.json()["tasks"]]


def body(**changes) -> dict:
    return {"product": "alpha-orange-juice", "keyword": "juice", "source": "demo-shop"} | changes


class TestListing:
    def test_it_works(self, reviewer, person):
        task = make_task("a", assignee=person("annotator"), priority=2, brand_name="Alpha")
        answer = reviewer.get(URL).json()
        created_at = answer["tasks"][0].pop("created_at")
        assert created_at.startswith(str(task.created_at.year))
        assert answer == {
            "next_cursor": "",
            "tasks": [
                {
                    "id": task.id,
                    "product": "juice",
                    "product_name": "Juice",
                    "brand_name": "Alpha",
                    "keyword": "a",
                    "source": "demo-shop",
                    "overlap": 1,
                    "done": 0,
                    "priority": 2,
                    "assignee": "annotator",
                    "state": "pending",
                    "created_by": "reviewer",
                    "finished_at": None,
                }
            ],
        }

    def test_annotators_see_their_own_and_the_open_ones(self, annotator, reviewer, person):
        make_task("open")
        make_task("mine", assignee=person("annotator"))
        other = make_task("other's", assignee=person("superuser"))
        assert set(keywords(annotator)) == {"open", "mine"}
        assert keywords(annotator, mine="true") == ["mine"]
        assert keywords(annotator, assignee="superuser") == []
        assert len(keywords(reviewer)) == 3
        assert annotator.get(f"{URL}/{other.id}").status_code == 404
        assert reviewer.get(f"{URL}/{other.id}").json()["keyword"] == "other's"

    def test_filters(self, reviewer, person):
        make_task("tea", product_id="tea", priority=5, assignee=person("annotator"))
        make_task("low", priority=-5, source="elsewhere")
        tasks_close(task_ids=[make_task("closed").id])
        for query, wanted in [
            ({"state": "pending"}, {"tea", "low"}),
            ({"state": "cancelled"}, {"closed"}),
            ({"product": "tea"}, {"tea"}),
            ({"source": "elsewhere"}, {"low"}),
            ({"assignee": "annotator"}, {"tea"}),
            ({"priority_min": 0}, {"tea", "closed"}),
            ({"priority_min": 0, "state": "pending"}, {"tea"}),
        ]:
            assert set(keywords(reviewer, **query)) == wanted, query

    def test_pages_follow_one_another_without_gaps(self, reviewer):
        tasks_create(tasks=[new_task(f"keyword {n}") for n in range(7)], created_by="")  # all at one moment
        seen, cursor = [], ""
        while True:
            page = reviewer.get(URL, {"page_size": 3, "cursor": cursor}).json()
            seen += [one["id"] for one in page["tasks"]]
            cursor = page["next_cursor"]
            if not cursor:
                break
        assert len(seen) == len(set(seen)) == 7

    @pytest.mark.parametrize(
        ("query", "field"),
        [
            ({"state": "running"}, "state"),
            ({"mine": "perhaps"}, "mine"),
            ({"priority_min": "x"}, "priority_min"),
            ({"cursor": "zzz"}, "cursor"),
            ({"page_size": 0}, "page_size"),
            ({"assigned": "annotator"}, "assigned"),
        ],
    )
    def test_what_makes_no_sense_is_refused_by_name(self, reviewer, query, field):
        answer = reviewer.get(URL, query)
        assert answer.status_code == 400
        assert answer["Content-Type"] == "application/problem+json"
        assert set(answer.json()["errors"]) == {field}

    def test_it_costs_one_query(self, reviewer):
        tasks_create(tasks=[new_task(f"keyword {n}") for n in range(30)], created_by="")
        with CaptureQueriesContext(connections["mongo"]) as queries:
            assert len(keywords(reviewer)) == 30
        assert len(queries) == 1


class TestCreating:
    def test_many_are_made_at_once_and_the_same_again_makes_none(self, reviewer, person):
        person("annotator")
        wanted = [body(priority=3, assignee="annotator"), body(keyword=" 橙  汁 ", overlap=2), body(keyword="橙 汁")]
        answer = reviewer.post(URL, {"tasks": wanted}, JSON)
        assert answer.status_code == 201
        data = answer.json()
        assert (data["new"], data["existing"]) == (2, 0)
        assert [(one["keyword"], one["priority"], one["overlap"], one["assignee"]) for one in data["tasks"]] == [
            ("juice", 3, 1, "annotator"),
            ("橙 汁", 0, 2, ""),  # the first of two of the same
        ]
        assert (data["tasks"][0]["product_name"], data["tasks"][0]["brand_name"]) == ("Alpha Orange Juice", "Alpha")
        assert Task.objects.first().created_by == "reviewer"
        again = reviewer.post(URL, {"tasks": [body(priority=9)]}, JSON)
        assert again.status_code == 200
        assert (again.json()["new"], again.json()["existing"], again.json()["tasks"][0]["priority"]) == (0, 1, 3)

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"product": "nowhere"}, "product"),
            ({"product": "old"}, "product"),
            ({"source": "nowhere"}, "source"),
            ({"assignee": "nobody"}, "assignee"),
            ({"assignee": "reviewer", "overlap": 2}, "overlap"),
        ],
    )
    def test_what_does_not_fit_is_refused_by_name_and_nothing_is_made(self, reviewer, person, changes, field):
        make_product("Old", active=False)
        person("nobody")
        answer = reviewer.post(URL, {"tasks": [body(), body(**changes)]}, JSON)
        assert answer.status_code == 400
        assert set(answer.json()["errors"]) == {field}
        assert not Task.objects.exists()

    @pytest.mark.parametrize(
        "sent",
        [
            {},
            {"tasks": []},
            {"tasks": "x"},
            {"tasks": [{}]},
            {"tasks": [body(overlap=0)]},
            {"tasks": [body(priority=1001)]},
            {"tasks": [body(keyword="")]},
            {"tasks": [body()] * 1001},
        ],
    )
    def test_bad_input_is_refused(self, reviewer, sent):
        answer = reviewer.post(URL, sent, JSON)
        assert answer.status_code == 400
        assert set(answer.json()["errors"]) == {"tasks"}
        assert not Task.objects.exists()

    @pytest.mark.parametrize("role", ["annotator", "evaluator", "operator", "nobody"])
    def test_only_reviewers_may(self, sign_in, reviewer, role):
        assert sign_in(role).post(URL, {"tasks": [body()]}, JSON).status_code == 403
        assert not Task.objects.exists()


class TestChanging:
    def patch(self, client, task: Task, **changes):
        return client.patch(f"{URL}/{task.id}", changes, JSON)

    def test_it_gives_to_somebody_sets_the_priority_closes_and_reopens(self, reviewer, person):
        task, name = make_task(), person("annotator").username
        answer = self.patch(reviewer, task, assignee=name, priority=4)
        assert answer.status_code == 200
        assert (answer.json()["assignee"], answer.json()["priority"], answer.json()["state"]) == (name, 4, "pending")
        assert self.patch(reviewer, task, state="cancelled").json()["state"] == "cancelled"
        assert self.patch(reviewer, task, state="pending", assignee="").json()["assignee"] == ""
        assert self.patch(reviewer, task).json()["priority"] == 4

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"priority": "x"}, "priority"),
            ({"priority": -1001}, "priority"),
            ({"state": "done"}, "state"),
            ({"assignee": "nobody", "priority": 5}, "assignee"),
            ({"assignee": "reviewer", "priority": 5}, "assignee"),  # the task is for two
        ],
    )
    def test_what_makes_no_sense_is_refused_by_name_and_changes_nothing(self, reviewer, changes, field):
        task = make_task(overlap=2)
        answer = self.patch(reviewer, task, **changes)
        assert answer.status_code == 400
        assert set(answer.json()["errors"]) == {field}
        task.refresh_from_db()
        assert (task.priority, task.state, task.assignee_name) == (0, "pending", "")

    def test_a_done_or_closed_task_is_a_conflict(self, reviewer, person):
        done, closed = make_task("a"), make_task("b")
        follow(make_submission(done, person("annotator")))
        tasks_close(task_ids=[closed.id])
        for task, changes in [(done, {"state": "cancelled"}), (done, {"assignee": ""}), (closed, {"assignee": ""})]:
            answer = self.patch(reviewer, task, **changes)
            assert answer.status_code == 409
            assert answer["Content-Type"] == "application/problem+json"

    def test_an_unknown_task_is_not_found(self, reviewer):
        assert self.patch(reviewer, Task(id="unknown"), priority=1).status_code == 404
        assert reviewer.get(f"{URL}/unknown").status_code == 404

    @pytest.mark.parametrize("role", ["annotator", "evaluator", "operator", "nobody"])
    def test_only_reviewers_may(self, sign_in, person, role):
        task = make_task(assignee=person(role))
        assert self.patch(sign_in(role), task, priority=1).status_code == 403
        assert Task.objects.get().priority == 0


def test_the_schema_knows_tasks(annotator):
    schema = annotator.get("/api/schema", {"format": "json"}).json()
    assert set(schema["paths"]["/api/tasks"]) == {"get", "post"}
    assert set(schema["paths"]["/api/tasks/{task_id}"]) == {"get", "patch"}
    names = {one["name"] for one in schema["paths"]["/api/tasks"]["get"]["parameters"]}
    assert {"state", "product", "source", "assignee", "mine", "priority_min", "cursor", "page_size"} == names
