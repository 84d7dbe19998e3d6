"""Label-smoothed, weighted cross-entropies against a loop that spells out the definition."""

from math import exp, log

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from ml.objectives.brand_product import IGNORE, brand_product_loss


def slow_cross_entropy(
    logits: list[list[float]], labels: list[int], smoothing: float, weights: list[float] | None
) -> tuple[float, float]:
    """Σ w·−Σ_k q_k log p_k over labelled rows, and Σ w, q = (1 − ε)·one-hot + ε/K (Szegedy et al. 2016, section 7)."""
    total = count = 0.0
    for row, label in zip(logits, labels, strict=True):
        if label == IGNORE:
            continue
        largest = max(row)
        log_sum = largest + log(sum(exp(value - largest) for value in row))
        wanted = [(1 - smoothing) * (k == label) + smoothing / len(row) for k in range(len(row))]
        weight = 1.0 if weights is None else weights[label]
        total -= weight * sum(q * (value - log_sum) for q, value in zip(wanted, row, strict=True))
        count += weight
    return total, count


@st.composite
def heads(draw: st.DrawFn) -> list[tuple[list[list[float]], list[int], list[float] | None]]:
    """Logits, labels and class weights of both heads, of as many rows."""
    rows = draw(st.integers(1, 5))
    both = []
    for _ in range(2):
        classes = draw(st.integers(1, 6))
        row = st.lists(st.floats(-20, 20, width=32), min_size=classes, max_size=classes)
        label = st.integers(0, classes - 1) | st.just(IGNORE)
        weights = st.none() | st.lists(st.floats(0, 10), min_size=classes, max_size=classes)
        both.append(
            (
                draw(st.lists(row, min_size=rows, max_size=rows)),
                draw(st.lists(label, min_size=rows, max_size=rows)),
                draw(weights),
            )
        )
    return both


@given(heads(), st.floats(0, 0.5))
def test_it_is_what_a_slow_loop_says(drawn, smoothing: float) -> None:
    (brand_logits, brand_labels, brand_weights), (product_logits, product_labels, product_weights) = drawn
    parts = brand_product_loss(
        brand_logits=torch.tensor(brand_logits),
        product_logits=torch.tensor(product_logits),
        brand_labels=torch.tensor(brand_labels),
        product_labels=torch.tensor(product_labels),
        brand_class_weights=None if brand_weights is None else torch.tensor(brand_weights),
        product_class_weights=None if product_weights is None else torch.tensor(product_weights),
        label_smoothing=smoothing,
    )
    assert list(parts) == ["brand", "product"]
    for name, (logits, labels, weights) in zip(parts, drawn, strict=True):
        total, count = slow_cross_entropy(logits, labels, smoothing, weights)
        assert parts[name].total.item() == pytest.approx(total, rel=1e-4, abs=1e-3)
        assert float(parts[name].count) == pytest.approx(count, rel=1e-5)


def test_rows_that_are_ignored_do_not_matter() -> None:
    """The counterpart of padding invariance: an ignored row changes neither the loss nor any gradient."""
    logits = torch.randn(4, 3, generator=torch.Generator().manual_seed(0))
    labels = torch.tensor([0, 2, IGNORE, IGNORE])
    weights = torch.tensor([0.5, 1.0, 2.0])

    def loss_and_gradient(rows: int) -> tuple[float, torch.Tensor]:
        own = logits[:rows].clone().requires_grad_()
        part = brand_product_loss(
            brand_logits=own,
            product_logits=own,
            brand_labels=labels[:rows],
            product_labels=labels[:rows],
            product_class_weights=weights,
        )["product"]
        part.mean.backward()
        return part.mean.item(), own.grad

    short, short_gradient = loss_and_gradient(2)
    padded, padded_gradient = loss_and_gradient(4)
    assert padded == pytest.approx(short)
    torch.testing.assert_close(padded_gradient[:2], short_gradient)
    assert not padded_gradient[2:].any()


def test_with_all_rows_ignored_it_is_zero_and_still_has_a_gradient() -> None:
    logits = torch.randn(2, 3, requires_grad=True)
    ignored = torch.full((2,), IGNORE)
    parts = brand_product_loss(brand_logits=logits, product_logits=logits, brand_labels=ignored, product_labels=ignored)
    (parts["brand"].mean + parts["product"].mean).backward()
    assert parts["brand"].mean.item() == parts["product"].mean.item() == 0.0
    assert not logits.grad.any()


def test_half_precision_logits_are_summed_in_full_precision() -> None:
    logits = torch.tensor([[30.0, -30.0]]).bfloat16()
    label = torch.tensor([1])
    parts = brand_product_loss(brand_logits=logits, product_logits=logits, brand_labels=label, product_labels=label)
    assert parts["brand"].total.dtype == torch.float32
    assert parts["brand"].total.item() == pytest.approx(60.0)


def test_the_parts_of_a_divided_batch_add_up() -> None:
    generator = torch.Generator().manual_seed(1)
    logits, labels = torch.randn(6, 4, generator=generator), torch.tensor([0, 3, IGNORE, 1, 2, 2])

    def part(rows: slice) -> tuple[float, float]:
        found = brand_product_loss(
            brand_logits=logits[rows],
            product_logits=logits[rows],
            brand_labels=labels[rows],
            product_labels=labels[rows],
        )["product"]
        return float(found.total), float(found.count)

    pieces = [part(slice(0, 3)), part(slice(3, 4)), part(slice(4, 6))]
    assert part(slice(0, 6)) == pytest.approx([sum(column) for column in zip(*pieces, strict=True)])


def test_one_batch_is_learned_by_heart() -> None:
    torch.manual_seed(0)
    features = torch.randn(6, 8)
    brands, products = torch.tensor([0, 0, 1, 1, 2, IGNORE]), torch.tensor([0, 1, 2, 3, 4, 4])
    brand_head, product_head = nn.Linear(8, 3), nn.Linear(8, 5)
    optimiser = torch.optim.Adam([*brand_head.parameters(), *product_head.parameters()], lr=0.1)
    for _ in range(150):
        parts = brand_product_loss(
            brand_logits=brand_head(features),
            product_logits=product_head(features),
            brand_labels=brands,
            product_labels=products,
        )
        loss = parts["brand"].mean + parts["product"].mean
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert loss.item() < 0.02
