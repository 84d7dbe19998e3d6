"""The models that trainings made: which there are, which one answers, each to take away."""

from collections.abc import Callable
from functools import partial

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from evaluation import services
from evaluation.archive import zipped
from evaluation.models import ModelVersion
from evaluation.selectors.models import activations, active_model, model_before, model_named, model_versions
from mmproject.roles import needs

may_see = needs("evaluation.view_modelversion")
may_change = needs("evaluation.change_modelversion")


@require_GET
@may_see
def models_page(request: HttpRequest) -> HttpResponse:
    """All versions with their figures, and which were in use before."""
    context = {
        "versions": model_versions(),
        "active": active_model(),
        "before": model_before(),
        "activations": activations(),
    }
    return render(request, "evaluation/models.html", context)


@require_POST
@may_change
def model_activate(request: HttpRequest, model_id: str) -> HttpResponse:
    """Have new runs use this version."""
    change = partial(services.model_activate, model_id=model_id, username=request.user.get_username())
    return _changed(request, change, _("New tests use “%(name)s” from now on."))


@require_POST
@may_change
def model_roll_back(request: HttpRequest) -> HttpResponse:
    """Have new runs use the version before this one again."""
    change = partial(services.model_roll_back, username=request.user.get_username())
    return _changed(request, change, _("New tests use “%(name)s” again."))


@require_POST
@may_change
def model_retire(request: HttpRequest, model_id: str) -> HttpResponse:
    """Take a version out of what can be chosen."""
    change = partial(services.model_retire, model_id=model_id, username=request.user.get_username())
    return _changed(request, change, _("“%(name)s” is retired: nobody can choose it until it is restored."))


@require_POST
@may_change
def model_restore(request: HttpRequest, model_id: str) -> HttpResponse:
    """Let a retired version be chosen again."""
    return _changed(request, partial(services.model_restore, model_id=model_id), _("“%(name)s” can be chosen again."))


def _changed(request: HttpRequest, change: Callable[[], ModelVersion], text: str) -> HttpResponse:
    try:
        messages.success(request, text % {"name": change().name})
    except ValidationError as error:
        if error.code == "missing":
            raise Http404(error.message) from None
        messages.error(request, error.message)
    return redirect("evaluation:models")


@require_GET
@may_see
def model_download(request: HttpRequest, model_id: str) -> HttpResponseBase:
    """The model folder as a zip, made while it is sent."""
    model = model_named(model_id)
    folder = settings.MODELS_DIR / model.folder if model else None
    if model is None or folder is None or not folder.is_dir():
        raise Http404(_("The folder of this model is not on this machine."))
    name = "-".join(model.name.replace("#", "").split())
    response = StreamingHttpResponse(zipped(folder, name=name), content_type="application/zip")
    response["Content-Disposition"] = f'attachment; filename="{name}.zip"'
    return response
