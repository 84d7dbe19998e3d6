"""What is next for an annotator, and how far they are."""

from datetime import timedelta

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from annotation.followers import follow
from annotation.models import Task
from annotation.work import tasks_close, tasks_create
from annotation.work_queue import BREAK, NEAR, annotators, last_day_pace, next_tasks, pace, progress
from mmproject.mongo.collections import collection
from tests.annotation.work_to_do import make_claim, make_submission, make_task, new_task

pytestmark = pytest.mark.django_db(databases=["default", "mongo"], transaction=True)
NOW = timezone.now()


@pytest.fixture
def ann(person):
    return person("annotator")


@pytest.fixture
def bob(person):
    return person("superuser")


def queue(user, limit: int = 50) -> list[str]:
    return [task.keyword for task in next_tasks(user, limit=limit)]


def test_ones_own_come_first_then_the_open_ones_each_by_priority_and_age(ann, bob):
    make_task("open, urgent", priority=9)
    make_task("open")
    make_task("mine", assignee=ann)
    make_task("mine, urgent", assignee=ann, priority=5)
    make_task("bob's", assignee=bob, priority=9)
    make_task("open, later")
    assert queue(ann) == ["mine, urgent", "mine", "open, urgent", "open", "open, later"]
    assert queue(ann, 3) == ["mine, urgent", "mine", "open, urgent"]
    assert [task.mine for task in next_tasks(ann, limit=3)] == [True, True, False]


def test_done_and_closed_tasks_are_not_next(ann, bob):
    done, closed, own = make_task("done"), make_task("closed"), make_task("mine", assignee=ann)
    follow(make_submission(done, bob))
    follow(make_submission(own, ann))
    tasks_close(task_ids=[closed.id])
    assert queue(ann) == []


def test_what_i_have_done_is_next_for_the_others_only(ann, bob):
    task = make_task(overlap=2)
    submission = make_submission(task, ann)
    follow(submission)
    assert (queue(ann), queue(bob)) == ([], ["juice"])
    submission.cancelled_at = timezone.now()
    submission.save()
    follow(submission)
    assert queue(ann) == ["juice"]


def test_an_open_task_that_enough_others_are_at_is_left_to_them(ann, bob, person):
    one, two = make_task("for one"), make_task("for two", overlap=2)
    for task in (one, two):
        make_claim(task, bob, until=timezone.now() + timedelta(minutes=5))
    assert queue(ann) == ["for two"]
    assert next_tasks(ann)[0].others == ("superuser",)
    assert queue(bob) == ["for one", "for two"]
    follow(make_submission(two, person("reviewer")))
    assert queue(ann) == []  # one has done it, one is at it


def test_a_claim_that_has_expired_or_is_done_does_not_count(ann, bob):
    task = make_task()
    make_claim(task, bob, until=timezone.now() - timedelta(seconds=1))
    make_claim(task, bob, until=timezone.now() + timedelta(minutes=5), submission_id="s")
    assert queue(ann) == ["juice"]


def test_what_is_assigned_to_me_stays_next_whoever_is_at_it(ann, bob):
    make_claim(make_task(assignee=ann), bob, until=timezone.now() + timedelta(minutes=5))
    assert queue(ann) == ["juice"]


def test_what_is_next_is_found_behind_much_that_is_not(ann, bob):
    tasks_create(tasks=[new_task(f"keyword {n}", overlap=2, priority=1) for n in range(NEAR + 5)], created_by="")
    for task in Task.objects.all():
        make_submission(task, ann)
    make_task("behind")
    assert queue(ann) == queue(ann, 1) == ["behind"]
    assert len(queue(bob)) == 50


def test_the_address_says_product_keyword_source_and_task(ann):
    task = make_task("橙汁 & tea", product_name="Müsli")
    assert next_tasks(ann)[0].address == (
        f"/annotation/?product=M%C3%BCsli&keyword=%E6%A9%99%E6%B1%81+%26+tea&source=demo-shop&task={task.id}"
    )


def test_the_queue_is_read_along_an_index(ann):
    tasks_create(tasks=[new_task(f"keyword {n}", priority=n % 3) for n in range(2000)], created_by="")
    for assignee_id in (ann.pk, None):
        stages = [
            {"$match": {"assignee_id": assignee_id, "state": "pending"}},
            {"$sort": {"priority": -1, "created_at": 1, "id": 1}},
            {"$limit": 20},
        ]
        command = {"aggregate": Task._meta.db_table, "pipeline": stages, "cursor": {}}
        answer = collection(Task).database.command("explain", command, verbosity="queryPlanner")
        plan = str(answer["queryPlanner"]["winningPlan"])
        assert "task_assignee" in plan
        assert "'stage': 'SORT'" not in plan


def test_who_may_be_given_tasks(person):
    for role in ("annotator", "reviewer", "evaluator", "nobody"):
        person(role)
    gone = person("administrator")
    gone.is_active = False
    gone.save()
    assert [user.username for user in annotators()] == ["annotator", "reviewer"]


class TestProgress:
    def test_it_counts_today_this_week_and_what_was_assigned(self, ann, bob):
        midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
        monday = midnight - timedelta(days=midnight.weekday())
        for keyword, assignee in [("a", ann), ("b", ann), ("c", ann), ("d", bob), ("e", None)]:
            make_task(keyword, assignee=assignee)
        a, b, c = (Task.objects.get(keyword=keyword) for keyword in "abc")
        follow(make_submission(a, ann))
        follow(make_submission(b, ann, skip_reason="none"))
        tasks_close(task_ids=[c.id])
        make_submission(a, ann, cancelled_at=timezone.now())
        make_submission(a, bob)
        make_submission(a, ann, at=monday - timedelta(minutes=1))
        make_submission(a, ann, at=monday)
        found = progress(ann)
        today = 3 if monday == midnight else 2
        assert (found.today, found.today_skipped, found.week, found.week_skipped) == (today, 1, 3, 1)
        assert (found.assigned, found.assigned_done) == (2, 2)

    def test_whoever_has_done_nothing_has_no_figures(self, ann):
        found = progress(ann)
        assert (found.today, found.week, found.assigned, found.assigned_done) == (0, 0, 0, 0)
        assert last_day_pace(ann) is None


class TestPace:
    def test_it_is_the_median_from_one_to_the_next(self):
        found = pace([NOW + timedelta(seconds=s) for s in (0, 30, 50, 110)])
        assert found is not None
        assert (found.seconds, found.per_hour) == (30, 120)

    def test_breaks_do_not_count(self):
        found = pace([NOW + timedelta(seconds=s) for s in (0, 60, 5000, 5060, 5120)])
        assert found is not None
        assert found.seconds == 60

    def test_two_tasks_say_nothing_yet(self):
        assert pace([NOW, NOW + timedelta(seconds=5)]) is None

    def test_only_the_last_day_counts(self, ann):
        task = make_task()
        for hours in (25, 26, 27, 28):
            make_submission(task, ann, at=timezone.now() - timedelta(hours=hours))
        for seconds in (0, 20, 40, 60):
            make_submission(task, ann, at=timezone.now() - timedelta(seconds=seconds))
        found = last_day_pace(ann)
        assert found is not None
        assert found.seconds == pytest.approx(20, abs=1)

    @given(st.lists(st.integers(0, 100_000), max_size=30))
    def test_the_order_does_not_matter_and_no_pace_is_slower_than_a_break(self, seconds):
        moments = [NOW + timedelta(seconds=s) for s in seconds]
        found = pace(moments)
        assert found == pace(moments[::-1])
        assert found is None or 0 < found.seconds <= BREAK.total_seconds()
