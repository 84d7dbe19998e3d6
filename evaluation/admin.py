"""Prediction runs, predictions, judgments, models and trainings in the admin: to look at; the pages write them."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from evaluation.models import Judgment, ModelVersion, Prediction, PredictionRun, TrainingRun


class ReadOnlyAdmin(admin.ModelAdmin):
    """Lists and pages without a form; deleting needs the permission to."""

    list_per_page = 50
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description=_("picture"))
    def thumbnail(self, obj: Any) -> SafeString | str:
        if not obj.image_sha256:
            return "–"
        url = reverse("crawler:image", args=[obj.image_sha256])
        return format_html('<img src="{}" alt="" width="56" height="56" loading="lazy">', url)


@admin.register(PredictionRun)
class PredictionRunAdmin(ReadOnlyAdmin):
    list_display = ["keyword", "page", "source", "state", "total", "model_name", "started_by", "created_at"]
    list_filter = ["state", "model_name", "source"]
    search_fields = ["keyword", "started_by"]
    ordering = ["-created_at"]


@admin.register(Prediction)
class PredictionAdmin(ReadOnlyAdmin):
    list_display = ["thumbnail", "title", "product_name", "product_confidence", "state", "model_name", "created_at"]
    list_display_links = ["title"]
    list_filter = ["state", "model_name", "trained_on"]
    search_fields = ["title", "product_name"]
    ordering = ["-created_at"]


@admin.register(Judgment)
class JudgmentAdmin(ReadOnlyAdmin):
    list_display = [
        "thumbnail",
        "title",
        "predicted_product_name",
        "verdict",
        "right_product_name",
        "model_name",
        "evaluator_name",
        "judged_at",
    ]
    list_display_links = ["title"]
    list_filter = ["verdict", "model_name", "trained_on"]
    search_fields = ["title", "predicted_product_name", "right_product_name", "evaluator_name"]
    ordering = ["-judged_at"]


@admin.register(ModelVersion)
class ModelVersionAdmin(ReadOnlyAdmin):
    list_display = ["name", "folder", "created_at", "activated_at", "activated_by"]
    ordering = ["-created_at"]


@admin.register(TrainingRun)
class TrainingRunAdmin(ReadOnlyAdmin):
    list_display = ["number", "config", "state", "records", "started_by", "created_at", "finished_at", "error"]
    list_filter = ["state", "config"]
    ordering = ["-created_at"]
