"""Tasks in the admin: who has what, how far it is, and what is done with many. They are made from the product list."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from annotation.models import Submission, Task
from annotation.task_forms import AssignForm, PriorityForm
from annotation.work import tasks_assign, tasks_close, tasks_prioritise, tasks_reopen
from annotation.work_queue import annotators
from crawler.selectors import enabled_sources


class SourceFilter(admin.SimpleListFilter):
    """Names from the configuration: looking for them in all tasks would read all tasks."""

    title, parameter_name = _("source"), "source"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        return [(source.id, source.name) for source in enabled_sources()]

    def queryset(self, request: HttpRequest, tasks: QuerySet[Task]) -> QuerySet[Task]:
        return tasks.filter(source=self.value()) if self.value() else tasks


class AssigneeFilter(admin.SimpleListFilter):
    title, parameter_name = _("assigned to"), "assignee"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, Any]]:
        return [("-", _("everybody: open to all")), *((user.username, user.username) for user in annotators())]

    def queryset(self, request: HttpRequest, tasks: QuerySet[Task]) -> QuerySet[Task]:
        if not self.value():
            return tasks
        return tasks.filter(assignee_name="" if self.value() == "-" else self.value())


class PriorityFilter(admin.SimpleListFilter):
    title, parameter_name = _("priority"), "priority"
    _BOUNDS = {"high": {"priority__gt": 0}, "normal": {"priority": 0}, "low": {"priority__lt": 0}}

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, Any]]:
        return [("high", _("above 0")), ("normal", "0"), ("low", _("below 0"))]

    def queryset(self, request: HttpRequest, tasks: QuerySet[Task]) -> QuerySet[Task]:
        return tasks.filter(**self._BOUNDS.get(self.value() or "", {}))


@admin.register(Task)
class TaskAdmin(admin.ModelAdmin):
    list_display = ("product_name", "keyword", "source", "progress", "priority", "assigned", "state")
    list_filter = ("state", SourceFilter, AssigneeFilter, PriorityFilter)
    search_fields = ("product_name", "keyword")
    ordering = ("-created_at", "-id")
    list_per_page = 50
    show_full_result_count = False
    actions = ("assign", "prioritise", "close", "reopen")
    fields = ("product_name", "brand_name", "keyword", "source", "progress", "priority", "assigned", "state",
              "created_by", "created_at", "finished_at", "submissions")  # fmt: skip
    readonly_fields = fields

    class Media:
        css = {"all": ["css/admin-tasks.css"]}

    @admin.display(description=_("done"), ordering="done")
    def progress(self, task: Task) -> str:
        return format_html(
            '{} / {} <progress max="{}" value="{}" aria-hidden="true"></progress>',
            *(task.done, task.overlap, task.overlap, min(task.done, task.overlap)),
        )

    @admin.display(description=_("assigned to"), ordering="assignee_name")
    def assigned(self, task: Task) -> str:
        return task.assignee_name or gettext("everybody")

    @admin.display(description=_("submissions"))
    def submissions(self, task: Task) -> str:
        found = Submission.objects.filter(task_id=task.id).order_by("created_at")[:100]
        return render_to_string("admin/annotation/task/submissions.html", {"submissions": found})

    # --- many at once

    @admin.action(description=_("Assign the selected tasks"), permissions=["change"])
    def assign(self, request: HttpRequest, tasks: QuerySet[Task]) -> HttpResponse | None:
        form = AssignForm(request.POST if "confirmed" in request.POST else None)
        return self._asked(
            request, tasks, form, gettext("Assign tasks"), lambda ids: tasks_assign(task_ids=ids, **form.cleaned_data)
        )

    @admin.action(description=_("Set the priority of the selected tasks"), permissions=["change"])
    def prioritise(self, request: HttpRequest, tasks: QuerySet[Task]) -> HttpResponse | None:
        form = PriorityForm(request.POST if "confirmed" in request.POST else None)
        return self._asked(
            request,
            tasks,
            form,
            gettext("Set priority"),
            lambda ids: tasks_prioritise(task_ids=ids, **form.cleaned_data),
        )

    @admin.action(description=_("Close the selected tasks"), permissions=["change"])
    def close(self, request: HttpRequest, tasks: QuerySet[Task]) -> None:
        self._done(request, tasks, lambda ids: tasks_close(task_ids=ids))

    @admin.action(description=_("Reopen the selected tasks"), permissions=["change"])
    def reopen(self, request: HttpRequest, tasks: QuerySet[Task]) -> None:
        self._done(request, tasks, lambda ids: tasks_reopen(task_ids=ids))

    def _asked(
        self, request: HttpRequest, tasks: QuerySet[Task], form: forms.Form, title: str, act: Callable[[list[str]], int]
    ) -> HttpResponse | None:
        """Asks on a page of its own, as deleting asks whether; then acts."""
        if form.is_valid():
            self._done(request, tasks, act)
            return None
        context = {
            **self.admin_site.each_context(request),
            "title": title,
            "opts": self.opts,
            "form": form,
            "action": request.POST["action"],
            "count": tasks.count(),
            "some": tasks[:12],
            "chosen": request.POST.getlist(ACTION_CHECKBOX_NAME),
            "select_across": request.POST.get("select_across", "0"),
            "checkbox_name": ACTION_CHECKBOX_NAME,
        }
        return render(request, "admin/annotation/task/ask.html", context, status=422 if form.is_bound else 200)

    def _done(self, request: HttpRequest, tasks: QuerySet[Task], act: Callable[[list[str]], int]) -> None:
        ids = list(tasks.values_list("id", flat=True))
        count = act(ids)
        text = ngettext("%(count)d task has changed.", "%(count)d tasks have changed.", count) % {"count": count}
        if left := len(ids) - count:
            text += " " + _left(left)
        self.message_user(request, text, messages.SUCCESS if count else messages.WARNING)

    # --- one by one: it only shows

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        hidden = {"show_save": False, "show_save_and_continue": False}
        return super().change_view(request, object_id, form_url, hidden | (extra_context or {}))

    def save_model(self, request: HttpRequest, obj: Task, form: Any, change: bool) -> None:
        """Nothing: a whole document, as it was when it was read, would overwrite what was done meanwhile."""


def _left(count: int) -> str:
    text = ngettext(
        "%(count)d was left as it is: what is asked does not fit its state, or it is for several annotators.",
        "%(count)d were left as they are: what is asked does not fit their state, or they are for several annotators.",
        count,
    )
    return text % {"count": count}
