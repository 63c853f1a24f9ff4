import numpy as np
import pytest
from scipy.stats import t

from parfocal.beads.field import field_shape

pytestmark = pytest.mark.current_python


def beads(n=30, tilt=(3.0, -2.0), bend=0.0, noise=0.0, seed=0):
    """Positions over 1300 um, tilt in um per mm, curvature in um per mm^2 about (650, 650)."""
    rng = np.random.default_rng(seed)
    x, y = rng.uniform(0, 1300, (2, n))
    z = 50 + tilt[0] * (x - 650) / 1e3 + tilt[1] * (y - 650) / 1e3 + bend * np.hypot(x - 650, y - 650) ** 2 / 1e6
    return x, y, z + noise * rng.normal(size=n)


def test_tilt_and_curvature_are_exact_without_noise():
    x, y, z = beads(bend=4.0)
    shape = field_shape(x, y, z, centre_xy_um=(650, 650))
    assert shape.tilt_x_um_per_mm == pytest.approx(3, abs=1e-9)
    assert shape.tilt_y_um_per_mm == pytest.approx(-2, abs=1e-9)
    assert shape.tilt_um_per_mm == pytest.approx(np.sqrt(13), abs=1e-9)
    assert shape.tilt_direction_deg == pytest.approx(np.degrees(np.arctan2(-2, 3)), abs=1e-6)
    assert shape.curvature_um_per_mm2 == pytest.approx(4, abs=1e-9)
    assert shape.centre_z_um == pytest.approx(50, abs=1e-9)
    np.testing.assert_allclose(shape.surface_um(x, y), z, atol=1e-9)


def test_standard_errors_are_those_that_occur():
    scores = []
    for k in range(300):
        shape = field_shape(*beads(bend=1.0, noise=0.2, seed=k), centre_xy_um=(650, 650))
        scores.append(
            [
                (shape.tilt_x_um_per_mm - 3) / shape.tilt_x_error_um_per_mm,
                (shape.tilt_um_per_mm - np.sqrt(13)) / shape.tilt_error_um_per_mm,
                (shape.curvature_um_per_mm2 - 1) / shape.curvature_error_um_per_mm2,
                (shape.centre_z_um - 50) / shape.centre_z_error_um,
            ]
        )
    assert np.all(np.abs(np.std(scores, axis=0) - 1) < 0.2)
    assert np.all(np.abs(np.mean(scores, axis=0)) < 0.2)


def test_outliers_are_left_out_and_counted():
    x, y, z = beads(bend=1.0, noise=0.1, seed=1)
    clean = field_shape(x[4:], y[4:], z[4:], centre_xy_um=(650, 650))
    z[:4] += [8.0, 7.0, -9.0, 30.0]
    shape = field_shape(x, y, z, centre_xy_um=(650, 650))
    assert (shape.n_outliers, shape.n_beads) == (4, 26)
    assert not shape.used[:4].any()
    assert shape.tilt_x_um_per_mm == pytest.approx(clean.tilt_x_um_per_mm, abs=1e-9)


def test_weight_zero_takes_a_bead_out():
    x, y, z = beads(n=8, noise=0.1)
    weights = np.ones(8)
    weights[2] = 0
    shape = field_shape(x, y, z, weights, (650, 650))
    without = field_shape(*(np.delete(v, 2) for v in (x, y, z)), centre_xy_um=(650, 650))
    assert shape.tilt_x_um_per_mm == pytest.approx(without.tilt_x_um_per_mm, abs=1e-9)
    assert shape.residual_um == pytest.approx(without.residual_um, abs=1e-9)
    scaled = field_shape(x, y, z, 100 * weights, (650, 650))
    assert scaled.tilt_x_error_um_per_mm == pytest.approx(shape.tilt_x_error_um_per_mm, rel=1e-9)


def test_three_beads_have_a_tilt_without_an_error():
    shape = field_shape([0.0, 1000.0, 0.0], [0.0, 0.0, 1000.0], [0.0, 2.0, -1.0])
    assert (shape.tilt_x_um_per_mm, shape.tilt_y_um_per_mm) == pytest.approx((2, -1))
    assert np.isnan(shape.tilt_x_error_um_per_mm)
    assert np.isnan(shape.curvature_um_per_mm2)
    assert shape.curvature_reason == "3 beads, at least 6 are needed"
    assert shape.surface_um(1000.0, 1000.0) == pytest.approx(1.0)


def test_beads_on_a_line_or_too_few_have_no_tilt():
    line = np.linspace(0, 1000, 20)
    shape = field_shape(line, 2 * line, line)
    assert shape.reason == "the beads lie on a line"
    assert np.isnan([shape.tilt_x_um_per_mm, shape.tilt_um_per_mm, shape.surface_um(0.0, 0.0)]).all()
    assert field_shape([1.0, 2.0], [1.0, 5.0], [1.0, 1.0]).reason == "2 beads, at least 3 are needed"
    assert field_shape([1.0, 2.0, 3.0], [1.0, 5.0, 2.0], [np.nan] * 3).reason == "0 beads, at least 3 are needed"


def test_beads_on_a_ring_have_a_tilt_but_no_curvature():
    angle = np.linspace(0, 2 * np.pi, 12, endpoint=False)
    x, y = 500 * np.cos(angle), 500 * np.sin(angle)
    shape = field_shape(x, y, 2e-3 * x)
    assert shape.tilt_x_um_per_mm == pytest.approx(2)
    assert shape.curvature_reason == "the beads' distances from the centre do not vary enough"


def test_tilt_turns_with_the_field():
    x, y, z = beads(noise=0.1)
    shape, turned = field_shape(x, y, z, centre_xy_um=(0, 0)), field_shape(-y, x, z, centre_xy_um=(0, 0))
    assert turned.tilt_um_per_mm == pytest.approx(shape.tilt_um_per_mm)
    assert turned.tilt_direction_deg == pytest.approx(shape.tilt_direction_deg + 90)


def test_wrong_arguments_are_named():
    with pytest.raises(ValueError, match="must be of one length"):
        field_shape([1.0, 2.0, 3.0], [1.0, 2.0], [1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="weights must be 0 or above, got -1"):
        field_shape([1.0, 2.0, 3.0], [1.0, 2.0, 5.0], [1.0, 2.0, 3.0], [1, 1, -1])


@pytest.mark.parametrize("n_beads", [6, 8, 12])
def test_stated_error_of_the_tilt_holds_with_few_beads(n_beads):
    rng = np.random.default_rng(1)
    inside = []
    for _ in range(300):
        x, y = rng.uniform(0, 1000, (2, n_beads))
        shape = field_shape(x, y, rng.normal(0, 1, n_beads))
        freedom = shape.n_beads - (3 if shape.curvature_reason else 4)
        inside.append(abs(shape.tilt_x_um_per_mm) < t.ppf(0.975, freedom) * shape.tilt_x_error_um_per_mm)
    assert 0.90 <= np.mean(inside) <= 0.98


def test_gross_outlier_among_eight_beads_is_left_out():
    rng = np.random.default_rng(2)
    x, y = rng.uniform(0, 1000, (2, 8))
    z = rng.normal(0, 1, 8)
    z[3] += 100.0
    shape = field_shape(x, y, z)
    assert not shape.used[3]
    assert shape.n_outliers == 1
