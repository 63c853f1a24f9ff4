from __future__ import annotations

import numpy as np
import pytest

from parfocal.focal_position.bins import Bins
from parfocal.focal_position.read_out import find_peaks, read_distribution

POSITIONS = np.arange(-20, 21) * 0.5


def peaks(*parts):
    """Distribution of Gaussian peaks: (middle, deviation, share)."""
    made = sum(share * _normal(middle, deviation) for middle, deviation, share in parts)
    return made / made.sum()


def _normal(middle, deviation):
    shape = np.exp(-0.5 * ((POSITIONS - middle) / deviation) ** 2)
    return shape / shape.sum()


def test_one_peak_gives_its_mean_and_deviation():
    told = read_distribution(POSITIONS, peaks((3.2, 0.6, 1)))
    assert told.status == "ok" and told.answered
    assert told.defocus_um == pytest.approx(3.2, abs=0.01)
    assert told.deviation_um == pytest.approx(0.6, abs=0.02)
    assert told.certainty == pytest.approx(1)
    assert told.probability.sum() == pytest.approx(1)


def test_mirror_images_about_zero_leave_the_sign_unknown():
    told = read_distribution(POSITIONS, peaks((4, 0.7, 0.55), (-4.2, 0.7, 0.45)))
    assert told.status == "sign_unknown" and np.isnan(told.defocus_um)
    assert [round(candidate.defocus_um, 1) for candidate in told.candidates] == [4.0, -4.2]
    assert told.certainty == pytest.approx(1)
    assert "4.1 um" in told.reason


@pytest.mark.parametrize(("one", "other"), [(1.0, 6.0), (-2.0, 5.5), (-8.0, -3.0)])
def test_two_peaks_that_are_no_mirror_images_are_two_layers(one, other):
    told = read_distribution(POSITIONS, peaks((one, 0.5, 0.6), (other, 0.5, 0.4)))
    assert told.status == "two_layers" and np.isnan(told.defocus_um) and np.isnan(told.deviation_um)
    assert [candidate.defocus_um for candidate in told.candidates] == pytest.approx([one, other], abs=0.05)
    assert [candidate.probability for candidate in told.candidates] == pytest.approx([0.6, 0.4], abs=0.02)


@pytest.mark.parametrize("probability", [np.ones(41), peaks((0, 4, 1)), peaks((-6, 2.5, 0.5), (6, 2.5, 0.5))])
def test_wide_distributions_are_broad(probability):
    told = read_distribution(POSITIONS, probability)
    assert told.status == "broad" and np.isnan(told.defocus_um) and told.reason


def test_three_peaks_of_equal_weight_are_broad_and_all_named():
    told = read_distribution(POSITIONS, peaks((-6, 0.4, 0.27), (0, 0.4, 0.27), (7, 0.4, 0.27), (3, 0.4, 0.19)))
    assert told.status == "broad"
    assert len(told.candidates) == 3


def test_focus_and_both_sides_of_it_are_no_second_layer():
    told = read_distribution(POSITIONS, peaks((0, 0.4, 0.34), (-7.5, 0.4, 0.33), (7.5, 0.4, 0.33)))
    assert told.status == "broad"
    assert sorted(round(candidate.defocus_um, 2) + 0.0 for candidate in told.candidates) == [-7.5, 0.0, 7.5]
    assert told.reason.startswith("three distances are likely, 0, ")


def test_a_small_second_peak_is_left_out_of_the_estimate():
    told = read_distribution(POSITIONS, peaks((2, 0.5, 0.9), (-7, 0.5, 0.1)))
    assert told.status == "ok"
    assert told.defocus_um == pytest.approx(2, abs=0.02)
    assert told.certainty == pytest.approx(0.9, abs=0.01)


def test_both_signs_close_to_focus_are_one_peak_at_focus():
    told = read_distribution(POSITIONS, peaks((0.5, 0.5, 0.5), (-0.5, 0.5, 0.5)))
    assert told.status == "ok"
    assert told.defocus_um == pytest.approx(0, abs=1e-9)


def test_a_mirrored_distribution_gives_the_mirrored_answer():
    probability = peaks((1, 0.5, 0.6), (6, 0.8, 0.4))
    there, back = read_distribution(POSITIONS, probability), read_distribution(POSITIONS, probability[::-1])
    assert back.status == there.status
    pairs = zip(there.candidates, back.candidates)
    assert all(a.defocus_um == pytest.approx(-b.defocus_um) for a, b in pairs)


def test_the_answer_scales_with_the_unit_and_not_with_the_sum():
    probability = peaks((4, 0.7, 0.5), (-4, 0.7, 0.5))
    told = read_distribution(POSITIONS * 2.5, probability * 7)
    assert told.status == "sign_unknown"
    assert abs(told.candidates[0].defocus_um) == pytest.approx(10, abs=0.05)


def test_the_last_bin_warns_that_it_may_be_farther():
    told = read_distribution(POSITIONS, np.eye(41)[40])
    assert told.status == "ok" and told.warnings == ("at_end_of_range",)
    assert not read_distribution(POSITIONS, peaks((8, 0.5, 1))).warnings


def test_ripple_on_a_peak_makes_no_peaks_of_its_own():
    rippled = peaks((3, 1, 1)) * (1 + 0.15 * (-1.0) ** np.arange(41))
    assert len(find_peaks(POSITIONS, rippled / rippled.sum())) == 1


@pytest.mark.parametrize("wrong", [np.zeros(41), np.full(41, np.nan), np.full(41, -1.0), np.ones(40)])
def test_what_is_no_distribution_is_refused(wrong):
    with pytest.raises(ValueError, match="probabilities"):
        read_distribution(POSITIONS, wrong)


def test_targets_have_the_distance_as_their_mean_and_end_at_the_last_bins():
    bins = Bins(10, 0.5)
    assert bins.count == 41 and bins.positions[20] == 0
    distances = np.array([-9.9, -0.1, 0.0, 3.3, 9.75])
    targets = bins.targets(distances)
    assert targets.sum(axis=1) == pytest.approx(1)
    assert targets @ bins.positions == pytest.approx(distances, abs=1e-5)
    assert bins.targets(np.array([14.0, -30.0])) @ bins.positions == pytest.approx([10, -10])


def test_bins_that_do_not_fill_the_range_are_refused():
    with pytest.raises(ValueError, match="whole number"):
        Bins(10, 0.7)
