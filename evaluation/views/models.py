"""The models that trainings made: which there are, which one answers, each to take away."""

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from evaluation import services
from evaluation.archive import zipped
from evaluation.selectors.models import active_model, model_named, model_versions
from mmproject.roles import needs

may_see = needs("evaluation.view_modelversion")


@require_GET
@may_see
def models_page(request: HttpRequest) -> HttpResponse:
    """All versions with their figures."""
    return render(request, "evaluation/models.html", {"versions": model_versions(), "active": active_model()})


@require_POST
@needs("evaluation.change_modelversion")
def model_activate(request: HttpRequest, model_id: str) -> HttpResponse:
    """Have new runs use this version."""
    try:
        model = services.model_activate(model_id=model_id, username=request.user.get_username())
    except ValidationError as error:
        if error.code != "pretrained":
            raise Http404(error.message) from None
        messages.error(request, error.message)
    else:
        messages.success(request, _("New tests use “%(name)s” from now on.") % {"name": model.name})
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
