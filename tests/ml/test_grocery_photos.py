"""Real photos through the demo configuration, when `DEMO_DATA` names them."""

import os
from pathlib import Path

import pytest

from ml.training import read_config, train
from tests.ml.grocery import write_grocery_dataset

FOLDER = os.environ.get("DEMO_DATA", "")
DEMO = Path(__file__).parents[2] / "ml" / "configs" / "vilt_demo.yaml"
needs_photos = pytest.mark.skipif(not FOLDER, reason="DEMO_DATA is unset: the grocery photos are NOT tested")


@needs_photos
@pytest.mark.slow
def test_a_short_training_learns_real_products(tmp_path: Path) -> None:
    """A fraction of the demo's training on six photos of each of 81 products: not done, but far above chance (1 %)."""
    data = write_grocery_dataset(Path(FOLDER), tmp_path / "dataset", per_product=6)
    config = read_config(DEMO, ["views=1", "max_steps=150"])
    metrics = train(config, dataset=data, output=tmp_path / "model").metrics
    assert metrics["skipped_records"] == 0
    assert metrics["product"]["accuracy"] > 0.4
    assert metrics["product_image_only"]["accuracy"] > 0.2
