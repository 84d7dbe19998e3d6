"""The clean-up that the workers do once a day, by hand."""

from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from pymongo.errors import PyMongoError

from crawler.cleaning import DAYS, crawls_clean


class Command(BaseCommand):
    help = (
        "Remove expired search pages, old crawls and their raw pages, listings and pictures that nothing refers to. "
        "Exit code 1 when a store does not answer; what was removed until then stays removed, and it can be run again."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="count, remove nothing")
        parser.add_argument(
            "--days", type=int, default=DAYS, help="keep pages and crawls so many days (default: %(default)s)"
        )

    def handle(self, *args: Any, dry_run: bool, days: int, **options: Any) -> None:
        if days < 1:
            raise CommandError(f"--days {days} would remove what is still in use: give 1 or more")
        try:
            cleaned = crawls_clean(days=days, dry_run=dry_run, progress=self._tell)
        except (DatabaseError, PyMongoError, OSError) as error:
            raise CommandError(f"stopped: {error}. Run it again when the stores answer.") from error
        verb = "would remove" if dry_run else "removed"
        for what, count in asdict(cleaned).items():
            self.stdout.write(f"{verb} {count} {what.replace('_', ' ')}")
        if dry_run:
            self.stdout.write("A real run also removes what only the removed ones refer to.")

    def _tell(self, what: str, count: int) -> None:
        self.stderr.write(f"{what.replace('_', ' ')}: {count} …")
