"""Webhooks: which events are told, how they are sent, and what happens when the other side misbehaves."""

import json
import time
from datetime import timedelta

import pytest
from celery import current_app
from django.core.cache import cache
from django.db import connections
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from annotation import webhook_post, webhook_sending
from annotation.followers import follow
from annotation.models import Submission, Webhook, WebhookDelivery
from annotation.reviews import labels_review, reviews_resume
from annotation.webhook_post import new_secret, signature
from annotation.webhook_sending import (
    MAX_ATTEMPTS,
    deliveries_resume,
    deliveries_send,
    deliveries_send_again,
    delivery_send,
    pause_s,
)
from crawler.models import WorkState
from tests.annotation.factories import make_listing, make_product
from tests.annotation.finished import make_submission
from tests.annotation.hook_server import HookServer, is_signed
from tests.annotation.labelled import make_labels

pytestmark = pytest.mark.django_db(databases=["default", "mongo"], transaction=True)


@pytest.fixture(autouse=True)
def queued(monkeypatch) -> list[tuple]:
    """What is handed to the workers: the tests do it themselves."""
    cache.clear()
    asked: list[tuple] = []
    monkeypatch.setattr(current_app, "send_task", lambda name, args=(), **options: asked.append((name, *args)))
    return asked


@pytest.fixture
def server(settings):
    with HookServer().running() as running:
        settings.CRAWLER_PRIVATE_HOSTS = [running.where]
        yield running


def make_webhook(url: str = "https://hooks.example/", **fields) -> Webhook:
    webhook = Webhook(name="elsewhere", url=url, secret=new_secret(), created_at=timezone.now(), **fields)
    webhook.save()
    return webhook


@pytest.fixture
def webhook(server):
    return make_webhook(f"{server.url}/hook")


def make_delivery(webhook: Webhook, number: int = 1, **fields) -> WebhookDelivery:
    now = timezone.now()
    delivery = WebhookDelivery(
        id=WebhookDelivery.make_id(webhook_id=webhook.id, event="e", about=str(number)),
        webhook_id=webhook.id,
        webhook_name=webhook.name,
        event="submission.created",
        payload={"type": "submission.created", "data": {"keyword": "橙汁"}},
        **{"next_try_at": now, "created_at": now} | fields,
    )
    delivery.save()
    return WebhookDelivery.objects.get(id=delivery.id)


def events() -> list[str]:
    return sorted(WebhookDelivery.objects.values_list("event", flat=True))


# --- events


def test_a_submission_is_told_once_and_taking_it_back_too(webhook, person, queued):
    product, listing = make_product(), make_listing()
    submission = make_submission(product, [listing], by=person("annotator"), matched=[listing])
    follow(submission)
    delivery = WebhookDelivery.objects.get()
    assert (delivery.event, delivery.state) == ("submission.created", WorkState.PENDING)
    data = delivery.payload["data"]
    assert (data["product"], data["matched"], data["annotator"]) == (product.id, [listing.id], "annotator")
    assert ("annotation.tasks.send_webhook", webhook.id) in queued
    Submission.objects.update(cancelled_at=timezone.now())
    for _again in range(2):
        follow(Submission.objects.get())
    assert events() == ["submission.cancelled", "submission.created"]


def test_each_change_of_a_label_is_told_once(webhook, person):
    labels = make_labels(["a", "b"], annotator=person("annotator"))
    WebhookDelivery.objects.all().delete()
    ids = [label.id for label in labels]
    labels_review(label_ids=ids, review="approved", reviewer=person("reviewer"))
    labels_review(label_ids=ids, review="approved", reviewer=person("reviewer"))
    labels_review(label_ids=ids[:1], review="pending", reviewer=person("reviewer"))
    reviews_resume()
    assert events() == ["label.reviewed"] * 3
    said = [one.payload["data"]["after"]["review"] for one in WebhookDelivery.objects.all()]
    assert sorted(said) == ["approved", "approved", "pending"]


@pytest.mark.parametrize(
    ("fields", "wanted"),
    [
        ({"on_review": False}, ["submission.created"]),
        ({"on_submission": False}, ["label.reviewed"]),
        ({"enabled": False}, []),
    ],
)
def test_a_webhook_is_told_what_it_wants(server, person, fields, wanted):
    make_webhook(server.url, **fields)
    labels = make_labels(["a"], annotator=person("annotator"))
    labels_review(label_ids=[labels[0].id], review="approved", reviewer=person("reviewer"))
    assert events() == wanted


def test_without_webhooks_submissions_cost_at_most_one_query_more(person):
    product, listing = make_product(), make_listing()
    submission = make_submission(product, [listing], by=person("annotator"), matched=[listing], finish=False)
    from annotation import webhook_events

    counts = []
    for _again in range(2):
        with CaptureQueriesContext(connections["mongo"]) as queries:
            webhook_events.follow_submission(submission)
        counts.append(len(queries))
    assert counts[0] <= 1
    assert counts[1] == 0


# --- sending


