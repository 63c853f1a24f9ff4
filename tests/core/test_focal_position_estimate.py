from __future__ import annotations

import numpy as np
import pytest
from tiny_focal_position import POSITIONS, peak, write_told

from parfocal import estimate_focal_position, status
from parfocal.focal_position.inputs import default_input, normalised, paper_input, reduced
from parfocal.focal_position.network import pooled
from parfocal.registry import ModelError

OPTICS = {"pixel_size_um": 0.65, "numerical_aperture": 0.5, "emission_wavelength_um": 0.5}


@pytest.fixture(scope="module")
def above(tmp_path_factory):
    """A model that tells 3 depths of field above focus, whatever the image."""
    return write_told(tmp_path_factory.mktemp("models") / "above", peak(3.0))


def estimate(image, model, **changes):
    return estimate_focal_position(image, model=model, **{**OPTICS, "spherical_aberration": "positive", **changes})


def test_an_estimate_is_in_um_of_the_optics(nuclei, above):
    told = estimate(nuclei, above)
    assert told.status == "ok"
    assert told.defocus_um == pytest.approx(6.0, abs=0.01)
    assert told.positions_um[[0, -1]].tolist() == [-20.0, 20.0]
    finer = estimate(np.kron(nuclei, np.ones((2, 2), np.uint8)), above, pixel_size_um=0.25, emission_wavelength_um=0.4)
    assert finer.defocus_um == pytest.approx(3 * 0.4 / 0.25, abs=0.01)


def test_hot_pixels_are_looked_past(nuclei, above):
    told = estimate(nuclei, above)
    hot = nuclei.astype(np.uint16)
    hot[20:200:40, 30:200:40] = 60000
    warned = estimate(hot, above)
    assert (told.warnings, warned.warnings) == ((), ("hot_pixels",))
    rng = np.random.default_rng(0)
    empty = np.rint(rng.normal(100, 2, (256, 256))).astype(np.uint16)
    empty[rng.integers(256, size=20), rng.integers(256, size=20)] = 2000
    assert estimate(empty, above).status == "no_content"


def test_the_opposite_aberration_has_the_opposite_sign(nuclei, above):
    assert estimate(nuclei, above, spherical_aberration="negative").defocus_um == pytest.approx(-6.0, abs=0.01)


def test_without_the_aberration_the_sign_is_not_told(nuclei, above):
    told = estimate_focal_position(nuclei, model=above, **OPTICS)
    assert told.status == "sign_unknown" and np.isnan(told.defocus_um)
    assert sorted(candidate.defocus_um for candidate in told.candidates) == pytest.approx([-6, 6], abs=0.01)


def test_a_model_of_real_stacks_needs_no_optics_and_keeps_its_sign(nuclei, tmp_path):
    own = write_told(tmp_path / "own", peak(3.0), unit="um", sign="trained", zoom=1.0)
    told = estimate_focal_position(nuclei, model=own, modality="bright_field")
    assert told.status == "ok" and told.defocus_um == pytest.approx(3.0, abs=0.01)


def test_missing_optics_are_an_error_that_names_them(nuclei, above):
    with pytest.raises(ValueError, match="pixel_size_um, numerical_aperture and emission_wavelength_um"):
        estimate_focal_position(nuclei, model=above)


def test_a_stack_is_an_error(nucleus_stack, above):
    with pytest.raises(ValueError, match="single plane"):
        estimate(nucleus_stack, above)


def test_an_unknown_model_is_an_error_that_lists_the_known(nuclei):
    with pytest.raises(ModelError, match="no model 'nowhere'"):
        estimate(nuclei, "nowhere")


def noise(size=128):
    return np.random.default_rng(1).normal(100, 5, (size, size))


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (np.full((128, 128), 7, np.uint8), "blank"),
        (np.full((128, 128), 255, np.uint8), "saturated"),
        (np.where(np.arange(128) > 90, 255, np.arange(128))[None].repeat(128, 0).astype(np.uint8), "saturated"),
        (noise(40), "too_small"),
        (np.where(noise() > 118, np.nan, noise()), "not_finite"),
        (noise(), "no_content"),
        (np.random.default_rng(2).poisson(4, (400, 300)).astype(np.uint16), "no_content"),
    ],
)
def test_bad_images_get_a_status_and_no_number(image, expected, above):
    told = estimate(image, above)
    assert told.status == expected and expected in status.MEANINGS
    assert told.reason and not told.answered and not told.candidates
    assert np.isnan([told.defocus_um, told.deviation_um, told.certainty]).all()
    assert np.isnan(told.probability).all() and len(told.probability) == len(told.positions_um) == 41


