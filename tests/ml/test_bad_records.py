import pytest

from ml.data.bad_records import BadRecords
from ml.data.errors import DatasetError


def test_a_bad_record_is_named_and_counted(caplog: pytest.LogCaptureFixture) -> None:
    bad = BadRecords(total=100)
    bad.report("listing-7", "the file is missing")
    assert "listing-7" in caplog.text
    assert "the file is missing" in caplog.text
    assert bad.count == 1


@pytest.mark.parametrize(("total", "allowed"), [(0, 10), (50, 10), (200, 10), (400, 20), (1000, 50)])
def test_it_ends_past_both_limits(total: int, allowed: int) -> None:
    bad = BadRecords(total=total)
    for number in range(allowed):
        bad.report(str(number), "damaged")
    with pytest.raises(DatasetError, match=rf"{allowed + 1} of {total} records .* first is 0: damaged"):
        bad.report("last", "damaged")


def test_the_limits_can_be_chosen_and_the_total_grows() -> None:
    bad = BadRecords(limit_share=0.5, limit=1)
    for number in range(10):
        bad.total += 1
        if number % 2:
            bad.report(str(number), "damaged")
    assert bad.count == 5
