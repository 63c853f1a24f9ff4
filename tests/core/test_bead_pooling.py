import numpy as np
import pytest

from parfocal.beads.bead_planes import bead_focal_planes
from parfocal.beads.pooling import pool_profiles

pytestmark = pytest.mark.current_python


def curve(x):
    return np.exp(-((x / 12) ** 2)) + 0.2 * np.exp(-(((x - 30) / 8) ** 2)) + 0.1


def stack(at, step=3.0, factor=1.0, noise=0.01, beads=10, seed=0, saturated_above=np.inf):
    rng = np.random.default_rng(seed)
    z = np.arange(40.0, 160.0, step)
    values = factor * (curve(z - at) + noise * rng.normal(size=(beads, len(z))))
    values[:, curve(z - at) > saturated_above] = np.nan
    return z, values


def test_shift_and_scale_of_each_stack_are_found():
    at, factor = [100.0, 93.3, 108.1], [1.0, 0.5, 3.0]
    pooled = pool_profiles([stack(a, 3.0, f, seed=k) for k, (a, f) in enumerate(zip(at, factor))], reference=0)
    assert pooled.converged
    for aligned, a, f in zip(pooled.stacks, at, factor):
        assert aligned.shift_um == pytest.approx(a - 100, abs=0.15)
        assert aligned.scale == pytest.approx(f, rel=0.01)
        assert aligned.extremum_um == pytest.approx(a, abs=0.3)
        assert aligned.residual < 0.03
    assert (pooled.stacks[0].shift_um, pooled.stacks[0].scale) == (0.0, 1.0)


def test_stack_saturated_near_focus_gets_a_precise_plane_from_the_others():
    stacks = [stack(100.0, 3.0, seed=0), stack(104.0, 3.0, seed=1), stack(97.0, 12.0, seed=2, saturated_above=0.6)]
    pooled = pool_profiles(stacks)
    assert pooled.stacks[2].extremum_um == pytest.approx(97.0, abs=0.3)
    assert pooled.stacks[2].n_planes < len(stacks[2][0])


def test_minimum_of_the_slope_is_pooled_like_the_maximum():
    stacks = [stack(100.0, seed=0), stack(95.0, seed=1)]
    up = pool_profiles(stacks, "centre_intensity")
    down = pool_profiles([(z, -values) for z, values in stacks], "steepest_slope")
    assert down.extremum_um == pytest.approx(up.extremum_um, abs=1e-6)
    np.testing.assert_allclose(down.profile, -up.profile, atol=1e-9)


def test_error_of_the_shift_is_honest():
    scores = []
    for k in range(60):
        pooled = pool_profiles([stack(100.0, seed=2 * k), stack(95.0, seed=2 * k + 1)], reference=0)
        scores.append((pooled.stacks[1].shift_um + 5.0) / pooled.stacks[1].shift_error_um)
    assert np.std(scores) < 2.0
    assert abs(np.mean(scores)) < 0.5


def test_stack_of_another_shape_is_refused_and_leaves_the_others_alone():
    good = [stack(100.0, seed=0), stack(95.0, seed=1)]
    noise = (np.arange(30) * 3.0, 1 + 0.05 * np.random.default_rng(3).normal(size=(10, 30)))
    alone, mixed = pool_profiles(good), pool_profiles([*good, noise])
    assert "does not fit" in mixed.stacks[2].reason
    assert np.isnan(mixed.stacks[2].extremum_um)
    assert [s.extremum_um for s in mixed.stacks[:2]] == [s.extremum_um for s in alone.stacks]


def test_too_few_planes_and_no_profile_are_refused_with_the_reason():
    z, values = stack(100.0)
    pooled = pool_profiles([(z, values), (z[:2], values[:, :2])])
    assert pooled.stacks[1].reason == "2 planes are usable, at least 3 are needed"
    flat = pool_profiles([(z, np.ones_like(values))])
    assert flat.reason == "the reference stack has no extremum"
    assert flat.stacks[0].reason
    assert pool_profiles([]).reason


def test_wrong_arguments_are_named():
    with pytest.raises(ValueError, match="feature must be one of .*, got 'sharpness'"):
        pool_profiles([stack(100.0)], "sharpness")
    with pytest.raises(ValueError, match=r"reference must be in \[0, 1\), got 1"):
        pool_profiles([stack(100.0)], reference=1)


def test_focal_planes_of_single_beads_follow_their_heights():
    rng = np.random.default_rng(4)
    z = np.arange(0.0, 120.0, 2.0)
    height = rng.normal(60, 3, (40, 1))
    bright = rng.uniform(0.5, 2, (40, 1))
    slope, centre = (s * bright * curve(z - height - d) for s, d in ((-1, 4), (1, 0)))
    slope, centre = (v + 0.01 * rng.normal(size=v.shape) for v in (slope, centre))
    centre[:10, 28:33] = np.nan
    slope[5], centre[5] = rng.normal(size=(2, len(z)))
    beads = bead_focal_planes(z, slope, centre)
    offset = np.delete(beads.z_um - height[:, 0], 5)
    assert np.std(offset) < 0.1
    assert np.median(beads.error_um[beads.error_um > 0]) == pytest.approx(np.std(offset), rel=0.5)
    assert "does not fit" in beads.reasons[5]
    assert np.isnan(beads.z_um[5])
    assert sum(map(bool, beads.reasons)) == 1


def test_beads_without_a_curve_have_a_reason_each():
    beads = bead_focal_planes(np.arange(20.0), np.ones((3, 20)), np.ones((3, 20)))
    assert np.isnan(beads.z_um).all()
    assert all("no extremum stands out" in reason for reason in beads.reasons)
    assert "at least 4" in bead_focal_planes(np.arange(3.0), np.ones((1, 3)), np.ones((1, 3))).reasons[0]
