"""The floor that `benchmarks.grocery` measures against: a packaged network with a linear head, plainly fine-tuned."""

import random
from collections.abc import Callable

import torch
from torch import nn
from torch.nn import functional as F

from ml.data.augment import colour_jitter, flip, random_resized_crop
from ml.data.images import load_image, to_tensor
from ml.data.records import Dataset
from ml.models.patches import EfficientNetLitePatches

BATCH = 32
LEARNING_RATE, HEAD_LEARNING_RATE = 6e-4, 4e-3


def plain_finetune(data: Dataset, *, size: int, epochs: int, seed: int, tell: Callable[[str], None]) -> float:
    """Top-1 accuracy of products on `val`: AdamW, one cycle, label smoothing .1, random crop, mirror, colours."""
    torch.manual_seed(seed)
    rng = random.Random(seed)
    train, val = data.split("train"), data.split("val")
    images = [load_image(data.picture(record.images[0])) for record in train]
    classes = sorted(set(train.products.tolist()))
    labels = torch.tensor([classes.index(product) for product in train.products.tolist()])
    network = EfficientNetLitePatches("efficientnet_lite0", pretrained=True, trained=True, frozen_blocks=0)
    head = nn.Linear(network.width, len(classes))
    steps = max(1, epochs * len(images) // BATCH)
    optimiser = torch.optim.AdamW(
        [{"params": network.parameters()}, {"params": head.parameters()}], lr=LEARNING_RATE, weight_decay=0.01
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, max_lr=[LEARNING_RATE, HEAD_LEARNING_RATE], total_steps=steps
    )
    order: list[int] = []
    network.train()
    for step in range(steps):
        while len(order) < BATCH:
            order += rng.sample(range(len(images)), len(images))
        rows, order = order[:BATCH], order[BATCH:]
        views = [colour_jitter(flip(random_resized_crop(images[row], rng, size, (0.3, 1.0)), rng), rng) for row in rows]
        logits = head(network(torch.stack([to_tensor(view, size=size) for view in views])).mean(1))
        loss = F.cross_entropy(logits, labels[rows], label_smoothing=0.1)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        if step % 50 == 49:
            tell(f"plain fine-tuning: step {step + 1} of {steps}, loss {loss.item():.3f}")
    network.eval()
    right = 0
    with torch.inference_mode():
        for record, product in zip(val, val.products.tolist(), strict=True):
            pixels = to_tensor(load_image(data.picture(record.images[0])), size=size)
            right += classes[int(head(network(pixels[None]).mean(1)).argmax())] == product
    return right / len(val)
