"""What a camera sees of a simulated sample at a distance from focus."""

from __future__ import annotations

import numpy as np
from scipy.fft import irfft2, rfft2

from parfocal.focal_position.simulation.psf import PsfStack
from parfocal.focal_position.simulation.sample import Sample

# Pixels at each side that are cut off, since the borders of the sample are joined.
MARGIN_PX = 32
READ_NOISE = 1.5
# So many standard deviations of the noise a pixel must an image differ from that of the mirrored sample on the other
# side of focus, for the sign to be known: over the 16 pixels or more of a structure that adds up to one.
SIGN_LIMIT = 0.25


class SampleImager:
    """Noise-free images of one sample through one objective; spectra are kept, so that many distances cost little."""

    def __init__(self, sample: Sample, psfs: PsfStack) -> None:
        self.sample, self.psfs = sample, psfs
        self._spectra = rfft2(sample.slabs_nyx)

    def image(self, defocus: float) -> np.ndarray:
        """Image (y, x) with the objective so far above the first layer, depths of field; margins are cut off."""
        return self._image(defocus - self.sample.heights)

    def _image(self, distances: np.ndarray) -> np.ndarray:
        size = self.sample.slabs_nyx.shape[-1]
        total = np.zeros(self._spectra.shape[1:], np.complex64)
        for spectrum, distance in zip(self._spectra, distances):
            total += spectrum * rfft2(_centred(self.psfs.at(float(distance)), size))
        return np.asarray(irfft2(total, (size, size))[MARGIN_PX:-MARGIN_PX, MARGIN_PX:-MARGIN_PX])

    def mirrored(self, defocus: float) -> np.ndarray:
        """Image of the sample turned upside down about its first layer, as far on the other side of focus.

        Without aberration it is the same as `image`: nothing in the image then says on which side it was taken.
        """
        return self._image(self.sample.heights - defocus)


def sign_contrast(above_yx: np.ndarray, below_yx: np.ndarray, photons: float, background: float) -> float:
    """Difference of `SampleImager.image` and `mirrored`, in standard deviations of the noise a pixel.

    Root mean square over the brightest tenth of the pixels of both; 0 without aberration.

    Parameters
    ----------
    above_yx, below_yx : ndarray
        Noise-free images (y, x), bright structures about 1.
    photons : float
        Photoelectrons that 1 stands for.
    background : float
        Light beside the structures, in the same unit as the images.
    """
    both = (above_yx + below_yx) / 2
    bright = both >= np.percentile(both, 90)
    noise = np.sqrt(photons * (np.maximum(both, 0) + background) + READ_NOISE**2)
    contrast = photons * (above_yx - below_yx) / noise
    return float(np.sqrt(np.mean(contrast[bright] ** 2)))


def _centred(psf_yx: np.ndarray, size: int) -> np.ndarray:
    """Put a PSF into a square of another width with its middle at (0, 0)."""
    half = psf_yx.shape[0] // 2
    put = np.zeros((size, size), np.float32)
    put[: psf_yx.shape[0], : psf_yx.shape[1]] = psf_yx
    return np.roll(put, (-half, -half), (0, 1))
