"""Rows of the log from looks and decisions, and back."""

from __future__ import annotations

import math
from typing import Any

from parfocal.focal_position.result import Candidate
from parfocal.focus_control.log import LOOK, Row
from parfocal.focus_control.look import Look
from parfocal.focus_control.memory import Memory
from parfocal.focus_control.states import Decision, Outcome


def row_of(look: Look, decision: Decision, memory: Memory) -> Row:
    """Row of a look and its decision; what became of it is added after the move."""
    track = memory.track
    plane = math.nan if track is None else track.plane_um
    return {
        "time_s": look.time_s,
        "kind": LOOK,
        "state": decision.state,
        "z_before_um": look.z_um,
        "setpoint_um": look.setpoint_um,
        "status": look.status,
        "defocus_um": look.defocus_um,
        "deviation_um": look.deviation_um,
        "certainty": look.certainty,
        "candidates": _text(look.candidates),
        "sharpness": look.sharpness,
        "mean": look.mean,
        "contrast": look.contrast,
        "noise": look.noise,
        "height_px": look.height_px,
        "width_px": look.width_px,
        "focal_plane_z_um": plane,
        "focal_plane_deviation_um": math.nan if track is None else track.deviation_um,
        "drift_um_h": math.nan if track is None else track.drift_um_h,
        "error_um": look.z_um - (plane + look.setpoint_um),
        "decision": decision.action,
        "target_um": decision.target_um,
        "reason": decision.reason,
        "fault": look.fault,
    }


def look_of(row: Row) -> Look:
    """The look of a row."""
    numbers = ("setpoint_um", "defocus_um", "deviation_um", "certainty", "sharpness", "mean", "contrast", "noise")
    return Look(
        row["time_s"],
        row["z_before_um"],
        status=row["status"],
        candidates=_candidates(row["candidates"]),
        height_px=int(row["height_px"]),
        width_px=int(row["width_px"]),
        # A fault of the move that followed was added behind that of the look, which had no image then.
        fault=row["fault"] if not row["status"] else "",
        **{name: row[name] for name in numbers},
    )


def outcome_of(row: Row) -> Outcome:
    """What became of the decision of a row."""
    return Outcome(row["z_after_um"], bool(row["reached"]), row["found_um"])


def _text(candidates: tuple[Candidate, ...]) -> str:
    """Candidates as text: distance, deviation, probability of each, with all their digits."""
    return ";".join(" ".join(map(repr, map(float, _values(c)))) for c in candidates)


def _values(candidate: Candidate) -> tuple[Any, ...]:
    return candidate.defocus_um, candidate.deviation_um, candidate.probability


def _candidates(text: str) -> tuple[Candidate, ...]:
    return tuple(Candidate(*map(float, part.split())) for part in text.split(";")) if text else ()
