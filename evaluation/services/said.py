"""What people have said of listings, boiled down to one product each, on disk however much it is.

A reviewed label outweighs judgments; of two reviewed labels of one listing the later review counts; judgments that
contradict one another cancel each other.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from types import TracebackType

from annotation.models import Label, Review
from crawler.models import ImageState, Listing
from evaluation.models import Judgment, Verdict
from evaluation.services.labelling import label_id

CHUNK = 2000
_TABLES = """
CREATE TABLE said (listing TEXT PRIMARY KEY, sha TEXT, title TEXT, product TEXT, reviewed TEXT) WITHOUT ROWID;
CREATE TABLE looks (sha TEXT PRIMARY KEY, phash TEXT) WITHOUT ROWID;
CREATE TABLE pictures (sha TEXT PRIMARY KEY, ref TEXT, width INTEGER, height INTEGER, phash TEXT) WITHOUT ROWID;
"""
# A judgment that says another product than the one before leaves none (NULL), which then equals nothing.
_JUDGED = """
INSERT INTO said VALUES (?, ?, ?, ?, '') ON CONFLICT (listing) DO UPDATE SET
    product = CASE WHEN product = excluded.product THEN product ELSE NULL END
"""
_LABELLED = """
INSERT INTO said VALUES (?, ?, ?, ?, ?) ON CONFLICT (listing) DO UPDATE SET
    sha = excluded.sha, title = excluded.title, product = excluded.product, reviewed = excluded.reviewed
    WHERE excluded.reviewed > said.reviewed
"""


@dataclass(frozen=True, slots=True)
class Example:
    """`This listing's picture and title show this product`; no product: nobody has said, or people contradict."""

    listing_id: str
    image_sha256: str
    title: str
    product_id: str


@dataclass(frozen=True, slots=True)
class StoredPicture:
    """A picture of the dataset: its reference, its size in pixels, its perceptual hash in hex."""

    ref: str
    width: int
    height: int
    phash: str


class Said:
    """What was said, in a temporary file that SQLite removes. Used with `with`."""

    def __enter__(self) -> "Said":
        self._database = sqlite3.connect("")
        self._database.executescript(_TABLES)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._database.close()

    def gather(self, *, unlabelled: bool) -> None:
        """Read all judgments and approved labels; with `unlabelled` all listings with a picture besides."""
        self._database.executemany(_JUDGED, _judged())
        self._database.executemany(_LABELLED, _labelled())
        if unlabelled:
            shown = Listing.objects.filter(image_state=ImageState.DONE).exclude(image_sha256="")
            rows = shown.values_list("id", "image_sha256", "title").iterator(chunk_size=CHUNK)
            clean = ((listing, sha, _text(title)) for listing, sha, title in rows)
            self._database.executemany("INSERT OR IGNORE INTO said VALUES (?, ?, ?, NULL, '')", clean)
            self._database.execute("UPDATE said SET product = '' WHERE product IS NULL")
        self._database.execute("DELETE FROM said WHERE product IS NULL OR sha = ''")
        seen = Listing.objects.exclude(phash="").values_list("image_sha256", "phash").iterator(chunk_size=CHUNK)
        self._database.executemany("INSERT OR IGNORE INTO looks VALUES (?, ?)", seen)

    def keep_products(self, products: Iterable[str]) -> None:
        """Drop what was said of products other than these: they are not in the catalogue any more."""
        self._database.execute("CREATE TEMPORARY TABLE known (product TEXT PRIMARY KEY) WITHOUT ROWID")
        self._database.executemany("INSERT INTO known VALUES (?)", ((product,) for product in {"", *products}))
        self._database.execute("DELETE FROM said WHERE product NOT IN known")

    def __len__(self) -> int:
        return self._database.execute("SELECT COUNT(*) FROM said").fetchone()[0]

    def __iter__(self) -> Iterator[Example]:
        """In the order of the listings' ids."""
        rows = self._database.execute("SELECT listing, sha, title, product FROM said ORDER BY listing")
        return (Example(*row) for row in rows)

    def pictures(self) -> Iterator[tuple[str, str]]:
        """The SHA-256 of each picture once, with the perceptual hash where the crawler knows it, else ""."""
        query = "SELECT DISTINCT sha, COALESCE(phash, '') FROM said LEFT JOIN looks USING (sha) ORDER BY sha"
        return iter(self._database.execute(query))

    def store(self, sha: str, picture: StoredPicture) -> None:
        """Note where a picture lies in the dataset."""
        row = (sha, picture.ref, picture.width, picture.height, picture.phash)
        self._database.execute("INSERT INTO pictures VALUES (?, ?, ?, ?, ?)", row)

    def stored(self, sha: str) -> str:
        """The reference of a picture, "" when it is not in the dataset."""
        row = self._database.execute("SELECT ref FROM pictures WHERE sha = ?", (sha,)).fetchone()
        return row[0] if row else ""

    def exported(self) -> Iterator[tuple[Example, StoredPicture]]:
        """The examples whose picture is stored, in the order of the listings' ids."""
        rows = self._database.execute(
            "SELECT listing, sha, title, product, ref, width, height, phash FROM said JOIN pictures USING (sha) "
            "ORDER BY listing"
        )
        return ((Example(*row[:4]), StoredPicture(*row[4:])) for row in rows)

    def product_of(self, listing_id: str) -> str | None:
        """What the dataset says of a listing: "" when it has no product; None when the listing is not in it."""
        query = "SELECT product FROM said JOIN pictures USING (sha) WHERE listing = ?"
        row = self._database.execute(query, (listing_id,)).fetchone()
        return row[0] if row else None


def _judged() -> Iterator[tuple[str, str, str, str]]:
    made_of_judgments = Label.objects.exclude(judgment_id="")
    refused = set(made_of_judgments.filter(review=Review.REJECTED).values_list("id", flat=True))
    # “Right” of a rejected one says that it is none of our products.
    right = Judgment.objects.filter(verdict=Verdict.RIGHT).exclude(rejected=True)
    wrong = Judgment.objects.filter(verdict=Verdict.WRONG).exclude(right_product_id="")
    for judgments, product in ((right, "predicted_product_id"), (wrong, "right_product_id")):
        rows = judgments.values_list("listing_id", "image_sha256", "title", product)
        for listing, sha, title, said in rows.iterator(chunk_size=CHUNK):
            if label_id(listing_id=listing, product_id=said) not in refused:
                yield listing, sha, _text(title), said


def _labelled() -> Iterator[tuple[str, str, str, str, str]]:
    rows = Label.objects.filter(review=Review.APPROVED).values_list(
        "listing_id", "image_sha256", "title", "product_id", "reviewed_at", "id"
    )
    for listing, sha, title, product, reviewed_at, label in rows.iterator(chunk_size=CHUNK):
        # Approved at the same moment, the later id counts, as in any order of reading.
        yield listing, sha, _text(title), product, f"{reviewed_at.isoformat() if reviewed_at else ''} {label}"


def _text(title: str) -> str:
    """Without halves of surrogate pairs, which SQLite does not take."""
    return title.encode("utf-8", "replace").decode()
