"""The fixed list of reasons why a bead, or a plane of a bead, is not measured."""

from __future__ import annotations

USED = ""
NOT_FINITE = "not_finite"
BORDER = "border"
OVERLAPPING = "overlapping"
TOO_SMALL = "too_small"
TOO_LARGE = "too_large"
LOW_CONTRAST = "low_contrast"
NOT_ROUND = "not_round"
NOT_SYMMETRIC = "not_symmetric"
MOVED = "moved"
SATURATED = "saturated"
NO_BACKGROUND = "no_background"
NOT_MEASURED = "not_measured"

MEANINGS = {
    USED: "measured",
    NOT_FINITE: "too many of its pixels are NaN or infinite",
    BORDER: "too close to the border of the image for a radial profile",
    OVERLAPPING: "touches a neighbour, or is too close to one for a radial profile",
    TOO_SMALL: "smaller than a bead of this diameter",
    TOO_LARGE: "larger than a bead of this diameter",
    LOW_CONTRAST: "hardly differs from its surroundings, or much less than the other beads",
    NOT_ROUND: "its outline is no circle",
    NOT_SYMMETRIC: "its intensity does not depend on the distance from a centre alone",
    MOVED: "moves from plane to plane otherwise than the other beads",
    SATURATED: "pixels of the bead are at the camera's limit in this plane",
    NO_BACKGROUND: "no usable background around the bead in this plane",
    NOT_MEASURED: "no plane could be measured",
}
