"""Answers for pairs of picture and title, in batches."""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path
from threading import Lock

import numpy as np
import torch

from ml.data.errors import PictureError
from ml.data.images import load_image
from ml.data.pairs import batch_of
from ml.metrics.top_k import top_k
from ml.models.inputs import PairBatch
from ml.serving.buckets import alike
from ml.serving.halving import in_halves
from ml.serving.lanes import part_size, share_out
from ml.serving.model_folder import ModelFolder, load_model_folder
from ml.serving.pairs import MatchPrediction, ModelFolderError, Pair, Probabilities
from ml.serving.precision import Precision, choose_precision, computing_in, in_precision

TOP = 5


class Predictor:
    """A loaded model. The same pair gets the same answer whatever else is in its batch, but for rounding.

    It takes the folder's model over, in the `precision` that it computes in (see `ml.serving.precision`). Raises
    ValueError for a precision that is not known, or that the device has not.
    """

    def __init__(
        self, folder: ModelFolder, *, device: torch.device | None = None, precision: Precision = "auto"
    ) -> None:
        self.device = device or torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.precision = choose_precision(precision, device=self.device, width=folder.model.shape.hidden_size)
        self.model = in_precision(folder.model.eval().to(self.device), self.precision)
        self._turn = nullcontext() if self.device.type == "cpu" else Lock()  # on a GPU one thread computes at a time
        self.tokenizer, self.labels, self.preprocessing = folder.tokenizer, folder.labels, folder.preprocessing

    @classmethod
    def load(cls, folder: Path, *, precision: Precision = "auto") -> "Predictor":
        """The model of a folder. Raises ModelFolderError naming what is missing or damaged, ValueError as the class."""
        loaded = load_model_folder(folder)
        if not loaded.labels.products:
            raise ModelFolderError(f"{folder} is only pre-trained: fine-tune it to brands and products first")
        return cls(loaded, precision=precision)

    def predict(self, pairs: Sequence[Pair], *, batch_size: int = 16) -> list[MatchPrediction]:
        """One answer for each pair, in order. A picture that cannot be read gets an answer with `error`, alone.

        Raises ValueError when batch_size is less than 1.
        """
        said = self.probabilities(pairs, batch_size=batch_size)
        rows = zip(said.brand, said.product, said.errors, strict=True)
        return [
            MatchPrediction(error=error) if error is not None else self._answer(brand, product)
            for brand, product, error in rows
        ]

    def probabilities(self, pairs: Sequence[Pair], *, batch_size: int = 16) -> Probabilities:
        """What each head gives to each of its classes, for each pair, in order. Errors as of `predict`."""

        def forward(batch: PairBatch) -> tuple[torch.Tensor, torch.Tensor]:
            output = self.model(batch)
            return output.brand.float().softmax(-1), output.product.float().softmax(-1)

        widths = (len(self.labels.brands), len(self.labels.products))
        (brand, product), errors = self._ask(pairs, forward, widths=widths, batch_size=batch_size)
        return Probabilities(brand=brand, product=product, errors=errors)

    def _ask(
        self,
        pairs: Sequence[Pair],
        forward: Callable[[PairBatch], Sequence[torch.Tensor]],
        *,
        widths: Sequence[int],
        batch_size: int,
    ) -> tuple[list[np.ndarray], list[str | None]]:
        """What `forward` says of each pair, (N, width) for each of its tensors, and why a pair has no answer.

        Rows of pairs without an answer are NaN. `forward` is called from several threads.
        """
        if batch_size < 1:
            raise ValueError(f"batch_size={batch_size} is less than 1")
        answers = [np.full((len(pairs), width), np.nan, np.float32) for width in widths]
        errors: list[str | None] = [None] * len(pairs)

        def work(rows: list[int]) -> None:
            decoded = {row: self._decode(pairs[row]) for row in rows}
            errors_here = {row: str(one) for row, one in decoded.items() if isinstance(one, PictureError)}
            shown = [(row, one) for row, one in decoded.items() if not isinstance(one, PictureError)]
            for part, said in in_halves(lambda part: self._compute(part, pairs, forward), shown) if shown else []:
                there = [row for row, _pictures in part]
                if isinstance(said, Exception):
                    errors_here[there[0]] = f"the memory does not suffice for it: {said}"
                    continue
                for values, found in zip(answers, said, strict=True):
                    values[there] = found
            for row, error in errors_here.items():
                errors[row] = error

        size = part_size(device=self.device, count=len(pairs), batch_size=batch_size)
        share_out(work, alike(pairs, size, by_shape=self.preprocessing.shape == "aspect"), device=self.device)
        return answers, errors

    def _decode(self, pair: Pair) -> list[torch.Tensor] | PictureError:
        """The pair's pictures: none or one."""
        if pair.image is None:
            return []
        try:
            return [self.preprocessing.pixels(load_image(pair.image))]
        except PictureError as error:
            return error

    @torch.inference_mode()
    def _compute(
        self,
        part: Sequence[tuple[int, list[torch.Tensor]]],
        pairs: Sequence[Pair],
        forward: Callable[[PairBatch], Sequence[torch.Tensor]],
    ) -> list[np.ndarray]:
        """`part`: rows of `pairs` with their pictures (3, H, W); B of them → (B, width) for each of `forward`'s."""
        batch = batch_of(self.tokenizer, [(pairs[row].title, pictures) for row, pictures in part])
        with self._turn, computing_in(self.precision, device=self.device):
            return [values.cpu().numpy() for values in forward(batch.to(self.device))]

    def _answer(self, brand: np.ndarray, product: np.ndarray) -> MatchPrediction:
        """`brand` (brands,), `product` (products,)."""
        brands, products = _best(brand, self.labels.brands), _best(product, self.labels.products)
        return MatchPrediction(
            brand=brands[0][0],
            brand_confidence=brands[0][1],
            product=products[0][0],
            product_confidence=products[0][1],
            top5=products,
            brand_top5=brands,
        )


def _best(probabilities: np.ndarray, classes: list[dict[str, str]]) -> list[tuple[str, float]]:
    places = top_k(probabilities[None], TOP)[0].tolist()
    return [(classes[place]["id"], float(probabilities[place])) for place in places]
