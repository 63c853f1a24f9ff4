"""Cores to begin with: of a configuration file, or one that plays a drifting sample."""

from __future__ import annotations

from collections.abc import Callable
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from .optional import need

DEMO_OPTICS = {"emission_wavelength_um": 0.5, "numerical_aperture": 0.5, "pixel_size_um": 0.65}
_SIZE_PX, _CELLS = 256, 25
_PHOTONS = 400.0
# Depths of field that the stack of the demonstration reaches to either side, and its planes a depth of field.
_REACH, _PER_DEPTH = 20, 2


def close_core(core: Any) -> None:
    """Unload the devices of a core of pymmcore-plus, and end its thread of events.

    A thread that is left when Python ends may bring it down ("FATAL: exception not rethrown").
    """
    core.unloadAllDevices()
    # The method of pymmcore-plus itself refuses.
    need("pymmcore").CMMCore.registerCallback(core, None)


def configured_core(config: str | PathLike[str]) -> Any:
    """Load a configuration of Micro-Manager into a core of pymmcore-plus, to be closed with `close_core`.

    Raises
    ------
    FileNotFoundError
        Where there is no such file.
    ValueError
        Where a device cannot be loaded, or the file names none.
    """
    path = Path(config)
    if not path.is_file():
        raise FileNotFoundError(f"no such configuration file: {path}")
    core = need("pymmcore_plus").CMMCorePlus()
    try:
        core.loadSystemConfiguration(str(path.resolve()))
    except Exception as error:
        close_core(core)
        raise ValueError(f"{path} could not be loaded: {' '.join(str(error).split())}") from error
    if not set(core.getLoadedDevices()) - {"Core"}:
        close_core(core)
        raise ValueError(f"{path} must be a configuration file of Micro-Manager, it names no device")
    return core


def demo_core(drift_um_h: float = 60.0, start_um: float = 12.0, through_optics: bool = False, seed: int = 0) -> Any:
    """Make a core without hardware whose sample drifts: cells, 20x/0.5, 0.65 um a pixel. Close it with `close_core`.

    Parameters
    ----------
    drift_um_h : float
        Of the focal plane.
    start_um : float
        Position of the focal plane at the start; the stage is at 0.
    through_optics : bool
        Whether the sample is imaged through a simulated objective behind a thick coverslip (extra `optics`), so that
        the side of focus shows; otherwise cells are blurred alike on both sides.
    seed : int
        Of the sample and the noise.
    """
    from .devices import PlayedStage, SampleCamera

    stage = PlayedStage()
    sample = (_optical_sample if through_optics else _blurred_sample)(seed)
    plane = lambda seconds: start_um + drift_um_h * seconds / 3600.0  # noqa: E731
    camera = SampleCamera(sample, stage, plane, electrons_per_unit=_PHOTONS, seed=seed)
    core = need("pymmcore_plus.experimental.unicore").UniMMCore()
    for label, device in (("Stage", stage), ("Camera", camera)):
        core.loadPyDevice(label, device)
        core.initializeDevice(label)
    core.setFocusDevice("Stage")
    # There is no shutter to open, which acquisitions of pymmcore-plus else look for.
    core.setAutoShutter(False)
    core.setCameraDevice("Camera")
    return core


def _blurred_sample(seed: int) -> Callable[[float], np.ndarray]:
    """Discs of cells, blurred by Gaussians, as a stack."""
    from scipy.ndimage import gaussian_filter

    from .stack_sample import StackSample

    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:_SIZE_PX, :_SIZE_PX]
    middles, radii = rng.uniform(20, _SIZE_PX - 20, (_CELLS, 2)), rng.uniform(5, 9, _CELLS)
    discs = np.max([np.hypot(y - cy, x - cx) < r for (cy, cx), r in zip(middles, radii)], axis=0)
    texture = gaussian_filter(rng.random((_SIZE_PX, _SIZE_PX)), 1.0)
    sharp = (discs * texture / texture.mean()).astype(np.float32)
    depths = np.arange(-_REACH * _PER_DEPTH, _REACH * _PER_DEPTH + 1) / _PER_DEPTH
    stack = [gaussian_filter(sharp, float(np.hypot(0.6, 0.8 * depth))) + 0.05 for depth in depths]
    depth_of_field_um = _optics().depth_of_field_um
    return StackSample(stack, depth_of_field_um / _PER_DEPTH, depth_of_field_um, _REACH * _PER_DEPTH)


def _optical_sample(seed: int) -> Callable[[float], np.ndarray]:
    """Nuclei through the simulated objective."""
    from parfocal.focal_position.simulation.imaging import MARGIN_PX, SampleImager
    from parfocal.focal_position.simulation.psf import REACH, psf_stack
    from parfocal.focal_position.simulation.sample import draw_sample

    optics = _optics()
    rng = np.random.default_rng(seed)
    sample = draw_sample(rng, "nuclei", _CELLS, _SIZE_PX + 2 * MARGIN_PX, 0.0, 1.0)
    imager = SampleImager(sample, psf_stack(optics, 0.6, REACH))
    depth = optics.depth_of_field_um
    return lambda defocus_um: np.maximum(imager.image(float(np.clip(defocus_um / depth, -REACH, REACH))), 0) + 0.05


def _optics() -> Any:
    from parfocal.optics.optics import Optics

    return Optics(immersion_index=1.0, **DEMO_OPTICS)
