"""One import of a table from lease to outcome: rows are taken in chunks, and each is counted when it is done.

A worker that dies loses the lease and one chunk: the next one passes over what was counted and goes on from there.
"""

from django.utils.translation import gettext as _

from annotation.models import TableImport, TableKind
from annotation.tables.catalogue import BrandTarget, ProductTarget
from annotation.tables.cells import original
from annotation.tables.labels import LabelTarget
from annotation.tables.rows import CHANGED, NEW, Outcome, Target
from crawler.imports.errors import ImportFileError
from crawler.imports.leases import lease_renew
from crawler.imports.opening import OpenedFile
from crawler.imports.rows import Problem, Row
from crawler.imports.seen import SeenIds
from crawler.models import ImportFormat

MAX_ROWS = 500_000
MAX_SHOWN = 200  # problems and changes that are kept; the others are counted
CHUNK_ROWS = 500
_SHOWN = 200  # characters of a value before and after


def target_of(table_import: TableImport) -> Target:
    """Where its rows go."""
    if table_import.kind == TableKind.BRANDS:
        return BrandTarget()
    return ProductTarget() if table_import.kind == TableKind.PRODUCTS else LabelTarget(table_import)


def import_work(run: TableImport, opened: OpenedFile) -> None:
    """Import what `opened` holds, under the lease that is held.

    Raises ImportFileError for a file with too many rows or one that breaks off, and LeaseLostError.
    """
    run.format, run.total = opened.format, opened.rows.count()
    lease_renew(run, "format", "total")
    target = target_of(run)
    number = 0
    chunk: list[Row | Problem] = []
    with SeenIds() as seen:
        for number, row in enumerate(opened.rows, start=1):
            if number > MAX_ROWS:
                raise ImportFileError(_("The file has more than %(max)d rows: split it.") % {"max": MAX_ROWS})
            entry = row if isinstance(row, Problem) else _once(_read(row, run.format), target, seen)
            if number <= run.done:
                continue
            chunk.append(entry)
            if len(chunk) == CHUNK_ROWS:
                _chunk_done(run, target, chunk, number)
                chunk = []
        if chunk:
            _chunk_done(run, target, chunk, number)
    run.warnings = opened.rows.warnings if number else [_("The file has no rows.")]
    run.total = number
    lease_renew(run, "warnings", "total")


def _read(row: Row, format: str) -> Row:
    """Without what `annotation.tables.cells` put before what looks like a formula; JSON needs nothing of that."""
    if format == ImportFormat.JSONL:
        return row
    return Row(line=row.line, values={name: original(value) for name, value in row.values.items()}, file=row.file)


def _once(row: Row, target: Target, seen: SeenIds) -> Row | Problem:
    """Importing a file twice can only change nothing when it says one thing of each: the first row counts."""
    lines = [line for key in target.keys(row) if (line := seen.earlier_line(key, row.line)) is not None]
    if not lines:
        return row
    message = _("The same stands in line %(line)d already.") % {"line": lines[0]}
    return Problem(line=row.line, message=message)


def _chunk_done(run: TableImport, target: Target, chunk: list[Row | Problem], number: int) -> None:
    rows = [entry for entry in chunk if isinstance(entry, Row)]
    outcomes = [
        *(entry for entry in chunk if isinstance(entry, Problem)),
        *(target.take(rows, dry_run=run.dry_run) if rows else ()),
    ]
    for outcome in sorted(outcomes, key=lambda one: one.line):
        _count(run, outcome)
    run.done, run.attempts = number, 0
    names = ("created", "updated", "unchanged", "failed", "errors", "changes", "done", "attempts")
    lease_renew(run, *names)


def _count(run: TableImport, outcome: Outcome | Problem) -> None:
    if isinstance(outcome, Problem):
        run.failed += 1
        if len(run.errors) < MAX_SHOWN:
            run.errors.append(outcome.as_json())
        return
    if outcome.what == NEW:
        run.created += 1
    elif outcome.what == CHANGED:
        run.updated += 1
    else:
        run.unchanged += 1
        return
    if len(run.changes) < MAX_SHOWN:
        fields = {name: [_shown(before), _shown(after)] for name, (before, after) in outcome.fields.items()}
        run.changes.append({"line": outcome.line, "name": outcome.name[:_SHOWN], "fields": fields})


def _shown(value: object) -> str:
    text = "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
