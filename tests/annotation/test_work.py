"""Tasks: made in bulk, given out, closed, and done by what is submitted."""

import threading

import pytest
from django.core.exceptions import ValidationError
from django.db import connections
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from annotation.followers import follow
from annotation.models import Task
from annotation.work import BATCH, tasks_assign, tasks_close, tasks_create, tasks_prioritise, tasks_reopen
from tests.annotation.work_to_do import make_submission, make_task, new_task

pytestmark = pytest.mark.django_db(databases=["default", "mongo"], transaction=True)


class TestCreating:
    def test_what_is_there_already_is_not_made_again_and_stays_as_it_is(self):
        tasks_create(tasks=[new_task("a", priority=7)], created_by="rita")
        made = tasks_create(tasks=[new_task("a"), new_task(" a "), new_task("b"), new_task("b")], created_by="paul")
        assert (made.new, made.existing) == (1, 1)
        assert set(Task.objects.values_list("keyword", "priority", "created_by")) == {
            ("a", 7, "rita"),
            ("b", 0, "paul"),
        }

    def test_the_same_keyword_of_another_product_or_source_is_another_task(self):
        tasks = [new_task(), new_task(product_id="tea"), new_task(source="other")]
        assert tasks_create(tasks=tasks, created_by="").new == 3

    def test_a_batch_costs_a_few_queries_however_many_tasks_it_holds(self):
        tasks = [new_task(f"keyword {n}") for n in range(BATCH + 1)]
        with CaptureQueriesContext(connections["mongo"]) as queries:
            assert tasks_create(tasks=tasks, created_by="").new == BATCH + 1
        assert len(queries) <= 8

    def test_two_at_the_same_time_make_each_once(self):
        tasks = [new_task(f"keyword {n}") for n in range(300)]
        together = threading.Barrier(4)
        made = []

        def create() -> None:
            together.wait()
            made.append(tasks_create(tasks=tasks, created_by=""))
            connections.close_all()

        threads = [threading.Thread(target=create) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(made) == 4
        assert Task.objects.count() == 300

    @pytest.mark.parametrize(
        ("fields", "field"),
        [
            ({"keyword": " "}, "keyword"),
            ({"keyword": "x" * 201}, "keyword"),
            ({"overlap": 0}, "overlap"),
            ({"overlap": 11}, "overlap"),
            ({"overlap": 2, "assignee_id": 1}, "overlap"),
            ({"priority": 1001}, "priority"),
            ({"priority": -1001}, "priority"),
        ],
    )
    def test_what_makes_no_sense_is_refused_by_name_and_nothing_is_made(self, fields, field):
        with pytest.raises(ValidationError) as refused:
            tasks_create(tasks=[new_task("fine"), new_task(**fields)], created_by="")
        assert set(refused.value.message_dict) == {field}
        assert not Task.objects.exists()


class TestGivingOut:
    def test_open_tasks_are_assigned_and_opened_to_all_again(self, person):
        tasks = [make_task("a"), make_task("b", overlap=2), make_task("c")]
        tasks_close(task_ids=[tasks[2].id])
        ids = [task.id for task in tasks]
        assert tasks_assign(task_ids=ids, assignee=person("annotator")) == 1  # b is for several, c is closed
        assert Task.objects.get(keyword="a").assignee_name == "annotator"
        assert tasks_assign(task_ids=ids, assignee=None) == 2
        assert not Task.objects.exclude(assignee_name="").exists()

    def test_the_priority_is_set_within_its_bounds(self):
        task = make_task()
        assert tasks_prioritise(task_ids=[task.id], priority=5) == 1
        with pytest.raises(ValidationError):
            tasks_prioritise(task_ids=[task.id], priority=5000)
        assert Task.objects.get().priority == 5

    def test_closed_tasks_come_back_as_what_they_are(self, person):
        waiting, done = make_task("a"), make_task("b")
        tasks_close(task_ids=[waiting.id, done.id])
        follow(make_submission(done, person("annotator")))
        assert set(Task.objects.values_list("state", flat=True)) == {"cancelled"}
        assert tasks_reopen(task_ids=[waiting.id, done.id]) == 2
        assert dict(Task.objects.values_list("keyword", "state")) == {"a": "pending", "b": "done"}
        assert tasks_reopen(task_ids=[waiting.id, done.id]) == 0


class TestDoing:
    def now(self, task: Task) -> tuple[int, str, bool]:
        task.refresh_from_db()
        return task.done, task.state, task.finished_at is not None

    def test_a_task_is_done_when_enough_annotators_have_done_it(self, person):
        task = make_task(overlap=2)
        follow(make_submission(task, person("annotator")))
        assert self.now(task) == (1, "pending", False)
        follow(make_submission(task, person("annotator")))  # the same person again
        assert self.now(task) == (1, "pending", False)
        follow(make_submission(task, person("superuser"), skip_reason="none"))  # skipping is doing
        assert self.now(task) == (2, "done", True)

    def test_following_again_changes_nothing(self, person):
        task = make_task()
        submission = make_submission(task, person("annotator"))
        follow(submission)
        before = Task.objects.values().get()
        follow(submission)
        assert Task.objects.values().get() == before

    def test_what_is_taken_back_opens_the_task_again(self, person):
        task = make_task()
        submission = make_submission(task, person("annotator"))
        follow(submission)
        submission.cancelled_at = timezone.now()
        submission.save()
        follow(submission)
        assert self.now(task) == (0, "pending", False)

    def test_a_closed_task_stays_closed(self, person):
        task = make_task()
        tasks_close(task_ids=[task.id])
        follow(make_submission(task, person("annotator")))
        assert self.now(task)[:2] == (1, "cancelled")

    def test_a_submission_without_a_task_or_of_one_that_is_gone_is_nothing_to_it(self, person):
        task = make_task()
        follow(make_submission(task, person("annotator"), task_id=""))
        assert self.now(task) == (0, "pending", False)
        task.delete()
        follow(make_submission(Task(id="gone"), person("annotator"), task_id="gone"))
        assert not Task.objects.exists()
