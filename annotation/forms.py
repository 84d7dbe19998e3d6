"""What the annotators' page sends."""

from django import forms
from django.utils.translation import gettext_lazy as _

MAX_KEYWORD = 200


class SearchForm(forms.Form):
    """A search in the address: `?keyword=…&source=…&page=…&spider=true&product=…`."""

    keyword = forms.CharField(max_length=MAX_KEYWORD, required=False, label=_("Keyword"))
    source = forms.CharField(max_length=64, required=False)  # the first one when empty
    page = forms.IntegerField(min_value=1, max_value=1000, required=False)
    spider = forms.BooleanField(required=False)  # fetch afresh, past the cache
    product = forms.CharField(max_length=200, required=False, label=_("Product"))
    shown = forms.IntegerField(min_value=0, max_value=10_000, required=False)  # before this page, which came by itself

    def clean_page(self) -> int:
        return self.cleaned_data["page"] or 1


class NextPageForm(SearchForm):
    """What looks ahead: a search, later its crawl, and how often that was looked at."""

    crawl = forms.CharField(max_length=64, required=False)
    attempt = forms.IntegerField(min_value=0, max_value=1000, required=False)


class SubmissionForm(forms.Form):
    submission = forms.CharField(max_length=64)
    product = forms.CharField(max_length=200, required=False)
    keyword = forms.CharField(max_length=MAX_KEYWORD)
    source = forms.CharField(max_length=64)
    pages = forms.IntegerField(min_value=1, max_value=1000)
    skip_reason = forms.CharField(max_length=64, required=False)
    skip_note = forms.CharField(required=False)
    second_opinion = forms.BooleanField(required=False)
    suggested_by = forms.CharField(max_length=120, required=False)
    ordered_by_model = forms.BooleanField(required=False)


class ClaimForm(forms.Form):
    product = forms.CharField(max_length=200, required=False, label=_("Product"))
    keyword = forms.CharField(max_length=MAX_KEYWORD, required=False, label=_("Keyword"))
    source = forms.CharField(max_length=64, required=False)
    held = forms.CharField(max_length=64, required=False)  # the claim that the page had so far
