"""A batch for which the memory does not suffice is computed in halves."""

from collections.abc import Callable, Sequence
from typing import TypeVar

import torch

T = TypeVar("T")
R = TypeVar("R")


def in_halves(compute: Callable[[Sequence[T]], R], items: Sequence[T]) -> list[tuple[Sequence[T], R | Exception]]:
    """What `compute` says of `items`, or of as large parts of them as the memory allows, in order.

    One item for which even alone the memory does not suffice gets that error. Other errors are raised.
    """
    try:
        return [(items, compute(items))]
    except Exception as error:
        if not out_of_memory(error):
            raise
        if len(items) == 1:
            return [(items, error)]
    # Outside of the handler: what the failed attempt held is free only when its traceback is gone.
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    half = (len(items) + 1) // 2
    return in_halves(compute, items[:half]) + in_halves(compute, items[half:])


def out_of_memory(error: Exception) -> bool:
    """Whether less at a time could help. Torch's allocators have no error in common."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    said = str(error)
    return isinstance(error, RuntimeError) and ("can't allocate memory" in said or "_ALLOC_FAILED" in said)
