"""Is this picture this title's: the loss against a loop over pairs."""

from math import exp, log

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from ml.objectives.image_text_matching import image_text_matching_loss

LOGIT = st.floats(-20, 20, width=32)
PAIRS = st.lists(st.tuples(LOGIT, LOGIT, st.booleans()), max_size=8)


@given(PAIRS)
def test_it_is_the_binary_cross_entropy_of_own_against_anothers(pairs: list[tuple[float, float, bool]]) -> None:
    part = image_text_matching_loss(
        torch.tensor([pair[:2] for pair in pairs]).view(-1, 2),
        torch.tensor([pair[2] for pair in pairs], dtype=torch.bool),
    )
    wanted = sum(log(1 + exp(another - own if is_own else own - another)) for another, own, is_own in pairs)
    assert part.total.item() == pytest.approx(wanted, rel=1e-4, abs=1e-4)
    assert part.count == len(pairs)


def test_the_pieces_of_a_batch_add_up() -> None:
    logits = torch.randn(6, 2, generator=torch.Generator().manual_seed(0))
    matched = torch.tensor([True, False, True, True, False, False])
    whole = image_text_matching_loss(logits, matched)
    left, right = image_text_matching_loss(logits[:2], matched[:2]), image_text_matching_loss(logits[2:], matched[2:])
    torch.testing.assert_close(left.total + right.total, whole.total)
    assert left.count + right.count == whole.count


def test_half_precision_is_summed_in_full_precision() -> None:
    part = image_text_matching_loss(torch.tensor([[30.0, -30.0]]).bfloat16(), torch.tensor([True]))
    assert part.total.dtype == torch.float32
    assert part.total.item() == pytest.approx(60.0)


def test_one_batch_is_learned_by_heart() -> None:
    torch.manual_seed(0)
    pooled, matched = torch.randn(8, 16), torch.tensor([True, False] * 4)
    head = nn.Linear(16, 2)
    optimiser = torch.optim.Adam(head.parameters(), lr=0.1)
    for _ in range(80):
        loss = image_text_matching_loss(head(pooled), matched).mean
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert loss.item() < 0.01
    assert (head(pooled).argmax(-1).bool() == matched).all()
