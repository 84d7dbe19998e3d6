"""Who refers to listings and pictures: found by the names of fields, because the crawler knows no app that uses it.

The convention: a text field `listing_id`, a JSON list `…listing_ids`, and a text field `…image_sha256`, of any model in
the domain's database. Such a field keeps what it names from being cleaned away.
"""

from collections.abc import Sequence
from typing import Any

from django.apps import apps
from django.db import models, router

from crawler.models import Listing
from mmproject.mongo.collections import collection, field_name

Reference = tuple[type[models.Model], str]  # the model and its field


def listing_references() -> list[Reference]:
    """The fields that name listings."""
    return [
        (model, field.name)
        for model, field in _domain_fields()
        if (field.name == "listing_id" and isinstance(field, models.CharField))
        or (field.name.endswith("listing_ids") and isinstance(field, models.JSONField))
    ]


def picture_references() -> list[Reference]:
    """The fields that name pictures, the listings' own among them.

    In the order in which a picture's name is copied from one document to the next (listings first): whoever asks them
    one after the other misses no copy that is made meanwhile.
    """
    return [
        (model, field.name)
        for model, field in _domain_fields()
        if field.name.endswith("image_sha256") and isinstance(field, models.CharField)
    ]


def referred(references: Sequence[Reference], names: Sequence[str]) -> set[str]:
    """Those of `names` that any of the fields names: one query a field, whatever it names besides."""
    found: set[str] = set()
    for model, field in references:
        wanted = [name for name in names if name not in found]
        if wanted:
            found |= _named_by(model, field_name(model, field), wanted)
    return found


def _named_by(model: type[models.Model], key: str, names: list[str]) -> set[str]:
    names_it: dict[str, Any] = {"$match": {key: {"$in": names}}}
    pipeline: list[dict[str, Any]] = [
        names_it,
        {"$unwind": f"${key}"},  # a text is taken as a list of one
        names_it,
        {"$group": {"_id": f"${key}"}},
    ]
    return {document["_id"] for document in collection(model).aggregate(pipeline)}


def _domain_fields() -> list[tuple[type[models.Model], models.Field]]:
    database = router.db_for_read(Listing)
    return [
        (model, field)
        for model in apps.get_models()
        if router.db_for_read(model) == database
        for field in model._meta.concrete_fields
    ]
