"""One look: an image, what the estimator says of it, and what of that can be used."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Optional

import numpy as np

from parfocal import status
from parfocal.focal_position.result import Candidate, FocalPosition
from parfocal.focus_control.filter import Measurement, measure
from parfocal.focus_control.metrics import relative_sharpness
from parfocal.focus_control.settings import HoldFocus

NAN = float("nan")


@dataclass(frozen=True)
class Look:
    """All that a decision rests on, as it is logged.

    Attributes
    ----------
    time_s, z_um : float
        When the image was taken, and where the focus device read.
    setpoint_um : float
        That was held.
    status : str
        Of the estimator; empty without an image.
    defocus_um, deviation_um, certainty : float
        Estimate, as in `FocalPosition`.
    candidates : tuple of Candidate
        Where there are two.
    sharpness : float
        Focus metric, free of exposure; NaN without one.
    mean, contrast, noise : float
        Mean and standard deviation of the pixels, and that of the noise (median difference of neighbours).
    height_px, width_px : int
        Size of the image; 0 without one.
    fault : str
        Why there is no image, no estimate or no position.
    """

    time_s: float
    z_um: float
    setpoint_um: float = 0.0
    status: str = ""
    defocus_um: float = NAN
    deviation_um: float = NAN
    certainty: float = NAN
    candidates: tuple[Candidate, ...] = ()
    sharpness: float = NAN
    mean: float = NAN
    contrast: float = NAN
    noise: float = NAN
    height_px: int = 0
    width_px: int = 0
    fault: str = ""

    @property
    def shape(self) -> tuple[int, int]:
        """Size of the image (y, x)."""
        return self.height_px, self.width_px


def describe(image_yx: np.ndarray, found: FocalPosition, metric: str) -> dict[str, Any]:
    """What of an image and its estimate goes into a look."""
    finite = bool(np.isfinite(image_yx).all())
    return {
        "status": found.status,
        "defocus_um": float(found.defocus_um),
        "deviation_um": float(found.deviation_um),
        "certainty": float(found.certainty),
        "candidates": tuple(found.candidates) if found.status in (status.SIGN_UNKNOWN, status.TWO_LAYERS) else (),
        "sharpness": relative_sharpness(image_yx, metric) if metric else NAN,
        "mean": float(image_yx.mean()) if finite else NAN,
        "contrast": float(image_yx.std()) if finite else NAN,
        "noise": _noise(image_yx) if finite else NAN,
        "height_px": int(image_yx.shape[0]),
        "width_px": int(image_yx.shape[1]),
    }


def _noise(image_yx: np.ndarray) -> float:
    """Standard deviation of the noise, from neighbours of the same row: structure hardly counts in their median."""
    rows = image_yx[:: max(1, image_yx.shape[0] // 256)].astype(float)
    return float(1.4826 * np.median(np.abs(np.diff(rows, axis=1)))) / math.sqrt(2.0) if rows.shape[1] > 1 else NAN


def measurements(
    look: Look, settings: HoldFocus, limits_um: tuple[float, float], expected_um: Optional[float]
) -> tuple[tuple[Measurement, ...], str]:
    """What a look says of the focal plane: one measurement, two where the sign is unknown, or none and why.

    Parameters
    ----------
    look : Look
    settings : HoldFocus
    limits_um : tuple of float
        A focal plane that cannot be reached within them is not believed.
    expected_um : float, optional
        Where the focal plane was held: the nearest layer is nearest to it, without it nearest to the setpoint.
    """
    chosen = _candidates(look, settings, expected_um)
    if not chosen:
        return (), f"no estimate: {look.status}"
    sure = [c for c in chosen if _is_usable(c)]
    if not sure:
        return (), "the estimate is not a number"
    if look.status == status.OK and sure[0].probability < settings.least_certainty:
        return (), f"certainty {sure[0].probability:.2f} is below {settings.least_certainty:g}"
    share = 1.0 if look.status != status.OK else sure[0].probability
    found = tuple(measure(look.z_um, c.defocus_um, c.deviation_um, share, settings) for c in sure)
    inside = tuple(m for m in found if _is_within(m.plane_um + look.setpoint_um, limits_um, settings.tolerance_um))
    if not inside:
        return (), f"the focal plane would lie at {found[0].plane_um:.2f} um, outside the limits"
    return inside, ""


def _candidates(look: Look, settings: HoldFocus, expected_um: Optional[float]) -> tuple[Candidate, ...]:
    if look.status == status.OK:
        return (Candidate(look.defocus_um, look.deviation_um, look.certainty),)
    if look.status == status.SIGN_UNKNOWN:
        return look.candidates[:2]
    if look.status != status.TWO_LAYERS or not look.candidates:
        return ()
    # The layer whose focal plane lies lower is the one that the image was taken farther above.
    if settings.layer == "lower":
        return (max(look.candidates[:2], key=lambda c: c.defocus_um),)
    if settings.layer == "upper":
        return (min(look.candidates[:2], key=lambda c: c.defocus_um),)
    wanted = look.setpoint_um if expected_um is None else look.z_um - expected_um
    return (min(look.candidates[:2], key=lambda c: abs(c.defocus_um - wanted)),)


def _is_usable(candidate: Candidate) -> bool:
    values = (candidate.defocus_um, candidate.deviation_um, candidate.probability)
    return all(map(math.isfinite, values)) and candidate.deviation_um >= 0


def _is_within(z_um: float, limits_um: tuple[float, float], tolerance_um: float) -> bool:
    return limits_um[0] - tolerance_um <= z_um <= limits_um[1] + tolerance_um
