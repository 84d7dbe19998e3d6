"""Cross-entropy of masked words against a loop over them."""

from math import exp, log

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from ml.objectives.masked_language import IGNORE, masked_language_loss


@st.composite
def titles(draw: st.DrawFn) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits (B, L, V) and labels (B, L)."""
    B, L, V = draw(st.integers(1, 3)), draw(st.integers(1, 5)), draw(st.integers(1, 6))
    label = st.integers(0, V - 1) | st.just(IGNORE)
    labels = draw(st.lists(st.lists(label, min_size=L, max_size=L), min_size=B, max_size=B))
    generator = torch.Generator().manual_seed(draw(st.integers(0, 1000)))
    return torch.randn(B, L, V, generator=generator) * 5, torch.tensor(labels)


def slow_loss(logits: torch.Tensor, labels: torch.Tensor) -> tuple[float, int]:
    total, count = 0.0, 0
    for row in range(labels.shape[0]):
        for column in range(labels.shape[1]):
            label = int(labels[row, column])
            if label != IGNORE:
                values = logits[row, column].tolist()
                total += log(sum(exp(value) for value in values)) - values[label]
                count += 1
    return total, count


@given(titles())
def test_it_is_the_sum_over_masked_words_and_their_number(drawn) -> None:
    logits, labels = drawn
    part = masked_language_loss(logits, labels)
    total, count = slow_loss(logits, labels)
    assert part.total.item() == pytest.approx(total, rel=1e-4, abs=1e-4)
    assert int(part.count) == count
    assert part.mean.item() == pytest.approx(total / max(1, count), rel=1e-4, abs=1e-4)


@given(titles())
def test_masked_words_alone_and_padded_titles_give_the_same(drawn) -> None:
    logits, labels = drawn
    whole = masked_language_loss(logits, labels)
    alone = masked_language_loss(logits[labels != IGNORE], labels[labels != IGNORE])
    padded_logits = torch.cat([logits, torch.full((len(logits), 2, logits.shape[-1]), 7.0)], dim=1)
    padded_labels = torch.cat([labels, torch.full((len(labels), 2), IGNORE)], dim=1)
    padded = masked_language_loss(padded_logits, padded_labels)
    for other in (alone, padded):
        torch.testing.assert_close(other.total, whole.total)
        assert int(other.count) == int(whole.count)


def test_nothing_masked_is_zero_and_has_a_gradient() -> None:
    logits = torch.randn(0, 5, requires_grad=True)
    part = masked_language_loss(logits, torch.zeros(0, dtype=torch.int64))
    part.mean.backward()
    assert part.mean.item() == 0.0


def test_half_precision_is_summed_in_full_precision() -> None:
    part = masked_language_loss(torch.tensor([[30.0, -30.0]]).bfloat16(), torch.tensor([1]))
    assert part.total.dtype == torch.float32
    assert part.total.item() == pytest.approx(60.0)


def test_one_batch_is_learned_by_heart() -> None:
    torch.manual_seed(0)
    hidden, labels = torch.randn(2, 4, 16), torch.tensor([[IGNORE, 3, 9, IGNORE], [0, IGNORE, IGNORE, 3]])
    head = nn.Linear(16, 10)
    optimiser = torch.optim.Adam(head.parameters(), lr=0.1)
    for _ in range(80):
        loss = masked_language_loss(head(hidden), labels).mean
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert loss.item() < 0.01
