"""What an annotator has chosen for the page: how many listings at first, and that the tour was seen."""

from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db import IntegrityError

from annotation.models import AnnotatorSettings

# How many listings are shown at first; 0 is a page of the shop's, whatever that holds.
PAGE_SIZES = (0, 40, 60, 100)


def preferences_of(annotator: AbstractBaseUser) -> AnnotatorSettings:
    """What `annotator` has chosen; the defaults, not saved, for one who never chose anything. One query."""
    key = str(annotator.pk)
    return AnnotatorSettings.objects.filter(id=key).first() or AnnotatorSettings(id=key)


def preferences_change(*, annotator: AbstractBaseUser, **fields: Any) -> None:
    """Change what `fields` name and leave the rest as it is."""
    mine = AnnotatorSettings.objects.filter(id=str(annotator.pk))
    if mine.update(**fields):
        return
    try:
        AnnotatorSettings(id=str(annotator.pk), **fields).save(force_insert=True)
    except IntegrityError:  # made in another tab a moment ago
        mine.update(**fields)
