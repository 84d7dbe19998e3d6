"""The dataset folder: who is believed, what the split guarantees, and that it is whole or not there."""

import io
import json
import random
from collections import defaultdict
from datetime import timedelta
from itertools import product as pairs_of

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from PIL import Image

from annotation.models import Label, Product, Review
from crawler.images import read_image, store_image
from crawler.look_alikes import MAX_DISTANCE, perceptual_hash
from crawler.models import Listing
from evaluation.models import Judgment, TrainingPicture, Verdict
from evaluation.services.datasets import dataset_export, dataset_write
from evaluation.services.said import Said
from ml.data.records import DatasetError, read_dataset
from ml.data.writing import content_hash
from tests.evaluation.factories import make_catalogue, make_judgment, make_label, make_listing

pytestmark = pytest.mark.django_db(databases=["default", "mongo"], transaction=True)


def photo(seed: int, *, brighter: int = 0) -> str:
    """A stored picture that looks like no other seed's, but like its own made brighter; its SHA-256."""
    grey = Image.frombytes("L", (8, 8), random.Random(seed).randbytes(64))
    image = grey.resize((64, 64), Image.Resampling.BICUBIC).convert("RGB").point(lambda value: value // 2 + brighter)
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return store_image(buffer.getvalue()).sha256


def listing_of(number: int, *, brighter: int = 0, seed: int | None = None, **values: object) -> Listing:
    return make_listing(number, image_sha256=photo(number if seed is None else seed, brighter=brighter), **values)


def lines_of(folder, name="listings.jsonl"):
    return [json.loads(line) for line in (folder / name).read_text(encoding="utf-8").splitlines()]


def said(*, unlabelled: bool = False) -> dict[str, str]:
    with Said() as found:
        found.gather(unlabelled=unlabelled)
        return {example.listing_id: example.product_id for example in found}


def test_it_writes_what_the_trainer_reads(tmp_path):
    products = make_catalogue(2)
    Product.objects.filter(id="tea-0").update(description="Green tea.", image_sha256=photo(999))
    for number in range(40):
        make_label(listing_of(number), products[number % 2])
    counts = dataset_export(run_id="run", folder=tmp_path / "run")
    data = read_dataset(tmp_path / "run")
    records = [record for name in ("train", "val", "test") for record in data.split(name)]
    assert counts["records"] == counts["labelled"] == len(records) == 40
    for name in ("train", "val", "test"):
        assert counts[name] == len(data.split(name)) > 0
    for record in records:
        with Image.open(io.BytesIO(data.picture(record.images[0]))) as image:
            assert (record.width, record.height) == image.size == (64, 64)
    assert {(one.id, one.brand) for one in data.products.values()} == {("tea-0", "brand-0"), ("tea-1", "brand-1")}
    assert data.products["tea-0"].description == "Green tea."
    assert data.picture(data.products["tea-0"].images[0]) == read_image(photo(999))
    assert data.manifest["hash"] == content_hash(tmp_path / "run")
    assert data.manifest["query"]["command"] == "export_dataset"
    assert TrainingPicture.objects.filter(run_id="run").count() == counts["train"] + counts["val"]
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_no_two_pictures_that_look_alike_are_on_two_sides(tmp_path):
    """Copies that shops made brighter, under other products even, and the same picture at several shops."""
    products = make_catalogue(3)
    for number in range(60):
        make_label(listing_of(number), products[number % 3])
        if number % 2:
            make_label(listing_of(100 + number, seed=number, brighter=5), products[(number + 1) % 3])
        if number % 5 == 0:
            make_label(listing_of(200 + number, seed=number), products[number % 3])
    dataset_write(folder=tmp_path / "data")
    data = read_dataset(tmp_path / "data")
    hashes = {
        name: {
            int(perceptual_hash(Image.open(io.BytesIO(data.picture(record.images[0])))), 16)
            for record in data.split(name)
        }
        for name in ("train", "val", "test")
    }
    assert all(hashes.values())
    for one, other in (("train", "val"), ("train", "test"), ("val", "test")):
        assert min((a ^ b).bit_count() for a, b in pairs_of(hashes[one], hashes[other])) > MAX_DISTANCE
    refs = defaultdict(set)
    for record in lines_of(tmp_path / "data"):
        refs[record["images"][0]].add(record["split"])
    assert all(len(parts) == 1 for parts in refs.values())


def test_a_picture_keeps_its_part_when_more_is_labelled(tmp_path):
    products = make_catalogue(2)
    for number in range(40):
        make_label(listing_of(number), products[number % 2])
    dataset_write(folder=tmp_path / "first")
    for number in range(40, 60):
        make_label(listing_of(number), products[number % 2])
    dataset_write(folder=tmp_path / "second")
    before, after = ({one["id"]: one["split"] for one in lines_of(tmp_path / name)} for name in ("first", "second"))
    assert sum(after[listing] != part for listing, part in before.items()) <= 1


def test_only_approved_labels_and_judgments_that_name_the_product_count():
    products = make_catalogue(3)
    listings = [make_listing(number) for number in range(6)]
    make_label(listings[0], products[0])
    make_label(listings[1], products[0], review=Review.PENDING)
    make_label(listings[2], products[0], review=Review.REJECTED)
    make_judgment(1, predicted=products[1], verdict=Verdict.RIGHT, listing=listings[3])
    make_judgment(2, predicted=products[1], verdict=Verdict.WRONG, right=products[2], listing=listings[4])
    make_judgment(3, predicted=products[1], verdict=Verdict.WRONG, listing=listings[5])
    make_judgment(4, predicted=products[1], verdict=Verdict.UNSURE, listing=listings[1])
    assert said() == {listings[0].id: "tea-0", listings[3].id: "tea-1", listings[4].id: "tea-2"}


def test_a_reviewed_label_outweighs_judgments_and_contradictions_are_left_out():
    products = make_catalogue(3)
    labelled, disputed = make_listing(0), make_listing(1)
    make_label(labelled, products[0])
    make_judgment(1, predicted=products[1], verdict=Verdict.RIGHT, listing=labelled)
    make_judgment(2, predicted=products[1], verdict=Verdict.RIGHT, listing=disputed)
    make_judgment(3, predicted=products[1], verdict=Verdict.WRONG, right=products[2], listing=disputed, evaluator_id=2)
    make_judgment(4, predicted=products[1], verdict=Verdict.RIGHT, listing=disputed, evaluator_id=3)
    assert said() == {labelled.id: "tea-0"}


@pytest.mark.parametrize("later_first", [False, True])
def test_of_two_reviewed_labels_the_later_review_counts(later_first):
    products, listing = make_catalogue(2), make_listing(0)
    for product, hours in [(products[0], 2), (products[1], 1)] if later_first else [(products[1], 1), (products[0], 2)]:
        label = make_label(listing, product)
        Label.objects.filter(id=label.id).update(reviewed_at=timezone.now() + timedelta(hours=hours))
    assert said() == {listing.id: "tea-0"}


def test_unlabelled_listings_are_there_only_when_asked_for(tmp_path):
    products = make_catalogue(2)
    labelled, pending, disputed, alone = (listing_of(number) for number in range(4))
    make_label(labelled, products[0])
    make_label(pending, products[0], review=Review.PENDING)
    make_judgment(1, predicted=products[0], verdict=Verdict.RIGHT, listing=disputed)
    make_judgment(2, predicted=products[1], verdict=Verdict.RIGHT, listing=disputed)
    make_listing(9, image_sha256="")
    assert dataset_write(folder=tmp_path / "labelled")["records"] == 1
    counts = dataset_write(folder=tmp_path / "all", unlabelled=True)
    assert (counts["records"], counts["labelled"]) == (4, 1)
    products_said = {one["id"]: one["product"] for one in lines_of(tmp_path / "all")}
    assert products_said == {labelled.id: "tea-0", pending.id: "", disputed.id: "", alone.id: ""}


def test_every_label_and_judgment_of_the_listings_is_written_with_who_and_what_became_of_it(tmp_path):
    products = make_catalogue(2)
    first, second, elsewhere = listing_of(0), listing_of(1), listing_of(2)
    used = make_label(first, products[0])
    refused = make_label(first, products[1], review=Review.REJECTED)
    agreed = make_judgment(1, predicted=products[0], verdict=Verdict.RIGHT, listing=first)
    contrary = make_judgment(2, predicted=products[1], verdict=Verdict.RIGHT, listing=first)
    make_label(elsewhere, products[0], review=Review.PENDING)
    only = make_judgment(3, predicted=products[0], verdict=Verdict.WRONG, right=products[1], listing=second)
    counts = dataset_write(folder=tmp_path / "data")
    lines = {line["id"]: line for line in lines_of(tmp_path / "data", "labels.jsonl")}
    assert counts["labels"] == len(lines) == 5
    assert {key: lines[key]["used"] for key in lines} == {
        used.id: True,
        refused.id: False,
        agreed.id: True,
        contrary.id: False,
        only.id: True,
    }
    label = lines[used.id]
    assert (label["kind"], label["listing"], label["product"]) == ("label", first.id, "tea-0")
    assert (label["annotator_name"], label["review"]) == ("annotator", "approved")
    assert label["reviewed_at"] == used.reviewed_at.isoformat(timespec="microseconds")[:23] + "000+00:00"
    judgment = lines[only.id]
    assert (judgment["kind"], judgment["verdict"], judgment["right_product"]) == ("judgment", "wrong", "tea-1")
    assert judgment["evaluator_name"] == "evaluator"


def test_a_picture_that_is_gone_and_a_product_that_is_gone_are_skipped_and_counted(tmp_path):
    products = make_catalogue(3)
    for number in range(4):
        make_label(make_listing(number), products[number % 2])
    make_label(make_listing(9, image_sha256="f" * 64), products[0])
    make_label(make_listing(10), products[2])
    products[2].delete()
    counts = dataset_export(run_id="run", folder=tmp_path / "run")
    assert (counts["records"], counts["skipped"]) == (4, 2)


def test_exported_again_it_stays_as_it_was(tmp_path):
    products = make_catalogue(2)
    for number in range(4):
        make_label(make_listing(number), products[number % 2])
    dataset_export(run_id="run", folder=tmp_path / "run")
    before = (tmp_path / "run" / "listings.jsonl").read_text()
    make_label(make_listing(9), products[0])
    TrainingPicture.objects.all().delete()  # the crash came before they were noted
    counts = dataset_export(run_id="run", folder=tmp_path / "run")
    assert counts["records"] == 4
    assert (tmp_path / "run" / "listings.jsonl").read_text() == before
    assert TrainingPicture.objects.count() == 4
    assert Judgment.objects.count() == 0


def test_the_same_labels_make_the_same_dataset(tmp_path):
    products = make_catalogue(2)
    for number in range(10):
        make_label(listing_of(number), products[number % 2])
    for name in ("one", "other"):
        dataset_write(folder=tmp_path / name)
    assert content_hash(tmp_path / "one") == content_hash(tmp_path / "other")


def test_nothing_labelled_is_an_empty_dataset(tmp_path):
    assert dataset_write(folder=tmp_path / "data")["records"] == 0
    assert len(read_dataset(tmp_path / "data").split("train")) == 0


def test_a_folder_that_is_there_is_refused(tmp_path):
    (tmp_path / "data").mkdir()
    with pytest.raises(DatasetError, match="already there"):
        dataset_write(folder=tmp_path / "data")


def test_the_command_writes_a_folder(tmp_path, capsys):
    products = make_catalogue(12)
    for number in range(48):
        make_label(listing_of(number), products[number % 12])
    listing_of(100)
    call_command(
        "export_dataset", "--output", tmp_path / "data", "--unlabelled", "--shards", "--hold-out-products", "30"
    )
    said = capsys.readouterr()
    assert "records 49" in said.out
    assert "listings" in said.err
    data = read_dataset(tmp_path / "data")
    assert {record.images[0].partition(":")[0] for record in data.split("train", labelled=False)} == {
        "shards/00000.tar"
    }
    assert data.picture(data.split("test")[0].images[0])
    parts = defaultdict(set)
    for record in lines_of(tmp_path / "data"):
        parts[record["product"]].add(record["split"])
    held_out = {product for product, found in parts.items() if product and found == {"test"}}
    assert held_out
    assert all("train" in found for product, found in parts.items() if product not in held_out | {""})


@pytest.mark.parametrize("percent", ["100", "-1", "nan"])
def test_an_impossible_share_is_exit_2_and_changes_nothing(tmp_path, percent):
    with pytest.raises(CommandError, match="hold-out-products") as caught:
        call_command("export_dataset", "--output", tmp_path / "data", f"--hold-out-products={percent}")
    assert caught.value.returncode == 2
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_there_is_exit_2(tmp_path):
    with pytest.raises(CommandError, match="already there") as caught:
        call_command("export_dataset", "--output", tmp_path)
    assert caught.value.returncode == 2
