"""The heat of a real model, drawn by the worker's own code."""

import io

import pytest
import torch
from django.conf import settings
from PIL import Image

from crawler.images import read_image
from crawler.models import WorkState
from evaluation import services
from evaluation.models import WordAlignment
from ml.training import train
from tests.evaluation.factories import make_listing, make_model
from tests.ml.factories import tiny_config, write_dataset

pytestmark = pytest.mark.django_db(databases=["default", "mongo"], transaction=True)


def test_a_real_model_draws_a_picture_a_word(tmp_path):
    torch.set_num_threads(1)
    model = make_model(folder="real")
    output = settings.MODELS_DIR / "real"
    data = write_dataset(tmp_path / "data")
    if not output.exists():
        train(tiny_config(max_steps=3), dataset=data, output=output)
    listing = make_listing(1, title="orange juice 绿茶")
    asked = services.alignment_ask(model=model, listing_named=listing.id)
    services.alignment_draw(alignment_id=asked.id)
    asked = WordAlignment.objects.get()
    assert (asked.state, asked.error) == (WorkState.DONE, "")
    assert {word for word, _sha in asked.words} <= {"orange", "juice", "绿茶"}
    assert asked.words
    for _word, sha in asked.words:
        with Image.open(io.BytesIO(read_image(sha))) as drawn:
            assert drawn.size == (48, 48)
