from __future__ import annotations

import numpy as np
import pytest

from parfocal.focal_position.bins import Bins
from parfocal.focal_position.simulation import KINDS, draw_sample, psf_stack, simulate_stack
from parfocal.focal_position.simulation.planes import SimulationPlan, model_scale_optics, simulated_planes
from parfocal.focus_quality.classical import brenner
from parfocal.optics import Optics

Z_UM = (-12.0, -6.0, -2.0, 0.0, 2.0, 6.0, 12.0)


def test_psfs_above_and_below_focus_are_alike_without_aberration_only():
    plain, thick = psf_stack(Optics()), psf_stack(Optics(), 0.6)
    for distance in (1.0, 4.0, 9.0):
        assert np.abs(plain.at(distance) - plain.at(-distance)).sum() < 1e-4
        assert np.abs(thick.at(distance) - thick.at(-distance)).sum() > 0.3


def test_the_opposite_aberration_turns_a_psf_stack_over():
    thick, thin = psf_stack(Optics(), 0.6), psf_stack(Optics(), -0.6)
    apart = [np.abs(thick.at(distance) - thin.at(-distance)).sum() for distance in (-8, -3, 0, 3, 8)]
    assert max(apart) < 0.03


def test_psf_stacks_are_sharpest_in_the_middle_and_keep_their_light():
    stack = psf_stack(Optics(), 0.6)
    assert abs(int((stack.psf_zyx**2).sum(axis=(1, 2)).argmax()) - len(stack.psf_zyx) // 2) <= 1
    assert stack.psf_zyx.sum(axis=(1, 2)) == pytest.approx(1, abs=1e-4)


def test_an_immersion_as_dense_as_the_coverslip_is_refused():
    with pytest.raises(ValueError, match="immersion_index must be below"):
        psf_stack(Optics(0.5, 1.3, 1.515, 0.1), 0.5)


def test_the_simulator_says_where_the_sign_cannot_be_known():
    plain = simulate_stack(Z_UM, aberration_waves=0.0, size_px=128)
    thick = simulate_stack(Z_UM, aberration_waves=0.6, size_px=128)
    assert not plain.truth.sign_known.any() and plain.truth.sign_contrast.max() < 0.01
    away = np.abs(thick.truth.defocus_um) >= 6
    assert thick.truth.sign_known[away].all()
    dim = simulate_stack(Z_UM, aberration_waves=0.6, size_px=128, photons=2.0, background=5.0)
    assert not dim.truth.sign_known.any()


@pytest.mark.parametrize("kind", KINDS)
def test_stacks_are_sharpest_where_the_truth_says(kind):
    made = simulate_stack(Z_UM, kind=kind, size_px=128, photons=5000.0, thickness_um=0.5)
    scores = [brenner(plane.astype(float)) for plane in made.stack_zyx]
    assert made.z_um[int(np.argmax(scores))] == 0.0
    assert made.truth.layers_um == (0.0,)


def test_two_layers_are_each_in_focus_at_their_own_plane():
    made = simulate_stack([0.0, 5.0], second_layer_um=10.0, focus_um=-2.0, size_px=96)
    assert made.truth.layers_um == (-2.0, 8.0)
    assert sum(made.truth.layer_shares) == pytest.approx(1)
    assert made.truth.defocus_um.tolist() == [2.0, 7.0]


def test_an_empty_sample_holds_background_and_no_layer():
    made = simulate_stack(Z_UM, count=0, size_px=96, photons=1000.0, background=0.2)
    assert made.truth.layers_um == ()
    assert made.stack_zyx.mean() == pytest.approx(300, abs=1)


def test_stacks_repeat_with_their_seed():
    one, same, other = (simulate_stack([0.0, 4.0], seed=seed, size_px=96).stack_zyx for seed in (1, 1, 2))
    assert (one == same).all() and (one != other).any()


def test_an_unknown_kind_is_refused():
    with pytest.raises(ValueError, match="kind must be one of"):
        draw_sample(np.random.default_rng(0), "stars")


def test_planes_to_train_on_have_targets_of_sum_one_that_are_even_where_the_sign_is_not_known():
    bins = Bins(6, 0.5)
    plan = SimulationPlan(stacks=3, planes=4, symmetric_share=1.0, two_layer_share=0.0, empty_share=0.0, size_px=96)
    made = simulated_planes(plan, bins, seed=4)
    assert len(made) == 12 and made.planes[0].shape == (96, 96)
    assert made.targets.sum(axis=1) == pytest.approx(1, abs=1e-5)
    assert made.targets == pytest.approx(made.targets[:, ::-1], abs=1e-6)
    assert np.abs(made.targets @ np.abs(bins.positions) - np.minimum(np.abs(made.defocus), 6)).max() < 0.15


def test_pixels_of_the_model_scale_follow_the_aperture():
    assert model_scale_optics(0.5) == Optics()
    assert model_scale_optics(0.25).pixel_size_um == pytest.approx(1.3)
