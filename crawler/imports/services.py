"""Imports as people start them: a dry run of a stored file, then the real run of the same file; by workers, or here."""

import contextlib
import logging
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db import IntegrityError
from django.utils import timezone, translation
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from crawler.errors import ConfigError
from crawler.imports.errors import ImportFileError
from crawler.imports.leases import LEASE, LeaseLostError
from crawler.imports.opening import opened_file, opened_paths
from crawler.imports.running import import_finish, import_take, import_work
from crawler.models import ImportFormat, ListingImport, Source, SourceKind, WorkState
from crawler.selectors import OPEN_STATES
from mmproject.ids import content_id
from mmproject.queue import nudge

logger = logging.getLogger(__name__)

RUN_IMPORT = "crawler.tasks.run_import"
MAX_UPLOAD = 200 * 1024 * 1024
SUFFIXES = (".csv", ".tsv", ".txt", ".jsonl", ".ndjson", ".xlsx", ".zip")
MAX_ATTEMPTS = 3  # in a row that came to nothing
TAKEN_WITHIN = timedelta(seconds=5)
QUEUE_AGAIN_AFTER = timedelta(seconds=60)
KEEP_FILES = timedelta(days=7)


def import_start(
    *, source: str, file: File, file_name: str, format: str = str(ImportFormat.AUTO), requested_by: str = ""
) -> ListingImport:
    """Store an uploaded file and queue a dry run of it.

    Raises ValidationError, keyed by field, for a source that takes no files and a file that cannot be one.
    """
    if not Source.objects.filter(id=source, kind=SourceKind.FILES).exists():
        raise ValidationError({"source": _("“%(source)s” is no source of files.") % {"source": source[:64]}})
    check_upload(file, file_name)
    now = timezone.now()
    dry_run = ListingImport(
        source=source,
        file_name=PurePosixPath(file_name.replace("\\", "/")).name[-255:],
        format=format,
        dry_run=True,
        requested_by=requested_by[:150],
        language=get_language() or "",
        created_at=now,
        leased_until=now + TAKEN_WITHIN,
    )
    # The file first: a document that names one always has it.
    dry_run.stored_name = default_storage.save(f"imports/{dry_run.id}{suffix_of(file_name)}", file)
    dry_run.save(force_insert=True)
    nudge(RUN_IMPORT, dry_run.id)
    return dry_run


def import_confirm(*, dry_run: ListingImport, requested_by: str = "") -> ListingImport:
    """Queue the real run of a dry run's file; asked twice, it is the same one.

    Raises ValidationError unless the dry run is done and found something to write, in a file that is still kept.
    """
    real_id = content_id("import", dry_run.id)
    known = ListingImport.objects.filter(id=real_id).first()
    if known is not None:
        return known
    if not dry_run.dry_run or dry_run.state != WorkState.DONE:
        raise ValidationError(_("Only a finished dry run can be imported."))
    if not importable(dry_run):
        raise ValidationError(_("There is nothing in the file that would change a listing."))
    if not dry_run.stored_name or not default_storage.exists(dry_run.stored_name):
        raise ValidationError(_("The file is not kept any more: upload it again."))
    now = timezone.now()
    real = ListingImport(
        id=real_id,
        source=dry_run.source,
        file_name=dry_run.file_name,
        stored_name=dry_run.stored_name,
        format=dry_run.format,
        dry_run=False,
        total=dry_run.total,
        requested_by=requested_by[:150],
        language=get_language() or "",
        created_at=now,
        leased_until=now + TAKEN_WITHIN,
    )
    with contextlib.suppress(IntegrityError):  # the button was pressed twice, at once
        real.save(force_insert=True)
        nudge(RUN_IMPORT, real.id)
    return real


def importable(dry_run: ListingImport) -> bool:
    """Whether the real run would write anything."""
    return bool(dry_run.created or dry_run.updated)


def import_run(*, import_id: str) -> None:
    """Do the import `import_id` unless it is done, unknown, or in the hands of another worker.

    A file that cannot be read ends it as failed. Anything else that goes wrong is logged and leaves it for another
    attempt; after MAX_ATTEMPTS that wrote nothing it is given up.
    """
    run = ListingImport.objects.filter(id=import_id).first()
    if run is None or run.state not in OPEN_STATES or not run.stored_name:
        return
    if run.state == WorkState.RUNNING and run.leased_until > timezone.now():
        return
    with translation.override(run.language or settings.LANGUAGE_CODE):
        if run.attempts >= MAX_ATTEMPTS:
            text = _("The import was given up after %(count)d attempts.") % {"count": run.attempts}
            import_finish(run, state=str(WorkState.FAILED), error=text)
        elif import_take(run):
            _run(run)


