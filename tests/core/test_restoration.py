"""Restoration: filters of the optics, tiles without a seam, what is left alone, and what comes out."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import uniform_filter
from scipy.signal import fftconvolve
from tiny_restorer import write_untrained_restorer

from parfocal import status
from parfocal.commands import command_spec
from parfocal.focus_quality.synthesis import defocus_image
from parfocal.optics.optics import MODEL_OPTICS
from parfocal.registry import load_model
from parfocal.restoration.baselines import gaussian_psf, nearest_gaussian_psf, richardson_lucy, unsupervised_wiener
from parfocal.restoration.conserve import INTENSITY_TOLERANCE, to_input_scale
from parfocal.restoration.intensity import Intensity
from parfocal.restoration.kernels import (
    BANK,
    HALF_PX,
    estimate_noise,
    level_psf,
    noise_step,
    wiener_bank,
    wiener_kernel,
)
from parfocal.restoration.restore import restore_defocus
from parfocal.restoration.result import is_marked_restored
from parfocal.restoration.scores import matched_to, score
from parfocal.restoration.squares import from_squares, to_squares
from parfocal.restoration.synthesis import optics_of
from parfocal.restoration.tiles import restore_cross_faded, restore_tiled


@pytest.fixture(scope="session")
def model(tmp_path_factory):
    """A default network with random weights, large enough to be seen far away: folder of a model."""
    return write_untrained_restorer(tmp_path_factory.mktemp("models") / "untrained")


def test_the_wiener_kernel_undoes_the_blur(nuclei):
    sharp = Intensity.of(nuclei).apply(defocus_image(nuclei, 0.0))
    shown = Intensity.of(nuclei).apply(defocus_image(nuclei, 8.0))
    bank = wiener_bank(np.pad(shown, HALF_PX, mode="symmetric"), 4.0, noise_step(0.0))
    before, after = (np.sqrt(np.mean((plane - sharp) ** 2)) for plane in bank[:2])
    assert after < 0.5 * before
    assert np.array_equal(bank[0], shown)


def test_the_wiener_kernel_keeps_the_mean():
    for level in (0.0, 3.0, 9.0):
        assert wiener_kernel(level, -12).sum() == pytest.approx(1.0, abs=1e-4)


def test_the_bank_is_the_convolution_with_its_kernels(rng):
    image = rng.random((150, 187), dtype=np.float32)
    bank = wiener_bank(image, 5.1, -8)
    for plane, (away, more) in zip(bank[1:-1], BANK):
        assert plane == pytest.approx(fftconvolve(image, wiener_kernel(5.0 + away, -8 + more), "valid"), abs=1e-4)
    assert np.array_equal(bank[0], image[HALF_PX:-HALF_PX, HALF_PX:-HALF_PX])
    assert np.array_equal(bank[-1], np.full_like(bank[0], 0.5))


@pytest.mark.parametrize("shape", [(40, 53), (40, 53, 3), (1, 40)])
def test_the_intensity_scale_is_that_of_means_of_3_x_3_pixels(shape, rng):
    image = rng.poisson(50, shape).astype(np.uint16)
    size = (3, 3) + (1,) * (len(shape) - 2)
    low, high = np.percentile(uniform_filter(image.astype(np.float64), size, mode="mirror"), [0.5, 99.9])
    intensity = Intensity.of(image)
    assert intensity.low == pytest.approx(low, rel=1e-5)
    assert intensity.span == pytest.approx(high - low, rel=1e-5)


def test_the_noise_estimate_sees_white_noise_and_no_ramp(rng):
    ramp = np.add.outer(np.arange(400.0), 2 * np.arange(300.0)).astype(np.float32)
    assert estimate_noise(ramp) < 1e-3
    assert estimate_noise(ramp + rng.normal(0, 5, ramp.shape)) == pytest.approx(5, rel=0.03)
    tall = rng.normal(0, 5, (7000, 600))  # large enough for rows to be left out
    assert estimate_noise(tall) == pytest.approx(5, rel=0.01)


def test_blur_in_pixels_does_not_depend_on_the_optics():
    widths = []
    for unit in (1.0, 1.54, 2.6):
        psf = level_psf(8.0, optics_of(unit))
        y, x = np.indices(psf.shape) - psf.shape[0] // 2
        widths.append(float(np.sum(psf[np.hypot(y, x) <= 13])))
    assert np.ptp(widths) < 0.06


@pytest.mark.parametrize("shape", [(200, 330), (65, 47)])
def test_tiled_equals_whole(shape, model, rng):
    predict = load_model(model, "restoration").predict
    plane = rng.random(shape, dtype=np.float32)
    whole, tiled = (
        restore_tiled(predict, plane, 5.0, -10, MODEL_OPTICS, tile_px) for tile_px in ((1024, 2048), (64, 80))
    )
    assert np.std(whole[0] - plane) > 0.01
    for one, other in zip(tiled, whole):
        assert np.abs(one - other).max() < 1e-5 * np.abs(other).max()


def test_an_odd_tile_width_is_refused(model):
    with pytest.raises(ValueError, match=r"tile_px must be multiples of 16, got \(64, 100\)"):
        restore_tiled(
            load_model(model, "restoration").predict, np.zeros((64, 64), np.float32), 5.0, -10, MODEL_OPTICS, (64, 100)
        )


def test_squares_lie_as_the_network_expects_them_and_find_back(rng):
    import tensorflow as tf

    planes = rng.random((6, 8, 12), dtype=np.float32)
    squares = to_squares(planes, len(planes))
    expected = np.asarray(tf.nn.space_to_depth(np.moveaxis(planes, 0, -1)[None], 4))[0]
    assert np.array_equal(np.moveaxis(squares, 0, -1), expected)
    assert np.array_equal(from_squares(squares[::6]), planes[0])


def test_cross_faded_tiles_of_an_unchanging_network_give_the_image_back(rng):
    image = rng.random((150, 333, 3), dtype=np.float32)
    faded = restore_cross_faded(lambda planes: planes[..., 92:-92, 92:-92], image, tile_px=116, fade_px=32)
    assert faded == pytest.approx(image, abs=1e-6)


@pytest.mark.parametrize("kind", ["uint8", "uint16", "float32", "float64", "rgb", "rgba", "stack"])
def test_type_shape_and_total_intensity_stay(kind, model, blurred):
    base = blurred.astype(np.float64)
    made = {
        "uint8": lambda: (base / base.max() * 255).astype(np.uint8),
        "uint16": lambda: blurred,
        "float32": lambda: (base / 65535).astype(np.float32),
        "float64": lambda: base * 1e6,
        "rgb": lambda: np.stack([blurred, blurred // 2, blurred // 3], axis=-1),
        "rgba": lambda: np.stack([blurred, blurred // 2, blurred // 3, np.full_like(blurred, 9)], axis=-1),
        "stack": lambda: np.stack([blurred, blurred[::-1]]),
    }
    image = made[kind]()
    kept = image.copy()
    restored = restore_defocus(image, model=model)
    assert restored.status == status.OK and restored.restored
    assert restored.image.shape == image.shape
    assert restored.image.dtype == image.dtype
    assert restored.image.sum(dtype=np.float64) == pytest.approx(image.sum(dtype=np.float64), rel=INTENSITY_TOLERANCE)
    assert np.array_equal(image, kept)
    assert not np.array_equal(restored.image, image)
    if kind == "rgba":
        assert np.array_equal(restored.image[..., 3], image[..., 3])


def test_the_result_does_not_depend_on_gain_and_offset(model, blurred):
    image = blurred.astype(np.float64)
    one, other = (restore_defocus(i, model=model).image for i in (image, 7 * image + 1000))
    assert (other - 1000) / 7 == pytest.approx(one, rel=1e-3)


@pytest.mark.parametrize("huge", [np.float32(1e35), 1e300])
def test_values_that_overflow_are_refused_by_name(nuclei, model, huge, recwarn):
    restored = restore_defocus(nuclei * huge, model=str(model), defocus_level=5.0)
    assert restored.planes[0].status == status.OUT_OF_RANGE
    assert "values above 1e+15: bring them to a smaller unit" in restored.planes[0].reason
    assert not recwarn.list


def test_a_sharp_image_is_left_alone(nuclei, model):
    restored = restore_defocus(nuclei, model=model, uncertainty=True)
    assert restored.status == status.OK and not restored.restored
    assert "in focus: level" in restored.reason
    assert np.array_equal(restored.image, nuclei)
    assert not restored.uncertainty.any()
    assert restored.provenance == ""
    assert restored.features()["Change"] == 0


def test_in_a_stack_only_the_defocused_planes_are_restored(nuclei, blurred, model):
    sharp = (nuclei.astype(np.uint16) * 8) + 100
    restored = restore_defocus(np.stack([sharp, blurred]), model=model)
    assert [plane.restored for plane in restored.planes] == [False, True]
    assert np.array_equal(restored.image[0], sharp)
    assert restored.features()["PlanesRestored"] == 1
    assert "1 of 2 planes" in restored.provenance


def test_what_is_restored_is_marked(blurred, model):
    restored = restore_defocus(blurred, model=model)
    assert is_marked_restored(restored.provenance)
    assert "Not for quantification of intensity or texture" in restored.provenance
    assert not is_marked_restored("ImageJ=1.54p")


def bad_images():
    noise = np.random.default_rng(1).integers(0, 900, (128, 128)).astype(np.uint16)
    holed = noise.astype(np.float32)
    holed[3, 4] = np.nan
    full = noise.copy()
    full[:40] = 65535
    return {
        status.BLANK: np.full((128, 128), 7, np.uint16),
        status.NOT_FINITE: holed,
        status.SATURATED: full,
        status.TOO_SMALL: noise[:60, :60],
        status.NO_CONTENT: noise,
    }


@pytest.mark.parametrize("found", list(bad_images()))
def test_what_cannot_be_measured_comes_out_as_it_went_in(found, model):
    image = bad_images()[found]
    restored = restore_defocus(image, model=model)
    assert restored.status == found
    assert restored.reason and not restored.restored
    assert np.array_equal(restored.image, image, equal_nan=image.dtype.kind == "f")


def test_a_hot_pixel_over_nothing_is_not_restored(model):
    image = np.full((128, 128), 7, np.uint16)
    image[50, 50] = 65535
    assert restore_defocus(image, model=model).status == status.NO_CONTENT


def test_beyond_the_range_nothing_is_changed(nuclei, blurred, model):
    given = restore_defocus(blurred, model=model, defocus_level=10.5)
    worst = restore_defocus(defocus_image(nuclei, 20.0), model=model)
    optics = {"pixel_size_um": 0.05, "numerical_aperture": 0.5, "emission_wavelength_um": 0.5, "defocus_level": 5.0}
    fine = restore_defocus(blurred, model=model, **optics)
    assert [r.status for r in (given, worst, fine)] == [status.OUT_OF_RANGE] * 3
    assert "ends at 10" in given.reason
    assert "or any amount beyond" in worst.reason
    assert "wavelength / NA is 20 pixels" in fine.reason
    assert np.array_equal(given.image, blurred)


def test_bright_field_is_refused(blurred, model):
    assert restore_defocus(blurred, model=model, modality="bright_field").status == status.OUT_OF_DOMAIN


def test_a_hot_pixel_stays_one_pixel(blurred, model):
    image = blurred.copy()
    image[100, 90] = 65535
    restored, clean = (restore_defocus(i, model=model, defocus_level=5.0) for i in (image, blurred))
    assert "hot_pixels" in restored.warnings
    assert restored.image[100, 90] > 60000
    difference = np.abs(restored.image.astype(float) - clean.image)
    difference[100, 90] = 0
    assert difference.max() < 0.02 * np.ptp(blurred)


def test_the_uncertainty_has_the_unit_of_the_image(blurred, model):
    one, ten = (restore_defocus(i, model=model, uncertainty=True) for i in (blurred, blurred * np.uint16(10)))
    assert one.uncertainty.shape == blurred.shape
    assert one.uncertainty.min() > 0
    assert np.median(ten.uncertainty / one.uncertainty) == pytest.approx(10, rel=0.01)
    assert np.array_equal(one.image, restore_defocus(blurred, model=model).image)


def test_the_uncertainty_of_the_model_that_ships_has_no_squares_and_no_error_above_what_there_is(blurred):
    error = restore_defocus(blurred, uncertainty=True, defocus_level=6.0).uncertainty
    steps = np.abs(np.diff(error, axis=1)).mean(axis=0)
    at_borders, inside = (steps[np.arange(steps.size) % 4 == place].mean() for place in (3, 1))
    assert at_borders < 1.3 * inside
    assert error.max() <= np.ptp(blurred)


@pytest.mark.parametrize("method", ["richardson_lucy", "richardson_lucy_gaussian", "wiener"])
def test_the_classical_methods_need_no_model(method, blurred):
    restored = restore_defocus(blurred, method=method, defocus_level=5.0, iterations=5)
    assert restored.status == status.OK and restored.restored
    assert method in restored.provenance
    assert restored.image.dtype == np.uint16


def test_richardson_lucy_sharpens(nuclei):
    truth = Intensity.of(nuclei).apply(defocus_image(nuclei, 0.0))
    shown = Intensity.of(nuclei).apply(defocus_image(nuclei, 8.0))
    best = richardson_lucy(shown, level_psf(4.0), 20)
    gaussian = richardson_lucy(shown, nearest_gaussian_psf(4.0), 20)
    wiener = unsupervised_wiener(shown, level_psf(4.0))
    psnr = {name: score(i, truth).psnr for name, i in {"shown": shown, "best": best, "gauss": gaussian}.items()}
    assert psnr["best"] > psnr["gauss"]
    assert psnr["best"] > psnr["shown"] + 1
    assert np.array_equal(wiener, unsupervised_wiener(shown, level_psf(4.0)))


def test_the_nearest_gaussian_grows_with_the_level():
    widths = [np.sqrt(1 / nearest_gaussian_psf(level).max()) for level in (1.0, 3.0, 6.0, 10.0)]
    assert widths == sorted(widths)
    assert gaussian_psf(2.0).sum() == pytest.approx(1.0)


def test_scores_forgive_gain_and_offset(rng):
    truth = rng.random((64, 64))
    assert matched_to(5 - 3 * truth, truth) == pytest.approx(truth, abs=1e-9)
    assert score(4 * truth + 2, truth).ssim == pytest.approx(1.0)
    assert score(truth + rng.normal(0, 0.1, truth.shape), truth).psnr == pytest.approx(20, abs=0.5)


def test_values_beyond_the_type_are_cut_off_and_the_total_kept(rng):
    before = rng.integers(0, 200, (64, 64)).astype(np.uint8)
    wild = before + 120 * rng.standard_normal(before.shape)
    after = to_input_scale(wild, before)
    assert after.dtype == np.uint8
    assert after.mean() == pytest.approx(before.mean(), rel=0.02)


def test_rounding_to_counts_keeps_the_total_of_a_dark_picture(rng):
    # A background of a third of a count, which would round to nothing, and a few bright pixels.
    restored = np.full((200, 200), 0.3, np.float32) + 0.1 * rng.standard_normal((200, 200)).astype(np.float32)
    restored[::20, ::20] = 50
    before = rng.poisson(restored.clip(0)).astype(np.uint8)
    after = to_input_scale(restored, before)
    assert after.sum() == pytest.approx(before.sum(), rel=INTENSITY_TOLERANCE)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"method": "blind"}, "method must be one of network, richardson_lucy"),
        ({"method": "wiener", "uncertainty": True}, "uncertainty is given by method network alone, got 'wiener'"),
        ({"method": "wiener", "check_focus": False}, "wiener needs a level"),
        ({"smallest_level": 11.0}, r"smallest_level must be in \[0.0, 10.0\] levels, got 11.0"),
        (
            {"numerical_aperture": 1.4, "pixel_size_um": 0.1, "emission_wavelength_um": 0.5},
            "numerical_aperture must be",
        ),
    ],
)
def test_wrong_arguments_are_named(arguments, message, blurred):
    with pytest.raises(ValueError, match=message):
        restore_defocus(blurred, **arguments)


def test_every_parameter_is_explained():
    assert all(parameter.help for parameter in command_spec(restore_defocus).parameters)


@pytest.mark.parametrize("modality", ["confocal", "light_sheet", "bright_field"])
def test_other_kinds_of_microscope_are_refused_where_they_are_declared(blurred, modality):
    restored = restore_defocus(blurred, method="richardson_lucy", modality=modality)
    assert restored.status == "out_of_domain"
    assert np.array_equal(restored.image, blurred)
