"""What makes a candidate a bead, and the reason with its figures where it is none."""

from __future__ import annotations

from typing import Optional

import numpy as np

from parfocal.beads import refusal
from parfocal.beads.candidates import Candidate
from parfocal.beads.evidence import EvidenceMap

# Diameter of the circle of equal area, relative to the one looked for.
SMALLEST_DIAMETER = 0.72
LARGEST_DIAMETER = 1.4
# Chalfoun et al. 2024: 4 pi area / perimeter^2.
SMALLEST_CIRCULARITY = 0.9
# Share of the background by which a bead stands out near focus in bright field. The same paper wants a standard
# deviation of 0.1 of the mean in a bead's sub-image: a disc that fills a quarter of it has that with 0.23.
SMALLEST_CONTRAST = 0.25
# Beads are alike in bright field; what is fainter than this share of the typical bead is none. In fluorescence they
# differ more.
SMALLEST_SHARE_OF_TYPICAL = {"bright_field": 0.4, "fluorescence": 0.05}
# Beads of one kind show at one size; far out of focus two that touch are one larger blob.
LARGEST_DIAMETER_RATIO = 1.15
FEWEST_TO_COMPARE = 4
# Signal in terms of the noise of the map.
SMALLEST_SIGNAL_NOISE = 4.0
SMALLEST_SYMMETRY = 0.8
# Centres of things this close, in diameters, leave no room for a radial profile.
SMALLEST_SPACING = 1.5
# A neighbour counts when it is at least this large and this strong beside the bead.
NEIGHBOUR_DIAMETER = 0.6
NEIGHBOUR_SIGNAL = 0.3
# Free pixels around the edge of a bead at the border, in diameters.
BORDER_MARGIN = 0.15


def refusals(
    evidence: EvidenceMap,
    candidates: list[Candidate],
    diameter_map: float,
    contrast: str,
    smallest_contrast: float,
) -> list[tuple[str, str]]:
    """Reason and sentence for each candidate, empty for a bead.

    Parameters
    ----------
    evidence : EvidenceMap
        Where the candidates were found.
    candidates : list of Candidate
        All of them: they are compared with each other.
    diameter_map : float
        Diameter that was looked for, px of the map.
    contrast : str
        `bright_field` or `fluorescence`.
    smallest_contrast : float
        Signal that a bead must have, in the unit of the map.
    """
    smallest = max(smallest_contrast, SMALLEST_SIGNAL_NOISE * evidence.noise)
    near = _nearest(candidates, diameter_map)
    reasons = [
        _faint(c, smallest) or _border(evidence, c, diameter_map) or _overlap(c, distance) or _looks(c)
        for c, distance in zip(candidates, near)
    ]
    accepted = [c for c, (reason, _) in zip(candidates, reasons) if reason == refusal.USED]
    for index in [i for i, (reason, _) in enumerate(reasons) if reason == refusal.USED]:
        reasons[index] = _unlike(candidates[index], accepted, contrast)
    return reasons


def _unlike(candidate: Candidate, accepted: list[Candidate], contrast: str) -> tuple[str, str]:
    """Compare a candidate with all that were accepted so far, itself among them."""
    # The upper quartile is typical: cells and dust that passed so far are fainter than beads.
    share = candidate.signal / float(np.percentile([c.signal for c in accepted], 75))
    if share < SMALLEST_SHARE_OF_TYPICAL[contrast]:
        return refusal.LOW_CONTRAST, f"{share:.2f} of the contrast of the typical bead"
    ratio = candidate.diameter / float(np.median([c.diameter for c in accepted]))
    if len(accepted) >= FEWEST_TO_COMPARE and ratio > LARGEST_DIAMETER_RATIO:
        return refusal.TOO_LARGE, f"{ratio:.2f} of the diameter of the typical bead, at most {LARGEST_DIAMETER_RATIO:g}"
    return refusal.USED, ""


def _nearest(candidates: list[Candidate], diameter_map: float) -> list[float]:
    """Distance, in diameters, of each candidate to the nearest other that could disturb it."""
    places = np.array([(c.y, c.x) for c in candidates]).reshape(-1, 2)
    signals = np.array([c.signal if c.diameter >= NEIGHBOUR_DIAMETER else 0.0 for c in candidates])
    nearest = []
    for index, candidate in enumerate(candidates):
        distance = np.hypot(*(places - places[index]).T) / diameter_map
        others = (signals >= NEIGHBOUR_SIGNAL * candidate.signal) & (np.arange(len(candidates)) != index)
        nearest.append(float(distance[others].min(initial=np.inf)))
    return nearest


def _border(evidence: EvidenceMap, candidate: Candidate, diameter_map: float) -> Optional[tuple[str, str]]:
    margin = (0.5 + BORDER_MARGIN) * diameter_map
    ends = [length / evidence.factor for length in evidence.shape_yx]
    distance = min(min(c + 0.5, end - 0.5 - c) for c, end in zip((candidate.y, candidate.x), ends))
    if distance < margin:
        return refusal.BORDER, f"{max(distance, 0) * evidence.factor:.1f} px from the border"
    if evidence.not_finite_yx is not None:
        rows, columns = (slice(max(int(c - margin), 0), int(c + margin) + 2) for c in (candidate.y, candidate.x))
        share = float(evidence.not_finite_yx[rows, columns].mean())
        if share > 0:
            return refusal.NOT_FINITE, f"{100 * share:.0f} percent of its surroundings are NaN or infinite"
    return None


def _overlap(candidate: Candidate, nearest: float) -> Optional[tuple[str, str]]:
    if candidate.n_lobes > 1 and candidate.circularity < SMALLEST_CIRCULARITY:
        return refusal.OVERLAPPING, f"{candidate.n_lobes} round things touch"
    if nearest < SMALLEST_SPACING:
        return refusal.OVERLAPPING, f"a neighbour {nearest:.2f} diameters away, needs {SMALLEST_SPACING:g}"
    return None


def _faint(candidate: Candidate, smallest_contrast: float) -> Optional[tuple[str, str]]:
    if candidate.signal < smallest_contrast:
        return refusal.LOW_CONTRAST, f"signal {candidate.signal:.3g}, needs {smallest_contrast:.3g}"
    return None


def _looks(candidate: Candidate) -> tuple[str, str]:
    c = candidate
    if c.diameter < SMALLEST_DIAMETER:
        return refusal.TOO_SMALL, f"{c.diameter:.2f} of the diameter, needs {SMALLEST_DIAMETER:g}"
    if c.diameter > LARGEST_DIAMETER:
        return refusal.TOO_LARGE, f"{c.diameter:.2f} of the diameter, at most {LARGEST_DIAMETER:g}"
    if c.circularity < SMALLEST_CIRCULARITY:
        return refusal.NOT_ROUND, f"circularity {c.circularity:.2f}, needs {SMALLEST_CIRCULARITY:g}"
    if c.symmetry < SMALLEST_SYMMETRY:
        return refusal.NOT_SYMMETRIC, f"symmetry {c.symmetry:.2f}, needs {SMALLEST_SYMMETRY:g}"
    return refusal.USED, ""
