"""Finding beads of a known diameter in a plane or stack, in or out of focus, with a reason for each that is refused."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Union

import numpy as np

from parfocal.beads import refusal
from parfocal.beads.bead import Bead, BeadDetection, RefusedBead
from parfocal.beads.candidates import Candidate, find_candidates
from parfocal.beads.centre import refine_centre
from parfocal.beads.criteria import SMALLEST_CONTRAST, refusals
from parfocal.beads.evidence import EvidenceMap, evidence_map
from parfocal.beads.features import CONTRASTS
from parfocal.beads.plane_input import checked_planes

# Beads may show at these multiples of their diameter: as large as they are near focus, larger where no plane is.
APPARENT_SCALES = (1.0, 1.4, 2.0, 2.8)
# Below this multiple of the diameter it is dust and not listed.
SMALLEST_LISTED = 0.5
# A bead is at least so many pixels across.
SMALLEST_DIAMETER_PX = 3.0


def find_beads(
    image: Union[np.ndarray, Iterable[Any]],
    bead_diameter_um: float,
    pixel_size_um: float,
    contrast: str = "bright_field",
    smallest_contrast: float = SMALLEST_CONTRAST,
) -> BeadDetection:
    """Find beads of a diameter in a plane or stack.

    The light is flattened by a background much wider than a bead; of a stack the strongest difference over the planes
    counts, plane by plane. Blobs of the bead's size are outlined at half their height and must be round (circularity),
    stand out (contrast; both as in Chalfoun et al. 2024, doi:10.1038/s41598-024-57123-w), be radially symmetric, and
    lie free. Where no plane is near focus the beads are looked for at up to 2.8 times their diameter.

    Parameters
    ----------
    image : array_like or iterable
        Plane (y, x), stack (z, y, x), also a memory-mapped one, or an iterable of planes, which is read once.
    bead_diameter_um : float
        Diameter of the beads as they show in focus, um; at least 3 pixels.
    pixel_size_um : float
        Size of a pixel, um.
    contrast : str
        `bright_field` or `fluorescence`.
    smallest_contrast : float
        Bright field: share of the background, 0 to 1, by which a bead must stand out near focus; less in proportion to
        its apparent size where no plane is near focus. Lower it for beads that hardly refract: cells then pass more
        easily.

    Raises
    ------
    ValueError
        Where an argument is out of range or the planes differ in shape.
    """
    diameter_px = _checked_diameter(bead_diameter_um, pixel_size_um, contrast)
    if not 0 <= smallest_contrast < 1:
        raise ValueError(f"smallest_contrast must be in [0, 1), got {smallest_contrast!r}")
    planes, only = _planes(image)
    evidence = evidence_map(checked_planes(planes), diameter_px, contrast)
    if evidence is None:
        return BeadDetection((), (), text="no plane holds finite pixels and light")
    if min(evidence.shape_yx) < diameter_px:
        height, width = evidence.shape_yx
        text = f"the image, {width} x {height} px, is smaller than a bead of {diameter_px:.3g} px"
        return BeadDetection((), (), text=text)
    candidates, reasons, scale = _best_scale(evidence, diameter_px, contrast, smallest_contrast)
    return _detection(evidence, candidates, reasons, scale, (bead_diameter_um, pixel_size_um), only)


def _checked_diameter(bead_diameter_um: float, pixel_size_um: float, contrast: str) -> float:
    for name, value in (("bead_diameter_um", bead_diameter_um), ("pixel_size_um", pixel_size_um)):
        if not 0 < value < float("inf"):
            raise ValueError(f"{name} must be above 0 um, got {value!r}")
    if contrast not in CONTRASTS:
        raise ValueError(f"contrast must be one of {', '.join(CONTRASTS)}, got {contrast!r}")
    diameter_px = bead_diameter_um / pixel_size_um
    if diameter_px < SMALLEST_DIAMETER_PX:
        raise ValueError(
            f"bead_diameter_um must be at least {SMALLEST_DIAMETER_PX:g} pixels of {pixel_size_um:g} um, "
            f"got {bead_diameter_um!r}"
        )
    return diameter_px


def _planes(image: Any) -> tuple[Iterable[Any], Any]:
    """Planes of an image, and the plane itself where there is but one."""
    ndim = getattr(image, "ndim", None)
    if ndim == 2:
        return [image], image
    if ndim not in (None, 3):
        raise ValueError(f"image must be (y, x) or (z, y, x), got shape {image.shape}")
    return image, image[0] if ndim == 3 and len(image) == 1 else None


def _best_scale(
    evidence: EvidenceMap, diameter_px: float, contrast: str, smallest_contrast: float
) -> tuple[list[Candidate], list[tuple[str, str]], float]:
    """Candidates with their reasons at the apparent size that accepts most, the smallest among equals."""
    best: tuple[list[Candidate], list[tuple[str, str]], float] = ([], [], 1.0)
    most = -1
    for scale in APPARENT_SCALES:
        diameter_map = scale * diameter_px / evidence.factor
        candidates = find_candidates(evidence, diameter_map)
        candidates = [c for c in candidates if c.diameter >= SMALLEST_LISTED]
        # Out of focus the same light is missing from a larger disc.
        smallest = smallest_contrast / scale if contrast == "bright_field" else 0.0
        reasons = refusals(evidence, candidates, diameter_map, contrast, smallest)
        accepted = sum(reason == refusal.USED for reason, _ in reasons)
        if accepted > most:
            best, most = (candidates, reasons, scale), accepted
    return best


def _detection(
    evidence: EvidenceMap,
    candidates: list[Candidate],
    reasons: list[tuple[str, str]],
    scale: float,
    sizes_um: tuple[float, float],
    only: Any,
) -> BeadDetection:
    diameter_um, pixel_size_um = sizes_um
    beads, refused = [], []
    for candidate, (reason, text) in zip(candidates, reasons):
        y, x = (float(c) for c in evidence.to_image(np.array([candidate.y, candidate.x])))
        if reason != refusal.USED:
            refused.append(RefusedBead(y, x, reason, text))
            continue
        if only is not None:
            y, x = refine_centre(np.asarray(only), y, x, pixel_size_um, scale * diameter_um)
        beads.append(Bead(y, x, diameter_um, candidate.symmetry, candidate.signal))
    text = "" if beads else "nothing stands out" if not refused else "every candidate was refused"
    return BeadDetection(
        beads=tuple(sorted(beads, key=lambda b: (b.y_px, b.x_px))),
        refused=tuple(sorted(refused, key=lambda r: (r.y_px, r.x_px))),
        apparent_diameter_um=scale * diameter_um if beads else float("nan"),
        text=text,
    )
