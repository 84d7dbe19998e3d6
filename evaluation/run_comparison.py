"""How the two versions of a run fared by what one evaluator has saved."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from evaluation.cards import ListingCard
from evaluation.models import PredictionRun, Verdict


@dataclass(frozen=True)
class VersionTally:
    name: str
    right: int
    wrong: int
    unsure: int
    alone: int  # right where the other version was wrong


@dataclass(frozen=True)
class RunComparison:
    versions: list[VersionTally]
    both_right: int
    both_wrong: int


def compared(run: PredictionRun, listings: Sequence[ListingCard]) -> RunComparison | None:
    """None where there is nothing to compare, or nothing is saved yet. Unsure counts for neither side."""
    verdicts = [{card.prediction.model_id: card.own.verdict for card in one.cards if card.own} for one in listings]
    models = {run.model_id: run.model_name, run.other_model_id: run.other_model_name}
    if not run.other_model_id or not any(verdicts):
        return None
    pairs = Counter((said.get(run.model_id), said.get(run.other_model_id)) for said in verdicts)
    right, wrong = str(Verdict.RIGHT), str(Verdict.WRONG)
    alone = {run.model_id: pairs[right, wrong], run.other_model_id: pairs[wrong, right]}
    tallies = []
    for model_id, name in models.items():
        counts = Counter(said.get(model_id) for said in verdicts)
        unsure = counts[str(Verdict.UNSURE)]
        tallies.append(VersionTally(name, counts[right], counts[wrong], unsure, alone[model_id]))
    return RunComparison(tallies, pairs[right, right], pairs[wrong, wrong])
