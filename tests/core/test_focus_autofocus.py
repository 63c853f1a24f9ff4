from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from parfocal import status
from parfocal.commands import command_spec
from parfocal.focal_position.result import FocalPosition
from parfocal.focus_control.autofocus import autofocus
from parfocal.focus_control.bracket import bracketed, next_position
from parfocal.focus_control.metrics import FOCUS_METRICS, focus_score, relative_sharpness
from parfocal.focus_control.peak import judge, peak
from parfocal.focus_control.simulated import SimulatedMicroscope, stepped
from parfocal.focus_control.simulated_sample import Sample
from parfocal.focus_control.stated_estimator import StatedEstimator

pytestmark = pytest.mark.current_python


def microscope(z_um=0.0, plane_um=0.0, **others):
    return SimulatedMicroscope(Sample(size_px=64), lambda time_s: plane_um, z_um, **others)


@pytest.mark.parametrize("fit", ["parabola", "spline"])
@pytest.mark.parametrize("plane_um", [-13.3, 0.0, 7.7])
def test_a_sweep_finds_the_focal_plane(fit, plane_um):
    rig = microscope(plane_um=plane_um)
    result = autofocus(rig, fit=fit)
    assert result.found and result.status == "ok"
    assert result.focal_plane_z_um == pytest.approx(plane_um, abs=0.2)
    assert rig.z == result.z_um == pytest.approx(plane_um, abs=0.2)
    assert result.images == rig.images == len(result.curve_z_um) == len(result.curve_score)


def test_a_sweep_ends_at_the_setpoint_and_within_the_limits():
    rig = microscope(plane_um=3.0)
    result = autofocus(rig, setpoint_um=2.0, lowest_z_um=-8.0, highest_z_um=12.0)
    assert rig.z == pytest.approx(5.0, abs=0.2)
    assert result.focal_plane_z_um == pytest.approx(3.0, abs=0.2)
    assert min(rig.commanded_um) >= -8.0 and max(rig.commanded_um) <= 12.0


def test_a_flat_curve_is_refused_and_z_restored():
    rig = microscope(z_um=4.25)
    rig.sample.photons = 0.0
    result = autofocus(rig)
    assert (result.found, result.status) == (False, "flat")
    assert "no plane stands out" in result.reason
    assert rig.z == result.z_um == result.start_z_um == 4.25
    assert len(result.curve_score) > 10 and np.isnan(result.focal_plane_z_um)


def test_focus_beyond_the_range_is_refused_and_z_restored():
    rig = microscope(z_um=1.0, plane_um=12.0)
    result = autofocus(rig, range_um=10.0)
    assert result.status == "at_the_end" and rig.z == 1.0


@pytest.mark.parametrize("method", ["sweep", "estimate"])
@pytest.mark.parametrize("fault", ["time-out", "raises"])
def test_without_images_z_is_restored(method, fault):
    rig = microscope(z_um=2.0)
    rig.faults.camera = fault
    result = autofocus(rig, StatedEstimator(rig), method)
    assert result.status == "no_images" and rig.z == 2.0
    assert result.faults


@pytest.mark.parametrize("fault", ["busy", "does not move"])
def test_a_stage_that_fails_is_told(fault):
    rig = microscope(z_um=2.0)
    rig.faults.stage = fault
    result = autofocus(rig)
    assert result.status == "stage" and rig.z == 2.0


def test_an_interrupt_in_a_sweep_restores_z():
    rig = microscope(z_um=2.0)
    snap = rig.snap

    def interrupted():
        if rig.images == 5:
            raise KeyboardInterrupt
        return snap()

    rig.snap = interrupted
    with pytest.raises(KeyboardInterrupt):
        autofocus(rig)
    assert rig.z == 2.0


