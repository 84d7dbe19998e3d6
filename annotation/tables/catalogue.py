"""Brands and products from a table: found by their id, else by their name; made when they are not there.

A column that the file does not have leaves what there is; an empty cell empties it.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_slug
from django.db import IntegrityError
from django.db.models import Model, Q
from django.utils.text import slugify
from django.utils.translation import gettext as _
from pymongo.errors import BulkWriteError

from annotation.catalogue import brand_followed
from annotation.models import Brand, Product
from annotation.picker import search_text_for
from annotation.product_search import catalogue_changed
from annotation.tables.cells import WrongCellError, truth_of
from annotation.tables.rows import (
    CHANGED,
    NEW,
    UNCHANGED,
    Outcome,
    WrongRowError,
    cell_text,
    limited_text,
    problem_of,
)
from crawler.imports.rows import Problem, Row
from mmproject.ids import ID_LENGTH, content_id
from mmproject.mongo.collections import update_each

_MAX_TRIES = 3


class CatalogueTarget:
    """Rows of `model`, whose `texts` are its fields that are taken as they stand."""

    model: type[Model]
    texts: tuple[str, ...]

    def keys(self, row: Row) -> list[str]:
        """Its id and its name."""
        return [content_id(name, value) for name in ("id", "name") if (value := _shown(row, name))]

    def take(self, rows: Sequence[Row], *, dry_run: bool) -> Iterable[Outcome | Problem]:
        """Write the rows with a few queries for all of them."""
        for attempt in range(1, _MAX_TRIES + 1):
            try:
                return self._taken(rows, dry_run=dry_run)
            except (IntegrityError, BulkWriteError):  # somebody took one of the names a moment ago
                if attempt == _MAX_TRIES:
                    raise
        raise AssertionError("the last attempt returns or raises")

    def _taken(self, rows: Sequence[Row], *, dry_run: bool) -> list[Outcome | Problem]:
        known = _Known(self.model, rows)
        related = self.related(rows, known.documents())
        outcomes: list[Outcome | Problem] = []
        new: list[Any] = []
        changed: list[tuple[str, dict[str, Any]]] = []
        for row in rows:
            try:
                document, is_new = known.document_of(row)
                values = self._values(row, document) | self.values_of(row, related)
            except WrongRowError as error:
                outcomes.append(problem_of(row, error))
                continue
            before = _set(document, values)
            before |= _set(document, self.derived(document, related))
            different = {
                name: getattr(document, name) for name, value in before.items() if value != getattr(document, name)
            }
            known.add(document)
            if is_new:
                new.append(document)
                outcomes.append(Outcome(line=row.line, what=NEW, name=str(document)))
                continue
            fields = {name: (before[name], value) for name, value in different.items() if name in values}
            what = CHANGED if different else UNCHANGED
            outcomes.append(Outcome(line=row.line, what=what, name=str(document), fields=fields))
            if different:
                changed.append((document.pk, different))
        if not dry_run:
            if new:
                self.model.objects.bulk_create(new)
            update_each(self.model, changed)
            keys = {pk for pk, _different in changed}
            self.follow([*new, *(document for document in known.documents() if document.pk in keys)])
        return outcomes

    def follow(self, written: Sequence[Any]) -> None:
        """Let follow what saving each of them would have let follow."""

    def related(self, rows: Sequence[Row], known: Iterable[Any]) -> Any:
        """What else is needed of what the rows name, and of the documents that are there already."""

    def values_of(self, row: Row, related: Any) -> dict[str, Any]:
        """What the row says besides texts. Raises WrongRowError."""
        return {}

    def derived(self, document: Any, related: Any) -> dict[str, Any]:
        """The fields that follow from the others, which are set now."""
        return {}

    def _values(self, row: Row, document: Any) -> dict[str, str]:
        values = {}
        for name in ("name", *self.texts):
            if name not in row.values:
                continue
            text = limited_text(row, name, self.model._meta.get_field(name).max_length)
            # As it stands where that is what there is: an export that comes back changes nothing.
            values[name] = text if text == getattr(document, name) else text.strip()
        if "name" in values and not values["name"]:
            raise WrongRowError("name", "", _("The name is missing."))
        return values


def _set(document: Any, values: Mapping[str, Any]) -> dict[str, Any]:
    """Set them; returns what they were."""
    before = {name: getattr(document, name) for name in values}
    for name, value in values.items():
        setattr(document, name, value)
    return before


class _Known:
    """What is in the catalogue already of what rows name; one query."""

    def __init__(self, model: type[Model], rows: Sequence[Row]) -> None:
        self._model = model
        self._by_id: dict[str, Any] = {}
        self._by_name: dict[str, dict[str, Any]] = defaultdict(dict)
        ids, names = set(), set()
        for row in rows:
            row_id, name = _shown(row, "id"), _shown(row, "name")
            ids |= {row_id, name[:ID_LENGTH], _new_id(model, name)} if name else {row_id}
            names |= {name, str(row.values.get("name") or "")}
        for document in model.objects.filter(Q(pk__in=sorted(ids)) | Q(name__in=sorted(names))):
            self.add(document)

    def documents(self) -> Iterable[Any]:
        return self._by_id.values()

    def add(self, document: Any) -> None:
        self._by_id[document.pk] = document
        self._by_name[document.name][document.pk] = document

    def document_of(self, row: Row) -> tuple[Any, bool]:
        """The document that a row is about, and whether it is new. Raises WrongRowError."""
        row_id, name = cell_text(row, "id").strip(), cell_text(row, "name").strip()
        named = self._named(cell_text(row, "name")) or self._named(name)
        document = self._by_id.get(row_id) if row_id else None
        if not row_id and len(named) > 1:
            raise WrongRowError("name", name, _("Several have this name: say which by the id."))
        if not row_id and named:
            document = next(iter(named.values()))
        if document is not None:
            if name and self._model is Product and any(pk != document.pk for pk in named):
                raise self._taken(name, named)
            return document, False
        if row_id:
            _check_id(row_id)
        if not name:
            raise WrongRowError("id", row_id, _("It is not in the catalogue, and something new needs a name."))
        if named and self._model is Product:
            raise self._taken(name, named)
        return self._model(pk=row_id or self._free_id(name)), True

    def _named(self, name: str) -> dict[str, Any]:
        """Those that have this name now: an earlier row may have given one another."""
        return {pk: document for pk, document in self._by_name.get(name, {}).items() if document.name == name}

    def _free_id(self, name: str) -> str:
        made = _new_id(self._model, name)
        return made if made not in self._by_id else content_id(self._model.__name__.lower(), name)

    @staticmethod
    def _taken(name: str, named: Mapping[str, Any]) -> WrongRowError:
        message = _("There is already a product named “%(name)s”.") % {"name": name}
        return WrongRowError("name", name, f"{message} (id: {next(iter(named))})")


def _check_id(value: str) -> None:
    try:
        validate_slug(value)
    except ValidationError as error:
        raise WrongRowError("id", value, " ".join(error.messages)) from error
    if len(value) > ID_LENGTH:
        raise WrongRowError("id", value, _("It is longer than %(max)d characters.") % {"max": ID_LENGTH})


def _new_id(model: type[Model], name: str) -> str:
    """The id of something new that gives none: the same for the same name, so that a repeated write is the same."""
    return slugify(name)[:ID_LENGTH] or content_id(model.__name__.lower(), name)


def _shown(row: Row, name: str) -> str:
    try:
        return cell_text(row, name).strip()
    except WrongRowError:
        return ""


class BrandTarget(CatalogueTarget):
    model = Brand
    texts = ("aliases",)

    def follow(self, written: Sequence[Brand]) -> None:
        for brand in written:
            brand_followed(brand=brand)


class ProductTarget(CatalogueTarget):
    model = Product
    texts = ("keywords", "description", "guidelines")

    def related(self, rows: Sequence[Row], known: Iterable[Product]) -> dict[str, list[Brand]]:
        """The brands that the rows name and those that the products have, by id and by name; one query."""
        wanted = {_shown(row, name) for row in rows for name in ("brand_id", "brand")}
        wanted = (wanted | {product.brand_id or "" for product in known}) - {""}
        found: dict[str, list[Brand]] = defaultdict(list)
        if wanted:
            for brand in Brand.objects.filter(Q(id__in=sorted(wanted)) | Q(name__in=sorted(wanted))):
                for key in {brand.id, brand.name}:
                    found[key].append(brand)
        return found

    def values_of(self, row: Row, related: dict[str, list[Brand]]) -> dict[str, Any]:
        """Its brand, and whether it is active."""
        values: dict[str, Any] = {}
        if "active" in row.values and (text := cell_text(row, "active").strip()):
            try:
                values["active"] = truth_of(text)
            except WrongCellError as error:
                raise WrongRowError("active", text, str(error)) from error
        if {"brand_id", "brand"} & set(row.values):
            brand = self._brand(row, related)
            values["brand_id"] = brand.id if brand else None
        return values

    @staticmethod
    def _brand(row: Row, related: dict[str, list[Brand]]) -> Brand | None:
        for column in ("brand_id", "brand"):
            value = cell_text(row, column).strip()
            if not value:
                continue
            found = related.get(value, [])
            found = [brand for brand in found if brand.id == value] or found
            if column == "brand_id":
                found = [brand for brand in found if brand.id == value]
            if not found:
                raise WrongRowError(column, value, _("There is no such brand: import the brands first."))
            if len(found) > 1:
                raise WrongRowError(column, value, _("Several have this name: say which by the id."))
            return found[0]
        return None

    def derived(self, document: Product, related: dict[str, list[Brand]]) -> dict[str, Any]:
        """Here, and only here, an import sets what `Product.save` would: bulk writes do not call it."""
        brand = next((one for one in related.get(document.brand_id or "", []) if one.id == document.brand_id), None)
        brand_name, aliases = (brand.name, brand.aliases) if brand else ("", "")
        text = search_text_for(name=document.name, brand_name=brand_name, aliases=aliases, keywords=document.keywords)
        return {"brand_name": brand_name, "search_text": text}

    def follow(self, written: Sequence[Product]) -> None:
        if written:
            catalogue_changed()
