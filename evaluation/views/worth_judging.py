"""What is most useful to judge next, and the button that begins with it."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from evaluation.selectors.worth_judging import worth_judging
from evaluation.services.asking import listings_ask
from mmproject.roles import needs


@require_http_methods(["GET", "POST"])
@needs("evaluation.add_judgment")
def worth_page(request: HttpRequest) -> HttpResponse:
    """The listings with why each is worth it; POST asks the model in use about those ticked, and leads to judging."""
    if request.method == "GET":
        return render(request, "evaluation/worth_judging.html", {"worth": worth_judging()})
    chosen = request.POST.getlist("listing")
    if not chosen:
        messages.error(request, _("Tick at least one listing."))
        return redirect("evaluation:worth")
    try:
        run = listings_ask(listing_ids=chosen, user=request.user)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect("evaluation:worth")
    return redirect("evaluation:run", run.id)
