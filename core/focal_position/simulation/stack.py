"""z-stacks of simulated samples, with photon noise and what is true of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Optional

import numpy as np

from parfocal.focal_position.simulation.imaging import READ_NOISE, SIGN_LIMIT, SampleImager, sign_contrast
from parfocal.focal_position.simulation.psf import REACH, psf_stack
from parfocal.focal_position.simulation.sample import draw_sample
from parfocal.focus_quality.synthesis import Camera
from parfocal.optics.optics import MODEL_OPTICS, Optics


@dataclass(frozen=True, eq=False)
class Truth:
    """What is true of a simulated stack.

    Attributes
    ----------
    layers_um : tuple of float
        z of the plane in which each layer is in focus, um; none for an empty sample.
    layer_shares : tuple of float
        Share of the light of each layer.
    defocus_um : ndarray
        Distance of each plane from the first layer's focus (z,), um, positive above it.
    sign_contrast : ndarray
        How much each plane differs from that of the mirrored sample on the other side of focus (z,), in standard
        deviations of the noise a pixel.
    """

    layers_um: tuple[float, ...]
    layer_shares: tuple[float, ...]
    defocus_um: np.ndarray
    sign_contrast: np.ndarray

    @property
    def sign_known(self) -> np.ndarray:
        """Whether a plane can be told from its mirror image (z,); never without aberration."""
        return np.asarray(self.sign_contrast >= SIGN_LIMIT)


@dataclass(frozen=True, eq=False)
class SimulatedStack:
    """A stack (z, y, x), uint16, the positions of its planes (z,), um, and the truth."""

    stack_zyx: np.ndarray
    z_um: np.ndarray
    truth: Truth


def simulate_stack(
    z_um: Any,
    seed: int = 0,
    kind: str = "nuclei",
    count: int = 12,
    second_layer_um: float = 0.0,
    aberration_waves: float = 0.6,
    photons: float = 500.0,
    background: float = 0.1,
    focus_um: float = 0.0,
    thickness_um: float = 2.0,
    size_px: int = 256,
    optics: Optional[Optics] = None,
    camera: Optional[Camera] = None,
) -> SimulatedStack:
    """Simulate a z-stack of a sample behind a coverslip of the wrong thickness.

    Parameters
    ----------
    z_um : array_like
        Positions of the planes, um, at most 20 depths of field from the layers.
    seed : int
        Of sample and noise.
    kind, count
        Structures, see `draw_sample`.
    second_layer_um : float
        Height of a second layer above the first, um; 0 for none.
    aberration_waves : float
        See `psf_stack`: positive for a thick coverslip; 0 makes planes above and below focus alike.
    photons : float
        Photoelectrons of bright structures in focus.
    background : float
        Even light beside them, as a share of `photons`.
    focus_um : float
        z at which the first layer is in focus.
    thickness_um : float
        Half the height of nuclei and cells, um.
    size_px : int
        Width of the images, which have the pixels of `optics`.
    optics : Optics, optional
        Air objective and pixels; 0.5 um, NA 0.5, 0.65 um by default.
    camera : Camera, optional
        Gain 1, offset 100, read noise 1.5, 16 bits by default.
    """
    optics = optics or MODEL_OPTICS
    depth = optics.depth_of_field_um
    rng = np.random.default_rng([seed, 91])
    sample = draw_sample(rng, kind, count, size_px + 64, second_layer_um / depth, thickness_um / depth)
    z = np.asarray(z_um, float)
    defocus = z - focus_um
    imager = SampleImager(sample, psf_stack(optics, aberration_waves, REACH))
    clean = np.stack([imager.image(d / depth) for d in defocus])
    mirrored = [imager.mirrored(d / depth) for d in defocus]
    contrast = np.array([sign_contrast(a, b, photons, background) for a, b in zip(clean, mirrored)])
    exposed = (camera or Camera(read_noise=READ_NOISE)).expose(photons * (clean + background), rng)
    layers = tuple(focus_um + depth * height for height in sample.layer_heights)
    return SimulatedStack(exposed, z, Truth(layers, sample.layer_shares, defocus, contrast))
