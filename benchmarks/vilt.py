"""How quick is our ViLT? `python -m benchmarks.vilt`: against transformers' `ViltModel` with the same random weights.

Both get the same eight pairs: pictures of squares, landscapes and portraits, titles of 8 to 40 tokens. Transformers as
its documentation uses it: pixels padded to the largest, with their mask, eager attention. Its pixels are padded
beforehand, outside the timing. All sides take turns; medians of the rounds. The size is ViLT-B/32's: 768 wide, 12
layers, 12 heads, 3072, 30,522 words, 384 pixels; with `--quick` 384 wide and 3 layers.

- `forward_fp32_ratio`, `forward_serving_ratio`: transformers' time for the pooled vector in float32 over ours, in
  float32, and as `ml.serving` computes here: in the precision that it chooses, each thread a part of its own.
- `train_step_ratio`: forward, brand and product loss, backward, AdamW; float32 on both sides.
- `…_cpu_ratio`: the same of the processor time, which neighbours on the machine disturb less.
- `max_abs_diff`: the greatest difference of a pooled vector in float32; `serving_relative_error`: of serving's, the
  norm of the difference over the norm. Random weights have no answers that could agree.
- `peak_memory_ratio`: resident memory at its peak, ours over theirs, of a process that builds the one model and answers
  in float32; `peak_memory_serving_ratio`: in our serving precision, its conversion included.
- `fraction_of_matmul_limit`: the time that the products of the packed tokens would take at the rate of the
  up-projection's product alone, measured in the same rounds and in serving's precision, over the time of the
  forward; `…_fp32`: the same of float32. Attention counts at that rate too, although it is computed in float32.

What it leaves out: reading and decoding pictures, tokenising, GPUs, other batch sizes.
"""

import ml  # noqa: F401 - before torch, whose threads then sleep while they wait, as they do in serving

# isort: split
import copy
import multiprocessing
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F
from transformers import ViltConfig as TransformersConfig
from transformers import ViltModel

from benchmarks.harness import parser, progress, report
from benchmarks.vilt_sides import CPU, QUICK, VILT_B32, Asked, Ours, Step, Theirs, flops, make_batch, parts_of
from ml.models.vilt import ViltConfig, ViltMatcher
from ml.serving.int8 import ROWS, Int8Linear
from ml.serving.precision import Precision, choose_precision, computing_in, in_precision


