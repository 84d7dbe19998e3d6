"""Learned weights of a loss's parts against the formula, and where they settle."""

from math import exp, log

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ml.objectives.uncertainty import UncertaintyWeights

NUMBER = st.floats(-3, 3)


@given(st.lists(st.tuples(st.floats(0, 10), NUMBER), min_size=1, max_size=4))
def test_it_is_equation_10(parts: list[tuple[float, float]]) -> None:
    """L_i / σ_i² + log σ_i, with σ itself."""
    names = [f"part{number}" for number in range(len(parts))]
    weights = UncertaintyWeights(names)
    wanted = 0.0
    for name, (loss, log_variance) in zip(names, parts, strict=True):
        weights.log_variance[name].data.fill_(log_variance)
        sigma = exp(log_variance / 2)
        wanted += loss / sigma**2 + log(sigma)
    losses = {name: torch.tensor(loss) for name, (loss, _s) in zip(names, parts, strict=True)}
    assert weights(losses).item() == pytest.approx(wanted, rel=1e-4, abs=1e-4)
    assert weights.weights() == pytest.approx(
        {name: exp(-s) for name, (_loss, s) in zip(names, parts, strict=True)}, rel=1e-5
    )


def test_it_begins_with_equal_weights() -> None:
    weights = UncertaintyWeights(["brand", "product"])
    assert weights.weights() == {"brand": 1.0, "product": 1.0}
    assert weights({"brand": torch.tensor(2.0), "product": torch.tensor(3.0)}).item() == 5.0


def test_a_weight_settles_where_the_derivative_is_zero() -> None:
    """d/ds (e^(−s)·L + s/2) = 0 at e^(−s) = 1/(2L): the harder part weighs less."""
    weights = UncertaintyWeights(["easy", "hard"])
    optimiser = torch.optim.Adam(weights.parameters(), lr=0.05)
    for _ in range(400):
        total = weights({"easy": torch.tensor(0.25), "hard": torch.tensor(2.0)})
        optimiser.zero_grad()
        total.backward()
        optimiser.step()
    assert weights.weights() == pytest.approx({"easy": 2.0, "hard": 0.25}, rel=0.01)


def test_the_pieces_of_a_batch_add_up_to_the_whole() -> None:
    weights = UncertaintyWeights(["brand"])
    weights.log_variance["brand"].data.fill_(0.7)
    whole = weights({"brand": torch.tensor(3.0)})
    pieces = weights({"brand": torch.tensor(1.0)}, share=0.5) + weights({"brand": torch.tensor(2.0)}, share=0.5)
    assert pieces.item() == pytest.approx(whole.item())


def test_a_loss_without_a_weight_is_left_out_and_gradients_reach_the_losses() -> None:
    weights = UncertaintyWeights(["brand"])
    weights.log_variance["brand"].data.fill_(1.0)
    loss, other = torch.tensor(3.0, requires_grad=True), torch.tensor(5.0, requires_grad=True)
    weights({"brand": loss, "other": other}).backward()
    assert loss.grad.item() == pytest.approx(exp(-1))
    assert other.grad is None
