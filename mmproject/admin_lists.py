"""Lists of the admin that stay quick over hundreds of thousands of documents."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.translation import gettext as _

from mmproject.mongo.collections import collection, field_name

MAX_FOUND = 300
MAX_LOOKED_AT = 20_000
MAX_CHOICES = 500


class KnownValuesFilter(admin.AllValuesFieldListFilter):
    """A filter by the values that a field has, read from its index: the field must be the first of one.

    Django's own reads every document of the collection.
    """

    def __init__(self, field: Any, request: HttpRequest, params: Any, model: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(field, request, params, model, *args, **kwargs)
        self.lookup_choices = sorted(collection(model).distinct(field_name(model, field.name)))[:MAX_CHOICES]


class QuickPaginator(Paginator):
    """Counts a list that nothing narrows from the collection's own statistics."""

    @cached_property
    def count(self) -> int:
        documents: Any = self.object_list
        if documents.query.where:
            return documents.count()
        return collection(documents.model).estimated_document_count()


class QuickListMixin:
    """For a ModelAdmin: no count of everything, and a search that looks at documents once, and not at all of them."""

    paginator = QuickPaginator
    show_full_result_count = False
    newest_by = ""

    def action_checkbox(self, obj: Any) -> str:
        """Django's own renders a widget's template for each row, a fifth of the time that a list takes."""
        label = _("Select this object for an action - {}").format(obj)
        box = '<input type="checkbox" name="{}" value="{}" class="action-select" aria-label="{}">'
        return format_html(box, ACTION_CHECKBOX_NAME, obj.pk, label)

    def finds_all(self, request: HttpRequest) -> bool:
        """Whether a search here is for everything that matches, however much it is."""
        return False

    def also_found(self, queryset: QuerySet, search_term: str) -> QuerySet | None:
        """What a search finds besides, by an index and so among all documents."""
        return None

    def get_search_results(self, request: HttpRequest, queryset: QuerySet, search_term: str) -> tuple[QuerySet, bool]:
        """The first `MAX_FOUND` that match, in the order of the list. Messages say where there may be more.

        With `newest_by` (a field that an index has) only the `MAX_LOOKED_AT` newest are looked through, and what
        `also_found` says is added: a word that hardly any document has would make MongoDB read all of them.
        """
        if not search_term or self.finds_all(request):
            return super().get_search_results(request, queryset, search_term)  # type: ignore[misc]
        texts = []
        within = queryset
        if self.newest_by and (edge := self._edge(queryset)):
            within = queryset.filter(**{f"{self.newest_by}__gte": edge})
            text = _("Words are looked for in the newest %(max)d only: filter, to search among older ones.")
            texts.append(text % {"max": MAX_LOOKED_AT})
        found, has_duplicates = super().get_search_results(request, within, search_term)  # type: ignore[misc]
        ids = list(found.values_list("pk", flat=True)[: MAX_FOUND + 1])
        if (others := self.also_found(queryset, search_term)) is not None:
            ids += others.values_list("pk", flat=True)[: MAX_FOUND + 1]
        ids = list(dict.fromkeys(ids))
        if len(ids) > MAX_FOUND:
            text = _("These are the first %(max)d that match: search for more words, or filter, to see others.")
            texts.append(text % {"max": MAX_FOUND})
        for text in texts:
            messages.info(request, text)
        known = queryset.model._default_manager.filter(pk__in=ids[:MAX_FOUND])
        return known.order_by(*queryset.query.order_by), has_duplicates

    def _edge(self, queryset: QuerySet) -> Any:
        """The time before which nothing is looked through; None where there is not that much."""
        times = queryset.order_by(f"-{self.newest_by}", "-pk").values_list(self.newest_by, flat=True)
        return next(iter(times[MAX_LOOKED_AT : MAX_LOOKED_AT + 1]), None)
