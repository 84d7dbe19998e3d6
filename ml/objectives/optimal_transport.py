"""Optimal transport between two sets of vectors by the inexact proximal point method, IPOT (Xie et al. 2018)."""

import torch

BETA, ITERATIONS = 0.5, 50


def ipot(
    cost: torch.Tensor,
    left_mask: torch.Tensor,
    right_mask: torch.Tensor,
    *,
    beta: float = BETA,
    iterations: int = ITERATIONS,
) -> torch.Tensor:
    """The transport plan (B, N, M) between uniform distributions over what the masks show (algorithm 1).

    `cost` (B, N, M), `left_mask` (B, N), `right_mask` (B, M) bool; every row needs one True on either side. Costs
    are of the size of cosine distances: exp(−cost / β) must not vanish. Computed in float32 at least; columns sum to
    1/m over the m shown, rows to 1/n as far as the iterations have come. Masked places are 0.
    """
    cost = cost.float() if cost.dtype in (torch.float16, torch.bfloat16) else cost
    shown = (left_mask[:, :, None] & right_mask[:, None, :]).to(cost.dtype)  # (B, N, M)
    left = left_mask.to(cost.dtype)[:, :, None]  # (B, N, 1)
    right = right_mask.to(cost.dtype)[:, None, :]  # (B, 1, M)
    n, m = left.sum(1, keepdim=True), right.sum(2, keepdim=True)  # (B, 1, 1)
    kernel = torch.exp(-cost / beta) * shown
    plan, sigma = shown, right / m
    tiny = torch.finfo(cost.dtype).tiny
    for _ in range(iterations):
        proximal = kernel * plan  # (B, N, M)
        delta = left / (n * (proximal * sigma).sum(2, keepdim=True)).clamp(min=tiny)  # (B, N, 1)
        sigma = right / (m * (proximal * delta).sum(1, keepdim=True)).clamp(min=tiny)  # (B, 1, M)
        plan = delta * proximal * sigma
    return plan