def main() -> None:
    arguments = parser(__doc__ or "")
    arguments.add_argument("--rounds", type=int, help="rounds of forwards (default 5, with --quick 3)")
    options = arguments.parse_args()
    rounds = options.rounds or (3 if options.quick else 5)
    shape = QUICK if options.quick else VILT_B32
    torch.manual_seed(0)
    model, asked = ViltMatcher(shape).eval(), make_batch(shape)
    theirs = Theirs.of(model)
    figures = _forwards(model, theirs, asked, rounds=rounds)
    figures |= _steps(model, theirs, asked, rounds=max(2, rounds // 2))
    their_config = theirs.vilt.config.to_dict()
    del model, theirs
    figures |= _memory(shape, their_config)
    report("vilt", figures)


def _forwards(model: ViltMatcher, theirs: Theirs, asked: Asked, *, rounds: int) -> dict[str, float]:
    shape = model.shape
    precision = choose_precision("auto", device=CPU, width=shape.hidden_size)
    ours, serving = Ours(model), Ours(in_precision(copy.deepcopy(model), precision))
    rows = sum(asked.lengths)
    up = model.encoder.layers[0].get_submodule("up")

    parts = parts_of(asked)

    def served() -> torch.Tensor:
        return serving.pooled_in_lanes(parts, precision)

    with torch.inference_mode():
        right, here, quick = theirs.pooled(asked), ours.pooled(asked), served()
        seconds, cpu = _alternating(
            {
                "theirs": lambda: theirs.pooled(asked),
                "fp32": lambda: ours.pooled(asked),
                "serving": served,
                "fp32 product": _product(up, rows, "float32"),
                "serving product": _product(up, rows, precision),
            },
            rounds=rounds,
        )
    share = flops(shape, asked) / (2 * rows * shape.hidden_size * shape.intermediate_size)  # forwards in products
    progress(
        f"serving in {precision}; {flops(shape, asked) / 1e9 / len(asked.lengths):.1f} GFLOP a pair; ms a pair: "
        + ", ".join(f"{name} {1000 * seconds[name] / len(asked.lengths):.1f}" for name in ("theirs", "fp32", "serving"))
    )
    return {
        "forward_fp32_ratio": round(seconds["theirs"] / seconds["fp32"], 2),
        "forward_fp32_cpu_ratio": round(cpu["theirs"] / cpu["fp32"], 2),
        "forward_serving_ratio": round(seconds["theirs"] / seconds["serving"], 2),
        "forward_serving_cpu_ratio": round(cpu["theirs"] / cpu["serving"], 2),
        "max_abs_diff": float((right - here).abs().max()),
        "serving_relative_error": round(float((right - quick).norm() / right.norm()), 4),
        "fraction_of_matmul_limit": round(share * cpu["serving product"] / cpu["serving"], 3),
        "fraction_of_matmul_limit_fp32": round(share * cpu["fp32 product"] / cpu["fp32"], 3),
        "matmul_serving_vs_fp32": round(cpu["fp32 product"] / cpu["serving product"], 2),
    }


def _product(linear: object, rows: int, precision: Precision) -> Callable[[], object]:
    """The matrix product of a layer alone, on `rows` tokens."""
    assert isinstance(linear, nn.Linear)
    weight = linear.weight.detach()
    if precision == "int8":
        steps = torch.randint(0, 256, (rows, weight.shape[1])).to(torch.uint8)
        int8 = Int8Linear(linear)
        return lambda: [int8.product(part) for part in steps.split(ROWS)]
    dtype = torch.bfloat16 if precision == "bfloat16" else torch.float32
    tokens, weight = torch.randn(rows, weight.shape[1]).to(dtype), weight.to(dtype)
    return lambda: F.linear(tokens, weight)


def _steps(model: ViltMatcher, theirs: Theirs, asked: Asked, *, rounds: int) -> dict[str, float]:
    model.train()
    theirs.module.train()
    our_step, their_step = Step(model, Ours(model).logits), Step(theirs.module, theirs.logits)
    seconds, cpu = _alternating({"theirs": lambda: their_step(asked), "ours": lambda: our_step(asked)}, rounds=rounds)
    progress(f"a training step: theirs {seconds['theirs']:.2f} s, ours {seconds['ours']:.2f} s")
    return {
        "train_step_ratio": round(seconds["theirs"] / seconds["ours"], 2),
        "train_step_cpu_ratio": round(cpu["theirs"] / cpu["ours"], 2),
    }


def _alternating(sides: dict[str, Callable[[], object]], *, rounds: int) -> tuple[dict[str, float], dict[str, float]]:
    """Medians of the seconds on the clock and of the processor's, by side; a first round is not counted."""
    clock: dict[str, list[float]] = {name: [] for name in sides}
    processor: dict[str, list[float]] = {name: [] for name in sides}
    for number in range(rounds + 1):
        for name, work in sides.items():
            started, spent = time.perf_counter(), time.process_time()
            work()
            if number:
                clock[name].append(time.perf_counter() - started)
                processor[name].append(time.process_time() - spent)
        progress(f"round {number} of {rounds}")
    medians = [{name: statistics.median(times) for name, times in kind.items()} for kind in (clock, processor)]
    return medians[0], medians[1]


def _memory(shape: ViltConfig, their_config: dict[str, object]) -> dict[str, float]:
    """Each side in a process of its own."""
    with ProcessPoolExecutor(3, mp_context=multiprocessing.get_context("spawn"), max_tasks_per_child=1) as pool:
        theirs = pool.submit(_their_peak, shape, their_config)
        ours, serving = pool.submit(_our_peak, shape, "float32"), pool.submit(_our_peak, shape, "auto")
        mib = {"theirs": theirs.result(), "ours": ours.result(), "serving": serving.result()}
    progress(f"peak memory in MiB: {mib}")
    return {
        "peak_memory_ratio": round(mib["ours"] / mib["theirs"], 2),
        "peak_memory_serving_ratio": round(mib["serving"] / mib["theirs"], 2),
    }


@torch.inference_mode()
def _their_peak(shape: ViltConfig, config: dict[str, object]) -> float:
    vilt, asked = ViltModel(TransformersConfig.from_dict(config)).eval(), make_batch(shape)
    for _ in range(2):
        vilt(**asked.padded)
    return _peak_mib()


@torch.inference_mode()
def _our_peak(shape: ViltConfig, wanted: Precision) -> float:
    precision = choose_precision(wanted, device=CPU, width=shape.hidden_size)
    side, asked = Ours(in_precision(ViltMatcher(shape).eval(), precision)), make_batch(shape)
    for _ in range(2):
        with computing_in(precision, device=CPU):
            side.pooled(asked)
    return _peak_mib()


def _peak_mib() -> float:
    """Of this process since it began to run its program; getrusage would count what it was forked from."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return round(int(status.partition("VmHWM:")[2].split()[0]) / 1024)


if __name__ == "__main__":
    main()
