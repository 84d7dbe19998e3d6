"""A stand-in for the model where a test is about everything around it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest

from evaluation.services import predictions


@dataclass
class Answered:
    """Has the fields of `ml.serving.MatchPrediction`."""

    brand: str = "brand-0"
    brand_confidence: float = 0.9
    product: str = "tea-0"
    product_confidence: float = 0.75
    top5: list[tuple[str, float]] = field(default_factory=lambda: [("tea-0", 0.75), ("tea-1", 0.2)])
    error: str = ""


class StandIn:
    """Answers every pair alike, and notes what it was asked."""

    def __init__(self) -> None:
        self.batches: list[list] = []
        self.on_pair: Callable[[object], Answered] = lambda pair: Answered()

    def predict(self, pairs: Sequence, *, batch_size: int) -> list[Answered]:
        self.batches.append(list(pairs))
        return [self.on_pair(pair) for pair in pairs]


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> StandIn:
    model = StandIn()
    monkeypatch.setattr(predictions, "predictor_for", lambda model_id: model)
    return model


@pytest.fixture(autouse=True)
def nudges(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> list[tuple[str, ...]]:
    """What was queued. Tests with real workers (`real_queue`) queue for real."""
    queued: list[tuple[str, ...]] = []
    if "real_queue" in request.fixturenames:
        return queued

    class Queue:
        def send_task(self, name: str, args: Sequence[str] = (), **options: object) -> None:
            queued.append((name, *args))

    monkeypatch.setattr("mmproject.queue.current_app", Queue())
    return queued


@pytest.fixture
def real_queue() -> None:
    """Asks for the real broker."""


@pytest.fixture(autouse=True)
def _a_source(request: pytest.FixtureRequest) -> None:
    """Something to search, where there are databases."""
    if request.node.get_closest_marker("django_db"):
        request.getfixturevalue("source")
