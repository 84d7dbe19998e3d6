"""The kinds of sources, one adapter a file, and how a configured source is opened."""

from crawler.sources.base import Adapter, FoundListing, FoundPage
from crawler.sources.opening import OpenSource, check_config, open_source

__all__ = ["Adapter", "FoundListing", "FoundPage", "OpenSource", "check_config", "open_source"]
