"""`/api/brands`, `/api/products`, `/api/labels`: the catalogue and the labels for programs.

Annotators read the catalogue, submit labels and see their own; reviewers change products, see and review all labels.
"""

from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.decorators import api_view
from rest_framework.exceptions import NotFound, PermissionDenied
from rest_framework.exceptions import ValidationError as Refused
from rest_framework.request import Request
from rest_framework.response import Response

from annotation import catalogue, pages, reviews, selectors, services
from annotation import serializers as shapes
from annotation.models import Label, Product, Submission
from crawler.models import Source
from mmproject.problems import Conflict
from mmproject.queries import checked, query_values

# Whoever names products in their work may read the catalogue.
READS_CATALOGUE = ("annotation.view_product", "annotation.add_submission", "evaluation.add_judgment")
SUBMITS, SEES_ALL, REVIEWS = "annotation.add_submission", "annotation.view_label", "annotation.change_label"

_PROBLEM = OpenApiResponse(description="RFC 9457 problem document")
_PROBLEMS = {400: _PROBLEM, 401: _PROBLEM, 403: _PROBLEM}


@extend_schema(
    methods=["GET"], parameters=[shapes.PageQuery], responses={200: shapes.BrandPage, **_PROBLEMS}, summary="Brands"
)
@extend_schema(
    methods=["POST"],
    request=shapes.BrandCreate,
    responses={201: shapes.BrandData, **_PROBLEMS},
    summary="Add a brand",
)
@api_view(["GET", "POST"])
def brands(request: Request) -> Response:
    """The brands of the catalogue, by name; POST adds one."""
    if request.method == "POST":
        return _brand_add(request)
    _require(request, *READS_CATALOGUE)
    values = query_values(shapes.PageQuery, request)
    found, has_next = pages.brands_page(q=values["q"], page=values["page"], size=values["page_size"])
    return Response(shapes.BrandPage({"page": values["page"], "has_next": has_next, "brands": found}).data)


def _brand_add(request: Request) -> Response:
    _require(request, "annotation.add_brand")
    values = checked(shapes.BrandCreate(data=request.data))
    try:
        made = catalogue.brand_create(brand_id=values.pop("id", ""), **values)
    except ValidationError as error:
        raise Refused(error.message_dict) from error
    return Response(shapes.BrandData(made).data, status=status.HTTP_201_CREATED)


@extend_schema(
    methods=["GET"],
    parameters=[shapes.ProductQuery],
    responses={200: shapes.ProductPage, **_PROBLEMS},
    summary="Products",
)
@extend_schema(
    methods=["POST"],
    request={"multipart/form-data": shapes.ProductCreate, "application/json": shapes.ProductCreate},
    responses={201: shapes.ProductData, **_PROBLEMS},
    summary="Add a product",
)
@api_view(["GET", "POST"])
def products(request: Request) -> Response:
    """The products of the catalogue, by name; POST adds one."""
    if request.method == "POST":
        return _product_add(request)
    _require(request, *READS_CATALOGUE)
    values = query_values(shapes.ProductQuery, request)
    page, size = values["page"], values.pop("page_size")
    found, has_next = pages.products_page(**values, size=size)
    return Response(shapes.ProductPage({"page": page, "has_next": has_next, "products": found}).data)


def _product_add(request: Request) -> Response:
    _require(request, "annotation.add_product")
    values = checked(shapes.ProductCreate(data=request.data))
    try:
        made = catalogue.product_create(product_id=values.pop("id", ""), **values)
    except ValidationError as error:
        raise Refused(error.message_dict) from error
    headers = {"Location": reverse("annotation_api:product", args=[made.id])}
    return Response(shapes.ProductData(made).data, status=status.HTTP_201_CREATED, headers=headers)


@extend_schema(methods=["GET"], responses={200: shapes.ProductData, **_PROBLEMS, 404: _PROBLEM}, summary="A product")
@extend_schema(
    methods=["PATCH"],
    request={"multipart/form-data": shapes.ProductChange, "application/json": shapes.ProductChange},
    responses={200: shapes.ProductData, **_PROBLEMS, 404: _PROBLEM},
    summary="Change a product",
)
@api_view(["GET", "PATCH"])
def product(request: Request, product_id: str) -> Response:
    """One product; PATCH changes the fields it names, and no others."""
    changes = request.method == "PATCH"
    _require(request, *(["annotation.change_product"] if changes else READS_CATALOGUE))
    found = Product.objects.filter(id=product_id).first()
    if found is None:
        raise NotFound
    if changes:
        values = checked(shapes.ProductChange(data=request.data, partial=True))
        try:
            found = catalogue.product_change(product=found, **values)
        except ValidationError as error:
            raise Refused(error.message_dict) from error
    return Response(shapes.ProductData(found).data)


@extend_schema(
    methods=["GET"],
    parameters=[shapes.LabelQuery],
    responses={200: shapes.LabelPage, **_PROBLEMS},
    summary="Labels, the newest first",
)
@extend_schema(
    methods=["POST"],
    request=shapes.LabelsCreate,
    responses={
        200: OpenApiResponse(shapes.SubmissionData, description="This submission was there already"),
        201: shapes.SubmissionData,
        **_PROBLEMS,
        409: _PROBLEM,
    },
    summary="Submit labels",
)
@api_view(["GET", "POST"])
def labels(request: Request) -> Response:
    """One's own labels, or everybody's for reviewers; POST submits which listings show a product."""
    if request.method == "POST":
        return _labels_submit(request)
    _require(request, SEES_ALL, SUBMITS)
    values = query_values(shapes.LabelQuery, request)
    after, size = values.pop("cursor"), values.pop("page_size")
    try:
        found, next_cursor = pages.labels_page(filters=values, annotator_id=_only_own(request), after=after, size=size)
    except ValueError as error:
        message = _("“%(cursor)s” is not a cursor of this list.") % {"cursor": after}
        raise Refused({"cursor": [message]}) from error
    return Response(shapes.LabelPage({"next_cursor": next_cursor, "labels": found}).data)