@pytest.mark.parametrize("start_um", [-15.0, -3.0, 9.0])
def test_three_images_and_an_estimator_find_the_focal_plane(start_um):
    rig = microscope(z_um=start_um)
    result = autofocus(rig, StatedEstimator(rig), "estimate", tolerance_um=1.0)
    assert result.found and result.images <= 3
    assert abs(rig.z) < 0.5
    assert result.deviation_um < 0.3


def test_the_sign_is_found_by_a_small_move():
    for start_um in (-5.0, 5.0):
        rig = microscope(z_um=start_um)
        result = autofocus(rig, StatedEstimator(rig, sign_known_from_um=10.0), "estimate", tolerance_um=1.0)
        assert result.found and abs(rig.z) < 1.0


@pytest.mark.parametrize("start_um", [-7.0, -1.0, 0.1, 2.0, 12.0])
@pytest.mark.parametrize("off_um", [-1.5, 0.0, 1.5])
def test_sharpness_finds_the_focal_plane_where_an_estimate_only_leads_near(start_um, off_um):
    rig = microscope(z_um=start_um)
    rough = lambda image: FocalPosition(status.OK, "", (), rig.last_defocus_um + off_um, 0.5, 0.9)  # noqa: E731
    result = autofocus(rig, rough, "estimate", refine_step_um=2.0)
    assert result.found and 3 <= result.images == rig.images <= 5
    assert rig.z == result.z_um == pytest.approx(0.0, abs=0.15)
    assert result.focal_plane_z_um == pytest.approx(0.0, abs=0.15) and 0 < result.deviation_um < 0.2


@pytest.mark.parametrize("start_um", [-5.0, 5.0])
def test_sharpness_tells_the_side_that_the_estimate_does_not_know(start_um):
    rig = microscope(z_um=start_um)
    result = autofocus(rig, StatedEstimator(rig, sign_known_from_um=10.0), "estimate", refine_step_um=2.0)
    assert result.found and abs(rig.z) < 0.15 and result.images <= 5


def test_refining_ends_at_the_setpoint():
    rig = microscope(z_um=4.0)
    result = autofocus(rig, StatedEstimator(rig), "estimate", setpoint_um=3.0, refine_step_um=2.0)
    assert rig.z == pytest.approx(3.0, abs=0.15) and result.focal_plane_z_um == pytest.approx(0.0, abs=0.15)


@pytest.mark.parametrize(("photons", "light", "reason"), [(0.0, True, "not_reached"), (4000.0, False, "no_estimate")])
def test_refining_restores_z_where_nothing_stands_out(photons, light, reason):
    rig = microscope(z_um=3.0)
    rig.sample.photons, rig.faults.light = photons, light
    seen = FocalPosition(status.OK, "", (), 3.0, 0.1, 0.9) if light else FocalPosition(status.BLANK, "blank")
    result = autofocus(rig, lambda image: seen, "estimate", metric="Brenner", refine_step_um=2.0)
    assert (result.status, rig.z) == (reason, 3.0)


def test_three_points_of_a_normal_distribution_give_its_middle():
    points = [(z, math.exp(-((z - 0.7) ** 2) / 8)) for z in (2.0, -1.5, 9.0, 0.4, 3.1)]
    found = bracketed(points, 2.0)
    assert found.plane_um == pytest.approx(0.7)
    assert bracketed(points[:2], 2.0) is None
    assert next_position(points[:2], (), 2.0) == pytest.approx(0.0)


@pytest.mark.parametrize("kind", ["broad", "always_off"])
def test_an_estimator_without_an_answer_or_without_an_end_restores_z(kind):
    rig = microscope(z_um=3.0)
    answers = {
        "broad": FocalPosition(status.BROAD, "broad"),
        "always_off": FocalPosition(status.OK, "", (), 2.0, 0.1, 0.9),
    }
    result = autofocus(rig, lambda image: answers[kind], "estimate")
    assert result.status == {"broad": "no_estimate", "always_off": "not_reached"}[kind]
    assert rig.z == pytest.approx(3.0) and result.images <= 6


