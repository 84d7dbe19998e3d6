"""Cached search pages must not hide what was imported since: they expire, and are searched again at the next look."""

from datetime import datetime

from django.utils import timezone

from crawler.models import ListingImport, SearchPage


def pages_expire(*, source: str) -> None:
    now = timezone.now()
    SearchPage.objects.filter(source=source).update(fresh_until=now, stale_until=now)


def pages_expire_if_imported(*, source: str, since: datetime) -> None:
    """For who has just cached a page of listings read at `since`: an import that ended meanwhile expired it too early.

    Called after the page is written: an import that ends later than this look finds the page and expires it itself.
    """
    if ListingImport.objects.filter(source=source, dry_run=False, finished_at__gte=since).exists():
        pages_expire(source=source)
