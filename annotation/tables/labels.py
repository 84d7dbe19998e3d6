"""Labels that were made elsewhere: a row says that a listing of ours shows a product of ours.

They become labels of submissions made by whoever imports them, so that disputes, reviews and webhooks follow as from
any other. What is labelled already, by whomever, is left as it is: the same file again changes nothing.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from annotation.models import Label, Product, Submission, TableImport
from annotation.services import submission_finish
from annotation.tables.rows import NEW, UNCHANGED, Outcome, WrongRowError, cell_text, limited_text, problem_of
from crawler.imports.rows import Problem, Row
from crawler.models import Listing
from crawler.selectors import listings_by_ids
from mmproject.ids import content_id

MAX_KEYWORD = 200


@dataclass(frozen=True)
class _Found:
    """What the rows at hand name."""

    listings: dict[str, Listing]
    products: dict[str, Product]  # by id, and by name
    labelled: set[tuple[str, str]]  # listing, product


class LabelTarget:
    def __init__(self, table_import: TableImport) -> None:
        self._import = table_import

    def keys(self, row: Row) -> list[str]:
        """Its listing and product, however it names them."""
        try:
            return [content_id("label-row", _listing_id(row), cell_text(row, "product_id"), cell_text(row, "product"))]
        except WrongRowError:
            return []

    def take(self, rows: Sequence[Row], *, dry_run: bool) -> Iterable[Outcome | Problem]:
        """Write the rows' labels, in one submission for each product, source and keyword."""
        found = _found(rows)
        outcomes: list[Outcome | Problem] = []
        groups: dict[tuple[str, str, str], list[Listing]] = defaultdict(list)
        for row in rows:
            try:
                listing, product = _listing(row, found), _product(row, found)
                keyword = limited_text(row, "keyword", MAX_KEYWORD).strip()
            except WrongRowError as error:
                outcomes.append(problem_of(row, error))
                continue
            is_new = (listing.id, product.id) not in found.labelled
            name = f"{product.name}: {listing.title}"
            outcomes.append(Outcome(line=row.line, what=NEW if is_new else UNCHANGED, name=name))
            if is_new:
                found.labelled.add((listing.id, product.id))
                groups[product.id, listing.source, keyword or self._origin()].append(listing)
        if not dry_run:
            first_line = rows[0].line if rows else 0
            for (product_id, source, keyword), listings in groups.items():
                self._submit(found.products[product_id], source, keyword, listings, first_line)
        return outcomes

    def _origin(self) -> str:
        return (_("imported: %(file)s") % {"file": self._import.file_name})[:MAX_KEYWORD]

    def _submit(self, product: Product, source: str, keyword: str, listings: list[Listing], first_line: int) -> None:
        # The same rows make the same submission: after a crash it is only finished.
        made = content_id("label-import", self._import.id, str(first_line), product.id, source, keyword)
        ids = [listing.id for listing in listings]
        submission = Submission(
            id=made,
            product_id=product.id,
            product_name=product.name,
            keyword=keyword,
            source=source,
            pages=0,
            shown_listing_ids=ids,
            matched_listing_ids=ids,
            annotator_id=self._import.requested_by_id,
            annotator_name=self._import.requested_by,
            created_at=timezone.now(),
        )
        try:
            submission.save(force_insert=True)
        except IntegrityError:
            submission, listings = Submission.objects.get(id=made), []
        submission_finish(submission=submission, product=product, listings=listings or None)


def _found(rows: Sequence[Row]) -> _Found:
    ids: set[str] = set()
    names: set[str] = set()
    for row in rows:
        for name, into in (("listing_id", ids), ("product_id", names), ("product", names)):
            try:
                into.add(_listing_id(row) if into is ids else cell_text(row, name).strip())
            except WrongRowError:
                continue
    listings = {listing.id: listing for listing in listings_by_ids(sorted(ids - {""}))}
    products: dict[str, Product] = {}
    for product in Product.objects.filter(Q(id__in=sorted(names)) | Q(name__in=sorted(names))).order_by("id"):
        products.setdefault(product.name, product)
        products[product.id] = product
    labels: Any = Label.objects.filter(listing_id__in=sorted(listings)) if listings else Label.objects.none()
    return _Found(listings, products, set(labels.values_list("listing_id", "product_id")))


def _listing_id(row: Row) -> str:
    """The listing's id, from its source and item number where it is not given; "" where these are not either."""
    listing_id, item_id = cell_text(row, "listing_id").strip(), cell_text(row, "item_id").strip()
    if listing_id or not item_id:
        return listing_id
    return Listing.make_id(source=cell_text(row, "source").strip(), item_id=item_id)


def _listing(row: Row, found: _Found) -> Listing:
    column = "listing_id" if cell_text(row, "listing_id").strip() else "item_id"
    value = cell_text(row, column)
    listing = found.listings.get(_listing_id(row))
    if listing is None:
        raise WrongRowError(column, value, _("There is no such listing: import the listings first."))
    if not listing.image_sha256:
        raise WrongRowError(column, value, _("The listing has no picture, so it cannot be labelled."))
    return listing


def _product(row: Row, found: _Found) -> Product:
    column = "product_id" if cell_text(row, "product_id").strip() else "product"
    value = cell_text(row, column).strip()
    product = found.products.get(value)
    if product is None or (column == "product_id" and product.id != value):
        raise WrongRowError(column, value, _("There is no such product: import the products first."))
    return product
