"""What a process keeps in mind for some seconds."""

import pytest

from mmproject import remembered as module
from mmproject.remembered import forget, remembered


@pytest.fixture
def clock(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    return now


def test_it_asks_again_only_when_the_time_is_over(clock):
    answers = iter(["first", "second"])
    ask = lambda: next(answers)  # noqa: E731
    assert remembered("key", ask, seconds=2) == "first"
    clock[0] += 1.9
    assert remembered("key", ask, seconds=2) == "first"
    clock[0] += 0.1
    assert remembered("key", ask, seconds=2) == "second"


def test_nothing_is_an_answer_too(clock):
    answers = iter([None, "late"])
    assert remembered("key", lambda: next(answers), seconds=2) is None
    assert remembered("key", lambda: next(answers), seconds=2) is None


def test_one_key_is_forgotten_and_the_others_are_not(clock):
    for key in ("one", "other"):
        remembered(key, lambda: "old", seconds=60)
    forget("one")
    assert remembered("one", lambda: "new", seconds=60) == "new"
    assert remembered("other", lambda: "new", seconds=60) == "old"


def test_what_fails_is_asked_again(clock):
    def fail():
        raise LookupError("down")

    with pytest.raises(LookupError, match="down"):
        remembered("key", fail, seconds=60)
    assert remembered("key", lambda: "well", seconds=60) == "well"


def test_it_keeps_only_so_much(clock):
    for number in range(5000):
        remembered(number, lambda: "x", seconds=60)
    assert len(module._kept) <= module._MAX
