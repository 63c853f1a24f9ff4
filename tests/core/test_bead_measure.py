"""The whole command `measure_bead_focal_plane`, on simulated and real stacks, good and bad."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile

from parfocal import measure_bead_focal_plane, status
from parfocal.beads.batch.verdict import Limits, judge
from parfocal.beads.simulation import A2K_LIKE, simulate_bead_stack

REAL = Path(__file__).parents[1] / "data" / "beads"
OPTICS = {"pixel_size_um": 1.5, "bead_diameter_um": 28.5}
CENTRES = [(75.2, 70.4), (80.7, 225.1), (220.3, 78.8), (225.5, 230.6)]


def simulate(seed=0, z_um=None, **settings):
    z = np.arange(-60.0, 121.0, 7.5) if z_um is None else np.asarray(z_um)
    options = {"centres_yx_px": CENTRES, "camera": A2K_LIKE.camera, "reference_focal_plane_um": 33.0, **settings}
    return simulate_bead_stack(A2K_LIKE.appearance(), 1.5, (300, 300), z, np.random.default_rng(seed), **options)


@pytest.fixture(scope="module")
def simulated():
    return simulate()


@pytest.fixture(scope="module")
def measured(simulated):
    return measure_bead_focal_plane(simulated.stack_zyx, z_um=simulated.z_um, target_offset_um=12.0, **OPTICS)


def test_reference_focal_plane_is_found_within_a_quarter_of_a_step(measured):
    assert measured.status == status.OK
    assert measured.reference_focal_plane_um == pytest.approx(33.0, abs=7.5 / 4)
    low, high = measured.interval_um
    assert low < 33.0 < high < low + 7.5
    assert measured.target_um == measured.reference_focal_plane_um + 12.0


def test_every_bead_has_its_place_and_focal_plane(measured):
    assert measured.n_beads == 4
    places = [(bead.y_px, bead.x_px) for bead in measured.beads]
    np.testing.assert_allclose(places, CENTRES, atol=0.1)
    np.testing.assert_allclose([bead.focal_plane_um for bead in measured.beads], 33.0, atol=7.5 / 4)


def test_table_has_a_row_for_every_bead(measured):
    table = measured.bead_table()
    assert table["bead"].tolist() == [1, 2, 3, 4]
    assert table["used"].all()
    assert (table["reason"] == "").all()


def test_order_of_the_planes_does_not_matter(simulated, measured):
    order = np.random.default_rng(1).permutation(len(simulated.z_um))
    mixed = measure_bead_focal_plane(simulated.stack_zyx[order], z_um=simulated.z_um[order], **OPTICS)
    assert mixed.reference_focal_plane_um == pytest.approx(measured.reference_focal_plane_um, abs=0.2)


def test_step_counts_from_the_first_plane(simulated, measured):
    stepped = measure_bead_focal_plane(simulated.stack_zyx, z_step_um=7.5, **OPTICS)
    assert stepped.reference_focal_plane_um - 60.0 == pytest.approx(measured.reference_focal_plane_um, abs=1e-6)


def test_planes_are_read_one_by_one(simulated, measured):
    class Planes:
        """A stack that is not in memory."""

        def __len__(self):
            return len(simulated.stack_zyx)

        def __getitem__(self, index):
            return simulated.stack_zyx[index]

    read = measure_bead_focal_plane(Planes(), z_um=simulated.z_um, **OPTICS)
    assert read.reference_focal_plane_um == measured.reference_focal_plane_um


def test_tilt_of_the_field_is_found():
    from parfocal.beads.simulation import Sample

    tilted = simulate(sample=Sample(tilt_yx_um_per_mm=(0.0, 30.0)))
    shape = measure_bead_focal_plane(tilted.stack_zyx, z_um=tilted.z_um, **OPTICS).field_shape
    assert shape.tilt_x_um_per_mm == pytest.approx(30.0, abs=3.0)
    assert shape.tilt_y_um_per_mm == pytest.approx(0.0, abs=3.0)


@pytest.mark.parametrize("name", ["fluorescent_beads_acq1.tif", "fluorescent_beads_acq2.tif"])
def test_real_fluorescent_beads(name):
    stack = tifffile.imread(REAL / name)
    found = measure_bead_focal_plane(stack, 1.3668, 18.0, z_step_um=5.0, contrast="fluorescence")
    assert found.status == status.OK
    assert 3 <= found.reference_focal_plane_um / 5.0 <= 5
    widths = [bead.widths for bead in found.beads if bead.used]
    assert all(width is not None for width in widths)


def refused(stack, expected, **settings):
    result = measure_bead_focal_plane(stack, **{**OPTICS, "z_step_um": 7.5, **settings})
    assert result.status == expected
    assert np.isnan([result.reference_focal_plane_um, *result.interval_um, result.target_um]).all()
    assert result.reason
    return result


@pytest.mark.parametrize(
    "stack",
    [np.full((20, 100, 100), 200, np.uint8), np.zeros((20, 100, 100)), np.full((20, 100, 100), np.nan)],
    ids=["constant", "zero", "nan"],
)
def test_without_beads_there_is_no_answer(stack):
    refused(stack, status.NO_CONTENT)


def test_stack_smaller_than_a_bead(simulated):
    refused(simulated.stack_zyx[:, :10, :10], status.NO_CONTENT)


def test_beads_at_the_border_are_listed_and_not_used():
    beads = [(9.0, 150.0), (150.0, 292.0)]
    result = refused(simulate(centres_yx_px=beads).stack_zyx, status.NO_CONTENT)
    assert {bead.reason for bead in result.refused} == {"border"}


def test_one_plane_is_too_few(simulated):
    refused(simulated.stack_zyx[:1], status.TOO_SMALL)


def test_stack_saturated_everywhere(simulated):
    bright = np.where(simulated.stack_zyx > 60, 255, simulated.stack_zyx).astype(np.uint8)
    refused(bright, status.SATURATED)


def test_a_step_of_zero_is_refused(simulated):
    with pytest.raises(ValueError, match=r"z_step_um must be in \[0.0001, 1000.0\] um, got 0"):
        measure_bead_focal_plane(simulated.stack_zyx, z_step_um=0, **OPTICS)


def test_stack_that_never_passes_focus_says_so():
    far = simulate(z_um=np.arange(60.0, 121.0, 4.0))
    result = measure_bead_focal_plane(far.stack_zyx, z_um=far.z_um, **OPTICS)
    assert result.status == status.NO_CONTENT or "extremum_at_end_of_stack" in result.warnings


def test_half_a_sweep_has_no_interval_and_fails_its_limits():
    half = simulate(z_um=np.arange(-60.0, 31.0, 7.5))
    result = measure_bead_focal_plane(half.stack_zyx, z_um=half.z_um, **OPTICS)
    assert "extremum_at_end_of_stack" in result.warnings
    assert np.isnan(result.interval_um).all()
    verdict = judge(result, Limits(interval_um=10.0, refp_shift_um=1000.0, fewest_beads=1), last_refp_um=33.0)
    assert [criterion.passed for criterion in verdict.criteria] == [False, False, True]
    assert verdict.failed[0].reason == "no value: the stack does not pass focus"


def test_planes_of_different_size_are_refused(simulated):
    planes = [plane[: 300 - (index == 5)] for index, plane in enumerate(simulated.stack_zyx)]
    with pytest.raises(ValueError, match="planes must have one shape, plane 5 has"):
        measure_bead_focal_plane(planes, z_um=simulated.z_um, **OPTICS)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "z_step_um or their positions as z_um, got neither"),
        ({"z_step_um": 1.0, "z_um": [0.0]}, "got both"),
        ({"z_um": [0.0, 1.0]}, "one position for each of the 25 planes"),
        ({"z_um": [np.nan] * 25}, "z_um must be finite, got nan for plane 0"),
        ({"z_step_um": 1.0, "bead_diameter_um": 2.0}, "bead_diameter_um must be at least 3 pixels"),
        ({"z_step_um": 1.0, "contrast": "dark"}, "contrast must be one of"),
    ],
)
def test_wrong_arguments_are_named(simulated, settings, message):
    with pytest.raises(ValueError, match=message):
        measure_bead_focal_plane(simulated.stack_zyx, **{**OPTICS, **settings})


def test_no_stack_is_refused():
    with pytest.raises(TypeError, match="must be an array"):
        measure_bead_focal_plane(5, z_step_um=1.0, **OPTICS)
    with pytest.raises(ValueError, match=r"must be \(z, y, x\) or a plane \(y, x\), got shape \(4,\)"):
        measure_bead_focal_plane(np.zeros(4), z_step_um=1.0, **OPTICS)
    with pytest.raises(ValueError, match="got none"):
        measure_bead_focal_plane(np.zeros((0, 4, 4)), z_step_um=1.0, **OPTICS)


def test_beads_outside_the_mask_do_not_count_and_the_others_are_measured_as_before(simulated, measured):
    mask_yx = np.zeros((300, 300), bool)
    mask_yx[:, :150] = True
    half = measure_bead_focal_plane(simulated.stack_zyx, z_um=simulated.z_um, mask_yx=mask_yx, **OPTICS)
    assert len(half.beads) == 2
    np.testing.assert_array_equal(half.features.centres_bz_yx, measured.features.centres_bz_yx[::2])
    np.testing.assert_array_equal(half.features.steepest_slope_bz, measured.features.steepest_slope_bz[::2])
    assert half.reference_focal_plane_um == pytest.approx(33.0, abs=7.5 / 4)


def test_a_mask_without_beads_is_told(simulated):
    mask_yx = np.zeros((300, 300), bool)
    mask_yx[140:160, 140:160] = True
    told = measure_bead_focal_plane(simulated.stack_zyx, z_um=simulated.z_um, mask_yx=mask_yx, **OPTICS)
    assert told.status == status.NO_CONTENT
    assert "4 lie outside the mask, none inside" in told.reason
    with pytest.raises(ValueError, match=r"mask_yx must have the image's shape \(300, 300\), got \(20, 20\)"):
        measure_bead_focal_plane(simulated.stack_zyx, z_um=simulated.z_um, mask_yx=mask_yx[:20, :20], **OPTICS)
