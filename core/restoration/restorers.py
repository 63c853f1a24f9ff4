"""Methods of restoration behind one face: a plane of colours under the networks' intensity scale in, the same out."""

from __future__ import annotations

from typing import Any, NamedTuple, Optional, Protocol

import numpy as np

from parfocal.optics.optics import Optics
from parfocal.registry import load_model
from parfocal.restoration.baselines import ITERATIONS, deconvolve
from parfocal.restoration.inputs import TASK
from parfocal.restoration.kernels import estimate_noise, noise_step
from parfocal.restoration.network import floored
from parfocal.restoration.squares import SQUARE_PX
from parfocal.restoration.tiles import restore_cross_faded, restore_tiled

METHODS = ("network", "richardson_lucy", "richardson_lucy_gaussian", "wiener")
# lambda / NA in pixels for which the default network was trained, a little widened.
LATERAL_UNIT_RANGE_PX = (0.8, 4.0)


class Restored(NamedTuple):
    """A restored plane and, where it was asked for, the standard deviation of its error: (y, x, c), float32."""

    image: np.ndarray
    error: Optional[np.ndarray]


class Restorer(Protocol):
    """One method; `name` goes into the provenance, levels beyond `largest_level` are refused."""

    name: str
    largest_level: float
    needs_level: bool

    def reason_out_of_range(self, optics: Optics) -> str:
        """Say why these optics lie outside the range, or nothing."""

    def restore(self, plane_yxc: np.ndarray, level: float, optics: Optics, uncertainty: bool) -> Restored:
        """Restore a plane whose background is 0 and whose bright structures are 1."""


def make_restorer(method: str, model: str, iterations: int = ITERATIONS) -> Restorer:
    """Look up a method by name; the network is loaded on the way (ModelError where it cannot be)."""
    if method != "network":
        return Deconvolution(method, iterations)
    loaded = load_model(model, TASK)
    return DefaultNetwork(loaded) if loaded.config["architecture"] == "default" else PaperNetwork(loaded)


class DefaultNetwork:
    """The network behind a Wiener bank; each colour alone."""

    needs_level = True

    def __init__(self, model: Any) -> None:
        self._model = model
        self.name = f"model {model.folder.name}"
        self.largest_level = float(model.config["largest_level"])

    def reason_out_of_range(self, optics: Optics) -> str:
        """Say why these optics lie outside the range of the training, or nothing."""
        unit = optics.lateral_unit_um / optics.pixel_size_um
        low, high = LATERAL_UNIT_RANGE_PX
        if low <= unit <= high:
            return ""
        return f"wavelength / NA is {unit:.2g} pixels, the model was trained for {low:g} to {high:g}"

    def restore(self, plane_yxc: np.ndarray, level: float, optics: Optics, uncertainty: bool) -> Restored:
        """Restore each colour; the network corrects the level itself, place by place."""
        colours = [
            self._restore_plane(plane_yxc[..., c], level, optics, uncertainty) for c in range(plane_yxc.shape[-1])
        ]
        error = np.stack([error for _, error in colours if error is not None], axis=-1) if uncertainty else None
        return Restored(np.stack([image for image, _ in colours], axis=-1), error)

    def _restore_plane(
        self, plane_yx: np.ndarray, level: float, optics: Optics, uncertainty: bool
    ) -> tuple[np.ndarray, Optional[np.ndarray]]:
        from scipy.ndimage import uniform_filter

        step = noise_step(estimate_noise(plane_yx))
        image, log_scale = restore_tiled(self._model.predict, plane_yx, level, step, optics)
        if not uncertainty:
            return image, None
        # The variance of the Laplace distribution that the network predicts, and that among mirrored copies.
        mirrored = [restore_tiled(self._model.predict, plane_yx[flip], level, step, optics)[0][flip] for flip in _FLIPS]
        log_scale = np.minimum(floored(log_scale, lambda x: np.logaddexp(x, 0)), 10)
        variance = 2 * np.exp(2 * log_scale) + np.var([image, *mirrored], axis=0)
        # Means of the network's squares, whose borders would show otherwise; no error is larger than what there is.
        even = np.sqrt(uniform_filter(variance, SQUARE_PX))
        return image, np.minimum(even, np.maximum(image, 1.0)).astype(np.float32)


_FLIPS = (np.s_[::-1, :], np.s_[:, ::-1], np.s_[::-1, ::-1])


class PaperNetwork:
    """A network of Xue et al. (2021), of one channel (each colour alone) or several."""

    needs_level = False

    def __init__(self, model: Any) -> None:
        self._model = model
        self.name = f"model {model.folder.name}"
        self.largest_level = float(model.config["largest_level"])
        self._channels = int(model.config["channels"])

    def reason_out_of_range(self, optics: Optics) -> str:
        """Optics are not known to these networks."""
        return ""

    def restore(self, plane_yxc: np.ndarray, level: float, optics: Optics, uncertainty: bool) -> Restored:
        """Restore colours alone or together; the error is the deviation among mirrored copies."""
        channels = plane_yxc.shape[-1]
        if self._channels not in (1, channels):
            raise ValueError(f"{self.name} restores {self._channels} channels together, the image has {channels}")
        parts = np.split(plane_yxc, channels // self._channels, axis=-1)
        image = self._together(parts)
        if not uncertainty:
            return Restored(image, None)
        mirrored = [self._together([part[flip] for part in parts])[flip] for flip in _FLIPS]
        return Restored(image, np.std([image, *mirrored], axis=0))

    def _together(self, parts: list[np.ndarray]) -> np.ndarray:
        return np.concatenate([restore_cross_faded(self._model.predict, part) for part in parts], axis=-1)


class Deconvolution:
    """A baseline; each colour alone, no uncertainty."""

    largest_level = 10.0
    needs_level = True

    def __init__(self, method: str, iterations: int) -> None:
        self._method, self._iterations = method, iterations
        self.name = method

    def reason_out_of_range(self, optics: Optics) -> str:
        """Every optics has a PSF."""
        return ""

    def restore(self, plane_yxc: np.ndarray, level: float, optics: Optics, uncertainty: bool) -> Restored:
        """Deconvolve each colour with the PSF of the level."""
        colours = [
            deconvolve(self._method, plane_yxc[..., c], level, optics, self._iterations)
            for c in range(plane_yxc.shape[-1])
        ]
        return Restored(np.stack(colours, axis=-1), None)
