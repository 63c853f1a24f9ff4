import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from parfocal.focus_quality import classical
from parfocal.focus_quality.classical import METRICS, classical_metrics
from parfocal.optics.optics import Optics

QUADRATIC = ("Brenner", "Tenengrad", "VarianceOfLaplacian", "VollathF4", "BandPower")
INVARIANT = ("PowerLogLogSlope", "ImageCorrelation")


@pytest.fixture
def discs():
    rng = np.random.default_rng(3)
    y, x = np.mgrid[:128, :160]
    centres = rng.uniform([0, 0], [128, 160], (30, 2))
    nearest = np.min([np.hypot(y - cy, x - cx) for cy, cx in centres], axis=0)
    return gaussian_filter(np.where(nearest < 7, 900.0, 100.0), 0.8)


def stripes(period_px, amplitude=10.0, length=96):
    return np.tile(amplitude * np.sin(2 * np.pi * np.arange(length) / period_px), (length, 1)) + 50.0


def test_every_metric_falls_as_the_blur_grows(discs):
    series = [classical_metrics(gaussian_filter(discs, sigma)) for sigma in (0.5, 1.5, 3.0, 5.0)]
    for name in METRICS:
        values = [metrics[name] for metrics in series]
        assert values == sorted(values, reverse=True) and len(set(values)) == 4, name


@pytest.mark.parametrize(
    "image",
    [
        np.full((90, 90), 7),
        np.where(np.eye(90), np.nan, 1.0),
        np.where(np.eye(90), np.inf, 1.0),
        np.arange(16).reshape(4, 4),
    ],
)
def test_blank_unfinished_and_tiny_images_give_nan_for_every_metric(image):
    metrics = classical_metrics(image)
    assert tuple(metrics) == METRICS
    assert np.isnan(list(metrics.values())).all()


def test_an_image_with_three_axes_is_refused_with_its_shape():
    with pytest.raises(ValueError, match=r"\(y, x\), got shape \(2, 9, 9\)"):
        classical_metrics(np.zeros((2, 9, 9)))


def test_gain_and_offset_act_as_documented(discs):
    before, gained, shifted = (classical_metrics(i) for i in (discs, 3 * discs, discs + 500))
    for name in QUADRATIC:
        assert gained[name] == pytest.approx(9 * before[name], rel=1e-9)
        assert shifted[name] == pytest.approx(before[name], rel=1e-9)
    assert gained["NormalisedVariance"] == pytest.approx(3 * before["NormalisedVariance"], rel=1e-9)
    for name in INVARIANT:
        assert gained[name] == pytest.approx(before[name], rel=1e-9)
        assert shifted[name] == pytest.approx(before[name], rel=1e-9)


def test_a_transposed_image_has_the_same_metrics(discs):
    counts = np.rint(discs).astype(np.uint16)
    metrics, turned = classical_metrics(counts), classical_metrics(counts.T)
    for name in METRICS:
        assert turned[name] == pytest.approx(metrics[name], rel=1e-9)


def test_a_single_bright_pixel_gives_the_values_worked_by_hand():
    image = np.zeros((7, 7))
    image[3, 3] = 6.0
    # Two of the 5 x 7 differences along each axis are +-6.
    assert classical.brenner(image) == pytest.approx(2 * 36 / 35)
    # Sobel around a pixel of 6, each axis: four corners of 6 and two edges of 12, squared.
    assert classical.tenengrad(image) == pytest.approx(2 * (4 * 36 + 2 * 144) / 49)
    # Laplacian: -24 in the middle, 6 at four neighbours, mean 0.
    assert classical.variance_of_laplacian(image) == pytest.approx((576 + 4 * 36) / 49)
    mean = 6 / 49
    assert classical.normalised_variance(image) == pytest.approx((36 / 49 - mean**2) / mean)


def test_vollath_f4_of_stripes_is_what_the_products_say():
    # Along x the products I1 (I2 - I3) of 1 1 -1 -1 are 2 0 2 0, along y all are 0.
    image = np.tile([1.0, 1.0, -1.0, -1.0], (44, 11))
    assert classical.vollath_f4(image) == pytest.approx(0.5)
    assert classical.vollath_f4(image + 1000) == pytest.approx(0.5)


def test_image_correlation_is_two_for_opposite_and_zero_for_equal_neighbours():
    ramp = np.add.outer(np.arange(20.0), np.arange(20.0))
    assert classical.image_correlation(ramp) == pytest.approx(0, abs=1e-12)
    chequers = np.indices((20, 20)).sum(axis=0) % 2
    assert classical.image_correlation(chequers.astype(float)) == pytest.approx(2)


def test_a_steeper_spectrum_has_a_lower_slope_and_white_noise_one_near_one():
    noise = np.random.default_rng(0).standard_normal((512, 512))
    # The power is summed over rings whose size grows with the radius: white noise has slope 1.
    assert classical.power_log_log_slope(noise) == pytest.approx(1, abs=0.1)
    assert classical.power_log_log_slope(gaussian_filter(noise, 3)) < 0


def test_the_slope_is_not_defined_below_32_px():
    noise = np.random.default_rng(0).standard_normal((400, 32))
    assert np.isfinite(classical.power_log_log_slope(noise))
    assert np.isnan(classical.power_log_log_slope(noise[:, :31]))


def test_band_power_is_the_variance_of_a_wave_inside_the_band_and_nothing_outside():
    # 0.16 to 0.33 cycles a pixel with the model's optics.
    assert classical.band_power(stripes(4)) == pytest.approx(50, rel=1e-9)
    assert classical.band_power(stripes(4).T) == pytest.approx(50, rel=1e-9)
    assert classical.band_power(stripes(12)) == pytest.approx(0, abs=1e-9)


def test_optics_move_the_band():
    finer = Optics(0.5, 0.5, 1.0, pixel_size_um=0.65 / 3)
    assert classical_metrics(stripes(12), finer)["BandPower"] == pytest.approx(50, rel=1e-9)
    assert classical_metrics(stripes(4), finer)["BandPower"] == pytest.approx(0, abs=1e-9)


def test_band_power_is_not_defined_where_the_pixels_are_too_coarse_for_the_band():
    coarse = Optics(0.5, 0.5, 1.0, pixel_size_um=2.1)
    assert np.isnan(classical_metrics(stripes(4), coarse)["BandPower"])
