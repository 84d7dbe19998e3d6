"""The cards of the annotators' page, in a page of Django's templates."""

from collections.abc import Sequence

from django import template
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.utils.safestring import SafeString, mark_safe

from annotation.cards import Card

register = template.Library()


@register.simple_tag
def listing_cards(cards: Sequence[Card]) -> SafeString:
    """The cards one after the other, as list items. The template is one of Jinja2's: there may be hundreds."""
    context = {"cards": cards, "icons": static("icons.svg")}
    return mark_safe(render_to_string("annotation/listing_cards.html", context, using="jinja2"))  # noqa: S308 - it escapes
