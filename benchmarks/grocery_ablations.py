"""What the brand loss, the weights and the pre-training are worth on the grocery photos: three seeds each.

A short form of `ml/configs/vilt_grocery.yaml` (SHORT), trained with the product loss alone, with equal weights, with
the larger weight for the product, and so again after pre-training on the same photos and titles. Measured on `val` from
the pictures alone and with titles. Each figure is the mean over the seeds with the half-width of its 95 % interval
(Student's t; of three seeds it is wide). Each training is kept in `--folder`: called again, it goes on with what is
missing. Prints a table on stderr and one JSON line.
"""

import json
import math
import os
from pathlib import Path
from statistics import mean, stdev

from benchmarks.harness import parser, progress, report
from ml.training import TrainingProgress, train
from tests.ml.grocery import write_grocery_dataset

CONFIGS = Path(__file__).parents[1] / "ml" / "configs"
SHORT = ["epochs=8", "pictures.train_sizes=[128,160]", "pictures.size=192", "evaluations=1"]
QUICK = ["max_steps=2", "pictures.train_sizes=[64]", "pictures.size=64", "evaluations=1"]
PRETRAIN = ["epochs=4"]
VARIANTS = {
    "product_only": ["brand_weight=0", "product_weight=1"],
    "equal": ["brand_weight=1", "product_weight=1"],
    "product_larger": ["brand_weight=0.5", "product_weight=1"],
    "pretrained": ["brand_weight=0.5", "product_weight=1"],
}
FIGURES = ("product_image_only", "product", "brand_image_only")
T_975 = {2: 12.706, 3: 4.303, 4: 3.182, 5: 2.776}  # Student's t for n − 1 degrees of freedom, by n


def main() -> None:
    arguments = parser(__doc__ or "")
    arguments.add_argument("grocery", type=Path, help="GroceryStoreDataset's folder `dataset`")
    arguments.add_argument("--folder", type=Path, required=True, help="what to keep the trainings in")
    arguments.add_argument("--seeds", type=int, default=3, choices=sorted(T_975))
    options = arguments.parse_args()
    if options.quick:
        os.environ["TORCHDYNAMO_DISABLE"] = "1"  # to compile takes longer than the few steps
    data = options.folder / "dataset"
    if not data.exists():
        write_grocery_dataset(options.grocery, data, per_product=2 if options.quick else None)
    short = QUICK if options.quick else SHORT
    figures: dict[str, float] = {}
    for name, changes in VARIANTS.items():
        runs = []
        for seed in range(options.seeds):
            start = []
            if name == "pretrained":
                model = run(
                    "vilt_grocery_pretrain", data, options.folder / f"pretrain-{seed}", [*short, *PRETRAIN], seed
                )
                start = [f"start_from={model}"]
            folder = run("vilt_grocery", data, options.folder / f"{name}-{seed}", [*short, *changes, *start], seed)
            runs.append(json.loads((folder / "metrics.json").read_text(encoding="utf-8")))
        for figure in FIGURES:
            values = [one[figure]["accuracy"] for one in runs]
            half = T_975[len(values)] * stdev(values) / math.sqrt(len(values))
            figures |= {f"{name}_{figure}": round(mean(values), 4), f"{name}_{figure}_ci": round(half, 4)}
            progress(f"{name:16} {figure:20} {mean(values):.3f} ± {half:.3f}   {values}")
    report("grocery_ablations", figures)


def run(config: str, data: Path, folder: Path, changes: list[str], seed: int) -> Path:
    """The model folder of one training, from an earlier call if it is there."""
    output = folder / "model"

    def tell(now: TrainingProgress) -> None:
        if now.step % 20 == 0:
            progress(f"{folder.name}: {now.stage} {now.step} of {now.total_steps}")

    if not output.exists():
        steps = [f"seed={seed}", *changes]
        train(
            CONFIGS / f"{config}.yaml",
            dataset=data,
            output=output,
            work=folder / "work",
            changes=steps,
            on_progress=tell,
        )
    return output


if __name__ == "__main__":
    main()