def _labels_submit(request: Request) -> Response:
    _require(request, SUBMITS)
    values = checked(shapes.LabelsCreate(data=request.data))
    values.setdefault("shown", [*values["listings"], *values["refused"], *values["unsure"]])
    if existing := Submission.objects.filter(id=values["submission"]).first():
        _refuse_other(existing, request=request, values=values)
        return _submitted(existing, status_code=status.HTTP_200_OK)
    wanted = Product.objects.filter(id=values["product"], active=True).first()
    if wanted is None:
        message = _("There is no active product “%(id)s”.") % {"id": values["product"]}
        raise Refused({"product": [message]})
    if not Source.objects.filter(id=values["source"]).exists():
        raise Refused({"source": [_("There is no source “%(id)s”.") % {"id": values["source"]}]})
    try:
        made = services.submission_create(
            submission_id=values["submission"],
            product_name=wanted.name,
            keyword=values["keyword"],
            source=values["source"],
            pages=values["pages"],
            shown_listing_ids=values["shown"],
            matched_listing_ids=values["listings"],
            refused_listing_ids=values["refused"],
            unsure_listing_ids=values["unsure"],
            skip_reason=values["skip_reason"],
            skip_note=values["skip_note"],
            second_opinion=values["second_opinion"],
            annotator=request.user,
        )
    except ValidationError as error:
        raise _refusal(error) from error
    _refuse_other(made, request=request, values=values)  # the same id, a moment ago, from elsewhere
    return _submitted(made, status_code=status.HTTP_201_CREATED)


def _refuse_other(submission: Submission, *, request: Request, values: dict) -> None:
    """409 when the submission of this id is not the one that was sent."""
    same = (
        submission.annotator_id == request.user.pk
        and (submission.product_id, submission.keyword, submission.source)
        == (values["product"], values["keyword"], values["source"])
        and set(submission.matched_listing_ids) == set(values["listings"])
        and set(submission.refused_listing_ids) == set(values["refused"])
        and set(submission.unsure_listing_ids) == set(values["unsure"])
        and submission.skip_reason == values["skip_reason"]
    )
    if not same:
        raise Conflict(_("The submission “%(id)s” exists already and says something else.") % {"id": submission.id})
    if submission.cancelled_at is not None:
        raise Conflict(
            _("The submission “%(id)s” has been taken back: send it under a new id.") % {"id": submission.id}
        )


def _refusal(error: ValidationError) -> Exception:
    """The service's errors under the names that the API's fields have."""
    messages = error.message_dict
    for field in ("submission", "claim"):  # what somebody else has done, or is at
        if field in messages:
            return Conflict(" ".join(messages[field]))
    return Refused({"listings" if field == "listing" else field: texts for field, texts in messages.items()})


def _submitted(submission: Submission, *, status_code: int) -> Response:
    data = {
        "submission": submission.id,
        "state": submission.state,
        "labels": selectors.submission_labels(submission),
    }
    return Response(shapes.SubmissionData(data).data, status=status_code)


@extend_schema(responses={200: shapes.LabelData, **_PROBLEMS, 404: _PROBLEM}, summary="A label")
@api_view(["GET"])
def label(request: Request, label_id: str) -> Response:
    """One label; somebody else's is not found unless one may see all."""
    _require(request, SEES_ALL, SUBMITS)
    return Response(shapes.LabelData(_label(label_id, annotator_id=_only_own(request))).data)


@extend_schema(
    request=shapes.ReviewCreate,
    responses={200: shapes.LabelData, **_PROBLEMS, 404: _PROBLEM},
    summary="Review a label",
)
@api_view(["POST"])
def label_review(request: Request, label_id: str) -> Response:
    """Approve or reject a label (for a reason), or put it back to review. The same again keeps the first reviewer."""
    _require(request, REVIEWS)
    said = checked(shapes.ReviewCreate(data=request.data))
    _label(label_id, annotator_id=None)
    review = shapes.ReviewCreate.ACTIONS[said.pop("action")]
    try:
        reviews.labels_review(label_ids=[label_id], review=review, reviewer=request.user, **said)
    except ValidationError as error:
        raise Refused(error.message_dict) from error
    return Response(shapes.LabelData(_label(label_id, annotator_id=None)).data)


def _require(request: Request, *permissions: str) -> None:
    """403 for people who have none of `permissions`."""
    if not any(request.user.has_perm(permission) for permission in permissions):
        raise PermissionDenied


def _only_own(request: Request) -> int | None:
    """The id of a user who sees only his own labels."""
    return None if request.user.has_perm(SEES_ALL) else request.user.pk


def _label(label_id: str, *, annotator_id: int | None) -> Label:
    found = Label.objects.filter(id=label_id).first()
    if found is None or annotator_id not in (None, found.annotator_id):
        raise NotFound
    return found
