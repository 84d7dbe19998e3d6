"""Threads that share the work on many pairs.

On a CPU each thread decodes and computes parts of its own, with kernels of one thread: nobody waits for anybody between
two layers, and a neighbour on the machine slows down one part, not all. On a GPU the threads decode ahead and take
turns at computing.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

PART = 4  # pairs that a thread of a CPU computes at a time: enough for its kernels, few enough for its caches
DECODERS = 4  # threads of a GPU
T = TypeVar("T")


def part_size(*, device: torch.device, count: int, batch_size: int) -> int:
    """How many of `count` pairs to compute at a time: at most `batch_size`, and so that every thread gets some."""
    if device.type != "cpu":
        return batch_size
    return max(1, min(batch_size, PART, -(-count // torch.get_num_threads())))


def share_out(work: Callable[[T], None], parts: Sequence[T], *, device: torch.device) -> None:
    """`work` on each part, several at once. Raises the first error that it raised."""
    cores = torch.get_num_threads()
    on_cpu = device.type == "cpu"
    width = min(cores if on_cpu else DECODERS, len(parts))
    if width <= 1:
        for part in parts:
            work(part)
        return

    def begin() -> None:
        if on_cpu:
            torch.get_num_threads()  # torch gives a new thread its share when it is first asked, so not after this
            torch.set_num_threads(max(1, cores // width))

    try:
        with ThreadPoolExecutor(width, "lane", initializer=begin) as pool:
            for _done in pool.map(work, parts):
                pass
    finally:
        torch.set_num_threads(cores)  # the last one set is what new threads of the process begin with
