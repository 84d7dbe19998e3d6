"""What the classes of a model's heads stand for."""

from dataclasses import dataclass
from functools import cached_property

from ml.data.records import Dataset


@dataclass(frozen=True)
class Labels:
    """Brands and products in the order of the heads; a brand of id "" stands for goods without one.

    Raises ValueError for entries that lack a field.
    """

    brands: list[dict[str, str]]
    products: list[dict[str, str]]

    def __post_init__(self) -> None:
        for kind, entries, fields in (
            ("brands", self.brands, ("id", "name")),
            ("products", self.products, ("id", "name", "brand")),
        ):
            if not isinstance(entries, list):
                raise ValueError(f"{kind} is a {type(entries).__name__} where a list is expected")
            for entry in entries:
                if not isinstance(entry, dict) or not all(isinstance(entry.get(name), str) for name in fields):
                    raise ValueError(f"{kind} holds {entry!r}, which lacks one of {', '.join(fields)}")

    @classmethod
    def of(cls, data: Dataset) -> "Labels":
        """The brands and products of the training split, by id."""
        train = data.split("train")
        all_brands, all_products = ["", *data.brands], list(data.products)
        brands = {all_brands[place + 1] for place in set(train.brands.tolist())}  # -1 is without a brand
        products = {all_products[place] for place in set(train.products.tolist())}
        names = {brand.id: brand.name for brand in data.brands.values()}
        return cls(
            brands=[{"id": brand, "name": names.get(brand, "")} for brand in sorted(brands)],
            products=[
                {"id": one, "name": data.products[one].name, "brand": data.products[one].brand}
                for one in sorted(products)
            ],
        )

    def knows(self, product: str) -> bool:
        """Whether the product is one of these."""
        return product in self.product_index

    @cached_property
    def brand_index(self) -> dict[str, int]:
        return {brand["id"]: index for index, brand in enumerate(self.brands)}

    @cached_property
    def product_index(self) -> dict[str, int]:
        return {product["id"]: index for index, product in enumerate(self.products)}
