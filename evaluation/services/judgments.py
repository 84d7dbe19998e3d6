"""What an evaluator says about predictions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.utils import timezone
from django.utils.translation import gettext as _

from annotation.models import Product
from crawler.models import WorkState
from evaluation.models import Judgment, Prediction, PredictionRun, Verdict


@dataclass(frozen=True)
class Answer:
    """An evaluator's answer to one prediction. With `wrong`, one of the three says what is right.

    `model_id` says which version's prediction it is, where a run compares two; empty: the run's own.
    """

    position: int
    verdict: str
    right_product_id: str = ""
    right_product_name: str = ""
    absent: bool = False  # the right product is not in our catalogue
    model_id: str = ""

    @property
    def key(self) -> str:
        """What an error of this answer is keyed by."""
        return f"{self.position}-{self.model_id}" if self.model_id else str(self.position)


def judgments_save(*, run: PredictionRun, answers: Sequence[Answer], evaluator: AbstractBaseUser) -> list[Judgment]:
    """Save all answers or, when one is not valid, none; said again, an answer replaces the earlier one.

    Raises ValidationError, keyed by `Answer.key` (the position), or keyed `answers` when there is nothing to save.
    """
    if not answers:
        raise ValidationError({"answers": _("Judge at least one prediction: right, wrong or unsure.")})
    positions = [answer.position for answer in answers]
    rows = Prediction.objects.filter(run_id=run.id, position__in=positions, state=WorkState.DONE)
    found = {(row.position, row.model_id): row for row in rows}
    answered = {
        answer.key: (answer, found.get((answer.position, answer.model_id or run.model_id))) for answer in answers
    }
    return _save(answered, keywords={run.id: run.keyword}, evaluator=evaluator)


def predictions_judge(*, answers: Mapping[str, Answer], evaluator: AbstractBaseUser) -> list[Judgment]:
    """Save answers by prediction id, of whatever runs, as `judgments_save` does; their positions count for nothing.

    Raises ValidationError, keyed by prediction id.
    """
    rows = Prediction.objects.filter(id__in=list(answers), state=WorkState.DONE)
    found = {row.id: row for row in rows}
    runs = PredictionRun.objects.filter(id__in=sorted({row.run_id for row in found.values()}))
    keywords = dict(runs.values_list("id", "keyword"))
    answered = {key: (answer, found.get(key)) for key, answer in answers.items()}
    return _save(answered, keywords=keywords, evaluator=evaluator)


_Answered = Mapping[str, tuple[Answer, Prediction | None]]


def _save(answered: _Answered, *, keywords: Mapping[str, str], evaluator: AbstractBaseUser) -> list[Judgment]:
    products = _products([answer for answer, _prediction in answered.values()])
    errors: dict[str, str] = {}
    judgments = []
    for key, (answer, prediction) in answered.items():
        right = None if answer.absent else products.get(answer.right_product_id or answer.right_product_name)
        problem = _problem(answer, prediction, right)
        if problem or prediction is None:
            errors[key] = problem
        else:
            keyword = keywords.get(prediction.run_id, "")
            judgments.append(_judgment(prediction, answer, right=right, keyword=keyword, evaluator=evaluator))
    if errors:
        raise ValidationError(errors)
    for _attempt in range(2):
        try:
            _write(judgments)
            break
        except IntegrityError:  # the same answers, a moment ago, in another process: now they are found and compared
            continue
    return judgments


def _products(answers: Sequence[Answer]) -> dict[str, Product]:
    """The products that the answers name, by id and by name."""
    ids = [answer.right_product_id for answer in answers if answer.right_product_id]
    names = [answer.right_product_name for answer in answers if answer.right_product_name]
    found = {product.id: product for product in Product.objects.filter(id__in=ids)} if ids else {}
    if names:
        found |= {product.name: product for product in Product.objects.filter(name__in=names, active=True)}
    return found


def _problem(answer: Answer, prediction: Prediction | None, right: Product | None) -> str:
    """Why the answer cannot be saved, in words for the card; empty when it can."""
    if prediction is None:
        return _("There is no prediction to judge here.")
    if answer.verdict not in Verdict.values:
        return _("Choose right, wrong or unsure.")
    if answer.verdict != Verdict.WRONG:
        return ""
    if answer.absent:
        said = prediction.rejected  # “not in our catalogue” is what the model says, too
        return _("This is what the model said: name the product, or choose “right”.") if said else ""
    if right is None and answer.right_product_name:
        text = _("“%(name)s” is not in the catalogue: choose a product from the list, or “not in our catalogue”.")
        return text % {"name": answer.right_product_name}
    if right is None:
        return _("Which product is it? Choose one, or “not in our catalogue”.")
    if right.id == prediction.product_id and not prediction.rejected:
        return _("This is what the model said: choose another product, or “right”.")
    return ""


def _judgment(
    prediction: Prediction, answer: Answer, *, right: Product | None, keyword: str, evaluator: AbstractBaseUser
) -> Judgment:
    if answer.verdict != Verdict.WRONG:
        right = None
    return Judgment(
        id=Judgment.make_id(prediction_id=prediction.id, evaluator_id=evaluator.pk),
        prediction_id=prediction.id,
        run_id=prediction.run_id,
        model_id=prediction.model_id,
        model_name=prediction.model_name,
        listing_id=prediction.listing_id,
        keyword=keyword,
        **prediction.offer(),
        trained_on=prediction.trained_on,
        predicted_brand_id=prediction.brand_id,
        predicted_brand_name=prediction.brand_name,
        predicted_product_id=prediction.product_id,
        predicted_product_name=prediction.product_name,
        product_confidence=prediction.product_confidence or 0.0,
        rejected=prediction.rejected,
        verdict=answer.verdict,
        right_product_id=right.id if right else "",
        right_product_name=right.name if right else "",
        right_brand_id=(right.brand_id or "") if right else "",
        right_brand_name=right.brand_name if right else "",
        evaluator_id=evaluator.pk,
        evaluator_name=evaluator.get_username(),
        judged_at=timezone.now(),
    )


_SAID = ("verdict", "right_product_id", "right_product_name", "right_brand_id", "right_brand_name")


def _write(judgments: Sequence[Judgment]) -> None:
    """Insert what is new, update what changed, leave what was said before alone (with its time)."""
    existing = {judgment.id: judgment for judgment in Judgment.objects.filter(id__in=[j.id for j in judgments])}
    new = [judgment for judgment in judgments if judgment.id not in existing]
    for judgment in judgments:
        before = existing.get(judgment.id)
        if before and any(getattr(before, field) != getattr(judgment, field) for field in _SAID):
            said = {field: getattr(judgment, field) for field in _SAID}
            Judgment.objects.filter(id=judgment.id).update(**said, judged_at=judgment.judged_at)
    if new:
        Judgment.objects.bulk_create(new)