def test_it_is_sent_signed_as_the_specification_says(server, webhook):
    delivery = make_delivery(webhook)
    assert deliveries_send(webhook_id=webhook.id) == 1
    [(headers, body)] = server.requests
    assert is_signed(headers, body, webhook.secret)
    assert not is_signed(headers, body + b" ", webhook.secret)
    assert not is_signed(headers, body, new_secret())
    assert (headers["webhook-id"], headers["content-type"]) == (delivery.id, "application/json")
    assert abs(int(headers["webhook-timestamp"]) - time.time()) < 60
    assert json.loads(body)["data"]["keyword"] == "橙汁"
    now = WebhookDelivery.objects.get()
    assert (now.state, now.status, now.attempts, now.error) == (WorkState.DONE, 200, 1, "")
    assert deliveries_send(webhook_id=webhook.id) == 0
    assert len(server.requests) == 1


def test_the_signature_is_that_of_the_specifications_example():
    # github.com/standard-webhooks/standard-webhooks, the tests of its libraries
    value = signature(
        secret="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        message_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
        timestamp=1614265330,
        body=b'{"test": 2432232314}',
    )
    assert value == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize(
    ("answer", "status", "error"),
    [
        (500, 500, "answered 500"),
        (404, 404, "answered 404"),
        (302, 302, "answered with a redirect (302), which is not followed"),
        ("close", None, "broke off the connection"),
        ("hang", None, "took too long to answer"),
    ],
)
def test_what_fails_is_tried_again_later(server, webhook, monkeypatch, answer, status, error):
    monkeypatch.setattr(webhook_post, "TIMEOUT_S", 0.5)
    server.answers = [answer]
    make_delivery(webhook)
    assert deliveries_send(webhook_id=webhook.id) == 0
    now = WebhookDelivery.objects.get()
    assert (now.state, now.status, now.attempts) == (WorkState.PENDING, status, 1)
    assert error in now.error
    assert now.next_try_at > timezone.now() + timedelta(seconds=5)
    assert len(server.requests) == 1
    WebhookDelivery.objects.update(next_try_at=timezone.now())
    assert deliveries_send(webhook_id=webhook.id) == 1
    assert server.requests[0][0]["webhook-id"] == server.requests[1][0]["webhook-id"]


def test_a_server_that_is_not_there_is_told(server, settings):
    settings.CRAWLER_PRIVATE_HOSTS = ["127.0.0.1:9"]
    webhook = make_webhook("http://127.0.0.1:9/")
    make_delivery(webhook)
    deliveries_send(webhook_id=webhook.id)
    assert "127.0.0.1:9 cannot be reached." in WebhookDelivery.objects.get().error


def test_a_private_address_is_never_asked(server, webhook, settings):
    settings.CRAWLER_PRIVATE_HOSTS = []
    make_delivery(webhook)
    deliveries_send(webhook_id=webhook.id)
    assert "is not a public address: nothing was sent" in WebhookDelivery.objects.get().error
    assert not server.requests


def test_after_a_day_it_is_given_up(server, webhook):
    server.answers = [503]
    make_delivery(webhook, attempts=MAX_ATTEMPTS - 1)
    deliveries_send(webhook_id=webhook.id)
    assert WebhookDelivery.objects.get().state == WorkState.FAILED
    day = 24 * 3600
    assert 0.6 * day < sum(pause_s(attempts) for attempts in range(1, MAX_ATTEMPTS)) < 1.7 * day


def test_a_failing_server_is_left_alone_for_a_while(server, webhook):
    server.answers = [500] * 10
    for number in range(6):
        make_delivery(webhook, number)
    deliveries_send(webhook_id=webhook.id)
    assert len(server.requests) == 3


def test_two_workers_do_not_send_the_same_twice(server, webhook):
    delivery = make_delivery(webhook)
    assert delivery_send(delivery=delivery, webhook=webhook)
    assert not delivery_send(delivery=delivery, webhook=webhook)
    assert len(server.requests) == 1


def test_what_a_dead_worker_held_is_due_again(server, webhook, queued, monkeypatch):
    delivery = make_delivery(webhook)

    def die(**_request):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(webhook_sending, "post", die)
        with pytest.raises(KeyboardInterrupt):
            delivery_send(delivery=delivery, webhook=webhook)
    assert deliveries_send(webhook_id=webhook.id) == 0  # still held
    WebhookDelivery.objects.update(next_try_at=timezone.now())
    queued.clear()
    assert deliveries_resume() == 1
    assert queued == [("annotation.tasks.send_webhook", webhook.id)]
    assert deliveries_send(webhook_id=webhook.id) == 1


def test_of_a_webhook_that_is_switched_off_or_gone_nothing_is_sent(server, webhook):
    make_delivery(webhook)
    Webhook.objects.all().delete()
    deliveries_send(webhook_id=webhook.id)
    assert WebhookDelivery.objects.get().state == WorkState.CANCELLED
    assert not server.requests


def test_what_was_given_up_can_be_sent_again(server, webhook):
    delivery = make_delivery(webhook, state="failed", attempts=MAX_ATTEMPTS, error="x", status=500)
    assert deliveries_send_again(delivery_ids=[delivery.id]) == 1
    assert deliveries_send(webhook_id=webhook.id) == 1


def test_old_deliveries_are_forgotten(webhook):
    old = timezone.now() - timedelta(days=40)
    make_delivery(webhook, 1, state="done", created_at=old)
    make_delivery(webhook, 2, state="pending", created_at=old)
    make_delivery(webhook, 3, state="done")
    deliveries_resume()
    assert WebhookDelivery.objects.count() == 2
