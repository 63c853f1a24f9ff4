from __future__ import annotations

import numpy as np
import pytest

from parfocal.focus_control.surface import FocusSurface

pytestmark = pytest.mark.current_python

GRID = np.array([(x, y) for x in np.linspace(0, 9000, 4) for y in np.linspace(0, 6000, 4)])


def heights(kind):
    x, y = GRID.T / 9000
    tilt = 40.0 + 12.0 * x - 7.0 * y
    return tilt if kind == "plane" else tilt + 5.0 * x * x - 4.0 * x * y


@pytest.mark.parametrize("kind", ["plane", "quadratic", "thin_plate"])
def test_a_tilted_plane_is_met_between_its_positions(kind):
    surface = FocusSurface(np.column_stack([GRID, heights("plane")]), kind=kind)
    found = surface.predict(4000.0, 2500.0)
    assert found.z_um == pytest.approx(40.0 + 12.0 * 4 / 9 - 7.0 * 2.5 / 9, abs=0.01)
    assert not found.extrapolated and found.deviation_um < 0.1


def test_a_curved_plate_needs_more_than_a_plane():
    points = np.column_stack([GRID, heights("quadratic")])
    truth = 40.0 + 12.0 * 0.5 - 7.0 * 0.3 + 5.0 * 0.25 - 4.0 * 0.15
    assert FocusSurface(points).kind == "quadratic"
    assert FocusSurface(points).predict(4500.0, 2700.0).z_um == pytest.approx(truth, abs=0.01)
    plane = FocusSurface(points, kind="plane").predict(4500.0, 2700.0)
    assert abs(plane.z_um - truth) > 0.1 and plane.deviation_um > 0.05


def test_an_outlier_hardly_moves_plane_and_quadratic():
    z = heights("plane")
    z[5] += 30.0
    for kind in ("plane", "quadratic"):
        found = FocusSurface(np.column_stack([GRID, z]), kind=kind).predict(4500.0, 3000.0)
        assert found.z_um == pytest.approx(40.0 + 6.0 - 7.0 / 3, abs=0.3)


def test_the_deviation_covers_the_error_of_noisy_positions():
    rng = np.random.default_rng(2)
    scores = []
    for _ in range(200):
        z = heights("plane") + rng.normal(0, 0.4, len(GRID))
        found = FocusSurface(np.column_stack([GRID, z]), np.full(len(GRID), 0.4), "plane").predict(4500.0, 3000.0)
        scores.append((found.z_um - (40.0 + 6.0 - 7.0 / 3)) / found.deviation_um)
    assert 0.7 < np.std(scores) < 1.15


def test_outside_the_measured_positions_is_extrapolated():
    surface = FocusSurface(np.column_stack([GRID, heights("plane")]))
    assert surface.predict(9500.0, 100.0).extrapolated
    assert not surface.predict(9000.0, 6000.0).extrapolated


def test_three_positions_are_enough_and_two_or_a_line_are_not():
    assert FocusSurface([(0, 0, 1.0), (100, 0, 2.0), (0, 100, 3.0)]).predict(50, 50).z_um == pytest.approx(2.5)
    with pytest.raises(ValueError, match="a plane surface needs at least 3 positions, got 2"):
        FocusSurface([(0, 0, 1.0), (100, 0, 2.0)])
    with pytest.raises(ValueError, match="the positions lie on a line"):
        FocusSurface([(0, 0, 1.0), (100, 100, 2.0), (200, 200, 2.0), (300, 300, 1.0)])
    with pytest.raises(ValueError, match="must be \\(n, 3\\) of finite numbers"):
        FocusSurface([(0, 0, np.nan), (100, 0, 2.0), (0, 100, 3.0)])
    with pytest.raises(ValueError, match="kind must be one of auto, plane, quadratic, thin_plate, got 'spline'"):
        FocusSurface(np.zeros((4, 3)), kind="spline")
