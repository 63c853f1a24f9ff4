import time

import numpy as np
import pytest

from parfocal.beads.focal_plane import reference_focal_plane
from parfocal.beads.outliers import robust_median, without_outliers
from parfocal.beads.smoothing import SmoothingSpline


def peak(x):
    """Asymmetric peak at 0 with a side lobe: width about 10."""
    return np.exp(-((x / (6 + 2 * np.tanh(x / 6))) ** 2)) + 0.2 * np.exp(-(((x - 20) / 5) ** 2))


def features(z, beads=10, slope_at=50.0, centre_at=48.0, noise=0.02, spread=0.0, seed=0):
    rng = np.random.default_rng(seed)
    offset = spread * rng.normal(size=(beads, 1))
    slope, centre = noise * rng.normal(size=(2, beads, len(z)))
    return slope - peak(z - slope_at - offset) - 0.05, centre + peak(z - centre_at - offset) + 0.3


def test_tukeys_fences_on_a_case_worked_by_hand():
    values = np.array([1.0, 2.0, 3.0, 4.0, 100.0, np.nan])
    # Quartiles 2 and 4, fences -1 and 7.
    assert without_outliers(values).tolist() == [True, True, True, True, False, False]
    assert without_outliers(np.array([0.0, 0.0, 1000.0])).all()
    assert not without_outliers(np.array([np.nan, np.inf])).any()
    median, count = robust_median(values[:, None])
    assert median[0] == 2.5
    assert count[0] == 4


def test_outliers_are_judged_column_by_column():
    values = np.random.default_rng(1).normal(size=(30, 7))
    values[3, 2] = 50.0
    together = without_outliers(values)
    assert np.array_equal(together, np.column_stack([without_outliers(v) for v in values.T]))
    assert np.array_equal(together.T, without_outliers(values.T, axis=1))
    assert not together[3, 2]


def test_smoothing_spline_keeps_a_parabola_and_penalises_the_third_derivative():
    z = np.cumsum(np.random.default_rng(2).uniform(0.5, 1.5, 40))
    spline = SmoothingSpline(z, np.ones(40))
    parabola = 3 - (z - 20.3) ** 2
    for strength in (1e-3, 1.0, 1e9):
        smoothed = spline.smoother(strength) @ parabola
        np.testing.assert_allclose(smoothed, parabola, rtol=0, atol=1e-8 * np.abs(parabola).max())
        assert spline.maximum(smoothed[None])[0][0] == pytest.approx(20.3, abs=1e-6)
    values = np.sin(z / 3)
    curve = spline.curve(spline.smoother(0.1) @ values)
    node, weight = np.polynomial.legendre.leggauss(6)
    points = z[:-1, None] + np.diff(z)[:, None] * (node + 1) / 2
    roughness = np.sum(curve.derivative(3)(points) ** 2 * np.diff(z)[:, None] * weight / 2)
    for other in (0.05, 0.2):
        different = spline.curve(spline.smoother(other) @ values)
        rough = np.sum(different.derivative(3)(points) ** 2 * np.diff(z)[:, None] * weight / 2)
        strength = 0.1 * np.median(np.diff(z)) ** 5
        best = np.sum((values - curve(z)) ** 2) + strength * roughness
        assert np.sum((values - different(z)) ** 2) + strength * rough > best


def test_plane_is_found_between_the_planes_of_the_stack():
    z = np.arange(0.0, 101.0, 2.5)
    dense = np.linspace(-5, 5, 100001)
    top = dense[np.argmax(peak(dense))]
    found = reference_focal_plane(z, *features(z, noise=0.005))
    assert found.status == "ok"
    assert found.slope_z_um == pytest.approx(50 + top, abs=0.25)
    assert found.centre_z_um == pytest.approx(48 + top, abs=0.25)
    assert found.z_um == (found.slope_z_um + found.centre_z_um) / 2
    assert found.interval_um[0] < 49 + top < found.interval_um[1]
    assert found.warnings == ()


@pytest.mark.cellprofiler_python
def test_error_is_below_a_quarter_step_in_the_median_and_below_a_step_nearly_always():
    dense = np.linspace(-5, 5, 100001)
    top = dense[np.argmax(peak(dense))]
    rng = np.random.default_rng(3)
    errors = []
    for k in range(150):
        step = (1.5, 3.0, 6.0)[k % 3]
        z = np.arange(0, 100, step) + step * rng.uniform()
        found = reference_focal_plane(z, *features(z, (1, 6, 20)[k % 3], noise=0.03, seed=k), n_bootstrap=0)
        errors.append(abs(found.z_um - 49 - top) / step)
    assert np.median(errors) < 0.2
    assert max(errors) < 0.6


