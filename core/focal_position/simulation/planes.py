"""Simulated planes to train on: samples of all kinds behind coverslips too thick, at random distances."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from parfocal.focal_position.bins import Bins
from parfocal.focal_position.labelled import LabelledPlanes
from parfocal.focal_position.simulation.imaging import SIGN_LIMIT, SampleImager, sign_contrast
from parfocal.focal_position.simulation.psf import PsfStack, psf_stack
from parfocal.focal_position.simulation.sample import KINDS, Sample, draw_sample
from parfocal.optics.optics import MODEL_OPTICS, Optics

NUMERICAL_APERTURES = (0.3, 0.5, 0.75)
ABERRATIONS_WAVES = (0.3, 0.5, 0.7, 0.9, 1.1, 1.4)
# Light at which the sign's contrast is judged.
_PHOTONS, _BACKGROUND = 300.0, 0.1


@dataclass(frozen=True)
class SimulationPlan:
    """What simulated stacks are like.

    Attributes
    ----------
    stacks, planes : int
        Number of stacks, and of planes of each, at random distances.
    empty_share, two_layer_share, symmetric_share : float
        Shares of the stacks that are empty, have two layers (3 to 8 depths of field apart), have no aberration.
    beyond : float
        Distances go beyond the last bin by this, in depths of field.
    size_px : int
        Width of the planes.
    magnifications : tuple of float
        Smallest and largest factor on the radii of nuclei and cells: 10x, NA 0.3 shows nuclei half as large as 20x, NA
        0.5 does at the model's scale.
    """

    stacks: int = 400
    planes: int = 20
    empty_share: float = 0.03
    two_layer_share: float = 0.15
    symmetric_share: float = 0.2
    beyond: float = 1.0
    size_px: int = 192
    magnifications: tuple[float, float] = (0.4, 1.5)


def simulated_planes(plan: SimulationPlan, bins: Bins, seed: int) -> LabelledPlanes:
    """Simulate noise-free planes with their targets; distances in depths of field.

    Where the image does not say on which side of focus it was taken, half of the target lies on each.
    """
    rng = np.random.default_rng([seed, 93])
    made = [_stack(plan, bins, rng) for _ in range(plan.stacks)]
    return LabelledPlanes(
        [plane for planes, _, _ in made for plane in planes],
        np.concatenate([targets for _, targets, _ in made]),
        np.concatenate([defocus for *_, defocus in made]),
        np.repeat(np.arange(plan.stacks), plan.planes),
        clean=True,
    )


def model_scale_optics(numerical_aperture: float) -> Optics:
    """Optics at the model's scale: pixels of 0.65 lambda / NA, air, 0.5 um."""
    pixel_um = MODEL_OPTICS.pixel_size_um / MODEL_OPTICS.lateral_unit_um * 0.5 / numerical_aperture
    return Optics(0.5, numerical_aperture, 1.0, pixel_um)


def _stack(
    plan: SimulationPlan, bins: Bins, rng: np.random.Generator
) -> tuple[list[np.ndarray], np.ndarray, np.ndarray]:
    sample = _sample(plan, rng)
    imager = SampleImager(sample, _psfs(plan, rng))
    reach = bins.half_range + plan.beyond
    # One in each part of the range, so that a stack covers it.
    defocus = (np.arange(plan.planes) + rng.random(plan.planes)) * (2 * reach / plan.planes) - reach
    planes = [imager.image(d) for d in defocus]
    if not sample.layer_heights:
        flat = np.full((plan.planes, bins.count), 1 / bins.count, np.float32)
        return [p.astype(np.float16) for p in planes], flat, np.full(plan.planes, np.nan)
    pairs = zip(sample.layer_heights, sample.layer_shares)
    targets = sum(np.float32(share) * bins.targets(defocus - height) for height, share in pairs)
    told = [sign_contrast(plane, imager.mirrored(d), _PHOTONS, _BACKGROUND) for plane, d in zip(planes, defocus)]
    unknown = np.array(told) < SIGN_LIMIT
    targets[unknown] = (targets[unknown] + targets[unknown][:, ::-1]) / 2
    return [p.astype(np.float16) for p in planes], targets, defocus


def _sample(plan: SimulationPlan, rng: np.random.Generator) -> Sample:
    count = 0 if rng.random() < plan.empty_share else int(np.exp(rng.uniform(0, np.log(30))))
    second = float(rng.uniform(3, 8)) if rng.random() < plan.two_layer_share else 0.0
    kind = str(rng.choice(KINDS))
    magnification = float(np.exp(rng.uniform(*np.log(plan.magnifications))))
    return draw_sample(rng, kind, count, plan.size_px + 64, second, float(rng.uniform(0.2, 1.2)), magnification)


def _psfs(plan: SimulationPlan, rng: np.random.Generator) -> PsfStack:
    aberration = 0.0 if rng.random() < plan.symmetric_share else float(rng.choice(ABERRATIONS_WAVES))
    return psf_stack(model_scale_optics(float(rng.choice(NUMERICAL_APERTURES))), aberration)
