"""What measure_image_focus answers on whole images, over their type, scale and intensity."""

from __future__ import annotations

import json

import numpy as np
import pytest
from make_reference import REFERENCE, probabilities, shipped_sha256
from skimage.transform import resize

from parfocal import measure_image_focus
from parfocal.focus_quality.aggregate import combine, effective_number, expected_level, patch_weights_of, sharpened
from parfocal.focus_quality.estimate import Pooling
from parfocal.focus_quality.patches import patch_weights
from parfocal.focus_quality.synthesis import Camera, defocus_image
from parfocal.registry import load_model

OPTICS = {"pixel_size_um": 0.65, "numerical_aperture": 0.5, "emission_wavelength_um": 0.5}


def level(image, **settings):
    result = measure_image_focus(image, **settings)
    assert result.status == "ok", result.estimate.reason
    return result.estimate.defocus_level


def test_weights_give_the_reference_numbers_in_this_environment():
    reference = json.loads(REFERENCE.read_text())
    assert reference["sha256"] == shipped_sha256(), "the model was replaced: run python tests/core/make_reference.py"
    found = probabilities()
    assert found.keys() == reference["probabilities"].keys()
    for name, expected in reference["probabilities"].items():
        np.testing.assert_allclose(found[name], expected, atol=1e-4, err_msg=name)


def test_real_in_focus_images_are_called_sharp(real_images):
    for image in real_images:
        assert level(image) < 1.0


def test_level_follows_synthetic_defocus(real_images):
    for image in real_images:
        levels = [level(defocus_image(image, 2.0 * true)) for true in (0, 3, 6, 9)]
        assert (np.diff(levels) > 1.0).all()
        np.testing.assert_allclose(levels, [0, 3, 6, 9], atol=1.5)


def test_estimate_follows_from_the_patches(nuclei):
    result = measure_image_focus(nuclei)
    patches, estimate = result.planes[0].patches, result.estimate
    shares = patch_weights(nuclei.shape)
    pooling = Pooling.of(load_model("default", "focus_quality").config)
    weights = patch_weights_of(patches.probabilities, shares)
    mean = combine(patches.probabilities, weights)
    distribution = sharpened(mean, effective_number(weights), pooling.independence)
    np.testing.assert_allclose(estimate.probabilities, distribution)
    assert estimate.defocus_level == pytest.approx(expected_level(distribution))
    assert estimate.predicted_level == distribution.argmax()
    assert estimate.mean_certainty == pytest.approx(np.average(patches.certainty, weights=shares))
    assert len(patches.corners_yx) == 16
    assert 0 <= patches.certainty.min() <= patches.certainty.max() <= 1


@pytest.mark.parametrize(
    "change",
    [
        lambda x: x.astype(np.uint16) * 257,
        lambda x: x.astype(np.int64),
        lambda x: x / 255.0,
        lambda x: (x / 255.0).astype(np.float32),
        lambda x: x * (4095 / 255 / 65535),
        lambda x: np.stack([x] * 3, axis=-1),
        lambda x: np.stack([x, x, x, np.full_like(x, 255)], axis=-1),
        lambda x: np.stack([0 * x, x, 0 * x], axis=-1),
        lambda x: np.asfortranarray(x),
        lambda x: np.repeat(np.repeat(x, 2, 0), 2, 1)[::2, ::2],
    ],
)
def test_type_and_colour_of_an_image_do_not_matter(nuclei, change):
    assert level(change(nuclei)) == pytest.approx(level(nuclei), abs=1e-3)


@pytest.mark.parametrize(("gain", "offset"), [(0.2, 0), (5, 0), (1, 1000), (0.2, 1000), (5, 1), (1e-6, 0), (1e4, 1e6)])
def test_gain_and_offset_do_not_move_the_level(real_images, gain, offset):
    for image in real_images:
        assert level(image.astype(float) * gain + offset) == pytest.approx(level(image), abs=0.01)


@pytest.mark.parametrize("unevenness", [0.0, 0.5])
@pytest.mark.parametrize("background", [1, 3, 6])
def test_sharp_objects_before_a_bright_background_stay_sharp(nuclei, background, unevenness, rng):
    signal = (nuclei - np.percentile(nuclei, 1)) / np.percentile(nuclei, 99.9)
    slope = np.linspace(1 - unevenness, 1 + unevenness, nuclei.shape[1])
    counts = Camera().expose((np.maximum(signal, 0) + background * slope) * 300, rng)
    assert level(counts) < 2.0


def test_empty_surroundings_do_not_pull_the_level(nuclei, rng):
    wide = np.full((512, 768), np.median(nuclei), np.float32)
    wide[100:356, 200:456] = nuclei
    alone, within = (level(Camera().expose(defocus_image(i, 8.0) * 20, rng)) for i in (nuclei, wide))
    assert within == pytest.approx(alone, abs=0.7)


def test_patches_of_a_single_value_have_no_certainty(nuclei):
    image = np.zeros((84, 168), np.float32)
    image[:, :84] = nuclei[:84, :84]
    patches = measure_image_focus(image).planes[0].patches
    assert patches.certainty[1] == pytest.approx(0.0, abs=1e-6)
    assert patches.certainty[0] > 0.15