@pytest.mark.cellprofiler_python
@pytest.mark.parametrize("beads", [3, 6, 20])
def test_interval_covers_the_true_plane_as_often_as_it_says(beads):
    dense = np.linspace(-5, 5, 100001)
    true = 49 + dense[np.argmax(peak(dense))]
    rng = np.random.default_rng(4)
    covered = []
    for k in range(150):
        z = np.arange(0, 100, 2.5) + rng.uniform(-1, 1)
        jitter = 0.15 * rng.normal(size=len(z))
        found = reference_focal_plane(z, *features(z + jitter, beads, spread=0.5, seed=k), n_bootstrap=150)
        covered.append(found.interval_um[0] <= true <= found.interval_um[1])
    assert 0.92 <= np.mean(covered) <= 1.0


def test_interval_shrinks_with_more_beads():
    z = np.arange(0.0, 100.0, 2.0)
    widths = []
    for beads in (4, 16, 64):
        found = [reference_focal_plane(z, *features(z, beads, spread=2.0, seed=k)) for k in range(5)]
        widths.append(np.median([np.diff(f.interval_um)[0] for f in found]))
    assert widths[0] > 2 * widths[1]
    assert widths[1] > 1.25 * widths[2]


def test_order_repeats_and_direction_of_planes_do_not_matter():
    z = np.arange(0.0, 101.0, 2.5)
    slope, centre = features(z)
    found = reference_focal_plane(z, slope, centre, n_bootstrap=0)
    order = np.random.default_rng(5).permutation(len(z))
    shuffled = reference_focal_plane(z[order], slope[:, order], centre[:, order], n_bootstrap=0)
    assert shuffled.z_um == found.z_um
    twice = reference_focal_plane(np.tile(z, 2), np.tile(slope, 2), np.tile(centre, 2), n_bootstrap=0)
    assert twice.z_um == pytest.approx(found.z_um, abs=1e-9)
    mirrored = reference_focal_plane(-z, slope, centre, n_bootstrap=0)
    assert mirrored.z_um == pytest.approx(-found.z_um, abs=1e-6)
    scaled = reference_focal_plane(1000 + z, 7 * slope, 0.01 * centre, n_bootstrap=0)
    assert scaled.z_um == pytest.approx(1000 + found.z_um, abs=1e-6)


def test_uneven_planes_are_no_obstacle():
    rng = np.random.default_rng(6)
    z = np.sort(rng.uniform(0, 100, 60))
    slope, centre = features(z)
    even = np.arange(0.0, 100.0, 1.7)
    expected = reference_focal_plane(even, *features(even), n_bootstrap=0).z_um
    assert reference_focal_plane(z, slope, centre, n_bootstrap=0).z_um == pytest.approx(expected, abs=0.5)


def test_a_bead_gone_astray_changes_nothing():
    z = np.arange(0.0, 101.0, 2.5)
    slope, centre = features(z, beads=12, noise=0.005)
    before = reference_focal_plane(z, slope, centre, n_bootstrap=0).z_um
    slope[0], centre[0] = 3 * np.roll(slope[0], 12), 3 * np.roll(centre[0], 12)
    assert reference_focal_plane(z, slope, centre, n_bootstrap=0).z_um == pytest.approx(before, abs=0.1)


def test_slope_that_turns_positive_beside_its_minimum_does_not_move_it():
    z = np.arange(0.0, 101.0, 2.0)
    slope, centre = features(z, noise=0.003)
    smooth = reference_focal_plane(z, slope, centre, n_bootstrap=0)
    flipped = np.where(z < 46, 0.8 * np.exp(-(((z - 40) / 10) ** 2)) + 0.05, slope)
    found = reference_focal_plane(z, flipped, centre, n_bootstrap=0)
    assert found.slope_z_um == pytest.approx(smooth.slope_z_um, abs=0.4)
    coarse = slice(1, None, 4)
    found = reference_focal_plane(z[coarse], flipped[:, coarse], centre[:, coarse], n_bootstrap=0)
    assert found.slope_z_um == pytest.approx(smooth.slope_z_um, abs=2.0)


def test_saturated_planes_are_left_out_and_said():
    z = np.arange(0.0, 101.0, 2.5)
    slope, centre = features(z, noise=0.005)
    centre[:, np.abs(z - 48) < 4] = np.nan
    found = reference_focal_plane(z, slope, centre)
    assert found.centre_z_um == pytest.approx(48, abs=2)
    assert "extremum_beside_excluded_planes" in found.warnings
    assert len(found.centre.z_um) == len(z) - np.sum(np.abs(z - 48) < 4)


def test_plane_with_few_of_the_beads_is_left_out():
    z = np.arange(0.0, 101.0, 2.5)
    slope, centre = features(z, beads=10)
    centre[:6, 3] = np.nan
    centre[:4, 5] = np.nan
    found = reference_focal_plane(z, slope, centre, n_bootstrap=0)
    assert z[3] not in found.centre.z_um
    assert z[5] in found.centre.z_um


