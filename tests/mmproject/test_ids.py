from hypothesis import given
from hypothesis import strategies as st

from mmproject.ids import ID_LENGTH, content_id, new_id

parts = st.lists(st.text(), min_size=1, max_size=4)


@given(parts, parts)
def test_equal_ids_mean_equal_parts(one, other):
    assert (content_id(*one) == content_id(*other)) == (one == other)


@given(st.text(max_size=5), st.text(min_size=1, max_size=5), st.text(max_size=5))
def test_moving_a_border_between_parts_changes_the_id(head, middle, tail):
    assert content_id(head + middle, tail) != content_id(head, middle + tail)


def test_new_ids_sort_by_time_and_fit():
    ids = [new_id() for _ in range(1000)]
    assert ids == sorted(ids)
    assert len(set(ids)) == len(ids)
    assert all(len(one) <= ID_LENGTH for one in ids)
