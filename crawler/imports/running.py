"""One import from lease to outcome: rows are checked and written in chunks, and each chunk is counted when it is done.

A worker that dies loses the lease and one chunk: the next one passes over what was counted and goes on from there.
"""

import time
from collections.abc import Callable, Sequence

from django.utils.translation import gettext as _

from crawler.images import ImageError, look_at_image, store_image
from crawler.imports.cached_pages import pages_expire
from crawler.imports.errors import ImportFileError
from crawler.imports.leases import lease_finish, lease_renew, lease_take
from crawler.imports.opening import OpenedFile
from crawler.imports.picture_files import Pictures
from crawler.imports.rows import ImportRow, Problem, checked
from crawler.imports.seen import SeenIds
from crawler.imports.writing import Picture, rows_write
from crawler.models import ImageState, Listing, ListingImport, Source, WorkState
from crawler.pictures import pictures_fetch, pool_in_language
from crawler.sources import OpenSource

MAX_ROWS = 2_000_000
MAX_ERRORS = 200  # that are kept; the others are counted
CHUNK_ROWS = 500
_CHUNK_BYTES = 64 * 1024 * 1024  # of pictures that are in the rows
_CHUNK_FETCHED = 100  # rows whose pictures are on the web: slow ones must not be many to repeat
_DECODERS = 4
_RENEW_EVERY_S = 10.0

Entry = ImportRow | Problem


def import_take(listing_import: ListingImport) -> bool:
    """Put a lease on the import, in the document and on the object; False when somebody was faster."""
    was = listing_import.state
    if not lease_take(listing_import):
        return False
    if was == WorkState.RUNNING and not listing_import.dry_run:
        pages_expire(source=listing_import.source)  # the chunk of a worker who died is written and in no count
    return True


def import_finish(listing_import: ListingImport, *, state: str, error: str = "") -> None:
    """Write the outcome, unless the lease is somebody else's by now."""
    if not lease_finish(listing_import, state=state, error=error):
        return
    # With an attempt that has counted no chunk yet, rows may be written all the same.
    wrote = listing_import.created or listing_import.updated or listing_import.attempts
    if wrote and not listing_import.dry_run:
        pages_expire(source=listing_import.source)


def import_work(
    listing_import: ListingImport,
    opened: OpenedFile,
    *,
    source: Source,
    progress: Callable[[ListingImport], None] = lambda one: None,
) -> None:
    """Import what `opened` holds, under the lease that is held; `progress` is told after every chunk.

    Raises ImportFileError for a file with too many rows or one that breaks off, LeaseLostError, and ConfigError for a
    source that cannot be used.
    """
    listing_import.format = opened.format
    listing_import.total = opened.rows.count()
    if listing_import.total > MAX_ROWS:
        raise ImportFileError(_too_many())
    lease_renew(listing_import, "format", "total")
    with OpenSource(source) as shop, SeenIds() as seen:
        work = _Work(listing_import, opened.pictures, shop, progress)
        number = 0
        for number, row in enumerate(opened.rows, start=1):
            if number > MAX_ROWS:
                raise ImportFileError(_too_many())
            work.take(number, _once(row if isinstance(row, Problem) else checked(row, source=source.id), seen))
        work.chunk_done()
    listing_import.warnings = opened.rows.warnings if number else [_("The file has no rows.")]
    listing_import.total = listing_import.done = number
    lease_renew(listing_import, "warnings", "total", "done")
    progress(listing_import)


def _too_many() -> str:
    return _("The file has more than %(max)d rows: split it.") % {"max": MAX_ROWS}


def _once(entry: Entry, seen: SeenIds) -> Entry:
    """Importing a file twice can only change nothing when it names an item once: the first row counts."""
    if isinstance(entry, Problem) or (line := seen.earlier_line(entry.id, entry.line)) is None:
        return entry
    message = _("The same item stands in line %(line)d already.") % {"line": line}
    return Problem(line=entry.line, field="item_id", value=entry.item_id, message=message, file=entry.file)


