"""How operators are told of moments, durations and circuit breakers."""

from datetime import datetime

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from crawler.breakers import BreakerState

NOTHING = "–"


def seconds(value: float | None) -> str:
    """A duration: two digits of what is short, minutes and hours of what is long."""
    if value is None:
        return NOTHING
    if value < 0.9995:
        return _("%(value)d ms") % {"value": round(value * 1000)}
    if value < 99.95:
        return _("%(value).1f s") % {"value": value}
    minutes = round(value / 60)
    if minutes < 120:
        return _("%(value)d min") % {"value": minutes}
    return _("%(value)d h") % {"value": round(value / 3600)}


def age(moment: datetime | None) -> str:
    """How long ago, in one unit."""
    if moment is None:
        return NOTHING
    passed = round(max(0.0, (timezone.now() - moment).total_seconds()))
    if passed < 100:
        return _("%(count)d s ago") % {"count": passed}
    if passed < 120 * 60:
        return _("%(count)d min ago") % {"count": passed // 60}
    if passed < 48 * 3600:
        return _("%(count)d h ago") % {"count": passed // 3600}
    days = passed // 86400
    return ngettext("%(count)d day ago", "%(count)d days ago", days) % {"count": days}


def breaker_words(state: BreakerState) -> str:
    """Whether a source is asked, and if not, until when."""
    values = {"count": state.failures}
    if not state.failures:
        return _("closed")
    if not state.is_open:
        return ngettext("failed %(count)d time in a row", "failed %(count)d times in a row", state.failures) % values
    if state.paused_until is not None and state.paused_until > timezone.now():
        until = date_format(timezone.localtime(state.paused_until), "H:i:s")
        return _("paused until %(time)s") % {"time": until}
    return _("paused; the next crawl tries it")