def test_extremum_at_the_end_is_given_with_a_warning():
    z = np.arange(0.0, 49.0, 2.0)
    found = reference_focal_plane(z, *features(z))
    assert found.status == "ok"
    assert "extremum_at_end_of_stack" in found.warnings


def test_clipped_peak_gives_the_middle_of_its_plateau():
    z = np.arange(0.0, 100.0, 2.0)
    slope = -np.exp(-(((z - 50.6) / 10) ** 2))[None]
    centre = np.minimum(np.exp(-(((z - 50.6) / 10) ** 2)), 0.7)[None]
    found = reference_focal_plane(z, slope, centre)
    assert found.centre_z_um == pytest.approx(50.6, abs=1.0)
    assert "plateau_at_extremum" in found.warnings
    assert found.centre.interval_um[0] < 50.6 < found.centre.interval_um[1]


def test_features_of_two_different_planes_are_reported():
    z = np.arange(0.0, 101.0, 2.5)
    found = reference_focal_plane(z, *features(z, slope_at=30, centre_at=70))
    assert found.warnings == ("features_disagree",)


@pytest.mark.parametrize("beads", [1, 2, 5, 20])
def test_noise_alone_has_no_focal_plane(beads):
    rng = np.random.default_rng(7)
    answered = 0
    for _ in range(40):
        found = reference_focal_plane(np.arange(30.0), *rng.normal(size=(2, beads, 30)), n_bootstrap=0)
        assert np.isnan(found.z_um) == (found.status == "no_content")
        answered += found.status == "ok"
    assert answered == 0
    assert "no extremum stands out" in found.reason


def test_flat_curves_have_no_focal_plane():
    found = reference_focal_plane(np.arange(30.0), np.full((5, 30), -1.0), np.full((5, 30), 2.0))
    assert found.status == "no_content"
    assert np.isnan([found.z_um, *found.interval_um]).all()


def test_one_bead_has_the_interval_of_that_bead_and_says_so():
    z = np.arange(0.0, 101.0, 2.5)
    found = reference_focal_plane(z, *features(z, beads=1))
    assert found.warnings == ("single_bead",)
    assert np.isfinite(found.interval_um).all()


@pytest.mark.parametrize("z", [np.arange(3.0), np.zeros(20), np.empty(0)])
def test_too_few_planes_are_refused_with_the_reason(z):
    found = reference_focal_plane(z, np.ones((4, len(z))), np.ones((4, len(z))))
    assert found.status == "too_small"
    assert "at least 4 are needed" in found.reason


def test_beads_that_were_never_measured_leave_no_answer():
    found = reference_focal_plane(np.arange(20.0), np.full((4, 20), np.nan), np.full((4, 20), np.nan))
    assert (found.status, found.n_beads) == ("too_small", 0)
    assert reference_focal_plane(np.arange(20.0), np.empty((0, 20)), np.empty((0, 20))).n_beads == 0


def test_wrong_arguments_are_named():
    z, values = np.arange(20.0), np.ones((3, 20))
    with pytest.raises(ValueError, match=r"steepest_slope_bz must have the shape \(beads, 20 planes\), got \(20,\)"):
        reference_focal_plane(z, values[0], values)
    with pytest.raises(ValueError, match="same beads, got \\[3, 2\\]"):
        reference_focal_plane(z, values, values[:2])
    with pytest.raises(ValueError, match="1 that are not finite"):
        reference_focal_plane(np.append(z[:-1], np.nan), values, values)
    with pytest.raises(ValueError, match="level must be in \\[0.5, 0.999\\], got 95"):
        reference_focal_plane(z, values, values, level=95)
    with pytest.raises(ValueError, match="n_bootstrap must be 0 or at least 50, got 10"):
        reference_focal_plane(z, values, values, n_bootstrap=10)
    with pytest.raises(ValueError, match="z_error_um must be 0 or above, got -1"):
        reference_focal_plane(z, values, values, z_error_um=-1)


def test_known_error_of_the_stage_widens_the_interval():
    z = np.arange(0.0, 101.0, 5.0)
    slope, centre = features(z, beads=20, noise=0.002)
    plain, wide = (np.diff(reference_focal_plane(z, slope, centre, z_error_um=e).interval_um)[0] for e in (0.0, 2.0))
    assert wide > 1.3 * plain


def test_same_seed_same_interval_and_fast():
    z = np.arange(101.0)
    slope, centre = features(z, beads=50)
    start = time.perf_counter()
    first = reference_focal_plane(z, slope, centre, n_bootstrap=400)
    assert time.perf_counter() - start < 3.0
    assert reference_focal_plane(z, slope, centre, n_bootstrap=400).interval_um == first.interval_um
    assert reference_focal_plane(z, slope, centre, n_bootstrap=400, seed=1).interval_um != first.interval_um
