"""The page about oneself: who one is here, one's roles, and one's token for the API."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST
from rest_framework.authtoken.models import Token

from mmproject import roles

# What each role does here, in the order in which work passes through their hands.
ROLES = {
    roles.ANNOTATOR: gettext_lazy("Annotator: searches the shops and labels listings"),
    roles.REVIEWER: gettext_lazy("Reviewer: keeps the catalogue and reviews labels"),
    roles.EVALUATOR: gettext_lazy("Evaluator: tests predictions and judges them"),
    roles.OPERATOR: gettext_lazy("Operator: keeps sources, crawls and models running"),
    roles.ADMINISTRATOR: gettext_lazy("Administrator: adds people and gives them roles"),
}


@require_GET
@login_required
@never_cache
def profile(request: HttpRequest) -> HttpResponse:
    """Who one is, and whether one has a token: never the token itself."""
    return render(request, "profile.html", _about(request.user))


@require_POST
@login_required
@never_cache
def token_make(request: HttpRequest) -> HttpResponse:
    """Make or renew the token, and show it this once: in the answer to the POST, which no cache keeps."""
    with transaction.atomic():
        # Locked, so that two renewals at once end with one token rather than an error.
        user = User.objects.select_for_update().get(pk=request.user.pk)
        Token.objects.filter(user=user).delete()
        token = Token.objects.create(user=user)
    return render(request, "profile.html", _about(user) | {"new_token": token.key})


@require_POST
@login_required
@never_cache
def token_revoke(request: HttpRequest) -> HttpResponse:
    """Take the token away; programs that use it are refused from now on."""
    Token.objects.filter(user=request.user).delete()
    messages.success(request, _("You have no token now: programs that used it are refused."))
    return redirect("profile")


def _about(user: User) -> dict:
    held = set(user.groups.values_list("name", flat=True))
    return {
        "roles": [text for name, text in ROLES.items() if name in held],
        "token": Token.objects.filter(user=user).only("created").first(),
    }
