"""The dataset folder: who is believed, what the split guarantees, and that it is whole or not there."""

import json
from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.models import Review
from evaluation.models import Judgment, TrainingPicture, Verdict
from evaluation.services.datasets import Example, dataset_export, examples, val_pictures
from ml.data.records import read_dataset
from tests.evaluation.factories import make_catalogue, make_judgment, make_label, make_listing

DATABASES = pytest.mark.django_db(databases=["default", "mongo"], transaction=True)

pictures = st.integers(0, 40).map(lambda number: f"{number * 2654435761 % 2**32:08x}" + "0" * 56)
rows = st.lists(
    st.builds(
        Example,
        listing_id=st.uuids().map(str),
        image_sha256=pictures,
        title=st.just("tea"),
        product_id=st.sampled_from(["a", "b", "c", "d"]),
    ),
    max_size=60,
)


@given(rows)
def test_every_product_has_something_to_train_on(rows):
    val = val_pictures(rows)
    shown = defaultdict(set)
    for row in rows:
        shown[row.product_id].add(row.image_sha256)
    assert all(shas - val for shas in shown.values())
    assert val <= {row.image_sha256 for row in rows}


@given(rows)
def test_the_split_does_not_depend_on_the_order(rows):
    assert val_pictures(rows) == val_pictures(list(reversed(rows)))


def test_about_one_in_eight_is_kept_for_validation():
    from hashlib import sha256

    rows = [Example(str(n), sha256(str(n).encode()).hexdigest(), "tea", "ab"[n % 2]) for n in range(2000)]
    assert 200 < len(val_pictures(rows)) < 300


def records_of(folder):
    return [json.loads(line) for line in (folder / "records.jsonl").read_text(encoding="utf-8").splitlines()]


@DATABASES
def test_it_writes_what_the_trainer_reads(tmp_path):
    products = make_catalogue(2)
    shared = make_listing(0)
    listings = [shared, *(make_listing(number) for number in range(1, 12))]
    for number, listing in enumerate(listings):
        make_label(listing, products[number % 2])
    counts = dataset_export(run_id="run", folder=tmp_path / "run")
    data = read_dataset(tmp_path / "run")
    assert counts["records"] == len(data.records) == 12
    assert counts["train"] == len(data.split("train"))
    assert counts["val"] == len(data.split("val")) > 0
    assert all(record.image.stat().st_size for record in data.records)
    assert {record.product for record in data.records} == {"tea-0", "tea-1"}
    assert data.product_brands == {"tea-0": "brand-0", "tea-1": "brand-1"}
    train, val = ({record.image for record in data.split(part)} for part in ("train", "val"))
    assert not train & val
    assert TrainingPicture.objects.filter(run_id="run").count() == 12
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


@DATABASES
def test_one_picture_of_many_listings_stays_in_one_part(tmp_path):
    products = make_catalogue(2)
    first = make_listing(0)
    for number in range(20):
        same = make_listing(100 + number, image_sha256=first.image_sha256)
        make_label(same, products[0])
        make_label(make_listing(number + 1), products[1])
    dataset_export(run_id="run", folder=tmp_path / "run")
    splits = defaultdict(set)
    for record in records_of(tmp_path / "run"):
        splits[record["image"]].add(record["split"])
    assert all(len(parts) == 1 for parts in splits.values())


@DATABASES
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
    said = {example.listing_id: example.product_id for example in examples()}
    assert said == {listings[0].id: "tea-0", listings[3].id: "tea-1", listings[4].id: "tea-2"}


@DATABASES
def test_a_reviewed_label_outweighs_judgments_and_contradictions_are_left_out():
    products = make_catalogue(3)
    labelled, disputed = make_listing(0), make_listing(1)
    make_label(labelled, products[0])
    make_judgment(1, predicted=products[1], verdict=Verdict.RIGHT, listing=labelled)
    make_judgment(2, predicted=products[1], verdict=Verdict.RIGHT, listing=disputed)
    make_judgment(3, predicted=products[1], verdict=Verdict.WRONG, right=products[2], listing=disputed, evaluator_id=2)
    make_judgment(4, predicted=products[1], verdict=Verdict.RIGHT, listing=disputed, evaluator_id=3)
    assert {example.listing_id: example.product_id for example in examples()} == {labelled.id: "tea-0"}


@DATABASES
def test_a_picture_that_is_gone_is_skipped_and_counted(tmp_path):
    products = make_catalogue(2)
    for number in range(4):
        make_label(make_listing(number), products[number % 2])
    make_label(make_listing(9, image_sha256="f" * 64), products[0])
    counts = dataset_export(run_id="run", folder=tmp_path / "run")
    assert (counts["records"], counts["skipped"]) == (4, 1)


@DATABASES
def test_exported_again_it_stays_as_it_was(tmp_path):
    products = make_catalogue(2)
    for number in range(4):
        make_label(make_listing(number), products[number % 2])
    dataset_export(run_id="run", folder=tmp_path / "run")
    before = (tmp_path / "run" / "records.jsonl").read_text()
    make_label(make_listing(9), products[0])
    TrainingPicture.objects.all().delete()  # the crash came before they were noted
    counts = dataset_export(run_id="run", folder=tmp_path / "run")
    assert counts["records"] == 4
    assert (tmp_path / "run" / "records.jsonl").read_text() == before
    assert TrainingPicture.objects.count() == 4
    assert Judgment.objects.count() == 0
