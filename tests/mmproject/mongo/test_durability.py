"""`kill -9` of mongod in the middle of writing loses no acknowledged document."""

import pytest

from tests.mmproject.mongo.durability import acknowledged_and_lost


@pytest.mark.parametrize("turn", range(3))
def test_kill_9_loses_no_acknowledged_document(tmp_path, turn):
    acknowledged, lost = acknowledged_and_lost(folder=tmp_path / "mongo", seconds=1.0 + turn / 3)
    assert acknowledged > 50  # it was killed while it wrote
    assert lost == 0
