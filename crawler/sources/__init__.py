"""The shops that can be searched: one adapter a file, built from `settings.CRAWLER_SOURCES`."""

from crawler.sources.base import FoundListing, FoundPage, Source, default_source, get_source, source_names

__all__ = ["FoundListing", "FoundPage", "Source", "default_source", "get_source", "source_names"]
