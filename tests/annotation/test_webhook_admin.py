"""The operators' pages of webhooks."""

import pytest
from celery import current_app
from django.utils import timezone

from annotation.models import Webhook, WebhookDelivery
from annotation.webhook_post import new_secret

pytestmark = pytest.mark.django_db(databases=["default", "mongo"], transaction=True)

ADD = "/admin/annotation/webhook/add/"
DELIVERIES = "/admin/annotation/webhookdelivery/"
FORM = {"name": "shop", "url": "https://93.184.216.34/hook", "on_submission": "on", "enabled": "on"}


@pytest.fixture(autouse=True)
def _no_worker(monkeypatch) -> None:
    monkeypatch.setattr(current_app, "send_task", lambda *args, **options: None)


@pytest.fixture
def operator(sign_in):
    return sign_in("operator")


def test_the_secret_is_ours_and_shown_once(operator):
    page = operator.post(ADD, FORM).content.decode()
    webhook = Webhook.objects.get()
    assert webhook.secret.startswith("whsec_")
    assert webhook.secret in page
    assert (webhook.created_by, webhook.on_submission, webhook.on_review) == ("operator", True, False)
    assert webhook.secret not in operator.get(f"/admin/annotation/webhook/{webhook.id}/change/").content.decode()
    assert webhook.secret not in operator.get("/admin/annotation/webhook/").content.decode()


def test_changing_it_keeps_the_secret_and_a_new_one_can_be_made(operator):
    operator.post(ADD, FORM)
    webhook = Webhook.objects.get()
    operator.post(f"/admin/annotation/webhook/{webhook.id}/change/", FORM | {"name": "other"})
    assert (Webhook.objects.get().name, Webhook.objects.get().secret) == ("other", webhook.secret)
    address = f"/admin/annotation/webhook/{webhook.id}/secret/"
    assert operator.get(address).status_code == 405
    page = operator.post(address).content.decode()
    assert Webhook.objects.get().secret != webhook.secret
    assert Webhook.objects.get().secret in page
    assert operator.post("/admin/annotation/webhook/unknown/secret/").status_code == 404


@pytest.mark.parametrize(
    "url",
    ["ftp://a.example/", "javascript:alert(1)", "hook", "http://127.0.0.1/", "http://[::1]/", "http://10.0.0.1:80/"],
)
def test_a_bad_address_is_refused_by_name(operator, url):
    answer = operator.post(ADD, FORM | {"url": url})
    assert answer.status_code == 200
    assert "url" in answer.context["adminform"].form.errors
    assert not Webhook.objects.exists()


def test_a_reviewer_makes_none(sign_in):
    assert sign_in("reviewer").post(ADD, FORM).status_code == 403
    assert not Webhook.objects.exists()


def test_deliveries_are_listed_and_sent_again(operator):
    webhook = Webhook(name="shop", url="https://a.example/", secret=new_secret(), created_at=timezone.now())
    webhook.save()
    delivery = WebhookDelivery(
        id="d1", webhook_id=webhook.id, webhook_name="shop", event="label.reviewed", payload={"title": "<b>x</b>"},
        state="failed", attempts=12, next_try_at=timezone.now(), status=500, error="a.example answered 500.",
        created_at=timezone.now(),
    )  # fmt: skip
    delivery.save()
    query = f"?state__exact=failed&event=label.reviewed&webhook_id={webhook.id}"
    page = operator.get(DELIVERIES + query).content.decode()
    assert "a.example answered 500." in page
    page = operator.get(f"{DELIVERIES}d1/change/").content.decode()
    assert "<b>x</b>" not in page
    assert "&lt;b&gt;x" in page
    answer = operator.post(DELIVERIES, {"action": "send_again", "_selected_action": ["d1"]}, follow=True)
    assert "1 delivery is sent again." in answer.content.decode()
    assert (WebhookDelivery.objects.get().state, WebhookDelivery.objects.get().attempts) == ("pending", 0)
