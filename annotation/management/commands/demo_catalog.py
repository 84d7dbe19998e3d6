"""The demo shop's goods as our catalogue."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from annotation.models import Brand, Product
from crawler.demo_shop.catalog import load_catalog
from crawler.images import store_image


class Command(BaseCommand):
    help = "Fill the catalogue with the brands and products that the demo shop sells. Run again, it changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--data", type=Path, help="a GroceryStoreDataset folder; the drawn goods without it")

    def handle(self, *args: Any, data: Path | None, **options: Any) -> None:
        try:
            catalog = load_catalog(data)
        except ValueError as error:
            raise CommandError(str(error)) from None
        brands = {brand.id: Brand(id=brand.id, name=brand.name, aliases=brand.aliases) for brand in catalog.brands}
        known_brands = set(Brand.objects.filter(id__in=list(brands)).values_list("id", flat=True))
        for brand_id in brands.keys() - known_brands:
            brands[brand_id].save()
        known = set(
            Product.objects.filter(id__in=[product.id for product in catalog.products]).values_list("id", flat=True)
        )
        fresh = [product for product in catalog.products if product.id not in known]
        for product in tqdm(fresh, desc="catalogue", unit="product", disable=None):
            Product(
                id=product.id,
                name=product.name,
                brand=brands.get(product.brand_id),
                keywords=product.keywords,
                description=product.description,
                image_sha256=store_image(product.picture()).sha256,
            ).save()
        self.stdout.write(f"{len(fresh)} products added, {len(known)} were there")
