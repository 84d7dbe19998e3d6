"""Webhooks in the admin, for operators: who is told, with which secret, and what became of each delivery."""

import json
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from annotation.models import Webhook, WebhookDelivery
from annotation.webhook_events import LABEL_REVIEWED, SUBMISSION_CANCELLED, SUBMISSION_CREATED
from annotation.webhook_post import PostError, new_secret, target_of
from annotation.webhook_sending import deliveries_send_again
from crawler.addresses import checked_addresses
from crawler.errors import FetchError, ForbiddenAddressError


class WebhookForm(forms.ModelForm):
    class Meta:
        model = Webhook
        fields = ["name", "url", "on_submission", "on_review", "enabled"]
        # Without it Django 5 guesses http for an address without a scheme.
        field_classes = {"url": forms.CharField}

    def clean_url(self) -> str:
        """A web address that leads to no private network, as far as can be told now; each delivery is checked again."""
        url = self.cleaned_data["url"].strip()
        try:
            target, port = target_of(url)
            checked_addresses(target.host, port, private_hosts=settings.CRAWLER_PRIVATE_HOSTS)
        except ForbiddenAddressError:
            message = gettext("“%(url)s” does not lead to a public address.") % {"url": url}
            raise ValidationError(message) from None
        except PostError as error:
            raise ValidationError(str(error)) from None
        except FetchError:
            pass  # a name that is not known yet: deliveries will say so
        return url


@admin.register(Webhook)
class WebhookAdmin(admin.ModelAdmin):
    form = WebhookForm
    list_display = ("name", "url", "on_submission", "on_review", "enabled", "created_by", "created_at")
    list_filter = ("enabled",)
    search_fields = ("name", "url")
    show_full_result_count = False

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_POST(self.secret_view))
        return [path("<path:object_id>/secret/", view, name="annotation_webhook_secret"), *super().get_urls()]

    def save_model(self, request: HttpRequest, obj: Webhook, form: Any, change: bool) -> None:
        if not change:
            obj.secret = new_secret()
            obj.created_by = request.user.get_username()
            obj.created_at = timezone.now()
        super().save_model(request, obj, form, change)

    def response_add(self, request: HttpRequest, obj: Webhook, post_url_continue: str | None = None) -> HttpResponse:
        """Its secret, this once: in the answer to the POST, which no cache keeps."""
        return self._secret_page(request, obj)

    def secret_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """A new secret, shown this once; what is sent from now on is signed with it."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        webhook = Webhook.objects.filter(id=object_id).first()
        if webhook is None:
            raise Http404(gettext("There is no such webhook."))
        webhook.secret = new_secret()
        Webhook.objects.filter(id=webhook.id).update(secret=webhook.secret)
        self.log_change(request, webhook, gettext("Made a new secret."))
        return self._secret_page(request, webhook)

    def _secret_page(self, request: HttpRequest, webhook: Webhook) -> HttpResponse:
        context = self.admin_site.each_context(request) | {
            "title": gettext("The secret of “%(name)s”") % {"name": webhook.name},
            "opts": self.opts,
            "webhook": webhook,
        }
        return TemplateResponse(request, "admin/annotation/webhook/secret.html", context)


class OfWebhookFilter(admin.SimpleListFilter):
    """By the webhooks that there are: their names among all deliveries would be read from all of these."""

    title = _("webhook")
    parameter_name = "webhook_id"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list(Webhook.objects.order_by("name").values_list("id", "name")[:100])

    def queryset(self, request: HttpRequest, queryset: QuerySet[WebhookDelivery]) -> QuerySet[WebhookDelivery]:
        return queryset.filter(webhook_id=self.value()) if self.value() else queryset


class EventFilter(admin.SimpleListFilter):
    title = _("event")
    parameter_name = "event"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(event, event) for event in (SUBMISSION_CREATED, SUBMISSION_CANCELLED, LABEL_REVIEWED)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[WebhookDelivery]) -> QuerySet[WebhookDelivery]:
        return queryset.filter(event=self.value()) if self.value() else queryset


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(admin.ModelAdmin):
    list_display = ("created_at", "event", "webhook_name", "state", "attempts", "status", "error", "next_try")
    list_filter = ("state", EventFilter, OfWebhookFilter)
    search_fields = ("id",)
    ordering = ("-created_at",)
    list_per_page = 50
    show_full_result_count = False
    actions = ("send_again",)
    fields = ("id", "event", "webhook_name", "state", "attempts", "next_try", "status", "error", "created_at",
              "delivered_at", "body")  # fmt: skip
    readonly_fields = fields

    @admin.display(description=_("next try"), ordering="next_try_at")
    def next_try(self, delivery: WebhookDelivery) -> str:
        if delivery.state != "pending":
            return "–"
        return f"{timezone.localtime(delivery.next_try_at):%Y-%m-%d %H:%M:%S}"

    @admin.display(description=_("what is sent"))
    def body(self, delivery: WebhookDelivery) -> str:
        return format_html("<pre>{}</pre>", json.dumps(delivery.payload, ensure_ascii=False, indent=2))

    @admin.action(description=_("Send the selected deliveries again"), permissions=["change"])
    def send_again(self, request: HttpRequest, deliveries: QuerySet[WebhookDelivery]) -> None:
        count = deliveries_send_again(delivery_ids=list(deliveries.values_list("id", flat=True)))
        text = ngettext("%(count)d delivery is sent again.", "%(count)d deliveries are sent again.", count)
        self.message_user(request, text % {"count": count}, messages.SUCCESS)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        hidden = {"show_save": False, "show_save_and_continue": False}
        return super().change_view(request, object_id, form_url, hidden | (extra_context or {}))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: WebhookDelivery, form: Any, change: bool) -> None:
        """Nothing: what was told is not edited."""
