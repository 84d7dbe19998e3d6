"""`make demo` as a whole: it comes up, keeps its data over a restart, and leaves no process behind."""

import sys

import pytest

from benchmarks.stack import measure


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="what is left is counted in /proc")
def test_the_demo_comes_up_twice_and_leaves_nothing_behind():
    # `measure` fails unless the annotator of the first start can sign in to the second and finds the catalogue there.
    assert measure()["processes_left_after_stop"] == 0