def imports_resume() -> int:
    """Queue again what waits untaken or whose worker is gone; forget old files. Returns how many were queued."""
    now = timezone.now()
    queued = 0
    for run in ListingImport.objects.filter(state__in=OPEN_STATES, leased_until__lt=now).order_by("leased_until")[:100]:
        if not run.stored_name:  # of a command, which worked on files of its own
            import_finish(run, state=str(WorkState.FAILED), error=_("The command was interrupted: run it again."))
            continue
        if run.state == WorkState.PENDING:  # not again at every beat: a long queue must not be made longer
            left = ListingImport.objects.filter(id=run.id, state=run.state, leased_until__lt=now)
            if not left.update(leased_until=now + QUEUE_AGAIN_AFTER):
                continue
        queued += nudge(RUN_IMPORT, run.id)
    for old in ListingImport.objects.filter(finished_at__lt=now - KEEP_FILES).exclude(stored_name="")[:100]:
        _forget_file(old)
    return queued


def import_inline(
    *,
    source: Source,
    paths: Sequence[Path],
    pictures: Path | None = None,
    format: str = str(ImportFormat.AUTO),
    dry_run: bool = False,
    requested_by: str = "",
    progress: Callable[[ListingImport], None] = lambda one: None,
) -> ListingImport:
    """Import files of this machine here and now; returns the finished import, with its counts.

    Raises ImportFileError, OSError or ConfigError when it cannot be done, after noting that on the import.
    """
    now = timezone.now()
    run = ListingImport(
        source=source.id,
        file_name=" + ".join(path.name for path in paths)[:255],
        format=format,
        dry_run=dry_run,
        requested_by=requested_by[:150],
        language=get_language() or "",
        created_at=now,
        leased_until=now + LEASE,
    )
    run.save(force_insert=True)
    import_take(run)
    try:
        with opened_paths(paths, pictures=pictures, chosen=format) as opened:
            import_work(run, opened, source=source, progress=progress)
    except BaseException as error:
        import_finish(run, state=str(WorkState.FAILED), error=str(error) or type(error).__name__)
        raise
    import_finish(run, state=str(WorkState.DONE))
    return run


def _run(run: ListingImport) -> None:
    try:
        source = Source.objects.filter(id=run.source, kind=SourceKind.FILES).first()
        if source is None:
            raise ConfigError(_("The source “%(source)s” is not configured any more.") % {"source": run.source})
        with (
            default_storage.open(run.stored_name, "rb") as file,
            opened_file(raw_file(file), chosen=run.format) as opened,
        ):
            import_work(run, opened, source=source)
    except FileNotFoundError:
        text = _("The file is not kept any more: upload it again.")
        import_finish(run, state=str(WorkState.FAILED), error=text)
    except (ImportFileError, ConfigError) as error:
        import_finish(run, state=str(WorkState.FAILED), error=str(error))
    except LeaseLostError:
        logger.warning("import %s was taken over by another worker", run.id)
    except Exception:
        logger.exception("import %s of %r, attempt %d", run.id, run.file_name, run.attempts)
        held = ListingImport.objects.filter(id=run.id, state=WorkState.RUNNING, lease_token=run.lease_token)
        held.update(state=WorkState.PENDING, leased_until=timezone.now())
    else:
        import_finish(run, state=str(WorkState.DONE))
        if not run.dry_run and run.state == WorkState.DONE:
            _forget_file(run)


def raw_file(file: File) -> BinaryIO:
    """The open file under a stored one."""
    return file.file


def _forget_file(run: ListingImport) -> None:
    default_storage.delete(run.stored_name)
    ListingImport.objects.filter(stored_name=run.stored_name).update(stored_name="")


def check_upload(file: File, file_name: str) -> None:
    """Raises ValidationError for an uploaded file that cannot be one to import, by its name and size."""
    size = file.size or 0
    if suffix_of(file_name) not in SUFFIXES:
        message = _("“%(name)s” is none of the files that can be imported: CSV, JSONL, XLSX, or a ZIP of one of them.")
        raise ValidationError({"file": message % {"name": file_name[-100:]}})
    if not size:
        raise ValidationError({"file": _("“%(name)s” is empty.") % {"name": file_name[-100:]}})
    if size > MAX_UPLOAD:
        message = _(
            "“%(name)s” has %(size)d megabytes, at most %(max)d can be uploaded: use the command for larger files."
        )
        values = {"name": file_name[-100:], "size": -(-size // 1024**2), "max": MAX_UPLOAD // 1024**2}
        raise ValidationError({"file": message % values})


def suffix_of(file_name: str) -> str:
    """The end of a file's name, as in ".csv"."""
    return PurePosixPath(file_name).suffix.lower()
