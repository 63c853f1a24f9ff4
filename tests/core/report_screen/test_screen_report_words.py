from __future__ import annotations

from datetime import timedelta

import pytest

from parfocal.report.screen import words
from parfocal.report.screen.headlines import times


@pytest.mark.parametrize(
    ("told", "read"),
    [
        ("2026-11-26T13:05:07+00:00", "26 Nov 2026, 13:05 UTC"),
        ("2026-01-01T00:30:00+02:00", "31 Dec 2025, 22:30 UTC"),
        ("a while ago", "a while ago"),
    ],
)
def test_times_are_read_as_day_and_hour(told, read):
    assert words.moment(told) == read


def test_a_time_span_has_the_units_that_fit():
    spans = [words.duration(timedelta(seconds=seconds)) for seconds in (7, 600, 7260, 86_400 * 3)]
    assert spans == ["7 s", "10 min", "2 h 1 min", "3 days 0 h"]


def test_how_often_is_told_as_one_says_it():
    assert [times(count) for count in (1, 2, 3)] == ["once", "twice", "3 times"]