class _Work:
    """The chunk at hand, and how far the import is."""

    def __init__(
        self,
        listing_import: ListingImport,
        pictures: Pictures,
        shop: OpenSource,
        progress: Callable[[ListingImport], None],
    ) -> None:
        self._import = listing_import
        self._pictures = pictures
        self._shop = shop
        self._progress = progress
        self._chunk: list[Entry] = []
        self._bytes = self._fetched = 0
        self._number = listing_import.resume_from
        self._renewed = time.monotonic()

    def take(self, number: int, entry: Entry) -> None:
        if number <= self._import.resume_from:
            if time.monotonic() - self._renewed > _RENEW_EVERY_S:
                lease_renew(self._import)
                self._renewed = time.monotonic()
            return
        self._number = number
        self._chunk.append(entry)
        if isinstance(entry, ImportRow):
            self._bytes += len(entry.picture or b"")
            self._fetched += "image_url" in entry.values
        if len(self._chunk) >= CHUNK_ROWS or self._bytes >= _CHUNK_BYTES or self._fetched >= _CHUNK_FETCHED:
            self.chunk_done()

    def chunk_done(self) -> None:
        """Write the rows of the chunk, fetch their pictures, then count them."""
        run = self._import
        rows = [entry for entry in self._chunk if isinstance(entry, ImportRow)]
        problems = [entry for entry in self._chunk if isinstance(entry, Problem)]
        pictures = _own_pictures(rows, self._pictures, dry_run=run.dry_run)
        written = rows_write(source=run.source, rows=rows, pictures=pictures, dry_run=run.dry_run)
        if not run.dry_run:
            self._fetch(written.listings)
        unseen = [
            Problem(line=row.line, field="image", value=row.image, message=why, file=row.file, skipped=False)
            for row, picture, listing in zip(rows, pictures, written.listings, strict=True)
            if (why := picture if isinstance(picture, str) else _not_fetched(row, listing))
        ]
        run.created += written.created
        run.updated += written.updated
        run.unchanged += written.unchanged
        run.failed += len(problems)
        run.pictures_failed += len(unseen)
        told = sorted(problems + unseen, key=lambda problem: (problem.file, problem.line))
        run.errors += [problem.as_json() for problem in told][: MAX_ERRORS - len(run.errors)]
        run.done = run.resume_from = self._number
        run.attempts = 0
        names = ("created", "updated", "unchanged", "failed", "pictures_failed", "errors", "attempts")
        lease_renew(run, *names, "done", "resume_from")
        self._chunk, self._bytes, self._fetched, self._renewed = [], 0, 0, time.monotonic()
        self._progress(run)

    def _fetch(self, listings: Sequence[Listing]) -> None:
        """Pictures on the web, politely; those that are stored already are not asked for again."""
        remote = [listing for listing in listings if listing.image_url]
        others = len(listings) - len(remote)

        def tell(done: int) -> None:
            self._import.done = self._import.resume_from + others + done
            lease_renew(self._import, "done")
            self._progress(self._import)

        if remote:
            lease_renew(self._import)
            pictures_fetch(listings=remote, source=self._shop, progress=tell)


def _not_fetched(row: ImportRow, listing: Listing) -> str:
    failed = "image_url" in row.values and listing.image_state == ImageState.FAILED
    return listing.image_error if failed else ""


def _own_pictures(rows: Sequence[ImportRow], pictures: Pictures, *, dry_run: bool) -> list[Picture]:
    """The pictures that came with the file, stored; a dry run only looks whether they could be."""
    keep = look_at_image if dry_run else store_image

    def one(row: ImportRow) -> Picture:
        if row.picture is None and not row.image:
            return None
        try:
            return keep(row.picture if row.picture is not None else pictures.read(row.image))
        except ImageError as error:
            return str(error)

    if not any(row.picture is not None or row.image for row in rows):
        return [None] * len(rows)
    with pool_in_language(_DECODERS) as pool:
        return list(pool.map(one, rows))
