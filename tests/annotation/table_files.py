"""Tables as files, and imports of them up to the end, without a worker."""

import csv
import io
import json
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.core.files.base import ContentFile

from annotation.models import TableImport
from annotation.tables.services import table_import_confirm, table_import_run, table_import_start


def csv_file(*rows: list[Any]) -> bytes:
    """The first row is the header."""
    buffer = io.StringIO()
    csv.writer(buffer).writerows(rows)
    return buffer.getvalue().encode()


def jsonl_file(*rows: dict[str, Any]) -> bytes:
    return "\n".join(json.dumps(row) for row in rows).encode()


def dry_run(data: bytes, *, kind: str, by: AbstractBaseUser, name: str = "list.csv", **options: Any) -> TableImport:
    """What the dry run of this file found."""
    one = table_import_start(kind=kind, file=ContentFile(data), file_name=name, requested_by=by, **options)
    table_import_run(import_id=one.id)
    return TableImport.objects.get(id=one.id)


def import_file(data: bytes, *, kind: str, by: AbstractBaseUser, name: str = "list.csv") -> TableImport:
    """The finished import of this file."""
    real = table_import_confirm(dry_run=dry_run(data, kind=kind, by=by, name=name), requested_by=by)
    table_import_run(import_id=real.id)
    return TableImport.objects.get(id=real.id)


def counts(one: TableImport) -> tuple[int, int, int, int]:
    """New, changed, unchanged, wrong."""
    return one.created, one.updated, one.unchanged, one.failed
