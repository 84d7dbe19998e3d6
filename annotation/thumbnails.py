"""Pictures of the image store, as the admin shows them."""

from django.utils.html import format_html

from crawler.picture_paths import picture_path


def thumbnail(sha256: str) -> str:
    """A small picture of the image store, or a dash."""
    if not sha256:
        return "–"
    return format_html(
        '<img src="{}" alt="" width="60" height="60" class="thumb" loading="lazy">',
        picture_path(sha256),
    )


def large_picture(sha256: str) -> str:
    if not sha256:
        return "–"
    return format_html('<img src="{}" alt="" height="320">', picture_path(sha256))
