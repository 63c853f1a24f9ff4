"""Best plane, lateral and axial width, and signal to background of one fluorescent bead."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from parfocal import status
from parfocal.beads.peaks import Peak, fit_line, fit_plane

NAN = float("nan")
# A width below this many samples is mostly that of the sampling.
LEAST_SAMPLES_PER_FWHM = 2.0
_LEAST_PLANES = 5
_LEAST_SIDE_PX = 7
_LEAST_SIGNAL_TO_NOISE = 5.0
_LARGEST_RELATIVE_ERROR = 0.2
_FULL_SCALES = (255.0, 1023.0, 4095.0, 16383.0, 65535.0)
_LEAST_SATURATED_PX = 3
# Half of the fitted window against the width of the picture.
_WINDOW_PER_WIDTH = 1.5
_LEAST_WINDOW_PX = 3


@dataclass(frozen=True)
class BeadWidths:
    """Widths of the image of one bead: they are those of the optics only where the bead is much smaller.

    Attributes
    ----------
    best_z_um : float
        Centre of the axial fit, um.
    centre_yx_px : tuple of float
        Centre in the best plane, pixels of the crop.
    lateral_fwhm_um, lateral_fwhm_y_um, lateral_fwhm_x_um : float
        Full width at half maximum in the best plane: mean of y and x, and each, um.
    axial_fwhm_um : float
        Full width at half maximum along z of the intensity at the centre, um.
    signal_to_background : float
        Height (brightest 3 x 3 pixels above the background) over the background; NaN where that is not above 0.
    signal_to_noise : float
        The same height over the standard deviation of the background's pixels; NaN where they have none.
    lateral_reason, axial_reason : str
        Why that width is NaN, or nothing.
    status, reason : str
        `ok`, or why nothing could be measured: `no_content`, `saturated`, `too_small`, `not_finite`.
    warnings : tuple of str
        `flat_top` (the picture is that of the bead, not of the optics), `bead_not_small` (its diameter is more than
        half of a width).
    """

    best_z_um: float = NAN
    centre_yx_px: tuple[float, float] = (NAN, NAN)
    lateral_fwhm_um: float = NAN
    lateral_fwhm_y_um: float = NAN
    lateral_fwhm_x_um: float = NAN
    axial_fwhm_um: float = NAN
    signal_to_background: float = NAN
    signal_to_noise: float = NAN
    lateral_reason: str = ""
    axial_reason: str = ""
    status: str = status.OK
    reason: str = ""
    warnings: tuple[str, ...] = ()


def bead_widths(
    crop_zyx: np.ndarray,
    z_um: np.ndarray,
    pixel_size_um: float,
    bead_diameter_um: float = NAN,
    saturation_level: float | None = None,
) -> BeadWidths:
    """Measure the widths of the image of one fluorescent bead by fits.

    A Gaussian plus a constant is fitted along z to the intensity at the centre (mean of 3 x 3 pixels), and one
    integrated over the pixels to the best plane; where the top is flat, a function with a free exponent. A width is NaN
    with a reason where it is sampled by less than 2 points, cut off by the stack or the crop, saturated, or not
    determined to 20 percent.

    Parameters
    ----------
    crop_zyx : array_like
        (z, y, x) crop around one bead, any counts, at least 7 pixels wide.
    z_um : array_like
        (z,) positions of the planes, um, all different, in any order.
    pixel_size_um : float
        Pixel in the sample plane, um.
    bead_diameter_um : float, optional
        For the warning `bead_not_small`.
    saturation_level : float, optional
        Count from which the camera is saturated; by default full scale of 8, 10, 12, 14 or 16 bits where at least 3
        pixels hold it and none more.

    Returns
    -------
    BeadWidths

    Raises
    ------
    ValueError
        Where shapes do not fit, planes are at the same z, or the pixel size is not above 0.
    """
    crop, z = np.asarray(crop_zyx, dtype=float), np.asarray(z_um, dtype=float)
    if crop.ndim != 3 or z.shape != crop.shape[:1]:
        raise ValueError(f"crop_zyx must be (z, y, x) with one z for each plane, got {crop.shape} and {z.shape}")
    if not pixel_size_um > 0:
        raise ValueError(f"pixel_size_um must be above 0, got {pixel_size_um!r}")
    if len(np.unique(z)) < len(z) or not np.isfinite(z).all():
        raise ValueError("z_um must be finite and different for all planes")
    if not np.isfinite(crop).all():
        return BeadWidths(status=status.NOT_FINITE, reason="the crop holds values that are not finite")
    if min(crop.shape[1:]) < _LEAST_SIDE_PX or len(z) < _LEAST_PLANES:
        needed = f"at least {_LEAST_PLANES} planes of {_LEAST_SIDE_PX} x {_LEAST_SIDE_PX} px are needed"
        return BeadWidths(status=status.TOO_SMALL, reason=f"the crop has the shape {crop.shape}: {needed}")
    order = np.argsort(z)
    return _measure(_Crop(crop[order], z[order], pixel_size_um, _saturation(crop, saturation_level)), bead_diameter_um)


@dataclass(frozen=True)
class _Crop:
    zyx: np.ndarray
    z_um: np.ndarray
    pixel_size_um: float
    saturation_level: float

    def background(self, plane: int) -> tuple[float, float]:
        """Median of the crop's frame in a plane, and the standard deviation of its pixels, robustly."""
        image = self.zyx[plane]
        frame = np.concatenate([image[0], image[-1], image[1:-1, 0], image[1:-1, -1]])
        level = float(np.median(frame))
        return level, 1.4826 * float(np.median(np.abs(frame - level)))

    def is_saturated(self, plane: int, y: int, x: int) -> bool:
        return bool((self.around(y, x)[plane] >= self.saturation_level).any())

    def around(self, y: int, x: int) -> np.ndarray:
        """3 x 3 pixels in every plane (z, 9), fewer at the border."""
        return self.zyx[:, max(y - 1, 0) : y + 2, max(x - 1, 0) : x + 2].reshape(len(self.zyx), -1)


