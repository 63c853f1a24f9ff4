from __future__ import annotations

import numpy as np
import pytest
from bead_drawing import DIAMETER_PX, DIAMETER_UM, PIXEL_UM, draw_beads

from parfocal.beads.centre import fit_centre, refine_centre
from parfocal.beads.radial import pixels_around, radial_profile
from parfocal.beads.spline import fit_even_spline

pytestmark = pytest.mark.current_python


def parabola(shape, centre, a=500.0, b=-0.8):
    y, x = np.indices(shape)
    return a + b * ((y - centre[0]) ** 2 + (x - centre[1]) ** 2)


def test_spline_is_even_and_flat_at_the_centre(rng):
    radius = rng.uniform(0, 12, 400)
    spline = fit_even_spline(radius, np.cos(radius / 3) + rng.normal(0, 0.1, 400), 1.0, 12.0)
    assert spline.slope(0.0) == pytest.approx(0.0, abs=1e-12)
    at = np.linspace(0, 12, 50)
    np.testing.assert_array_equal(spline.value(-at), spline.value(at))


def test_spline_agrees_with_scipy_on_the_same_knots(rng):
    from scipy.interpolate import BSpline

    radius = rng.uniform(0, 10, 300)
    spline = fit_even_spline(radius, np.sin(radius), 0.5, 10.0)
    n = len(spline.coefficients)
    knots = 0.5 * np.arange(-3, n + 2)
    reference = BSpline(knots, np.concatenate([spline.coefficients[1:2], spline.coefficients]), 3)
    at = np.linspace(0, 10, 101)
    np.testing.assert_allclose(spline.value(at), reference(at), rtol=0, atol=1e-12)
    np.testing.assert_allclose(spline.slope(at), reference(at, 1), rtol=0, atol=1e-11)


def test_spline_slope_is_the_derivative_of_its_value(rng):
    radius = rng.uniform(0, 10, 300)
    spline = fit_even_spline(radius, np.sin(radius), 1.0, 10.0)
    at = np.linspace(0.5, 9.5, 77)
    numeric = (spline.value(at + 1e-5) - spline.value(at - 1e-5)) / 2e-5
    np.testing.assert_allclose(spline.slope(at), numeric, atol=1e-7)


def test_profile_of_a_parabola_is_that_parabola_in_um():
    image = parabola((61, 61), (30.3, 29.6))
    profile = radial_profile(image, (30.3, 29.6), 0.5, 10.0)
    r_um = np.linspace(0.5, 9.5, 40)
    # Half a knot's smoothing of a parabola shifts it by less than a count in 500.
    np.testing.assert_allclose(profile.intensity(r_um), 500 - 0.8 * (r_um / 0.5) ** 2, atol=0.5)
    np.testing.assert_allclose(profile.slope(r_um), -1.6 * r_um / 0.5**2, atol=0.5)


def test_profile_is_nan_beyond_its_end():
    profile = radial_profile(parabola((61, 61), (30, 30)), (30, 30), 1.0, 20.0)
    assert np.isnan(profile.intensity(profile.end_um + 0.1))
    assert np.isfinite(profile.intensity(profile.end_um))


def test_profile_ends_where_the_image_does():
    profile = radial_profile(np.ones((41, 400)), (20, 200), 1.0, 150.0)
    assert 20 < profile.end_um < 100


def test_profile_leaves_out_pixels_of_a_neighbour(rng):
    image = draw_beads((121, 121), [(60, 60), (60, 92)], rng, gradient=0)
    alone = draw_beads((121, 121), [(60, 60)], rng, gradient=0)
    r_um = np.linspace(20, 50, 60)
    expected = radial_profile(alone, (60, 60), PIXEL_UM, 60.0).intensity(r_um)
    masked = radial_profile(
        image, (60, 60), PIXEL_UM, 60.0, neighbours_yx_px=np.array([[60, 92]]), neighbour_reach_um=30.0
    ).intensity(r_um)
    open_to_it = radial_profile(image, (60, 60), PIXEL_UM, 60.0).intensity(r_um)
    assert np.abs(masked - expected).max() < 10
    assert np.abs(open_to_it - expected).max() > 40


