"""The power log-log slope beside CellProfiler's own."""

import centrosome.radial_power_spectrum as spectrum
import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from parfocal.focus_quality import classical


@pytest.mark.parametrize("shape", [(84, 84), (128, 200), (333, 251)])
def test_the_slope_is_that_of_cellprofiler(shape):
    image = gaussian_filter(np.random.default_rng(5).gamma(2.0, 50.0, shape), 1.2)
    radii, magnitude, power = spectrum.rps(image)
    assert (magnitude > 0).all()
    line = np.column_stack([np.log(radii), np.ones(len(radii))])
    expected = np.linalg.lstsq(line, np.log(power), rcond=None)[0][0]
    assert classical.power_log_log_slope(image) == pytest.approx(expected, rel=1e-9)