def test_black_level_is_subtracted_and_what_lies_below_cut_off(nuclei):
    black = 30
    expected = np.clip(nuclei.astype(float) - black, 0, None)
    assert (expected == 0).any()
    assert level(nuclei, black_level=black) == pytest.approx(level(expected), abs=1e-6)
    assert level(nuclei.astype(np.uint16), black_level=black) == pytest.approx(level(expected), abs=1e-6)


@pytest.mark.parametrize("z_um", [2.0, 8.0, 16.0])
def test_distance_does_not_move_when_the_sampling_changes(real_images, z_um):
    for image in real_images:
        blurred = defocus_image(image, z_um)
        twice = resize(blurred, [2 * n for n in blurred.shape], order=3, mode="reflect", preserve_range=True)
        coarse = measure_image_focus(blurred, **OPTICS).estimate
        fine = measure_image_focus(twice, **{**OPTICS, "pixel_size_um": 0.325}).estimate
        assert fine.defocus_distance_um == pytest.approx(coarse.defocus_distance_um, abs=0.6)
        assert fine.blur_diameter_px == pytest.approx(2 * coarse.blur_diameter_px, abs=2 * 0.6 / 0.65)


def test_distance_in_um_agrees_with_the_defocus_that_was_made(nuclei):
    estimate = measure_image_focus(defocus_image(nuclei, 12.0), **OPTICS).estimate
    assert estimate.defocus_distance_um == pytest.approx(12.0, abs=2.0)
    assert estimate.defocus_distance_um == pytest.approx(2.0 * estimate.defocus_level)


@pytest.mark.parametrize("missing", [None, *OPTICS])
def test_without_complete_optics_there_are_no_um(nuclei, missing):
    given = {} if missing is None else {name: value for name, value in OPTICS.items() if name != missing}
    estimate = measure_image_focus(nuclei, **given).estimate
    assert np.isnan(estimate.defocus_distance_um)
    assert estimate.blur_diameter_px == pytest.approx(estimate.defocus_level * 2 / 0.65)


@pytest.mark.parametrize("shape", [(84, 84), (85, 131), (90, 256), (256, 84)])
def test_any_size_from_one_patch_up_is_answered_to_its_last_pixel(nuclei, shape):
    patches = measure_image_focus(nuclei[: shape[0], : shape[1]]).planes[0].patches
    assert tuple(patches.corners_yx.max(axis=0) + 84) == shape


def test_last_rows_and_columns_count(nuclei):
    """Change the last 2 pixels along each axis: the patches there see it."""
    image = nuclei[:170, :170].astype(float)
    changed = image.copy()
    changed[-2:, :], changed[:, -2:] = 2000.0, 2000.0
    before, after = (measure_image_focus(i).planes[0].patches.probabilities for i in (image, changed))
    touched = np.abs(before - after).max(axis=1) > 1e-3
    np.testing.assert_array_equal(touched.reshape(3, 3), [[False, False, True]] * 2 + [[True] * 3])


def test_same_image_gives_the_same_numbers(nuclei):
    first, second = measure_image_focus(nuclei), measure_image_focus(nuclei.copy())
    np.testing.assert_array_equal(first.planes[0].patches.probabilities, second.planes[0].patches.probabilities)


def test_input_is_left_as_it_was(nuclei):
    image, mask = nuclei.astype(np.float32), np.ones(nuclei.shape, bool)
    mask[:50] = False
    kept = image.copy(), mask.copy()
    measure_image_focus(image, mask_yx=mask, black_level=20.0)
    np.testing.assert_array_equal(image, kept[0])
    np.testing.assert_array_equal(mask, kept[1])


def test_features_are_numbers_with_the_same_names_for_planes_stacks_and_refusals(nuclei, nucleus_stack):
    results = [measure_image_focus(image) for image in (nuclei, nucleus_stack, np.zeros((90, 90)))]
    names = [list(result.features()) for result in results]
    assert names[0] == names[1] == names[2]
    assert all(isinstance(value, float) for result in results for value in result.features().values())
    assert results[0].features()["Answered"] == 1.0
    refused = results[2].features()
    assert refused.pop("Answered") == 0.0
    assert all(np.isnan(value) for value in refused.values())


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"pixel_size_um": 0.0}, ValueError, r"pixel_size_um must be in \[0.001, 100.0\] um, got 0.0"),
        ({"modality": "stereo"}, ValueError, "modality must be one of widefield_fluorescence, .*, got 'stereo'"),
        ({"black_level": -1}, ValueError, "black_level must be at least 0.0 counts, got -1"),
        (
            {"mask_yx": np.ones((9, 9))},
            ValueError,
            r"mask_yx must have the image's shape \(256, 256\), got \(9, 9\)",
        ),
        ({"labels_yx": np.ones((256, 256))}, TypeError, "labels_yx must hold integers, got float64"),
        (
            {**OPTICS, "numerical_aperture": 1.3},
            ValueError,
            r"numerical_aperture must be in \(0, immersion_index=1.0\]",
        ),
    ],
)
def test_wrong_arguments_are_refused_with_what_would_be_right(nuclei, arguments, error, message):
    with pytest.raises(error, match=message):
        measure_image_focus(nuclei, **arguments)
