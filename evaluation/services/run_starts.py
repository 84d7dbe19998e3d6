"""The ways to start a test: a keyword, the address of a listing, a picture with a title.

The run is the intent: everything else follows from it, whoever dies in between.
"""

from typing import TypedDict, Unpack

from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from crawler import services as crawler
from crawler.item_pages import address_in, listing_at
from crawler.uploads import UPLOAD, listing_of_upload
from evaluation.models import ModelVersion, PredictionRun, RunKind
from evaluation.selectors.models import active_model, models_to_choose
from evaluation.services.runs import FETCH_ADDRESS, run_fix_listings, run_settle
from mmproject.queue import nudge


class Versions(TypedDict, total=False):
    """Which versions are tested: the active one when `model_id` is empty, alone when `other_model_id` is."""

    model_id: str
    other_model_id: str
    blind: bool


def run_start(
    *,
    keyword: str,
    page: int = 1,
    force_update: bool = False,
    source: str | None = None,
    user: AbstractBaseUser,
    **versions: Unpack[Versions],
) -> PredictionRun:
    """Test on one search page, from the cache or crawled now.

    Raises ValidationError, keyed by field, for what the crawler refuses, and keyed `model` without a model.
    """
    chosen = _chosen(versions)
    result = crawler.search(
        keyword=keyword, page=page, source=source, force_update=force_update, requested_by=user.get_username()
    )
    run = _made(
        user,
        chosen,
        kind=str(RunKind.SEARCH),
        keyword=result.keyword,
        source=result.source,
        page=result.page,
        crawl_id=result.crawl.id if result.state == "pending" and result.crawl else "",
    )
    return run_settle(run, result)


def run_start_address(
    *, address: str, force_update: bool = False, user: AbstractBaseUser, **versions: Unpack[Versions]
) -> PredictionRun:
    """Test on the one listing at `address`: as it was crawled, else its page is read now.

    `address` may be a sentence that holds one. Raises ValidationError, keyed `address` when it holds none.
    """
    chosen = _chosen(versions)
    found = address_in(address)
    if not found:
        message = _("“%(value)s” is no web address: copy it from the browser, like https://shop.example/item/1.")
        raise ValidationError({"address": message % {"value": address.strip()[:100]}})
    listing = None if force_update else listing_at(found)
    source = listing.source if listing else ""
    run = _made(user, chosen, kind=str(RunKind.ADDRESS), address=found, source=source, page=1)
    if listing:
        return run_fix_listings(run, [listing.id])
    nudge(FETCH_ADDRESS, run.id)
    return run


def run_start_upload(
    *, picture: bytes, title: str, user: AbstractBaseUser, **versions: Unpack[Versions]
) -> PredictionRun:
    """Test on a picture with its title. Raises ValidationError, keyed `picture` or `title`, for what is not kept."""
    chosen = _chosen(versions)
    listing = listing_of_upload(picture=picture, title=title)
    run = _made(user, chosen, kind=str(RunKind.UPLOAD), keyword=listing.title[:200], source=UPLOAD, page=1)
    return run_fix_listings(run, [listing.id])


def _chosen(versions: Versions) -> dict[str, str | bool]:
    """The run's fields of its versions. Raises ValidationError, keyed `model` or `other_model`."""
    model_id, other_id = versions.get("model_id", ""), versions.get("other_model_id", "")
    model = _answering(model_id, field="model") if model_id else active_model()
    if model is None:
        raise ValidationError({"model": _("There is no model to test yet: a training has to finish first.")})
    fields: dict[str, str | bool] = {"model_id": model.id, "model_name": model.name}
    if not other_id:
        return fields
    if other_id == model.id:
        message = _("“%(name)s” is compared with itself: choose another version.")
        raise ValidationError({"other_model": message % {"name": model.name}})
    other = _answering(other_id, field="other_model")
    blind = versions.get("blind", False)
    return fields | {"other_model_id": other.id, "other_model_name": other.name, "blind": blind}


def _answering(model_id: str, *, field: str) -> ModelVersion:
    model = next((one for one in models_to_choose() if one.id == model_id), None)
    if model is None:
        message = _("There is no version “%(value)s” that can be tested: choose another one.")
        raise ValidationError({field: message % {"value": model_id[:64]}})
    return model


def _made(user: AbstractBaseUser, versions: dict[str, str | bool], **fields: str | int) -> PredictionRun:
    return PredictionRun.objects.create(
        **versions,
        **fields,
        language=get_language() or "",
        started_by_id=user.pk,
        started_by=user.get_username(),
        created_at=timezone.now(),
    )
