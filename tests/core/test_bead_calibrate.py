"""The parts of a calibration: labelled sweeps, which stacks are used how, what to begin from, and figures."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import bead_files as bf
import numpy as np
import pandas as pd
import pytest

from parfocal.beads.calibrate import CropCut, label_sweep
from parfocal.beads.calibrate.fit import CalibrationSettings, _of_one_pixel_size, _roles
from parfocal.beads.calibrate.pooled import with_pooled_labels
from parfocal.beads.calibrate.scores import ALL_BEADS, beads_enough, by_beads, figures
from parfocal.beads.calibrate.start import choose_start
from parfocal.beads.calibrate.sweep import pooled_crops
from parfocal.beads.distance import LabelledCrops
from parfocal.beads.distance.crops import split_by_stack
from parfocal.beads.distance.normalise import background
from parfocal.beads.distance.sampler import CONTRASTS, relit, relit_fields
from parfocal.beads.measure import measure_bead_focal_plane

pytestmark = pytest.mark.current_python

CUT = CropCut(74)


@lru_cache(maxsize=8)
def measured(seed=0, n_planes=21):
    stack = bf.bead_stack(seed, 3.0 + 4 * seed)[:n_planes]
    return stack, measure_bead_focal_plane(stack, bf.PIXEL_UM, bf.DIAMETER_UM, z_um=bf.Z_UM[:n_planes])


def sweep(seed=0, cut=CUT, **changes):
    stack, result = measured(seed)
    return label_sweep(f"s{seed}", f"s{seed}.tif", stack, replace(result, **changes), range(len(stack)), cut)


def test_crops_are_cut_about_the_beads_and_labelled_by_the_distance_above_the_refp():
    stack, result = measured()
    made = sweep()
    assert len(made) == 4 * 21
    np.testing.assert_allclose(made.distance_um, bf.Z_UM[made.plane] - result.reference_focal_plane_um, rtol=1e-12)
    top = made.distance_um[made.plane == 20]
    assert (top > 90).all()
    for bead, (y, x) in enumerate(bf.CENTRES_YX_PX[[1, 0, 2, 3]], start=1):
        crop = made.crops_nyx[(made.plane == 7) & (made.bead == bead)][0]
        corner_y, corner_x = round(y - 36.5), round(x - 36.5)
        near = [stack[7][corner_y + i : corner_y + i + 74, corner_x + j : corner_x + j + 74] for i in I3 for j in I3]
        assert any(np.array_equal(crop, one) for one in near)


I3 = (-1, 0, 1)


def test_crops_at_the_border_and_saturated_ones_are_left_out_and_listed():
    stack, result = measured()
    bright = stack.copy()
    bright[20] = np.where(bright[20] > 100, 255, bright[20])
    made = label_sweep("s", "s.tif", bright, result, range(21), CropCut(160))
    table = pd.DataFrame(made.rows)
    assert set(table["reason"]) == {"", "border", "saturated"}
    assert table[table["reason"] == ""].equals(table[table["kept"]])
    assert set(table[table["reason"] == "saturated"]["plane"]) == {20}
    assert len(made) == table["kept"].sum() == np.sum(made.plane < 20)


def test_beads_that_are_not_used_or_not_drawn_give_no_crop():
    _, result = measured()
    beads = (replace(result.beads[0], used=False, reason="moved: x"), *result.beads[1:])
    made = sweep(beads=beads, cut=CropCut(74, most_beads=2))
    unused = pd.DataFrame(made.rows).query("plane.isna()")
    assert unused["reason"].tolist() == ["moved: x", "not_drawn"]
    assert len(np.unique(made.bead)) == 2
    assert not set(made.bead) & set(unused["bead"])


def test_stack_without_a_sure_focal_plane_has_a_reason_and_no_crops():
    stack, result = measured(0, 8)
    made = label_sweep("s", "s.tif", stack, result, range(8), CUT)
    assert len(made) == 0
    assert made.reason
    for warning in ("extremum_at_end_of_stack", "features_disagree"):
        assert len(sweep(warnings=(warning,))) == 0
    assert "goes farther on that side" in sweep(warnings=("extremum_at_end_of_stack",)).reason
    assert sweep(cut=CropCut(290)).reason == "no bead has a usable crop of 290 px: all are cut by the border"


def test_over_exposed_stack_gets_the_plane_of_the_profile_that_all_share():
    _, result = measured(1)
    true = result.reference_focal_plane_um
    wrong = sweep(1, warnings=("extremum_beside_excluded_planes",), reference_focal_plane_um=true + 9.0)
    first, mended, last = with_pooled_labels([sweep(0), wrong, sweep(2)])
    assert first.result.reference_focal_plane_um == measured(0)[1].reference_focal_plane_um
    assert mended.result.reference_focal_plane_um == pytest.approx(true, abs=1.5)
    expected = bf.Z_UM[mended.plane] - mended.result.reference_focal_plane_um
    np.testing.assert_allclose(mended.distance_um, expected, atol=1e-9)
    assert mended.rows[-1]["distance_um"] == pytest.approx(mended.distance_um[-1])
    (alone,) = with_pooled_labels([wrong])
    assert "expose less" in alone.reason


def test_other_pixel_size_than_that_of_the_first_stack_is_left_out():
    sweeps = _of_one_pixel_size([sweep(0), sweep(1, pixel_size_um=0.65), sweep(2)])
    assert [one.reason for one in sweeps] == ["", "pixels of 0.65 um, those of the first stack are 1.5 um wide", ""]


def test_whole_stacks_are_kept_back_and_another_sets_the_limits():
    four = [sweep(0), sweep(1), sweep(2), sweep(3)]
    assert sorted(_roles(four, CalibrationSettings())) == ["kept back", "limits", "training", "training"]
    assert sorted(_roles(four[:2], CalibrationSettings())) == ["kept back", "training"]
    assert sorted(_roles(four, CalibrationSettings(keep_back=2))) == ["kept back", "kept back", "limits", "training"]
    over = [sweep(0, warnings=("extremum_beside_excluded_planes",)), sweep(1)]
    assert all(_roles(over, CalibrationSettings(seed=seed)) == ("training", "kept back") for seed in range(4))


def test_too_few_stacks_are_refused_with_the_reasons_of_the_others():
    bad = replace(sweep(1), reason="the reason")
    message = "2 stacks or more are needed, got 1 .* or keep_back=0 .*; s1: the reason"
    with pytest.raises(ValueError, match=message):
        _roles([sweep(0), bad], CalibrationSettings())
    assert _roles([sweep(0), bad], CalibrationSettings(keep_back=0)) == ("training", "left out")
    with pytest.raises(ValueError, match="none of the 1 stacks can be used; s1: the reason"):
        _roles([bad], CalibrationSettings(keep_back=0))


@pytest.mark.parametrize(
    ("pixel_um", "name", "crop_px", "cut_px"),
    [(1.5, "a2k_like", 64, 74), (1.25, "a2k_like", 64, 77), (0.65, "nikon_like", 128, 138), (3.0, None, 64, 74)],
)
def test_calibration_begins_from_the_shipped_model_that_fits(pixel_um, name, crop_px, cut_px):
    start = choose_start("auto", pixel_um, 28.5)
    assert (start.folder and start.folder.name, start.crop_px, start.cut_px) == (name, crop_px, cut_px)
    assert (name or "no shipped model fits pixels of 3 um") in start.text


def test_start_that_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="start_from 'nikon_like' does not fit: pixels must be 0.52 to 0.8125 um wide"):
        choose_start("nikon_like", 1.5, 28.5)
    with pytest.raises(ValueError, match="beads 100 px wide do not fit into crops of 128 px, 1.5 times that: bin"):
        choose_start("new", 0.5, 50.0)
    assert choose_start("new", 1.5, 28.5).folder is None


def readings(errors, group=ALL_BEADS, n_beads=8, answered=True):
    truth = np.linspace(-50, 50, len(errors))
    read = truth + errors
    columns = {"distance_um": truth, "read_um": read, "error_um": errors, "low_um": read - 2, "high_um": read + 2}
    return pd.DataFrame({**columns, "group": group, "n_beads": n_beads, "answered": answered, "unjudged_um": read})


def test_figures_of_known_errors():
    errors = np.array([0.0, 1.0, -1.0, 3.0, -12.0])
    found = figures(readings(errors), depth_of_field_um=2.0)
    assert found["median_error_um"] == 1
    assert found["within_10_um"] == pytest.approx(0.8)
    assert found["within_depth_of_field"] == pytest.approx(0.6)
    assert found["in_95_interval"] == pytest.approx(0.6)
    assert found["bias_um"] == pytest.approx(-1.8)
    assert found["error_95_um"] == pytest.approx(np.quantile(np.abs(errors), 0.95))
    assert np.isnan(figures(readings(errors))["within_depth_of_field"])


def test_nothing_answered_gives_nan_but_what_the_networks_would_have_said():
    refused = readings(np.array([40.0, -60.0, 50.0]), answered=False)
    found = figures(refused.assign(error_um=np.nan, read_um=np.nan, low_um=np.nan, high_um=np.nan))
    assert (found["answered"], found["median_error_none_refused_um"]) == (0, 50)
    assert np.isnan([found["median_error_um"], found["within_10_um"], found["in_95_interval"]]).all()


def test_fewest_beads_within_a_tenth_of_the_error_with_all_are_enough():
    parts = [readings(np.full(5, error), n, n or 8) for n, error in ((1, 4.0), (2, 2.1), (3, 2.05), (ALL_BEADS, 2.0))]
    table = by_beads(pd.concat(parts))
    assert table["beads"].tolist() == ["1", "2", "3", "all 8"]
    assert beads_enough(table) == 2
    assert beads_enough(table.assign(error_95_um=[4.0, 3.0, 2.5, 2.0])) is None


def test_other_light_changes_contrast_and_noise_but_no_blur():
    line = np.linspace(-3, 3, 40)
    crop = 200 * (1 - 0.8 * np.exp(-(line[:, None] ** 2) - line**2))
    crops, field = np.repeat(crop[None], 400, axis=0), np.repeat(np.arange(200), 2)
    lit = relit(crops, np.random.default_rng(1), field)
    np.testing.assert_allclose(background(lit), 200, atol=2.5)
    depth = 1 - lit[:, 18:22, 18:22].mean(axis=(1, 2)) / background(lit)
    factor = depth / (1 - crop[18:22, 18:22].mean() / 200)
    low, high = CONTRASTS
    assert low - 0.02 < factor.min() < low + 0.02
    assert high - 0.02 < factor.max() < high + 0.02
    assert np.abs(np.diff(factor.reshape(200, 2), axis=1)).mean() < 0.2 * np.abs(np.diff(factor[::2])).mean()
    np.testing.assert_allclose(lit.mean(axis=0), crop, atol=1.0)


def test_fields_in_several_lights_are_fields_of_their_own():
    crops = LabelledCrops(
        np.full((6, 8, 8), 100, np.uint8), np.array([0, 0, 5, 5, 5, 5.0]), np.array([3] * 4 + [7] * 2), 1, 9
    )
    made = relit_fields(crops, seed=1, about=20)
    assert len(made) == 18
    fields, counts = np.unique(np.stack([made.stack_index, made.distance_um]), axis=1, return_counts=True)
    assert sorted(counts) == [2] * 9
    assert set(fields[1]) == {0.0, 5.0}


def test_of_a_single_stack_whole_planes_are_held_back():
    one = sweep(0)
    train, held = split_by_stack(pooled_crops([one], [0]), 0.1, seed=1)
    assert len(held) == 2 * 4
    assert not set(train.distance_um) & set(held.distance_um)
