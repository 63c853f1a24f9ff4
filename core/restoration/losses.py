"""Losses of the restoring networks: structural similarity, L1, and mixtures. TensorFlow is imported on first use."""

from __future__ import annotations

from typing import Any

import numpy as np

LOSSES = ("ssim", "l1", "l1_100ssim", "ssim_4l1")
_WIDTH, _SIGMA = 11, 1.5
_C1, _C2 = 0.01**2, 0.03**2


def ssim(truth: Any, restored: Any) -> Any:
    """Mean structural similarity of images (n, y, x, c) of data range 1, one value an image.

    Wang et al. 2004 (doi:10.1109/TIP.2003.819861): Gaussian window of 11 pixels, sigma 1.5, K1 0.01, K2 0.03. The same
    values as `tensorflow.image.ssim`; the window is applied as two matrix products, which is faster on a CPU.
    """
    import tensorflow as tf

    truth, restored = (tf.transpose(images, [0, 3, 1, 2]) for images in (truth, restored))
    down, across = tf.constant(_band(truth.shape[2]).T), tf.constant(_band(truth.shape[3]).T)

    def windowed(images: Any) -> Any:
        """Windowed means, (n, c, x, y); plain products of matrices, since batches of them crash in TensorFlow 2.21."""
        return tf.tensordot(tf.transpose(tf.tensordot(images, across, 1), [0, 1, 3, 2]), down, 1)

    mean_t, mean_r = windowed(truth), windowed(restored)
    both = windowed(truth * restored) - mean_t * mean_r
    spread = windowed(truth**2 + restored**2) - mean_t**2 - mean_r**2
    likeness = (2 * mean_t * mean_r + _C1) / (mean_t**2 + mean_r**2 + _C1) * (2 * both + _C2) / (spread + _C2)
    return tf.reduce_mean(likeness, axis=[1, 2, 3])


def restoration_loss(name: str, truth: Any, restored: Any) -> Any:
    """Loss of images (n, y, x, c) of data range 1, mean over the batch.

    Parameters
    ----------
    name : str
        `ssim` (Xue et al. 2021: 1 - SSIM), `l1`, `l1_100ssim` (the paper's combination, L1 + 100 (1 - SSIM)) or
        `ssim_4l1` (1 - SSIM + 4 L1, in which both are of about the same size).
    truth, restored : tensor
        (n, y, x, c), float32.

    Raises
    ------
    ValueError
        Where the name is unknown.
    """
    if name not in LOSSES:
        raise ValueError(f"loss must be one of {', '.join(LOSSES)}, got {name!r}")
    import tensorflow as tf

    weight_ssim, weight_l1 = {"ssim": (1, 0), "l1": (0, 1), "l1_100ssim": (100, 1), "ssim_4l1": (1, 4)}[name]
    loss = tf.constant(0.0)
    if weight_ssim:
        loss += weight_ssim * tf.reduce_mean(1 - ssim(truth, restored))
    if weight_l1:
        loss += weight_l1 * tf.reduce_mean(tf.abs(truth - restored))
    return loss


def laplace_loss(error: Any, log_scale: Any) -> Any:
    """Negative log-likelihood of absolute errors under Laplace distributions of these scales, but for log 2."""
    import tensorflow as tf

    return tf.reduce_mean(tf.abs(error) * tf.exp(-log_scale) + log_scale)


def _band(length: int) -> np.ndarray:
    """Matrix that applies the Gaussian window along a line of this length, where it fits: (length - 10, length)."""
    if length < _WIDTH:
        raise ValueError(f"structural similarity needs images of at least {_WIDTH} pixels a side, got {length}")
    offsets = np.arange(_WIDTH) - _WIDTH // 2
    weights = np.exp(-(offsets**2) / (2 * _SIGMA**2))
    matrix = np.zeros((length - _WIDTH + 1, length), np.float32)
    for row in range(len(matrix)):
        matrix[row, row : row + _WIDTH] = weights / weights.sum()
    return matrix
