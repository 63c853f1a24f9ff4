"""The shipped distance models: the same numbers everywhere, right answers, and refusals instead of guesses."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from make_bead_reference import MODELS, REFERENCE, shipped_sha256
from scipy.ndimage import affine_transform

from parfocal.beads.distance import predict_distances, signed_distance
from parfocal.beads.distance.crops import LabelledCrops
from parfocal.beads.distance.evaluation import accuracy, accuracy_by_beads, accuracy_by_distance, read_fields
from parfocal.beads.distance.judgement import calibration_of, judge
from parfocal.beads.distance.predict import estimate
from parfocal.registry import ModelError, load_model, model_folder

pytestmark = pytest.mark.current_python

PIXELS = {"a2k_like": 1.5, "nikon_like": 0.65}
TOLERANCE_UM = {"a2k_like": 10.0, "nikon_like": 1.0}


@pytest.fixture(scope="module")
def reference():
    """Crops of three fields of four beads for each model, their distances, and what the models said of them."""
    with np.load(REFERENCE) as held:
        return {name: held[name] for name in held}


def field(reference, name, index):
    part = slice(4 * index, 4 * index + 4)
    return reference[f"{name}_crops"][part], float(reference[f"{name}_truth"][4 * index])


@pytest.mark.parametrize("name", MODELS)
def test_distances_are_those_of_the_reference(reference, name):
    assert str(reference[f"{name}_sha256"]) == shipped_sha256(name), "run tests/core/make_bead_reference.py"
    told = predict_distances(reference[f"{name}_crops"], name)
    np.testing.assert_allclose(told, reference[f"{name}_told"], rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("index", [0, 1, 2])
def test_distance_and_sign_are_right(reference, name, index):
    crops, truth = field(reference, name, index)
    found = signed_distance(crops, PIXELS[name], 28.5, name)
    assert found.status == "ok"
    assert found.n_beads + found.n_refused == 4
    assert found.distance_um == pytest.approx(truth, abs=TOLERANCE_UM[name])
    assert found.distance_um * truth > 0
    assert abs(found.distance_um - truth) < 4 * found.standard_error_um
    half = 1.96 * found.standard_error_um
    assert found.interval_um == pytest.approx((found.distance_um - half, found.distance_um + half))
    assert 0 < found.standard_error_um < TOLERANCE_UM[name] / 2


def test_mirrored_and_turned_crops_give_the_same_distance(reference):
    crops, _ = field(reference, "a2k_like", 0)
    there = signed_distance(crops, 1.5, 28.5, "a2k_like")
    for same in (crops[:, ::-1], crops[:, :, ::-1], np.rot90(crops, axes=(1, 2))):
        found = signed_distance(same, 1.5, 28.5, "a2k_like")
        assert found.distance_um == pytest.approx(there.distance_um, abs=3.0)


def test_exposure_and_camera_gain_do_not_matter(reference):
    crops, _ = field(reference, "nikon_like", 1)
    there = signed_distance(crops, 0.65, 28.5, "nikon_like")
    found = signed_distance(crops.astype(np.float32) * 7.5, 0.65, 28.5, "nikon_like")
    assert found.distance_um == pytest.approx(there.distance_um, abs=1e-3)


def test_one_bead_of_another_height_is_left_out(reference):
    crops, truth = field(reference, "a2k_like", 0)
    others, _ = field(reference, "a2k_like", 1)
    together = np.concatenate([crops, crops[:2], others[:1]])
    found = signed_distance(together, 1.5, 28.5, "a2k_like")
    assert found.bead_status[-1] == "outlier"
    assert found.distance_um == pytest.approx(truth, abs=10)


def test_unusable_crops_are_refused_and_the_rest_answers(reference):
    crops, truth = field(reference, "a2k_like", 2)
    bad = crops.astype(np.float32)
    bad[0] = 90
    bad[1] = np.minimum(bad[1], np.median(bad[1]))
    bad[2, 5, 5] = np.nan
    found = signed_distance(bad, 1.5, 28.5, "a2k_like")
    assert found.bead_status == ("blank", "saturated", "not_finite", "ok")
    assert (found.n_beads, found.n_refused) == (1, 3)
    assert found.distance_um == pytest.approx(truth, abs=10)
    assert found.warnings == ("1 bead: neither outliers nor other optics can be told", "3 of 4 crops were refused")
    assert np.isnan(found.bead_distance_um).tolist() == [True, True, True, False]


def test_noise_and_patterns_are_no_beads(rng):
    y, x = np.indices((64, 64))
    things = {
        "noise": rng.normal(120, 2, (6, 64, 64)),
        "stripes": 120 + 60 * np.sin(x / 3) * np.ones((6, 1, 1)) + rng.normal(0, 2, (6, 64, 64)),
        "square": np.where((abs(y - 32) < 9) & (abs(x - 32) < 9), 10, 120) + rng.normal(0, 2, (6, 64, 64)),
        "edge": np.where(x < 32, 20, 120) + rng.normal(0, 2, (6, 64, 64)),
    }
    for name, crops in things.items():
        found = signed_distance(np.rint(crops).clip(0, 255).astype(np.uint8), 1.5, 28.5, "a2k_like")
        assert found.status in ("out_of_range", "out_of_domain"), name
        assert np.isnan(found.distance_um)
        assert found.n_refused == 6
        assert "6 crops" in found.reason


def test_beads_drawn_smaller_are_refused(reference):
    """The same beads at three quarters of their size, called 28.5 um."""
    for name in MODELS:
        crops, _ = field(reference, name, 0)
        middle = (np.array(crops.shape[1:]) - 1) / 2
        small = [
            affine_transform(c.astype(float), np.full(2, 4 / 3), middle - middle * 4 / 3, mode="nearest") for c in crops
        ]
        assert not signed_distance(np.stack(small), PIXELS[name], 28.5, name).answered


def test_beads_that_share_a_small_difference_are_refused_together(reference):
    """Light that leaks in at the rim of every bead: each crop alone passes, three or four together do not."""
    crops, _ = field(reference, "a2k_like", 0)
    away = np.hypot(*(np.indices((64, 64)) - 31.5))
    changed = crops * (1 + 0.02 * np.exp(-(((away - 14) / 2) ** 2)))
    alone = [signed_distance(crop[None], 1.5, 28.5, "a2k_like") for crop in changed]
    assert [found.status for found in alone] == ["ok"] * 4
    together = signed_distance(changed, 1.5, 28.5, "a2k_like")
    assert together.status == "out_of_domain"
    assert together.reason.startswith("all beads together differ")
    assert "other optics, or other beads" in together.reason
    assert np.isnan(together.distance_um)


def test_image_whose_beads_mostly_lie_beyond_the_range_is_refused(reference):
    crops, _ = field(reference, "a2k_like", 0)
    loaded = load_model("a2k_like", "bead_distance")
    told = np.full((4, 4), 320.0)
    told[0] = predict_distances(crops[:1], "a2k_like")
    found = estimate(told, judge(crops, told, loaded), calibration_of(loaded))
    assert found.status == "out_of_range"
    assert found.reason == "3 of 4 beads lie beyond the range of the model"
    assert found.bead_status[0] == "ok"


def test_another_pixel_size_is_resampled(reference):
    crops, truth = field(reference, "a2k_like", 0)
    size, factor = 80, 1.5 / 1.3
    offset = np.full(2, 31.5 - (size - 1) / 2 / factor)
    fine = [
        affine_transform(c.astype(float), np.full(2, 1 / factor), offset, (size, size), mode="nearest") for c in crops
    ]
    found = signed_distance(np.stack(fine), 1.3, 28.5, "a2k_like")
    assert found.distance_um == pytest.approx(truth, abs=12)


@pytest.mark.parametrize(
    ("pixel_size", "diameter", "status", "reason"),
    [
        (1.5, 20.0, "out_of_range", "bead_diameter_um is 20, the model was trained for 27 to 30"),
        (0.65, 28.5, "out_of_range", "pixel_size_um is 0.65, the model was trained at 1.5"),
        (1.25, 28.5, "too_small", "crops are 64 px wide, at 1.25 um a pixel 77 are needed"),
    ],
)
def test_beads_and_pixels_of_another_kind_get_no_answer(reference, pixel_size, diameter, status, reason):
    crops, _ = field(reference, "a2k_like", 0)
    found = signed_distance(crops, pixel_size, diameter, "a2k_like")
    assert found.status == status
    assert reason in found.reason
    assert not found.answered
    assert np.isnan([found.distance_um, found.standard_error_um, *found.interval_um, *found.bead_distance_um]).all()


def test_no_bead_gets_no_answer():
    found = signed_distance(np.empty((0, 64, 64), np.uint8), 1.5, 28.5, "a2k_like")
    assert (found.status, found.reason, found.n_beads, found.n_refused) == ("no_content", "no bead was given", 0, 0)
    assert predict_distances(np.empty((0, 64, 64), np.uint8), "a2k_like").shape[0] == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((np.zeros((64, 64)), 1.5, 28.5), r"crops_nyx must be numbers \(n, y, x\), got float64 of shape \(64, 64\)"),
        ((np.zeros((2, 64, 64)), 0.0, 28.5), "pixel_size_um must be above 0, got 0.0"),
        ((np.zeros((2, 64, 64)), 1.5, float("nan")), "bead_diameter_um must be above 0, got nan"),
    ],
)
def test_wrong_arguments_are_errors(arguments, message):
    with pytest.raises(ValueError, match=message):
        signed_distance(*arguments, "a2k_like")


def test_damaged_profiles_are_an_error(reference, tmp_path):
    folder = shutil.copytree(model_folder("a2k_like", "bead_distance"), tmp_path / "model")
    (folder / "profiles.npz").write_bytes(b"nothing")
    crops, _ = field(reference, "a2k_like", 0)
    with pytest.raises(ModelError, match="profiles.npz is damaged: its SHA-256 is"):
        signed_distance(crops, 1.5, 28.5, folder)
    with pytest.raises(ModelError, match=r"no model 'x' for bead_distance: give one of \['a2k_like', 'nikon_like'\]"):
        signed_distance(crops, 1.5, 28.5, "x")


@pytest.mark.parametrize("name", MODELS)
def test_shipped_models_say_what_they_are(name):
    folder = Path(model_folder(name, "bead_distance"))
    config = json.loads((folder / "config.json").read_text())
    assert config["sign"].startswith("positive: the image plane lies above the reference focal plane")
    assert config["pixel_size_um"] == PIXELS[name]
    assert config["trained_range_um"][0] < config["range_um"][0] < 0 < config["range_um"][1]
    assert sum(path.stat().st_size for path in folder.iterdir()) < 5.5e6
    assert "Limits" in (folder / "card.md").read_text()


def test_evaluation_counts_what_it_reads(reference):
    crops = LabelledCrops(
        reference["a2k_like_crops"], reference["a2k_like_truth"], np.repeat(np.arange(3), 4), 1.5, 28.5
    )
    read = read_fields("a2k_like", crops)
    table = accuracy_by_beads(read, (1, 2, 4))
    assert table["means"].tolist()[:3] == [12, 6, 3]
    assert table.loc["4", "within 10 um"] == 1
    assert table.loc["guess of 0", "median error um"] == np.median(np.abs(reference["a2k_like_truth"][::4]))
    nothing = replace(read, judged=replace(read.judged, status=np.full(12, "blank", dtype=object)))
    assert accuracy(nothing, 4)["answered"] == 0
    assert np.isnan(accuracy(nothing, 4)["median error um"])
    by_distance = accuracy_by_distance(read, (-307.5, 307.5), 3)
    assert by_distance["crops"].sum() == 12
