from __future__ import annotations

import numpy as np
import pytest

from parfocal import flag_defocused
from parfocal.sorting.preview import COLORS, DEFOCUSED, NO_ANSWER, SHARP, ThresholdPreview
from parfocal.sorting.result import DefocusFlag, PlaneFlag

NAN = float("nan")
PREVIEW = ThresholdPreview(np.array([0.0, 0.2, NAN, 0.5, 1.0]), 0.5)


@pytest.mark.parametrize("threshold", [0.0, 0.2, 0.21, 0.5, 0.999, 1.0])
def test_planes_are_split_as_the_command_flags_them(threshold):
    kinds = {None: NO_ANSWER, True: DEFOCUSED, False: SHARP}
    flags = [DefocusFlag((PlaneFlag(p, status="ok" if p == p else "blank"),), threshold) for p in PREVIEW.probability]
    assert PREVIEW.kinds(threshold) == [kinds[flag.flagged] for flag in flags]


def test_what_was_sorted_is_not_measured_again(nuclei, blurred):
    flag = flag_defocused(np.stack([nuclei.astype(np.uint16) * 8, blurred]), check_level=False)
    preview = ThresholdPreview.of(flag)
    assert preview.threshold == flag.threshold
    assert preview.probability.tolist() == [plane.probability for plane in flag.planes]


def test_every_plane_is_in_one_part_and_the_counts_are_told():
    split = PREVIEW.split(0.2)
    assert split == {SHARP: [0, 1], DEFOCUSED: [3, 4], NO_ANSWER: [2]}
    assert PREVIEW.told(0.2) == "2 sharp, 2 defocused, 1 no answer"
    assert ThresholdPreview(np.array([0.1, 0.2]), 0.5).told(0.5) == "2 sharp, 0 defocused"


def test_bars_have_the_colour_of_their_kind_and_the_height_of_the_probability():
    picture = PREVIEW.picture(0.4, 4, (114, 200))
    middles = picture[:106, 20::40]
    for plane, kind in enumerate(PREVIEW.kinds(0.4)):
        assert tuple(middles[-1, plane]) == COLORS[kind]
    bars = [int((middles[:, plane] == COLORS[DEFOCUSED]).all(axis=-1).sum()) for plane in (3, 4)]
    assert bars == [56 - 2, 106 - 2]  # the line of the threshold crosses both
    assert (middles[60:62] == middles[60, 0]).all()
    assert not (middles[59] == middles[60]).all(axis=-1).any()
    assert [bool((picture[-1, x] == picture[60, 20]).all()) for x in range(20, 200, 40)] == [False] * 4 + [True]


def test_a_column_belongs_to_the_plane_that_is_drawn_there():
    columns = PREVIEW.plane_at(np.array([-5, 0, 39, 40, 199, 400]), 200)
    assert columns.tolist() == [0, 0, 0, 1, 4, 4]
    many = ThresholdPreview(np.linspace(0, 1, 900), 0.5)
    picture = many.picture(0.5, 0, (50, 300))
    assert picture.shape == (50, 300, 3)
    assert tuple(picture[-9, 0]) == COLORS[SHARP] and tuple(picture[-9, -1]) == COLORS[DEFOCUSED]
