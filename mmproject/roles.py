"""Who may do what: five groups, made by a migration, their permissions, and the checks that views use.

The permissions are given on `post_migrate`, because Django itself creates them only then.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase

ANNOTATOR = "annotator"
EVALUATOR = "evaluator"
REVIEWER = "reviewer"
OPERATOR = "operator"
ADMINISTRATOR = "administrator"

# group: the permissions it holds, as app_label.codename
PERMISSIONS: dict[str, list[str]] = {
    ANNOTATOR: ["annotation.add_submission"],
    EVALUATOR: ["evaluation.add_judgment", "evaluation.add_predictionrun", "annotation.add_label"],
    REVIEWER: [
        *(f"annotation.{verb}_{model}" for verb in ("view", "add", "change") for model in ("brand", "product")),
        "annotation.view_label",
        "annotation.add_label",  # of judgments: others are submitted
        "annotation.change_label",
        "annotation.delete_label",
        "annotation.view_submission",
        "annotation.add_submission",
        *(f"annotation.{verb}_task" for verb in ("view", "add", "change", "delete")),
        "annotation.view_claim",
        "annotation.delete_claim",  # frees what somebody left lying
        "annotation.view_dispute",
        "annotation.change_dispute",
        "annotation.view_tableimport",
        "annotation.add_tableimport",
        "crawler.view_listing",
    ],
    OPERATOR: [
        *(f"crawler.{verb}_source" for verb in ("view", "add", "change")),
        *(f"crawler.{verb}_scheduledsearch" for verb in ("view", "add", "change", "delete")),
        *(f"annotation.{verb}_webhook" for verb in ("view", "add", "change", "delete")),
        "annotation.view_webhookdelivery",
        "annotation.change_webhookdelivery",  # to send one again: nobody edits one
        "crawler.view_crawl",
        "crawler.change_crawl",  # to run one again or end it: nobody edits one
        "crawler.view_searchpage",
        "crawler.view_listing",
        "crawler.view_listingimport",
        "crawler.add_listingimport",
        "evaluation.view_trainingrun",
        "evaluation.add_trainingrun",
        "evaluation.view_modelversion",
        "evaluation.change_modelversion",
    ],
}
PERMISSIONS[ADMINISTRATOR] = sorted(
    {permission for permissions in PERMISSIONS.values() for permission in permissions}
    | {f"auth.{verb}_user" for verb in ("view", "add", "change", "delete")}
    | {"auth.view_group"}  # what a group may is said here; who may change a group may everything
)


def make_groups(*, using: str, **kwargs: Any) -> None:
    """Give each group exactly its permissions; a `post_migrate` receiver, safe to run any number of times."""
    if using != "default":
        return
    from django.contrib.auth.models import Group, Permission

    known = {
        f"{permission.content_type.app_label}.{permission.codename}": permission
        for permission in Permission.objects.using(using).select_related("content_type")
    }
    for name, wanted in PERMISSIONS.items():
        group, _ = Group.objects.using(using).get_or_create(name=name)
        group.permissions.set([known[permission] for permission in wanted if permission in known])


def needs(permission: str) -> Callable[[Callable[..., HttpResponseBase]], Callable[..., HttpResponseBase]]:
    """A view decorator: the login page for strangers (401 where htmx asks), 403 for people without `permission`.

    htmx would follow a redirect and swap the login page over what is ticked and typed; a 401 leaves the page as it is.
    """

    def decorate(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
        @wraps(view)
        def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not request.user.is_authenticated:
                # Restoring the history asks for a whole page, so there the login page is the right answer.
                part = "HX-Request" in request.headers and "HX-History-Restore-Request" not in request.headers
                return HttpResponse(status=401) if part else redirect_to_login(request.get_full_path())
            if not request.user.has_perm(permission):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        return checked

    return decorate
