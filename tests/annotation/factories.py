"""Documents for the tests of annotation and evaluation: valid ones, with only what a test cares about spelled out."""

from itertools import count
from typing import Any

from django.utils import timezone

from annotation.models import Brand, Product
from crawler.models import ImageState, Listing

_numbers = count(1)


def make_product(name: str = "Alpha Orange Juice", *, brand: str = "Alpha", **fields: Any) -> Product:
    """A product of the catalogue; its brand is made when it is not there yet. `brand=""` for none."""
    document = Brand.objects.get_or_create(id=brand.lower(), defaults={"name": brand})[0] if brand else None
    product = Product(id=name.lower().replace(" ", "-"), name=name, brand=document, **fields)
    product.save()
    return product


def make_listing(title: str = "orange juice 1 L", **fields: Any) -> Listing:
    """A listing with a picture that is stored (by name only)."""
    number = next(_numbers)
    now = timezone.now()
    values = {
        "source": "demo-shop",
        "item_id": str(number),
        "title": title,
        "url": f"https://shop.example/item/{number}",
        "price": 12.5,
        "currency": "CNY",
        "shop_name": "Corner shop",
        "shop_url": "https://shop.example/",
        "image_state": ImageState.DONE,
        "image_sha256": f"{number:064x}",
        "first_seen_at": now,
        "last_seen_at": now,
    } | fields
    listing = Listing(id=Listing.make_id(source=values["source"], item_id=values["item_id"]), **values)
    listing.save()
    return listing
