"""The Jinja2 templates (`templates/jinja2/`): what a page repeats many times. Everything else is Django's templates.

They are compiled to Python, so sixty cards take a tenth of the time.
"""

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext, ngettext
from jinja2 import Environment

from mmproject.links import is_web_link


def environment(**options: Any) -> Environment:
    """Jinja2 with our words in the reader's language, and what the templates call."""
    made = Environment(**options, extensions=["jinja2.ext.i18n"], trim_blocks=True, lstrip_blocks=True)  # noqa: S701 - Django says autoescape=True
    made.install_gettext_callables(gettext, ngettext, newstyle=True)  # type: ignore[attr-defined]
    made.filters["is_web_link"] = is_web_link
    made.globals["url"] = lambda name, *args: reverse(name, args=args)
    return made
