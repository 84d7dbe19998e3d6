"""Where in a picture a model sees each word of a title: word-patch alignment, to look at."""

from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image, ImageChops, ImageFilter, ImageOps

from ml.data.pairs import batch_of
from ml.data.preprocessing import Preprocessing
from ml.data.tokenizer import TextTokenizer
from ml.data.words import tokens_of_words, word_spans
from ml.models.vilt import ViltMatcher
from ml.objectives.optimal_transport import ipot
from ml.objectives.word_patch_alignment import cosine_cost

# Viridis (van der Walt & Smith 2015) at nine even steps: from dark to light and safe for the colour-blind.
COLOURS = np.array(
    [
        (68, 1, 84),
        (71, 44, 122),
        (59, 81, 139),
        (44, 113, 142),
        (33, 144, 141),
        (39, 173, 129),
        (92, 200, 99),
        (170, 220, 50),
        (253, 231, 37),
    ],
    dtype=np.float32,
)
TINT = 0.6  # how much of a pixel is the colour of its heat; the rest is the picture in grey
WARM = 0.5  # the heat that the outline encloses


@dataclass(frozen=True)
class Alignment:
    """`words` of a title in order, and for each a heat (h, w) over the patches of the picture, at most 1."""

    words: list[str]
    heats: list[np.ndarray]


@torch.inference_mode()
def word_alignment(
    model: ViltMatcher, tokenizer: TextTokenizer, preprocessing: Preprocessing, image: Image.Image, title: str
) -> Alignment:
    """How much of each patch the transport plan gives to each word (Kim et al. 2021, figure 4), over its largest.

    The plan is that of the training's loss, between all tokens and all patches, so each patch is shared out among the
    words: that of a title of one word is the same everywhere. Words cut off or unknown to the tokenizer are left out.
    """
    pixels = preprocessing.pixels(image)
    device = next(model.parameters()).device
    encoded = model.encode(batch_of(tokenizer, [(title, [pixels])]).to(device))
    tokens = tokenizer.encode([title])
    known = torch.tensor([[one not in tokenizer.special_ids for one in tokens.input_ids[0].tolist()]])  # (1, L)
    text_mask = encoded.text_mask & known.to(device)
    spans = word_spans(tokens.titles[0])
    columns = tokens_of_words(tokens.offsets[0].tolist(), spans)
    words, heats = [], []
    if text_mask.any():
        plan = ipot(cosine_cost(encoded.text, encoded.image), text_mask, encoded.image_mask)[0]  # (L, N)
        rows, cols = encoded.grids[0].tolist()
        for (start, end), places in zip(spans, columns, strict=True):
            if places and bool(text_mask[0, places].all()):
                mass = plan[places].sum(0).reshape(rows, cols)  # (N,) → (h, w)
                words.append(tokens.titles[0][start:end])
                heats.append((mass / mass.max()).cpu().numpy())
    return Alignment(words, heats)


def draw_alignment(image: Image.Image, heat: np.ndarray) -> Image.Image:
    """The picture in grey, tinted by a heat (h, w) from 0 to 1 that covers all of it; an outline around the warm half.

    The grey is drawn together to the middle, and the outline is black and white, so that both can be seen on dark
    pictures and on light ones.
    """
    stretched = Image.fromarray(heat.astype(np.float32)).resize(image.size, Image.Resampling.BILINEAR)
    warmth = np.asarray(stretched)  # (H, W)
    grey = np.asarray(ImageOps.autocontrast(image.convert("L"), cutoff=1), dtype=np.float32)  # (H, W)
    tinted = TINT * _colours(warmth) + (1 - TINT) * (48 + grey * (160 / 255))[..., None]  # (H, W, 3)
    drawn = Image.fromarray(tinted.round().astype(np.uint8))
    warm = Image.fromarray(np.where(warmth >= WARM, 255, 0).astype(np.uint8))
    width = max(1, min(image.size) // 200)
    inner, outer = _grown(warm, width), _grown(warm, 2 * width)
    drawn.paste("white", mask=ImageChops.subtract(inner, warm))
    drawn.paste("black", mask=ImageChops.subtract(outer, inner))
    return drawn


def _colours(heat: np.ndarray) -> np.ndarray:
    """(H, W) from 0 to 1 → (H, W, 3) from 0 to 255."""
    steps = np.linspace(0, 1, len(COLOURS))
    return np.stack([np.interp(heat, steps, COLOURS[:, channel]) for channel in range(3)], axis=-1)


def _grown(mask: Image.Image, width: int) -> Image.Image:
    """The mask with what lies at most `width` pixels beside it."""
    return mask.filter(ImageFilter.MaxFilter(2 * width + 1))