def _saturation(crop: np.ndarray, level: float | None) -> float:
    if level is not None:
        return level
    highest = float(crop.max())
    clipped = highest in _FULL_SCALES and np.sum(crop == highest) >= _LEAST_SATURATED_PX
    return highest if clipped else float("inf")


def _measure(crop: _Crop, bead_diameter_um: float) -> BeadWidths:
    plane, y, x = _brightest(crop)
    level, noise = crop.background(plane)
    profile = crop.around(y, x).mean(axis=1)
    height = float(profile[plane] - level)
    if height <= 0 or height < _LEAST_SIGNAL_TO_NOISE * noise:
        reason = f"no bead: {height:g} counts above the background, whose noise is {noise:g}"
        return BeadWidths(status=status.NO_CONTENT, reason=reason)
    if crop.is_saturated(plane, y, x):
        return BeadWidths(status=status.SATURATED, reason="the bead is saturated where it is brightest")
    axial, axial_reason = _axial(crop, profile, plane)
    found = BeadWidths(
        signal_to_background=height / level if level > 0 else NAN,
        signal_to_noise=height / noise if noise > 0 else NAN,
        axial_reason=axial_reason,
    )
    if axial is not None:
        found = replace(found, best_z_um=axial.centre[0])
        plane = int(np.argmin(np.abs(crop.z_um - axial.centre[0])))
        found = found if axial_reason else replace(found, axial_fwhm_um=axial.fwhm[0])
    lateral, lateral_reason = _lateral(crop, plane, y, x)
    if lateral is None or lateral_reason:
        return _with_warnings(replace(found, lateral_reason=lateral_reason), [axial], bead_diameter_um)
    wide_y, wide_x = (width * crop.pixel_size_um for width in lateral.fwhm)
    found = replace(
        found,
        centre_yx_px=(lateral.centre[0], lateral.centre[1]),
        lateral_fwhm_um=(wide_y + wide_x) / 2,
        lateral_fwhm_y_um=wide_y,
        lateral_fwhm_x_um=wide_x,
    )
    return _with_warnings(found, [axial, lateral], bead_diameter_um)


def _brightest(crop: _Crop) -> tuple[int, int, int]:
    """Plane and pixel of the brightest 3 x 3 mean, away from the border."""
    windows = np.lib.stride_tricks.sliding_window_view(crop.zyx, (3, 3), axis=(1, 2))
    means = windows.mean(axis=(-2, -1))
    plane, y, x = np.unravel_index(int(np.argmax(means)), means.shape)
    return int(plane), int(y) + 1, int(x) + 1


