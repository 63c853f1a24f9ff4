"""How near a restored image comes to the truth: SSIM and PSNR under one data range and one match of intensities."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

# Structures are where the truth, over so many pixels, is brighter than this share of the bright ones.
_STRUCTURE, _WINDOW_PX = 0.1, 7


class Score(NamedTuple):
    """Structural similarity, peak signal-to-noise ratio in dB and mean absolute error, data range 1.

    `ssim_inside` is the structural similarity within structures: that of a whole image is that of its background where
    there is much of it. NaN where the truth has no structure.
    """

    ssim: float
    psnr: float
    mae: float
    ssim_inside: float


def score(restored_yx: np.ndarray, truth_yx: np.ndarray) -> Score:
    """Score an image against the truth (background 0, bright structures 1) after the best affine of its intensities.

    The affine a x + b of least squares is fitted for every method alike, so that none is punished for its gain. SSIM
    of Wang et al. 2004 (doi:10.1109/TIP.2003.819861): Gaussian window, sigma 1.5, data range 1.
    """
    from scipy.ndimage import uniform_filter
    from skimage.metrics import structural_similarity

    matched, truth = matched_to(restored_yx, truth_yx), np.asarray(truth_yx, np.float64)
    settings = {"data_range": 1.0, "gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    squared = float(np.mean((matched - truth) ** 2))
    whole, likeness = structural_similarity(matched, truth, full=True, **settings)
    inside = likeness[uniform_filter(truth, _WINDOW_PX, mode="mirror") > _STRUCTURE]
    return Score(
        float(whole),
        -10 * float(np.log10(max(squared, 1e-12))),
        float(np.mean(np.abs(matched - truth))),
        float(inside.mean()) if inside.size else float("nan"),
    )


def matched_to(image_yx: np.ndarray, truth_yx: np.ndarray) -> np.ndarray:
    """Bring an image to the truth by the affine of least squares (float64)."""
    image, truth = np.asarray(image_yx, np.float64), np.asarray(truth_yx, np.float64)
    spread = image.var()
    gain = 0.0 if spread == 0 else float(np.mean((image - image.mean()) * (truth - truth.mean())) / spread)
    return gain * (image - image.mean()) + truth.mean()