@pytest.mark.parametrize(
    ("changes", "expected", "says"),
    [
        ({"modality": "bright_field"}, "out_of_domain", "widefield fluorescence"),
        ({"numerical_aperture": 1.3, "immersion_index": 1.515}, "out_of_range", "NA 0.3 to 0.75"),
        ({"pixel_size_um": 0.05}, "out_of_range", "finer"),
    ],
)
def test_foreign_microscopes_are_refused(changes, expected, says, nuclei, above):
    told = estimate(nuclei, above, **changes)
    assert told.status == expected and says in told.reason


def test_an_image_unlike_those_of_the_training_is_out_of_domain(nuclei, tmp_path):
    share = float(normalised(nuclei).mean())
    model = write_told(tmp_path / "near", peak(1.0), limit=abs(share - 0.2) + 0.1)
    assert estimate(nuclei, model).status == "ok"
    foreign = estimate(255 - nuclei, model)
    assert foreign.status == "out_of_domain" and "nothing the model was trained on" in foreign.reason


def test_partly_saturated_images_are_answered_with_a_warning(nuclei, above):
    limit = int(np.percentile(nuclei, 99))
    assert "partly_saturated" in estimate(np.minimum(nuclei, limit), above, saturation_level=float(limit)).warnings


@pytest.mark.parametrize("shape", [(96, 96), (97, 130), (64, 300), (256, 171)])
def test_frames_of_any_size_are_seen_whole(shape):
    image = np.random.default_rng(3).normal(size=shape)
    seen = default_input(image)
    assert all((side - 96) % 16 == 0 and side >= old for side, old in zip(seen.shape, shape))
    assert (seen[: shape[0], : shape[1]] == normalised(image)).all()


def test_the_network_sees_neither_gain_nor_offset(nuclei):
    assert default_input(nuclei * 3.0 + 500) == pytest.approx(default_input(nuclei), abs=1e-5)


def test_reducing_keeps_the_mean_and_the_places():
    y, x = np.mgrid[:300, :240].astype(float)
    for zoom in (0.5, 0.4, 0.77):
        small = reduced(2 * y + x, zoom)
        assert small.shape == pytest.approx((300 * zoom, 240 * zoom), abs=1)
        assert small.mean() == pytest.approx((2 * y + x).mean(), rel=0.01)
        assert np.diff(small, axis=0)[5:-5].mean() == pytest.approx(2 / zoom, rel=0.02)


def test_the_paper_network_sees_the_middle_reduced_and_standardised():
    image = np.zeros((60, 80))
    image[20:40, 30:50] = np.arange(20)
    seen = paper_input(image, 20, 4)
    assert seen.shape == (5, 5)
    assert seen[0] == pytest.approx((np.arange(5) - 2) / np.sqrt(2), abs=1e-5)


def test_squares_at_different_distances_leave_a_peak_each():
    maps = np.zeros((1, 1, 2, 41 + 1 + 48), np.float32)
    for square, middle in enumerate((-2.0, 6.0)):
        maps[0, 0, square, :41] = np.log(peak(middle, 0.5) + 1e-9)
    maps[..., 42] = 1.5
    distribution, features = pooled(maps, 41)
    assert distribution.sum() == pytest.approx(1)
    assert sorted(POSITIONS[np.argsort(distribution[0])[-2:]]) == [-2.0, 6.0]
    assert features[0, 0] == 1.5


def test_the_weights_say_which_squares_count():
    maps = np.zeros((1, 1, 2, 90), np.float32)
    maps[0, 0, 0, :41], maps[0, 0, 1, :41] = np.log(peak(-2.0)), np.log(peak(6.0))
    maps[0, 0, :, 41] = [0, 8]
    assert pooled(maps, 41)[0] @ POSITIONS == pytest.approx([6.0], abs=0.02)
