"""The cards of the annotators' page, in a page of Django's templates."""

from collections.abc import MutableMapping, Sequence
from typing import Any

from django import template
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.utils.safestring import SafeString, mark_safe

from annotation.cards import Card
from annotation.models import Submission

register = template.Library()


def rendered_cards(cards: Sequence[Card], *, restored: Submission | None = None) -> SafeString:
    """The cards one after the other, as list items, ticked and marked as in `restored`.

    The template is one of Jinja2's: there may be hundreds of cards.
    """
    context = {"cards": cards, "icons": static("icons.svg")}
    for kind in ("matched", "refused", "unsure"):
        context[kind] = frozenset(getattr(restored, f"{kind}_listing_ids") if restored else ())
    return mark_safe(render_to_string("annotation/listing_cards.html", context, using="jinja2"))  # noqa: S308 - it escapes


@register.simple_tag(takes_context=True)
def listing_cards(context: MutableMapping[str, Any]) -> SafeString:
    """The cards of the context."""
    return rendered_cards(context["cards"], restored=context.get("restored"))
