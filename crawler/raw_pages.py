"""Pages that could not be read, kept for the operator who mends the selectors.

They are what strangers sent: they are only ever handed out as a download of plain text.
"""

from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage

from crawler.responses import Fetched

FOLDER = "raw-pages"


def keep(crawl_id: str, page: Fetched) -> str:
    """Store the page of a crawl and return its name; the same crawl's earlier page is replaced."""
    name = f"{FOLDER}/{crawl_id}.txt"
    default_storage.delete(name)
    return default_storage.save(name, ContentFile(page.body))


def opened(name: str) -> File:
    """The kept page. Raises FileNotFoundError when it was removed, or `name` is none of ours."""
    if not name.startswith(f"{FOLDER}/") or not default_storage.exists(name):
        raise FileNotFoundError(f"no page {name!r} is kept")
    return default_storage.open(name, "rb")


def delete(name: str) -> None:
    if name.startswith(f"{FOLDER}/"):
        default_storage.delete(name)
