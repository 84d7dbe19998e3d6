"""How good is a ViLT from 2,640 photos on two cores? `ml/configs/vilt_grocery.yaml` beside a plain fine-tuning.

Photos of GroceryStoreDataset: trained on `train.txt`, measured on `val.txt`. `plain_finetune_top1` is the floor: the
packaged EfficientNet-Lite0 with a linear head, fine-tuned as anybody would (192 px, 12 epochs), measured in this run.
`product_top1_image` and `brand_top1_image` are from the pictures alone, `product_top1_image_text` with the titles that
the demo shop's sellers write. `train_minutes` is of the ViLT. `--quick` takes a few photos and steps: its figures show
that it runs, and nothing else. Leaves the model folder and the training's log in `--folder`.
"""

import os
import tempfile
import time
from pathlib import Path

from benchmarks.grocery_floor import plain_finetune
from benchmarks.harness import parser, progress, report
from ml.data.records import Dataset, read_dataset
from ml.training import TrainingProgress, train
from tests.ml.grocery import write_grocery_dataset

CONFIG = Path(__file__).parents[1] / "ml" / "configs" / "vilt_grocery.yaml"
QUICK = ["max_steps=4", "pictures.train_sizes=[64]", "pictures.size=64", "model.image_size=64", "evaluations=1"]


def main() -> None:
    arguments = parser(__doc__ or "")
    arguments.add_argument("grocery", type=Path, help="GroceryStoreDataset's folder `dataset`")
    arguments.add_argument("--folder", type=Path, help="what to keep the model in (default: nothing is kept)")
    arguments.add_argument("--seed", type=int, default=0)
    arguments.add_argument("--floor-only", action="store_true", help="only the plain fine-tuning")
    options = arguments.parse_args()
    if options.quick:
        os.environ["TORCHDYNAMO_DISABLE"] = "1"  # to compile takes longer than the few steps
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.folder or Path(scratch)
        data = write_grocery_dataset(
            options.grocery, Path(scratch) / "dataset", per_product=2 if options.quick else None
        )
        figures = floor(read_dataset(data), seed=options.seed, quick=options.quick)
        if not options.floor_only:
            figures |= vilt(data, folder=folder, seed=options.seed, quick=options.quick)
    report("grocery", figures)


def floor(data: Dataset, *, seed: int, quick: bool) -> dict[str, float]:
    """The plain fine-tuning's figures."""
    started = time.monotonic()
    size, epochs = (64, 1) if quick else (192, 12)
    top1 = plain_finetune(data, size=size, epochs=epochs, seed=seed, tell=progress)
    return {"plain_finetune_top1": top1, "plain_finetune_minutes": round((time.monotonic() - started) / 60, 2)}


def vilt(data: Path, *, folder: Path, seed: int, quick: bool) -> dict[str, float]:
    """The figures of `vilt_grocery.yaml`."""
    last = [""]

    def tell(now: TrainingProgress) -> None:
        line = f"{now.stage} {100 * now.step // now.total_steps} % {now.val}"
        if line != last[0]:
            progress(line)
        last[0] = line

    changes = [f"seed={seed}", *(QUICK if quick else [])]
    result = train(
        CONFIG, dataset=data, output=folder / "model", work=folder / "work", changes=changes, on_progress=tell
    )
    metrics = result.metrics
    return {
        "product_top1_image": metrics["product_image_only"]["accuracy"],
        "product_top1_image_text": metrics["product"]["accuracy"],
        "brand_top1_image": metrics["brand_image_only"]["accuracy"],
        "train_minutes": metrics["minutes"],
    }


if __name__ == "__main__":
    main()