@pytest.mark.parametrize("approach", ["up", "down"])
def test_play_that_is_taken_up_from_one_side_does_not_shift_the_focal_plane(approach):
    rig = microscope(z_um=5.0, backlash_um=3.0)
    autofocus(rig, backlash_um=4.0, approach=approach)
    assert abs(rig.z) < 0.3


def test_play_that_is_not_taken_up_shifts_the_focal_plane():
    rig = microscope(z_um=5.0, backlash_um=3.0)
    autofocus(rig)
    assert abs(rig.z) > 1.0


def test_wrong_arguments_are_refused():
    rig = microscope()
    with pytest.raises(ValueError, match="estimate must be given, a callable, .* got None"):
        autofocus(rig, method="estimate")
    with pytest.raises(ValueError, match="method must be one of sweep, estimate, got 'brent'"):
        autofocus(rig, method="brent")
    with pytest.raises(ValueError, match="to begin, it is at 0 um"):
        autofocus(rig, lowest_z_um=1.0)
    assert [p.name for p in command_spec(autofocus).parameters if p.param.array] == ["microscope", "estimate"]


def test_the_peak_of_a_parabola_is_found_between_planes():
    z = np.arange(-5.0, 6.0)
    for fit in ("parabola", "spline"):
        assert peak(z, 10.0 - (z - 0.37) ** 2, fit) == pytest.approx(0.37, abs=0.02)


def test_noise_is_no_peak_and_a_peak_in_noise_is_one():
    rng = np.random.default_rng(0)
    z = np.linspace(-10, 10, 21)
    flat = [judge(z, 5.0 + rng.normal(0, 0.5, 21))[0] for _ in range(200)]
    assert flat.count("ok") <= 4
    peaked = [judge(z, 5.0 + 20.0 * np.exp(-(z**2) / 8) + rng.normal(0, 0.5, 21))[0] for _ in range(200)]
    assert peaked.count("ok") == 200


def test_every_metric_falls_as_blur_grows_and_is_nan_for_what_has_no_focus():
    rng = np.random.default_rng(3)
    sharp = 100 + 900 * gaussian_filter((rng.random((96, 96)) > 0.99).astype(float), 1.0)
    for metric in FOCUS_METRICS:
        values = [focus_score(gaussian_filter(sharp, sigma), metric) for sigma in (0.1, 1.5, 4.0)]
        assert values == sorted(values, reverse=True) and values[0] > values[2], metric
        for nothing in (np.full((90, 90), 7.0), np.where(np.eye(90), np.nan, 1.0), np.ones((3, 3))):
            assert np.isnan(focus_score(nothing, metric)), metric


def test_relative_sharpness_depends_on_neither_exposure_nor_offset():
    image = gaussian_filter(np.random.default_rng(1).random((64, 64)), 1.0)
    for metric in ("Brenner", "Tenengrad", "VarianceOfLaplacian", "VollathF4"):
        before, after = relative_sharpness(image, metric), relative_sharpness(3 * image + 50, metric)
        assert after == pytest.approx(before, rel=1e-6)


def test_a_drift_during_the_sweep_shifts_the_answer_by_no_more_than_itself():
    rig = SimulatedMicroscope(Sample(size_px=64), stepped(60.0), 0.0)
    result = autofocus(rig)
    assert abs(rig.z - rig.focal_plane(rig.now_s())) < 0.3 and result.found


@pytest.mark.parametrize("most", [3, 7, 8, 200])
def test_an_image_of_few_counts_has_no_relative_sharpness(most):
    rng = np.random.default_rng(0)
    image = gaussian_filter(rng.random((64, 64)), 2)
    counts = np.rint(most * (image - image.min()) / np.ptp(image)).astype(np.uint8)
    assert np.isfinite(relative_sharpness(counts)) == (most >= 8)
    assert np.isfinite(relative_sharpness(counts.astype(float)))
    assert np.isfinite(focus_score(counts))
