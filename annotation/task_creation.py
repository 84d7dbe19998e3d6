"""The admin's page that makes tasks of the products that were chosen in their list."""

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from annotation.models import Product, Task
from annotation.task_forms import CreateTasksForm
from annotation.task_plan import NewTask, planned_tasks
from annotation.work import tasks_create

EXAMPLES = 12


@admin.action(description=_("Create tasks"), permissions=["task"])
def create_tasks(
    modeladmin: admin.ModelAdmin, request: HttpRequest, products: QuerySet[Product]
) -> HttpResponse | None:
    """First the form with what it would come to, then, confirmed, the tasks."""
    asked = "do" in request.POST
    form = CreateTasksForm(request.POST if asked else None)
    rows = list(products.order_by("name").values("id", "name", "brand_id", "brand_name", "keywords"))
    valid = asked and form.is_valid()
    planned = list(planned_tasks(rows, **(form.cleaned_data if valid else form.defaults())))
    if valid and request.POST["do"] == "create" and planned:
        _create(modeladmin, request, planned)
        return None
    context = {
        **modeladmin.admin_site.each_context(request),
        "title": gettext("Create tasks"),
        "opts": modeladmin.opts,
        "form": form,
        "products": len(rows),
        "without": len(rows) - len({task.product_id for task in planned}),
        "planned": len(planned),
        "examples": planned[:EXAMPLES],
        # The choice as it was made, not the keys it stands for: there may be thousands.
        "chosen": request.POST.getlist(ACTION_CHECKBOX_NAME),
        "select_across": request.POST.get("select_across", "0"),
        "checkbox_name": ACTION_CHECKBOX_NAME,
    }
    return render(request, "admin/annotation/task/create.html", context, status=422 if form.errors else 200)


def _create(modeladmin: admin.ModelAdmin, request: HttpRequest, planned: list[NewTask]) -> None:
    made = tasks_create(tasks=planned, created_by=request.user.get_username())
    text = ngettext("%(count)d task is made.", "%(count)d tasks are made.", made.new) % {"count": made.new}
    if made.existing:
        there = ngettext("%(count)d was there already.", "%(count)d were there already.", made.existing)
        text = f"{text} {there % {'count': made.existing}}"
    modeladmin.message_user(request, text, messages.SUCCESS)


def may_create(request: HttpRequest) -> bool:
    return request.user.has_perm(f"{Task._meta.app_label}.add_task")
