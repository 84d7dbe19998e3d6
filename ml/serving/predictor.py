"""Answers for pairs of picture and title, in batches."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch

from ml.data.errors import PictureError
from ml.data.images import load_image
from ml.data.pairs import batch_of
from ml.metrics.top_k import top_k
from ml.serving.model_folder import ModelFolder, load_model_folder
from ml.serving.pairs import MatchPrediction, ModelFolderError, Pair, Probabilities
from ml.serving.precision import Precision, choose_precision, computing_in, in_precision

DECODERS = 4
TOP = 5


class Predictor:
    """A loaded model. The same pair gets the same answer whatever else is in its batch.

    It takes the folder's model over, in the `precision` that it computes in (see `ml.serving.precision`). Raises
    ValueError for a precision that is not known, or that the device has not.
    """

    def __init__(
        self, folder: ModelFolder, *, device: torch.device | None = None, precision: Precision = "auto"
    ) -> None:
        self.device = device or torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.precision = choose_precision(precision, device=self.device, width=folder.model.shape.hidden_size)
        self.model = in_precision(folder.model.eval().to(self.device), self.precision)
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
        if batch_size < 1:
            raise ValueError(f"batch_size={batch_size} is less than 1")
        brand = np.full((len(pairs), len(self.labels.brands)), np.nan, np.float32)
        product = np.full((len(pairs), len(self.labels.products)), np.nan, np.float32)
        errors: list[str | None] = []
        with ThreadPoolExecutor(DECODERS) as pool:
            for start in range(0, len(pairs), batch_size):
                batch = pairs[start : start + batch_size]
                pictures = list(pool.map(self._decode, batch))
                errors += [str(picture) if isinstance(picture, PictureError) else None for picture in pictures]
                rows = [row for row, picture in enumerate(pictures) if not isinstance(picture, PictureError)]
                if rows:
                    places = [start + row for row in rows]
                    brand[places], product[places] = self._compute(
                        [picture for picture in pictures if not isinstance(picture, PictureError)],
                        titles=[batch[row].title for row in rows],
                    )
        return Probabilities(brand=brand, product=product, errors=errors)

    def _decode(self, pair: Pair) -> list[torch.Tensor] | PictureError:
        """The pair's pictures: none or one."""
        if pair.image is None:
            return []
        try:
            return [self.preprocessing.pixels(load_image(pair.image))]
        except PictureError as error:
            return error

    @torch.inference_mode()
    def _compute(self, pictures: Sequence[list[torch.Tensor]], *, titles: list[str]) -> tuple[np.ndarray, np.ndarray]:
        """The pictures (3, H, W) of B pairs, and their titles → (B, brands), (B, products)."""
        batch = batch_of(self.tokenizer, list(zip(titles, pictures, strict=True))).to(self.device)
        with computing_in(self.precision, device=self.device):
            output = self.model(batch)
        return output.brand.float().softmax(-1).cpu().numpy(), output.product.float().softmax(-1).cpu().numpy()

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
