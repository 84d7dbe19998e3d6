"""Imports of tables as people start them: a dry run of a stored file, then the real run of it, by workers."""

import contextlib
import logging
from datetime import timedelta
from pathlib import PurePosixPath

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db import IntegrityError
from django.utils import timezone, translation
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from annotation.models import TableImport, TableKind
from annotation.tables.formats import FORMATS
from annotation.tables.running import import_work
from crawler.imports.errors import ImportFileError
from crawler.imports.leases import LeaseLostError, lease_finish, lease_take
from crawler.imports.opening import opened_file
from crawler.imports.services import check_upload, raw_file, suffix_of
from crawler.models import WorkState
from crawler.selectors import OPEN_STATES
from mmproject.ids import content_id
from mmproject.queue import nudge

logger = logging.getLogger(__name__)

RUN_IMPORT = "annotation.tasks.run_table_import"
MAX_ATTEMPTS = 3  # in a row that came to nothing
TAKEN_WITHIN = timedelta(seconds=5)
QUEUE_AGAIN_AFTER = timedelta(seconds=60)
KEEP_FILES = timedelta(days=7)


def table_import_start(
    *, kind: str, file: File, file_name: str, requested_by: AbstractBaseUser, strict: bool = False
) -> TableImport:
    """Store an uploaded file and queue a dry run of it. `strict`: nothing is imported if a row is wrong.

    Raises ValidationError, keyed by field, for a kind that there is not and a file that cannot be one.
    """
    if kind not in TableKind.values:
        raise ValidationError({"kind": _("“%(kind)s” cannot be imported.") % {"kind": kind[:64]}})
    check_upload(file, file_name)
    now = timezone.now()
    dry_run = TableImport(
        kind=kind,
        file_name=PurePosixPath(file_name.replace("\\", "/")).name[-255:],
        strict=strict,
        requested_by_id=requested_by.pk,
        requested_by=requested_by.get_username(),
        language=get_language() or "",
        created_at=now,
        leased_until=now + TAKEN_WITHIN,
    )
    # The file first: a document that names one always has it.
    dry_run.stored_name = default_storage.save(f"tables/{dry_run.id}{suffix_of(file_name)}", file)
    dry_run.save(force_insert=True)
    nudge(RUN_IMPORT, dry_run.id)
    return dry_run


def table_import_confirm(*, dry_run: TableImport, requested_by: AbstractBaseUser) -> TableImport:
    """Queue the real run of a dry run's file; asked twice, it is the same one.

    Raises ValidationError unless the dry run is done and may write something, from a file that is still kept.
    """
    real_id = content_id("table-import", dry_run.id)
    if (known := TableImport.objects.filter(id=real_id).first()) is not None:
        return known
    if not dry_run.dry_run or dry_run.state != WorkState.DONE:
        raise ValidationError(_("Only a finished dry run can be imported."))
    if dry_run.strict and dry_run.failed:
        raise ValidationError(_("Rows are wrong, and you wanted nothing imported then: mend the file."))
    if not table_importable(dry_run):
        raise ValidationError(_("There is nothing in the file that would change anything."))
    if not dry_run.stored_name or not default_storage.exists(dry_run.stored_name):
        raise ValidationError(_("The file is not kept any more: upload it again."))
    now = timezone.now()
    real = TableImport(
        id=real_id,
        kind=dry_run.kind,
        file_name=dry_run.file_name,
        stored_name=dry_run.stored_name,
        strict=dry_run.strict,
        dry_run=False,
        total=dry_run.total,
        requested_by_id=requested_by.pk,
        requested_by=requested_by.get_username(),
        language=get_language() or "",
        created_at=now,
        leased_until=now + TAKEN_WITHIN,
    )
    with contextlib.suppress(IntegrityError):  # the button was pressed twice, at once
        real.save(force_insert=True)
        nudge(RUN_IMPORT, real.id)
    return real


def table_importable(dry_run: TableImport) -> bool:
    """Whether the real run may write anything."""
    return bool(dry_run.created or dry_run.updated) and not (dry_run.strict and dry_run.failed)


def table_import_run(*, import_id: str) -> None:
    """Do the import `import_id` unless it is done, unknown, or in the hands of another worker.

    A file that cannot be read ends it as failed. Anything else that goes wrong is logged and leaves it for another
    attempt; after MAX_ATTEMPTS that wrote nothing it is given up.
    """
    run = TableImport.objects.filter(id=import_id).first()
    if run is None or run.state not in OPEN_STATES:
        return
    if run.state == WorkState.RUNNING and run.leased_until > timezone.now():
        return
    with translation.override(run.language or settings.LANGUAGE_CODE):
        if run.attempts >= MAX_ATTEMPTS:
            text = _("The import was given up after %(count)d attempts.") % {"count": run.attempts}
            lease_finish(run, state=str(WorkState.FAILED), error=text)
        elif lease_take(run):
            _run(run)


def table_imports_resume() -> int:
    """Queue again what waits untaken or whose worker is gone; forget old files. Returns how many were queued."""
    now = timezone.now()
    queued = 0
    for run in TableImport.objects.filter(state__in=OPEN_STATES, leased_until__lt=now).order_by("leased_until")[:100]:
        if run.state == WorkState.PENDING:  # not again at every beat: a long queue must not be made longer
            left = TableImport.objects.filter(id=run.id, state=run.state, leased_until__lt=now)
            if not left.update(leased_until=now + QUEUE_AGAIN_AFTER):
                continue
        queued += nudge(RUN_IMPORT, run.id)
    for old in TableImport.objects.filter(finished_at__lt=now - KEEP_FILES).exclude(stored_name="")[:100]:
        _forget_file(old)
    return queued


def _run(run: TableImport) -> None:
    columns = FORMATS[run.kind].columns
    try:
        with (
            default_storage.open(run.stored_name, "rb") as file,
            opened_file(raw_file(file), columns=columns) as opened,
        ):
            import_work(run, opened)
    except FileNotFoundError:
        text = _("The file is not kept any more: upload it again.")
        lease_finish(run, state=str(WorkState.FAILED), error=text)
    except ImportFileError as error:
        lease_finish(run, state=str(WorkState.FAILED), error=str(error))
    except LeaseLostError:
        logger.warning("import %s was taken over by another worker", run.id)
    except Exception:
        logger.exception("import %s of %r, attempt %d", run.id, run.file_name, run.attempts)
        held = TableImport.objects.filter(id=run.id, state=WorkState.RUNNING, lease_token=run.lease_token)
        held.update(state=WorkState.PENDING, leased_until=timezone.now())
    else:
        if lease_finish(run, state=str(WorkState.DONE)) and not run.dry_run:
            _forget_file(run)


def _forget_file(run: TableImport) -> None:
    default_storage.delete(run.stored_name)
    TableImport.objects.filter(stored_name=run.stored_name).update(stored_name="")
