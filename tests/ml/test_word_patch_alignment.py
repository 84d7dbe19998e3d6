"""How far words lie from patches: against a loop, without padding's say, and the way that gradients take."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ml.objectives.optimal_transport import ipot
from ml.objectives.word_patch_alignment import cosine_cost, word_patch_alignment


def features(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def cosine(left: list[float], right: list[float]) -> float:
    product = sum(a * b for a, b in zip(left, right, strict=True))
    return product / math.sqrt(sum(a * a for a in left)) / math.sqrt(sum(b * b for b in right))


def slow_distance(words: list[list[float]], patches: list[list[float]]) -> float:
    """Σ_ij T_ij·(1 − cos) of one pair, T by algorithm 1 of Xie et al. 2018 with β = .5 and 50 iterations."""
    n, m = len(words), len(patches)
    if not n or not m:
        return 0.0
    cost = [[1 - cosine(word, patch) for patch in patches] for word in words]
    plan, right = [[1.0] * m for _ in range(n)], [1 / m] * m
    for _ in range(50):
        step = [[math.exp(-cost[i][j] / 0.5) * plan[i][j] for j in range(m)] for i in range(n)]
        left = [1 / n / sum(step[i][j] * right[j] for j in range(m)) for i in range(n)]
        right = [1 / m / sum(step[i][j] * left[i] for i in range(n)) for j in range(m)]
        plan = [[left[i] * step[i][j] * right[j] for j in range(m)] for i in range(n)]
    return sum(plan[i][j] * cost[i][j] for i in range(n) for j in range(m))


@st.composite
def batches(draw: st.DrawFn) -> tuple[torch.Tensor, ...]:
    """text (B, L, D), text_mask, image (B, N, D), image_mask, matched; any mask, all False among them."""
    B, L, N = draw(st.integers(1, 3)), draw(st.integers(1, 4)), draw(st.integers(1, 5))
    seed = draw(st.integers(0, 999))

    def mask(length: int) -> torch.Tensor:
        row = st.lists(st.booleans(), min_size=length, max_size=length)
        return torch.tensor(draw(st.lists(row, min_size=B, max_size=B)))

    matched = torch.tensor(draw(st.lists(st.booleans(), min_size=B, max_size=B)))
    return features(B, L, 6, seed=seed), mask(L), features(B, N, 6, seed=seed + 1), mask(N), matched


@given(batches())
def test_it_is_what_a_slow_loop_says(batch: tuple[torch.Tensor, ...]) -> None:
    text, text_mask, image, image_mask, matched = batch
    part = word_patch_alignment(*batch)
    wanted = 0.0
    for row in range(len(text)):
        distance = slow_distance(text[row, text_mask[row]].tolist(), image[row, image_mask[row]].tolist())
        wanted += distance if matched[row] else -distance
    assert part.total.item() == pytest.approx(wanted, rel=1e-3, abs=1e-4)
    assert part.count == len(text)


@given(batches(), st.integers(1, 3))
def test_padding_changes_nothing(batch: tuple[torch.Tensor, ...], more: int) -> None:
    text, text_mask, image, image_mask, matched = batch

    def padded(values: torch.Tensor, mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        B, _length, D = values.shape
        return (
            torch.cat([values, features(B, more, D, seed=5) * 9], dim=1),
            torch.cat([mask, torch.zeros(B, more, dtype=torch.bool)], dim=1),
        )

    longer = word_patch_alignment(*padded(text, text_mask), *padded(image, image_mask), matched)
    torch.testing.assert_close(longer.total, word_patch_alignment(*batch).total, rtol=1e-4, atol=1e-5)


def test_the_plan_is_no_path_for_gradients() -> None:
    """The gradient is that of Σ T·cost with the plan T as a constant; through the plan it would be another."""
    text, image = features(2, 3, 8), features(2, 5, 8, seed=1)
    text_mask, image_mask = torch.ones(2, 3, dtype=torch.bool), torch.ones(2, 5, dtype=torch.bool)
    matched = torch.tensor([True, False])
    constant = ipot(cosine_cost(text, image), text_mask, image_mask)

    def gradients(how: str) -> list[torch.Tensor]:
        left, right = text.clone().requires_grad_(), image.clone().requires_grad_()
        if how == "loss":
            total = word_patch_alignment(left, text_mask, right, image_mask, matched).total
        else:
            cost = cosine_cost(left, right)
            plan = constant if how == "constant" else ipot(cost, text_mask, image_mask)
            distance = (plan * cost).sum((1, 2))
            total = distance[0] - distance[1]
        total.backward()
        return [left.grad, right.grad]

    for ours, wanted, through in zip(*(gradients(how) for how in ("loss", "constant", "through")), strict=True):
        torch.testing.assert_close(ours, wanted)
        assert not torch.allclose(ours, through, atol=1e-3)


def test_a_pair_without_words_or_patches_counts_as_a_pair_at_distance_0() -> None:
    text, image = features(3, 2, 4).requires_grad_(), features(3, 2, 4, seed=1)
    text_mask = torch.tensor([[True, True], [False, False], [True, True]])
    image_mask = torch.tensor([[True, True], [True, True], [False, False]])
    part = word_patch_alignment(text, text_mask, image, image_mask, torch.tensor([True, True, True]))
    first = word_patch_alignment(text[:1], text_mask[:1], image[:1], image_mask[:1], torch.tensor([True]))
    torch.testing.assert_close(part.total, first.total)
    assert part.count == 3
    part.total.backward()
    assert torch.isfinite(text.grad).all()
    assert not text.grad[1:].any()


def test_no_pair_with_both_is_zero_and_has_a_gradient() -> None:
    text = features(1, 2, 4).requires_grad_()
    nothing = torch.zeros(1, 2, dtype=torch.bool)
    part = word_patch_alignment(
        text, nothing, features(1, 3, 4), torch.ones(1, 3, dtype=torch.bool), torch.tensor([True])
    )
    part.mean.backward()
    assert part.mean.item() == 0.0
    assert not text.grad.any()


@given(st.integers(0, 999))
def test_costs_are_1_minus_the_cosine(seed: int) -> None:
    text, image = features(2, 3, 5, seed=seed), features(2, 4, 5, seed=seed + 1)
    cost = cosine_cost(text, image)
    assert cost.shape == (2, 3, 4)
    for b, i, j in ((0, 0, 0), (1, 2, 3), (0, 1, 3)):
        assert cost[b, i, j].item() == pytest.approx(1 - cosine(text[b, i].tolist(), image[b, j].tolist()), abs=1e-5)


def test_a_training_in_half_precision_computes_costs_in_single() -> None:
    """Under autocast a product of matrices would be rounded to 8 bits, and all distances of a pair look alike."""
    text, image = features(2, 3, 64), features(2, 9, 64, seed=1)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        cost = cosine_cost(text, image)
    assert cost.dtype == torch.float32
    assert torch.equal(cost, cosine_cost(text, image))


def test_one_batch_is_learned_by_heart() -> None:
    """Words of pairs that match move onto their patches, the others to the far side."""
    text = features(2, 3, 8).requires_grad_()
    image = features(2, 6, 8, seed=1).requires_grad_()
    text_mask, image_mask = torch.ones(2, 3, dtype=torch.bool), torch.ones(2, 6, dtype=torch.bool)
    optimiser = torch.optim.Adam([text, image], lr=0.1)
    for _ in range(100):
        loss = word_patch_alignment(text, text_mask, image, image_mask, torch.tensor([True, False])).mean
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert loss.item() == pytest.approx(-1.0, abs=0.05)  # (0 − 2) / 2
