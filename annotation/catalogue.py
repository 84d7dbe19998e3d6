"""Writes of the catalogue: products that programs and reviewers make and change."""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.db import IntegrityError
from django.utils.text import slugify
from django.utils.translation import gettext as _
from pymongo import UpdateOne

from annotation.models import Brand, Product
from annotation.product_search import catalogue_changed
from crawler.images import MAX_BYTES, ImageError, store_image
from mmproject.ids import ID_LENGTH, new_id
from mmproject.mongo.collections import collection


def brand_create(*, name: str, brand_id: str = "", aliases: str = "") -> Brand:
    """Add a brand. Its id is made from the name when none is given, a unique one when the name has no Latin letters.

    Raises ValidationError, keyed by field, for a name or id that is taken.
    """
    brand = Brand(id=brand_id or slugify(name)[:ID_LENGTH] or new_id(), name=name, aliases=aliases)
    if Brand.objects.filter(name=name).exists():
        raise ValidationError({"name": _("There is already a brand named “%(name)s”.") % {"name": name}})
    try:
        brand.save(force_insert=True)
    except IntegrityError as error:
        raise ValidationError({"id": _("The id “%(id)s” is taken.") % {"id": brand.id}}) from error
    return brand


def product_create(*, name: str, product_id: str = "", picture: UploadedFile | None = None, **fields: Any) -> Product:
    """Add a product. Its id is made from the name when none is given, a unique one when the name has no Latin letters.

    `fields`: brand (a Brand or None), keywords, description, active.
    Raises ValidationError, keyed by field, for a name or id that is taken and for a file that is no picture.
    """
    product = Product(id=product_id or slugify(name)[:ID_LENGTH] or new_id(), name=name, **fields)
    _refuse_taken_name(name, but=None)
    if Product.objects.filter(id=product.id).exists():
        raise ValidationError({"id": _("The id “%(id)s” is taken.") % {"id": product.id}})
    if picture is not None:
        product.image_sha256 = _stored(picture)
    try:
        product.save(force_insert=True)
    except IntegrityError as error:  # somebody took the name or the id a moment ago
        raise _taken(name) from error
    return product


def product_change(*, product: Product, picture: UploadedFile | None = None, **fields: Any) -> Product:
    """Change what `fields` name and nothing else; returns the product as it now is. Raises like `product_create`.

    Labels keep the name that the product had when they were made.
    """
    if "name" in fields:
        _refuse_taken_name(fields["name"], but=product.id)
    if "brand" in fields:
        brand: Brand | None = fields.pop("brand")
        fields |= {"brand_id": brand.id if brand else None, "brand_name": brand.name if brand else ""}
    if picture is not None:
        fields["image_sha256"] = _stored(picture)
    try:
        # Not save(): it would write back what somebody else has changed in the fields that are not named.
        if fields:
            Product.objects.filter(id=product.id).update(**fields)
    except IntegrityError as error:
        raise _taken(fields.get("name", product.name)) from error
    product.refresh_from_db()
    if {"name", "brand_id", "keywords"} & fields.keys():
        _followed([product])
        product.refresh_from_db()
    catalogue_changed()
    return product


def brand_followed(*, brand: Brand) -> int:
    """Have the products of `brand` carry its name and be found by it and its aliases; returns how many changed."""
    products = list(Product.objects.filter(brand_id=brand.id))
    for product in products:
        product.brand = brand
    return _followed(products)


def _followed(products: list[Product]) -> int:
    """Write what follows from the other fields of `products` and from their brands; how many that changes.

    Each only as long as its name and keywords are those that were read: who has changed them since does the same.
    """
    changes = []
    for product in products:
        before = (product.brand_name, product.search_text)
        product.follow_brand()
        after = (product.brand_name, product.search_text)
        if after != before:
            read = {"id": product.id, "name": product.name, "brand_id": product.brand_id, "keywords": product.keywords}
            changes.append(UpdateOne(read, {"$set": {"brand_name": after[0], "search_text": after[1]}}))
    if changes:
        collection(Product).bulk_write(changes, ordered=False)
        catalogue_changed()
    return len(changes)


def _refuse_taken_name(name: str, *, but: str | None) -> None:
    if Product.objects.filter(name=name).exclude(id=but or "").exists():
        raise _taken(name)


def _taken(name: str) -> ValidationError:
    return ValidationError({"name": _("There is already a product named “%(name)s”.") % {"name": name}})


def _stored(picture: UploadedFile) -> str:
    """The SHA-256 of the picture, now in the store."""
    # One byte more than is allowed is enough for the store to refuse it.
    try:
        return store_image(picture.read(MAX_BYTES + 1)).sha256
    except ImageError as error:
        message = _("“%(file)s” cannot be used: %(reason)s") % {"file": picture.name, "reason": error}
        raise ValidationError({"picture": message}) from error
