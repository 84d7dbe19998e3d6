"""What people have said of listings, as a dataset folder."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from pymongo.errors import PyMongoError
from tqdm import tqdm

from evaluation.services.datasets import dataset_write
from ml.data.errors import DatasetError
from mmproject.ids import new_id


class Command(BaseCommand):
    help = (
        "Write all approved labels and judgments as a new dataset folder for `python -m ml train`: listings with their "
        "pictures, split so that no two pictures that look alike are on two sides; the catalogue; where each label "
        "comes from; a manifest. Exit code 2 when the input is wrong; nothing is left then."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--output", type=Path, help="the folder to write (default: a new one in DATASETS_DIR)")
        parser.add_argument("--unlabelled", action="store_true", help="also listings without a label, for pre-training")
        parser.add_argument(
            "--hold-out-products",
            type=float,
            default=0.0,
            metavar="PERCENT",
            help="so many of the products are in test with all their pictures (default: none)",
        )
        parser.add_argument("--shards", action="store_true", help="pictures in tars of about a gigabyte, not as files")

    def handle(
        self,
        *args: Any,
        output: Path | None,
        unlabelled: bool,
        hold_out_products: float,
        shards: bool,
        **options: Any,
    ) -> None:
        if not 0 <= hold_out_products < 100:
            raise CommandError(f"--hold-out-products={hold_out_products} is not between 0 and 100", returncode=2)
        folder = output or settings.DATASETS_DIR / new_id()
        with tqdm(file=self.stderr, disable=options["verbosity"] == 0, mininterval=0.5) as bar:

            def tell(what: str, count: int) -> None:
                if bar.desc.removesuffix(": ") == what:
                    bar.update(count)
                else:
                    bar.reset(count)
                    bar.set_description(what)

            try:
                folder.parent.mkdir(parents=True, exist_ok=True)
                counts = dataset_write(
                    folder=folder,
                    unlabelled=unlabelled,
                    hold_out_products=hold_out_products / 100,
                    shards=shards,
                    tell=tell,
                )
            except DatasetError as error:
                raise CommandError(str(error), returncode=2) from None
            except (DatabaseError, PyMongoError, OSError) as error:
                raise CommandError(f"stopped: {error}. Nothing was written: run it again.") from error
        for name, count in counts.items():
            self.stdout.write(f"{name} {count}")
        self.stdout.write(str(folder))
