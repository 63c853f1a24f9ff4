"""What each network sees of an image: the image and its Wiener bank, or the image mirrored beyond its borders."""

from __future__ import annotations

import numpy as np

from parfocal.optics.optics import Optics
from parfocal.restoration.kernels import HALF_PX, estimate_noise, noise_step, wiener_bank
from parfocal.restoration.network import PAPER_INPUT_PX, PAPER_OUTPUT_PX

TASK = "restoration"
PAPER_BORDER_PX = (PAPER_INPUT_PX - PAPER_OUTPUT_PX) // 2


def context_px(architecture: str) -> int:
    """Pixels on each side of a crop that `network_input` uses up: the reach of the bank, or none."""
    return HALF_PX if architecture == "default" else 0


def network_input(architecture: str, exposed_yxc: np.ndarray, level: float, optics: Optics) -> np.ndarray:
    """Make the input of a network from a crop.

    Parameters
    ----------
    architecture : str
        `default`, `xue2021` or `unet`.
    exposed_yxc : ndarray
        (y, x, c), float32, background 0 and bright structures 1, with `context_px` pixels around.
    level : float
        Level around which the bank is made.
    optics : Optics
        Optics of the image, for the bank.

    Returns
    -------
    ndarray
        (y, x, planes), float32.
    """
    if architecture == "default":
        plane = exposed_yxc[..., 0]
        return np.moveaxis(wiener_bank(plane, level, noise_step(estimate_noise(plane)), optics), 0, -1)
    border = (PAPER_BORDER_PX, PAPER_BORDER_PX)
    return np.pad(exposed_yxc, (border, border, (0, 0)), mode="symmetric").astype(np.float32)
