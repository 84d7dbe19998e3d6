"""Where tests start: the form with its three ways in, and the user's last tests."""

from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods
from django_htmx.http import HttpResponseClientRedirect

from crawler.images import MAX_BYTES
from crawler.selectors import enabled_sources
from evaluation import services
from evaluation.forms import STARTED_HERE, RunForm
from evaluation.models import PredictionRun, RunKind
from evaluation.selectors import runs as selectors
from evaluation.selectors.models import active_model, models_to_choose
from mmproject.roles import needs


@require_http_methods(["GET", "POST"])
@needs("evaluation.add_judgment")
def predict_page(request: HttpRequest) -> HttpResponse:
    """The form and the user's last runs; POST starts a run and leads to its page."""
    posted = request.method == "POST"
    form = RunForm(request.POST, request.FILES) if posted else RunForm(initial=request.GET.dict())
    if posted and form.is_valid():
        try:
            run = _started(form.cleaned_data, request.user)
        except ValidationError as error:
            for key, texts in error.message_dict.items():
                form.add_error(key if key in form.fields else None, texts)
        else:
            address = reverse("evaluation:run", args=[run.id])
            return HttpResponseClientRedirect(address) if request.htmx else redirect(address)
    return render(request, "evaluation/predict.html", _context(request, form), status=422 if posted else 200)


def _started(values: dict, user: AbstractBaseUser) -> PredictionRun:
    """The run of a valid form. Raises ValidationError, keyed by field."""
    versions: services.Versions = {
        "model_id": values["model"],
        "other_model_id": values["other_model"],
        "blind": values["blind"],
    }
    force = values["force_update"]
    if values["kind"] == RunKind.ADDRESS:
        return services.run_start_address(address=values["address"], force_update=force, user=user, **versions)
    if values["kind"] == RunKind.UPLOAD:
        picture = values["picture"].read(MAX_BYTES + 1)  # a byte too many is enough to be refused
        return services.run_start_upload(picture=picture, title=values["title"], user=user, **versions)
    search = {name: values[name] for name in ("keyword", "source", "page")}
    return services.run_start(**search, force_update=force, user=user, **versions)


def _context(request: HttpRequest, form: RunForm) -> dict:
    recent = selectors.recent_runs(user_id=request.user.pk)
    return {
        "form": form,
        "kinds": STARTED_HERE,
        "kind": form["kind"].value() or RunKind.SEARCH,
        "problems": [text for texts in form.errors.values() for text in texts],
        "model": active_model(),
        "versions": models_to_choose(),
        "sources": enabled_sources(),
        "example": selectors.example_keyword(),
        "recent": recent,
        "unfinished": [row for row in recent if row.is_unfinished][:5],
    }
