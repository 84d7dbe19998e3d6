"""Answers for pairs of picture and title, in batches."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import torch

from ml.data.images import PictureError, load_image, to_tensor
from ml.data.tokenizer import encode
from ml.serving.model_folder import ModelFolder, load_model_folder
from ml.serving.pairs import MatchPrediction, Pair

DECODERS = 4
TOP = 5


class Predictor:
    """A loaded model. The same pair gets the same answer whatever else is in its batch."""

    def __init__(self, folder: ModelFolder, *, device: torch.device | None = None) -> None:
        self.device = device or torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.model = folder.model.eval().to(self.device)
        self.tokenizer, self.labels = folder.tokenizer, folder.labels

    @classmethod
    def load(cls, folder: Path) -> "Predictor":
        """The model of a folder. Raises ModelFolderError naming what is missing or damaged."""
        return cls(load_model_folder(folder))

    def predict(self, pairs: Sequence[Pair], *, batch_size: int = 16) -> list[MatchPrediction]:
        """One answer for each pair, in order. A picture that cannot be read gets an answer with `error`, alone.

        Raises ValueError when batch_size is less than 1.
        """
        if batch_size < 1:
            raise ValueError(f"batch_size={batch_size} is less than 1")
        answers: list[MatchPrediction] = []
        with ThreadPoolExecutor(DECODERS) as pool:
            for start in range(0, len(pairs), batch_size):
                batch = pairs[start : start + batch_size]
                answers += self._predict_batch(batch, list(pool.map(self._decode, batch)))
        return answers

    def _decode(self, pair: Pair) -> torch.Tensor | PictureError:
        try:
            return to_tensor(load_image(pair.image), size=self.model.shape.image_size)
        except PictureError as error:
            return error

    def _predict_batch(
        self, pairs: Sequence[Pair], pictures: Sequence[torch.Tensor | PictureError]
    ) -> list[MatchPrediction]:
        answers = [MatchPrediction(error=str(picture)) for picture in pictures]
        rows = [row for row, picture in enumerate(pictures) if isinstance(picture, torch.Tensor)]
        if rows:
            pixels = torch.stack([picture for picture in pictures if isinstance(picture, torch.Tensor)])
            for row, answer in zip(rows, self._answer(pixels, [pairs[row].title for row in rows]), strict=True):
                answers[row] = answer
        return answers

    @torch.inference_mode()
    def _answer(self, pixels: torch.Tensor, titles: list[str]) -> list[MatchPrediction]:
        """`pixels` (B, 3, H, W)."""
        patches = self.model.extract(pixels.to(self.device))  # (B, N, width)
        input_ids, attention_mask = (part.to(self.device) for part in encode(self.tokenizer, titles))
        patch_mask = torch.ones(patches.shape[:2], dtype=torch.long, device=self.device)
        output = self.model(input_ids=input_ids, attention_mask=attention_mask, patches=patches, patch_mask=patch_mask)
        brand_confidences, brands = output.brand.float().softmax(-1).max(-1)  # (B,)
        product = output.product.float().softmax(-1)  # (B, products)
        confidences, products = product.topk(min(TOP, product.shape[-1]))  # (B, ≤ 5)
        answers = []
        for row in range(len(titles)):
            best = [
                (self.labels.products[index]["id"], confidence)
                for index, confidence in zip(products[row].tolist(), confidences[row].tolist(), strict=True)
            ]
            answers.append(
                MatchPrediction(
                    brand=self.labels.brands[int(brands[row])]["id"],
                    brand_confidence=float(brand_confidences[row]),
                    product=best[0][0],
                    product_confidence=best[0][1],
                    top5=best,
                )
            )
        return answers