def test_profile_of_too_few_pixels_is_none():
    assert radial_profile(np.ones((5, 5)), (2, 2), 1.0, 1.0) is None
    assert radial_profile(np.ones((50, 50)), (-300, 2), 1.0, 10.0) is None


def test_pixels_that_are_not_finite_are_left_out():
    image = np.ones((41, 41))
    image[20, 20:23] = np.nan
    pixels = pixels_around(image, (20, 20), 5.0)
    assert np.isfinite(pixels.values).all()
    assert pixels.finite_share == pytest.approx(1 - 3 / 81)


@pytest.mark.parametrize(("blur", "tolerance_px"), [(1.0, 0.02), (2.0, 0.05), (4.0, 0.15)])
def test_centre_is_found_to_a_fraction_of_a_pixel(rng, blur, tolerance_px):
    errors = []
    for _ in range(8):
        centre = np.array([50.0, 50.0]) + rng.uniform(-0.5, 0.5, 2)
        start = centre + rng.uniform(-4, 4, 2)
        image = draw_beads((101, 101), [centre], rng, blur=blur, gradient=0.1)
        errors.append(np.hypot(*(np.array(refine_centre(image, *start, PIXEL_UM, DIAMETER_UM)) - centre)))
    assert np.median(errors) < tolerance_px


def test_centre_does_not_depend_on_the_start():
    image = draw_beads((101, 101), [(50.3, 49.8)], gradient=0)
    first = refine_centre(image, 50.0, 50.0, PIXEL_UM, DIAMETER_UM)
    second = refine_centre(image, 47.0, 52.0, PIXEL_UM, DIAMETER_UM)
    np.testing.assert_allclose(first, second, atol=0.01)


def test_centre_is_unchanged_by_intensity_scale():
    image = draw_beads((101, 101), [(50.3, 49.8)], np.random.default_rng(2))
    first = refine_centre(image, 50, 50, PIXEL_UM, DIAMETER_UM)
    second = refine_centre(7.0 * image + 3000, 50, 50, PIXEL_UM, DIAMETER_UM)
    np.testing.assert_allclose(first, second, atol=1e-6)


def test_gradient_of_the_light_does_not_pull_the_centre_of_a_faint_bead(rng):
    image = draw_beads((101, 101), [(50.3, 49.8)], rng, depth=0.1, spot=0.0, blur=3.0, noise=0.001, gradient=0.4)
    np.testing.assert_allclose(refine_centre(image, 50, 50, PIXEL_UM, DIAMETER_UM), (50.3, 49.8), atol=0.25)


def test_centre_of_a_large_bead_is_as_exact_relative_to_its_size(rng):
    image = draw_beads((301, 301), [(150.4, 149.7)], rng, diameter_px=90.0, gradient=0)
    np.testing.assert_allclose(refine_centre(image, 154, 146, 0.3, 27.0), (150.4, 149.7), atol=0.05)


@pytest.mark.parametrize("image", [np.full((60, 60), 7), np.full((60, 60), np.nan), np.zeros((4, 4))])
def test_centre_stays_where_pixels_do_not_tell(image):
    assert refine_centre(image, 30.0, 31.0, PIXEL_UM, DIAMETER_UM) == (30.0, 31.0)


def test_sharp_bead_determines_its_centre_better_than_a_blurred_one(rng):
    deviations = []
    for blur in (1.0, 4.0):
        image = draw_beads((101, 101), [(50, 50)], rng, blur=blur)
        information = fit_centre(image, (50, 50), PIXEL_UM, DIAMETER_UM).information
        deviations.append(1 / np.sqrt(np.linalg.eigvalsh(information)[0]))
    assert deviations[0] < deviations[1] / 3
    assert deviations[0] < 0.01 * DIAMETER_PX


def test_prior_holds_the_centre_where_there_is_only_noise(rng):
    image = rng.normal(1000, 10, (101, 101))
    prior = np.eye(2) / 0.1**2
    found = fit_centre(image, (50, 50), PIXEL_UM, DIAMETER_UM, prior)
    assert np.hypot(found.y_px - 50, found.x_px - 50) < 0.2
