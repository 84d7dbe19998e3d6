"""What the tests of the database backend share: they are of our own engine alone, and its tables are made for each."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.mmproject.mongo.worlds import MONGO, TWIN, installed, twin


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if os.environ.get("MONGO_ENGINE", "djongo") == "djongo":
        return
    for item in items:
        if Path(__file__).parent in item.path.parents and item.path.name != "test_collections.py":
            item.add_marker(pytest.mark.skip(reason="tests mmproject.mongo itself; this engine has tests of its own"))


@pytest.fixture
def probes(transactional_db: None) -> Iterator[None]:
    """The tables of the tests' models on Mongo, empty."""
    with installed(MONGO):
        yield


@pytest.fixture
def twins(transactional_db: None, tmp_path: Path) -> Iterator[None]:
    """The tables of the tests' models on Mongo and on SQLite, empty."""
    with twin(tmp_path), installed(TWIN, MONGO):
        yield
