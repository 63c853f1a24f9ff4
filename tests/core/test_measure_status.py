"""Where measure_image_focus gives no answer, and why; and the warnings of answers that stand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from parfocal import flag_defocused, measure_image_focus, restore_defocus, status
from parfocal.focus_quality.synthesis import Camera


def assert_refused(result, expected, reason=""):
    estimate = result.estimate
    assert (result.status, estimate.answered) == (expected, False)
    assert reason in estimate.reason
    numbers = [estimate.defocus_level, estimate.predicted_level, estimate.certainty, estimate.defocus_distance_um]
    assert np.isnan([*numbers, *estimate.probabilities, result.features()["SharpestPlane"]]).all()
    assert result.sharpest_plane_index is None


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("value", [0, 100])
def test_blank(dtype, value):
    assert_refused(measure_image_focus(np.full((100, 120), value, dtype)), status.BLANK, f"every pixel is {value}")


def test_everything_below_the_black_level_is_blank(nuclei):
    result = measure_image_focus(nuclei, black_level=255)
    assert_refused(result, status.BLANK, "no pixel stands out above the black level 255")


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_saturated_integers(nuclei, dtype):
    limit = np.iinfo(dtype).max
    bright = np.minimum(nuclei * (limit / np.percentile(nuclei, 90)), limit).astype(dtype)
    assert_refused(measure_image_focus(bright), status.SATURATED, "percent of the pixels are at")
    assert_refused(measure_image_focus(np.full((100, 100), limit, dtype)), status.SATURATED)


def test_saturated_float_plateau_as_cellprofiler_hands_over_12_bits(nuclei, rng):
    camera = Camera(gain=2.0, max_count=4095)
    bright = camera.expose(nuclei * (2500 / np.percentile(nuclei, 90)), rng) / np.float32(65535)
    assert_refused(measure_image_focus(bright), status.SATURATED, "percent of the pixels are at 0.0624")


def test_saturation_level_decides(nuclei):
    level = np.percentile(nuclei, 80)
    share = 100 * np.mean(nuclei >= level)
    said = f"{share:.1f} percent of the pixels are at or above {level:g}"
    assert_refused(measure_image_focus(nuclei, saturation_level=level), status.SATURATED, said)


def test_a_few_saturated_pixels_are_a_warning(nuclei):
    bright = np.minimum(nuclei * (255 / np.percentile(nuclei, 99)), 255).astype(np.uint8)
    result = measure_image_focus(bright)
    assert result.status == status.OK
    assert "partly_saturated" in result.estimate.warnings
    assert "partly_saturated" not in measure_image_focus(nuclei, saturation_level=256).estimate.warnings


def test_dim_8_bit_image_of_few_grey_values_is_not_saturated(nuclei):
    dim = np.rint(nuclei * (6 / nuclei.max())).astype(np.uint8)
    assert measure_image_focus(dim).status == status.OK


@pytest.mark.parametrize("shape", [(83, 83), (83, 500), (1, 10000), (0, 100), (100, 0)])
def test_too_small(shape, rng):
    height, width = shape
    result = measure_image_focus(rng.random(shape))
    assert_refused(result, status.TOO_SMALL, f"{width} x {height} px, needs 84 x 84")


def test_84_pixels_are_enough(nuclei):
    assert measure_image_focus(nuclei[120:204, 0:84]).status != status.TOO_SMALL


def test_too_small_at_the_scale_of_the_model(rng):
    optics = {"pixel_size_um": 0.325, "numerical_aperture": 0.5, "emission_wavelength_um": 0.5}
    result = measure_image_focus(rng.random((120, 200)), **optics)
    assert_refused(result, status.TOO_SMALL, "100 x 60 px at the model's scale")


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_not_finite(nuclei, bad):
    image = nuclei.astype(np.float32)
    image[17, 23] = bad
    assert_refused(measure_image_focus(image), status.NOT_FINITE)


@pytest.mark.parametrize("smoothing_px", [0.5, 0.8, 1.0, 1.5])
def test_smooth_noise_has_no_content(smoothing_px, rng):
    noise = gaussian_filter(rng.normal(0, 1, (256, 256)), smoothing_px)
    empty = np.rint(100 + 10 * noise / noise.std()).astype(np.uint16)
    assert_refused(measure_image_focus(empty), status.NO_CONTENT, "no patch shows structure")


@pytest.mark.parametrize("kind", ["gaussian", "poisson", "uniform"])
def test_pure_noise_has_no_content(kind, rng):
    noise = {
        "gaussian": lambda: rng.normal(100, 5, (256, 256)),
        "poisson": lambda: rng.poisson(50, (256, 256)).astype(np.uint16),
        "uniform": lambda: rng.random((256, 256)),
    }[kind]()
    assert_refused(measure_image_focus(noise), status.NO_CONTENT, "no patch shows structure")


@pytest.mark.parametrize("hot", [300, 65535])
@pytest.mark.parametrize("background", ["flat", "noise"])
def test_a_hot_pixel_over_nothing_is_no_content(background, hot, rng):
    image = {"flat": np.full((256, 256), 7), "noise": rng.poisson(90, (256, 256))}[background].astype(np.uint16)
    image[50, 60] = hot
    reason = {"flat": "no pixel stands out but hot ones", "noise": "no patch shows structure"}[background]
    assert_refused(measure_image_focus(image), status.NO_CONTENT, reason)


def test_a_hot_pixel_in_an_image_is_left_out_with_a_warning(nuclei):
    image = nuclei.copy()
    image[3, 4] = 255
    found, without = measure_image_focus(image).estimate, measure_image_focus(nuclei).estimate
    assert found.warnings == (*without.warnings, "hot_pixels")
    assert found.defocus_level == pytest.approx(without.defocus_level, abs=1e-3)


@pytest.mark.parametrize(("pixel_size_um", "reason"), [(0.05, "13.0 times finer"), (3.0, "4.6 times coarser")])
def test_optics_out_of_range(nuclei, pixel_size_um, reason):
    result = measure_image_focus(
        nuclei, pixel_size_um=pixel_size_um, numerical_aperture=0.5, emission_wavelength_um=0.5
    )
    assert_refused(result, status.OUT_OF_RANGE, reason)


@pytest.mark.parametrize("modality", ["bright_field", "phase_contrast", "other"])
def test_other_modalities_are_out_of_domain(nuclei, modality):
    assert_refused(measure_image_focus(nuclei, modality=modality), status.OUT_OF_DOMAIN, modality.replace("_", " "))


@pytest.mark.parametrize("modality", ["confocal", "light_sheet"])
def test_sections_get_a_rank_without_lengths(nuclei, modality):
    optics = {"pixel_size_um": 0.65, "numerical_aperture": 0.5, "emission_wavelength_um": 0.5}
    ranked = measure_image_focus(nuclei, modality=modality, **optics).estimate
    assert ranked.answered
    assert "rank_only" in ranked.warnings
    assert ranked.defocus_level == measure_image_focus(nuclei).estimate.defocus_level
    assert np.isnan([ranked.defocus_distance_um, ranked.blur_diameter_px]).all()


def test_worst_level_is_flagged_as_possibly_worse(nuclei, nucleus_stack):
    assert "worst_level_or_beyond" in measure_image_focus(nucleus_stack[0]).estimate.warnings
    assert "worst_level_or_beyond" not in measure_image_focus(nuclei).estimate.warnings


def test_every_status_has_a_meaning():
    names = {value for name, value in vars(status).items() if name.isupper() and isinstance(value, str)}
    assert names == set(status.MEANINGS)


def test_optics_of_which_a_part_is_missing_give_a_warning_and_no_distance(nuclei):
    estimate = measure_image_focus(nuclei, pixel_size_um=0.65).estimate
    assert "optics_incomplete" in estimate.warnings
    assert np.isnan(estimate.defocus_distance_um)
    assert "optics_incomplete" not in measure_image_focus(nuclei).estimate.warnings


def test_a_masked_array_is_refused_since_its_mask_would_be_lost(nuclei):
    masked = np.ma.masked_greater(nuclei, int(nuclei.max()) - 1)
    for function in (measure_image_focus, flag_defocused, restore_defocus):
        with pytest.raises(ValueError, match="is a masked array, whose mask would be lost"):
            function(masked)
    unmasked = np.ma.masked_array(nuclei, mask=False)
    levels = [measure_image_focus(image).estimate.defocus_level for image in (unmasked, nuclei)]
    assert levels[0] == levels[1]


def test_channels_last_that_are_no_colours_are_refused_by_their_shape():
    with pytest.raises(ValueError, match=r"got shape \(200, 200, 2\)"):
        measure_image_focus(np.zeros((200, 200, 2)))


@pytest.mark.parametrize("level", [0, 5.0])
def test_saturation_level_at_or_below_the_black_level_is_refused(nuclei, level):
    with pytest.raises(ValueError, match="saturation_level must be above the black level 5, got"):
        measure_image_focus(nuclei, black_level=5, saturation_level=level)
