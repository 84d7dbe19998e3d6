"""Our catalogue: brands and products."""

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from annotation.picker import search_text_for
from mmproject.ids import ID_LENGTH


class Brand(models.Model):
    id = models.SlugField(primary_key=True, max_length=ID_LENGTH)
    name = models.CharField(_("name"), max_length=120)
    aliases = models.CharField(
        _("aliases"), max_length=500, blank=True, help_text=_("Other spellings, comma-separated")
    )

    class Meta:
        verbose_name = _("brand")
        verbose_name_plural = _("brands")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Product(models.Model):
    """A product of the catalogue. `brand_name` is carried along so that lists join nothing."""

    id = models.SlugField(primary_key=True, max_length=ID_LENGTH)
    # Unique, because annotators and evaluators name a product by typing it.
    name = models.CharField(_("name"), max_length=200, unique=True)
    brand = models.ForeignKey(
        Brand, verbose_name=_("brand"), null=True, blank=True, on_delete=models.PROTECT, related_name="products"
    )
    brand_name = models.CharField(max_length=120, blank=True, editable=False)
    keywords = models.CharField(
        _("search keywords"), max_length=500, blank=True, help_text=_("What annotators search for, comma-separated")
    )
    description = models.TextField(_("description"), blank=True)
    guidelines = models.TextField(
        _("guidelines"), blank=True, default="", help_text=_("Shown to annotators beside the pictures: what counts.")
    )
    # What the picker looks in: name, brand, aliases, keywords, and the pinyin of all that. See `annotation.picker`.
    search_text = models.TextField(blank=True, default="", editable=False)
    image_sha256 = models.CharField(_("catalogue picture"), max_length=64, blank=True, editable=False)
    active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("product")
        verbose_name_plural = _("products")
        ordering = ["name"]
        indexes = [models.Index(fields=["brand_name", "name"], name="product_brand")]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.follow_brand()
        if names := kwargs.get("update_fields"):
            kwargs["update_fields"] = {*names, "brand_name", "search_text"}
        super().save(*args, **kwargs)

    def follow_brand(self) -> None:
        """Set what follows from the other fields and from the brand: its name, and what the product is found by."""
        self.brand_name = self.brand.name if self.brand else ""
        aliases = self.brand.aliases if self.brand else ""
        self.search_text = search_text_for(
            name=self.name, brand_name=self.brand_name, aliases=aliases, keywords=self.keywords
        )
