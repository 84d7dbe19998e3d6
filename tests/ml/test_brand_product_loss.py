"""Label-smoothed cross-entropy against a loop that spells out the definition."""

from math import exp, log

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ml.objectives.brand_product import IGNORE, brand_product_loss


def slow_cross_entropy(logits: list[list[float]], labels: list[int], smoothing: float) -> float:
    """Mean over the labelled rows of −Σ_k q_k log p_k, q = (1 − ε)·one-hot + ε/K (Szegedy et al. 2016, section 7)."""
    losses = []
    for row, label in zip(logits, labels, strict=True):
        if label == IGNORE:
            continue
        largest = max(row)
        log_sum = largest + log(sum(exp(value - largest) for value in row))
        wanted = [(1 - smoothing) * (k == label) + smoothing / len(row) for k in range(len(row))]
        losses.append(-sum(q * (value - log_sum) for q, value in zip(wanted, row, strict=True)))
    return sum(losses) / len(losses) if losses else 0.0


@st.composite
def heads(draw: st.DrawFn) -> tuple[list[list[list[float]]], list[list[int]], float]:
    """Logits and labels of both heads, and a smoothing."""
    rows = draw(st.integers(1, 5))
    logits, labels = [], []
    for _ in range(2):
        classes = draw(st.integers(1, 6))
        value = st.floats(-20, 20, width=32)
        row = st.lists(value, min_size=classes, max_size=classes)
        logits.append(draw(st.lists(row, min_size=rows, max_size=rows)))
        label = st.integers(0, classes - 1) | st.just(IGNORE)
        labels.append(draw(st.lists(label, min_size=rows, max_size=rows)))
    return logits, labels, draw(st.floats(0, 0.5))


@given(heads(), st.floats(0, 3), st.floats(0, 3))
def test_it_is_the_weighted_sum_of_what_a_slow_loop_says(drawn, brand_weight: float, product_weight: float) -> None:
    (brand_logits, product_logits), (brand_labels, product_labels), smoothing = drawn
    loss = brand_product_loss(
        brand_logits=torch.tensor(brand_logits),
        product_logits=torch.tensor(product_logits),
        brand_labels=torch.tensor(brand_labels),
        product_labels=torch.tensor(product_labels),
        brand_weight=brand_weight,
        product_weight=product_weight,
        label_smoothing=smoothing,
    )
    brand = slow_cross_entropy(brand_logits, brand_labels, smoothing)
    product = slow_cross_entropy(product_logits, product_labels, smoothing)
    assert loss.brand.item() == pytest.approx(brand, rel=1e-4, abs=1e-4)
    assert loss.product.item() == pytest.approx(product, rel=1e-4, abs=1e-4)
    assert loss.total.item() == pytest.approx(brand_weight * brand + product_weight * product, rel=1e-4, abs=1e-3)


def test_rows_that_are_ignored_do_not_matter() -> None:
    """The counterpart of padding invariance: an ignored row changes neither the loss nor any gradient."""
    logits = torch.randn(4, 3, generator=torch.Generator().manual_seed(0))
    labels = torch.tensor([0, 2, IGNORE, IGNORE])

    def loss_and_gradient(rows: int) -> tuple[float, torch.Tensor]:
        own = logits[:rows].clone().requires_grad_()
        loss = brand_product_loss(
            brand_logits=own, product_logits=own, brand_labels=labels[:rows], product_labels=labels[:rows]
        )
        loss.total.backward()
        return loss.total.item(), own.grad

    short, short_gradient = loss_and_gradient(2)
    padded, padded_gradient = loss_and_gradient(4)
    assert padded == pytest.approx(short)
    torch.testing.assert_close(padded_gradient[:2], short_gradient)
    assert not padded_gradient[2:].any()


def test_with_all_rows_ignored_it_is_zero_and_still_has_a_gradient() -> None:
    logits = torch.randn(2, 3, requires_grad=True)
    ignored = torch.full((2,), IGNORE)
    loss = brand_product_loss(brand_logits=logits, product_logits=logits, brand_labels=ignored, product_labels=ignored)
    loss.total.backward()
    assert loss.total.item() == 0.0
    assert not logits.grad.any()


def test_half_precision_logits_are_summed_in_full_precision() -> None:
    logits = torch.tensor([[30.0, -30.0]]).bfloat16()
    label = torch.tensor([1])
    loss = brand_product_loss(brand_logits=logits, product_logits=logits, brand_labels=label, product_labels=label)
    assert loss.total.dtype == torch.float32
    assert loss.total.item() == pytest.approx(120.0)
