"""What the annotation API is asked and what it answers."""

from typing import Any

from django.core.validators import validate_slug
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from annotation.models import MAX_NOTE, Brand, Label, Product, RejectReason, Review, SkipReason
from annotation.submission_checks import MAX_SHOWN
from mmproject.ids import ID_LENGTH

MAX_PAGE = 1000
MAX_PAGE_SIZE = 200
PAGE_SIZE = 50


def picture_path(sha256: str) -> str | None:
    return reverse("crawler:image", args=[sha256]) if sha256 else None


class Exact(serializers.CharField):
    """An optional filter by an exact value."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**({"default": "", "allow_blank": True, "max_length": 200} | options))


class PageQuery(serializers.Serializer):
    q = Exact(help_text="Words that must all occur")
    page = serializers.IntegerField(default=1, min_value=1, max_value=MAX_PAGE)
    page_size = serializers.IntegerField(default=PAGE_SIZE, min_value=1, max_value=MAX_PAGE_SIZE)


class ProductQuery(PageQuery):
    brand = Exact(help_text="Id of the brand")
    active = serializers.BooleanField(default=None, allow_null=True, help_text="All when left out")


class BrandData(serializers.ModelSerializer):
    class Meta:
        model = Brand
        fields = ("id", "name", "aliases")


class BrandCreate(serializers.Serializer):
    name = serializers.CharField(max_length=120)
    aliases = serializers.CharField(
        max_length=500, required=False, allow_blank=True, help_text="Other spellings, comma-separated"
    )
    id = serializers.CharField(
        required=False,
        max_length=ID_LENGTH,
        validators=[validate_slug],
        help_text="Letters, digits, - and _, for good; made from the name when left out",
    )


class BrandPage(serializers.Serializer):
    page = serializers.IntegerField()
    has_next = serializers.BooleanField()
    brands = BrandData(many=True)


class ProductData(serializers.ModelSerializer):
    brand = serializers.CharField(source="brand_id", allow_null=True, help_text="Id of the brand")
    picture = serializers.SerializerMethodField(help_text="Path of the catalogue picture on this site")

    class Meta:
        model = Product
        fields = ("id", "name", "brand", "brand_name", "keywords", "description", "guidelines", "picture", "active")

    def get_picture(self, product: Product) -> str | None:
        return picture_path(product.image_sha256)


class ProductPage(serializers.Serializer):
    page = serializers.IntegerField()
    has_next = serializers.BooleanField()
    products = ProductData(many=True)


class ProductChange(serializers.Serializer):
    """What of a product can be changed. JSON, or multipart/form-data when there is a picture."""

    name = serializers.CharField(max_length=200)
    brand = serializers.PrimaryKeyRelatedField(
        queryset=Brand.objects.all(), required=False, allow_null=True, help_text="Id of a brand"
    )
    keywords = serializers.CharField(max_length=500, required=False, allow_blank=True)
    description = serializers.CharField(required=False, allow_blank=True, max_length=20_000)
    guidelines = serializers.CharField(required=False, allow_blank=True, max_length=20_000)
    active = serializers.BooleanField(default=True)
    picture = serializers.FileField(required=False, help_text="JPEG, PNG or WebP")


class ProductCreate(ProductChange):
    id = serializers.CharField(
        required=False,
        max_length=ID_LENGTH,
        validators=[validate_slug],
        help_text="Letters, digits, - and _, for good; made from the name when left out",
    )


class LabelQuery(serializers.Serializer):
    review = serializers.ChoiceField(choices=Review.choices, default=None, allow_null=True)
    product = Exact(help_text="Id of the product")
    brand = Exact(help_text="Id of the brand")
    annotator = Exact(help_text="User name")
    source = Exact()
    listing = Exact(help_text="Id of the listing")
    submission = Exact(help_text="Id of the submission")
    keyword = Exact(help_text="Exactly this keyword")
    created_after = serializers.DateTimeField(default=None, allow_null=True, help_text="At this moment or later")
    created_before = serializers.DateTimeField(default=None, allow_null=True, help_text="Before this moment")
    cursor = Exact(help_text="`next_cursor` of the page before")
    page_size = serializers.IntegerField(default=PAGE_SIZE, min_value=1, max_value=MAX_PAGE_SIZE)


class LabelData(serializers.ModelSerializer):
    submission = serializers.CharField(source="submission_id")
    listing = serializers.CharField(source="listing_id")
    product = serializers.CharField(source="product_id")
    brand = serializers.CharField(source="brand_id")
    annotator = serializers.CharField(source="annotator_name")
    reviewer = serializers.CharField(source="reviewer_name")
    image = serializers.SerializerMethodField(help_text="Path of the listing's picture on this site")
    product_image = serializers.SerializerMethodField(help_text="Path of the product's picture when it was labelled")

    class Meta:
        model = Label
        fields = (
            *("id", "submission", "listing", "source", "keyword", "title", "url", "price", "currency", "shop_name"),
            *("shop_url", "image", "product", "product_name", "product_image", "brand", "brand_name", "annotator"),
            *("created_at", "review", "reject_reason", "review_note", "reviewer", "reviewed_at"),
        )

    def get_image(self, label: Label) -> str | None:
        return picture_path(label.image_sha256)

    def get_product_image(self, label: Label) -> str | None:
        return picture_path(label.product_image_sha256)


class LabelPage(serializers.Serializer):
    next_cursor = serializers.CharField(help_text="`cursor` of the next page; empty on the last")
    labels = LabelData(many=True)


class _ListingIds(serializers.ListField):
    child = serializers.CharField(max_length=ID_LENGTH)

    def __init__(self, **options: Any) -> None:
        super().__init__(**({"max_length": MAX_SHOWN} | options))


class LabelsCreate(serializers.Serializer):
    submission = serializers.CharField(
        max_length=ID_LENGTH, help_text="Chosen by you, one for each submission: sent again, it changes nothing"
    )
    product = serializers.CharField(max_length=ID_LENGTH, help_text="Id of an active product")
    keyword = serializers.CharField(max_length=200, help_text="What was searched for")
    source = serializers.CharField(max_length=64)
    listings = _ListingIds(default=list, help_text="Ids of the listings that show the product")
    refused = _ListingIds(default=list, help_text="Ids of listings that do not show it: no label follows")
    unsure = _ListingIds(default=list, help_text="Ids of listings of which it cannot be told: no label follows")
    shown = _ListingIds(
        required=False, help_text="Ids of all listings that were looked at; by default those that are named above"
    )
    skip_reason = serializers.ChoiceField(
        choices=SkipReason.choices, default="", allow_blank=True, help_text="Why it is given up: without `listings`"
    )
    skip_note = serializers.CharField(
        default="", allow_blank=True, max_length=MAX_NOTE, help_text="Required with the reason `other`"
    )
    second_opinion = serializers.BooleanField(
        default=False, help_text="Submit although others are at this product and keyword, or have submitted it"
    )
    pages = serializers.IntegerField(default=1, min_value=1, max_value=MAX_PAGE, help_text="Pages looked at")


class SubmissionData(serializers.Serializer):
    submission = serializers.CharField()
    state = serializers.CharField(help_text="pending while labels are still being written, then done")
    labels = LabelData(many=True)


class ReviewCreate(serializers.Serializer):
    ACTIONS = {"approve": Review.APPROVED, "reject": Review.REJECTED, "reopen": Review.PENDING}
    action = serializers.ChoiceField(
        choices=[("approve", _("approve")), ("reject", _("reject")), ("reopen", _("put back to review"))]
    )
    reason = serializers.ChoiceField(choices=RejectReason.choices, default="", help_text="Required with reject")
    note = serializers.CharField(
        default="", allow_blank=True, max_length=MAX_NOTE, help_text="To the annotator, kept with reject"
    )
