"""Listings from files of this machine, imported here and now."""

import argparse
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from crawler.errors import ConfigError
from crawler.imports.errors import ImportFileError
from crawler.imports.services import import_inline
from crawler.models import ImportFormat, ListingImport, Source, SourceKind

_SHOWN_ERRORS = 20
_WRONG = 2  # exit code


class Command(BaseCommand):
    help = """Import listings from a CSV, JSONL or XLSX file, a ZIP of one with its pictures, or the two files of MUGE.

Exit code: 0 when all rows went in, 1 when rows were left out, 2 when the file or an argument cannot be used.
See docs/importing.md.
"""

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        return super().create_parser(
            prog_name, subcommand, formatter_class=argparse.RawDescriptionHelpFormatter, **kwargs
        )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="two for MUGE: queries and pictures")
        parser.add_argument("--source", required=True, metavar="KEY", help="the source of files to import into")
        parser.add_argument("--pictures", type=Path, metavar="FOLDER", help="default: the folder of the file")
        parser.add_argument("--format", choices=ImportFormat.values, default=str(ImportFormat.AUTO))
        parser.add_argument("--dry-run", action="store_true", help="check and count, write no listing")
        parser.add_argument("--create", action="store_true", help="make the source when there is none of that key")
        parser.add_argument("--name", default="", help="the name of a source that is made")

    def handle(self, *args: Any, **options: Any) -> None:
        source = _source(options["source"], name=options["name"], create=options["create"])
        pictures = options["pictures"]
        if pictures is not None and not pictures.is_dir():
            raise CommandError(f"--pictures {pictures}: there is no such folder", returncode=_WRONG)
        with tqdm(unit=" rows", unit_scale=True, disable=options["verbosity"] == 0) as bar:

            def progress(one: ListingImport) -> None:
                bar.total = max(one.total, one.done)
                bar.update(one.done - bar.n)

            try:
                done = import_inline(
                    source=source,
                    paths=options["files"],
                    pictures=pictures,
                    format=options["format"],
                    dry_run=options["dry_run"],
                    progress=progress,
                )
            except (ImportFileError, ConfigError, OSError) as error:
                raise CommandError(str(error), returncode=_WRONG) from error
        self._tell(done)
        if done.failed:
            raise CommandError(f"{done.failed} rows were left out", returncode=1)

    def _tell(self, done: ListingImport) -> None:
        if done.dry_run:
            self.stdout.write("dry run, nothing was written; an import would give:")
        for name in ("created", "updated", "unchanged", "failed", "pictures_failed"):
            self.stdout.write(f"{name.replace('_', ' ')}: {getattr(done, name)}")
        for warning in done.warnings:
            self.stdout.write(f"warning: {warning}")
        for error in done.errors[:_SHOWN_ERRORS]:
            place = f"{error['file']} line {error['line']}".strip()
            what = ": ".join(part for part in (error["field"], repr(error["value"]) if error["value"] else "") if part)
            self.stderr.write(": ".join(part for part in (place, what, error["message"]) if part))
        hidden = done.failed + done.pictures_failed - _SHOWN_ERRORS
        if hidden > 0:
            self.stderr.write(f"… and {hidden} more")


def _source(key: str, *, name: str, create: bool) -> Source:
    """The source of files of that key, made when `create`. Raises CommandError."""
    source = Source.objects.filter(id=key).first()
    if source is not None:
        if source.kind != SourceKind.FILES:
            raise CommandError(f"the source {key} takes no files: it is a {source.kind}", returncode=_WRONG)
        return source
    if not create:
        known = ", ".join(Source.objects.filter(kind=SourceKind.FILES).values_list("id", flat=True)) or "none"
        text = f"there is no source {key} (sources of files: {known}); --create makes it"
        raise CommandError(text, returncode=_WRONG)
    source = Source(id=key, name=name or key, kind=str(SourceKind.FILES))
    try:
        source.clean_fields()
    except ValidationError as error:
        raise CommandError(f"the source {key} cannot be made: {' '.join(error.messages)}", returncode=_WRONG) from None
    source.save(force_insert=True)
    return source
