"""The intensity scale that restoring networks see: background 0, bright structures 1."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

# Percentiles of background and bright structures, as in the training of the focus quality networks.
LOW_PERCENT, HIGH_PERCENT = 0.5, 99.9


@dataclass(frozen=True)
class Intensity:
    """One affine for a whole image: the network sees (value - low) / span.

    Attributes
    ----------
    low, span : float
        In the unit of the image; `span` is above 0.
    """

    low: float
    span: float

    @classmethod
    def of(cls, image: np.ndarray, smoothed: bool = True) -> Intensity:
        """Scale of an image (y, x) or (y, x, colour); means of 3 x 3 pixels keep its noise out unless told not to."""
        pixels = np.asarray(image, np.float32)
        if smoothed:
            pixels = _means_of_3(_means_of_3(pixels).swapaxes(0, 1)).swapaxes(0, 1)
        low, high = (float(value) for value in np.percentile(pixels, [LOW_PERCENT, HIGH_PERCENT]))
        if high <= low:
            low, high = float(pixels.min()), float(pixels.max())
        return cls(low, max(high - low, 1e-6 * max(abs(high), 1e-30)))

    def apply(self, image: np.ndarray) -> np.ndarray:
        """Bring an image to this scale (float32)."""
        return ((np.asarray(image, np.float32) - np.float32(self.low)) / np.float32(self.span)).astype(np.float32)

    def undo(self, image: np.ndarray) -> np.ndarray:
        """Bring an image of this scale back (float32)."""
        return (np.asarray(image, np.float32) * np.float32(self.span) + np.float32(self.low)).astype(np.float32)


def _means_of_3(pixels: np.ndarray) -> np.ndarray:
    """Mean of each pixel and its neighbours along the first axis, mirrored at the ends (the last pixel once)."""
    sums = np.copy(pixels, order="K")
    sums[1:] += pixels[:-1]
    sums[:-1] += pixels[1:]
    sums[0] += pixels[min(1, len(pixels) - 1)]
    sums[-1] += pixels[max(-2, -len(pixels))]
    sums /= 3
    return sums