def _axial(crop: _Crop, profile: np.ndarray, plane: int) -> tuple[Peak | None, str]:
    z = crop.z_um
    if plane in (0, len(z) - 1):
        return None, "the bead is brightest in the first or last plane"
    step = float(np.median(np.diff(z)))
    above = profile > (profile.max() + profile.min()) / 2
    peak = fit_line(z, profile, (float(z[plane]), max(float(above.sum()), 1.0) * step))
    if peak is None or not z[0] <= peak.centre[0] <= z[-1]:
        return None, "no peak along z could be fitted"
    half = peak.fwhm[0] / 2
    if peak.fwhm[0] < LEAST_SAMPLES_PER_FWHM * step:
        return peak, _too_coarse("z", peak.fwhm[0], step)
    if peak.centre[0] - half < z[0] or peak.centre[0] + half > z[-1]:
        return peak, "the stack ends within half of the maximum"
    return peak, _not_determined("along z", peak)


def _lateral(crop: _Crop, plane: int, y: int, x: int) -> tuple[Peak | None, str]:
    image = crop.zyx[plane]
    level, _ = crop.background(plane)
    width_px = _width_px(image - level, y, x)
    window = max(_LEAST_WINDOW_PX, int(np.ceil(_WINDOW_PER_WIDTH * width_px)))
    rows = np.arange(max(y - window, 0), min(y + window + 1, image.shape[0]))
    columns = np.arange(max(x - window, 0), min(x + window + 1, image.shape[1]))
    yy, xx = (grid.ravel() for grid in np.meshgrid(rows, columns, indexing="ij"))
    peak = fit_plane(yy.astype(float), xx.astype(float), image[yy, xx], (float(y), float(x), width_px))
    if peak is None or not (rows[0] <= peak.centre[0] <= rows[-1] and columns[0] <= peak.centre[1] <= columns[-1]):
        return None, "no peak could be fitted in the best plane"
    if min(peak.fwhm) < LEAST_SAMPLES_PER_FWHM:
        return peak, _too_coarse("y and x", min(peak.fwhm) * crop.pixel_size_um, crop.pixel_size_um)
    ends = ((0, image.shape[0] - 1), (0, image.shape[1] - 1))
    if any(c - w / 2 < low or c + w / 2 > high for c, w, (low, high) in zip(peak.centre, peak.fwhm, ends)):
        return peak, "the crop ends within half of the maximum"
    return peak, _not_determined("in the best plane", peak)


def _width_px(signal: np.ndarray, y: int, x: int) -> float:
    """Diameter of the circle of as many pixels as are connected above half of the maximum."""
    from scipy.ndimage import label

    regions, _ = label(signal >= signal[y - 1 : y + 2, x - 1 : x + 2].mean() / 2)
    inside = regions == regions[y, x] if regions[y, x] else regions > 0
    return max(2.0 * float(np.sqrt(inside.sum() / np.pi)), 1.5)


def _too_coarse(axes: str, fwhm_um: float, step_um: float) -> str:
    return (
        f"sampled too coarsely along {axes}: steps of {step_um:g} um for a width of {fwhm_um:.3g} um,"
        f" {LEAST_SAMPLES_PER_FWHM:g} to a width are needed"
    )


def _not_determined(where: str, peak: Peak) -> str:
    worst = max(error / width for error, width in zip(peak.fwhm_error, peak.fwhm))
    if worst <= _LARGEST_RELATIVE_ERROR:
        return ""
    return f"the width {where} is not determined: its error is {100 * worst:.0f} percent"


def _with_warnings(found: BeadWidths, peaks: list[Peak | None], bead_diameter_um: float) -> BeadWidths:
    warnings = ["flat_top"] if any(peak is not None and peak.flat_top for peak in peaks) else []
    widths = [width for width in (found.lateral_fwhm_um, found.axial_fwhm_um) if np.isfinite(width)]
    if widths and bead_diameter_um > min(widths) / 2:
        warnings.append("bead_not_small")
    return replace(found, warnings=tuple(warnings))
