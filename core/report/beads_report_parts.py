"""The tables and sentences of the report of bead stacks, as HTML."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from html import escape
from typing import Any

from parfocal.beads.batch.positions import SINGLE_PLANE
from parfocal.beads.batch.tables import JudgedStack, median_width
from parfocal.beads.batch.verdict import FAIL, PASS, Criterion
from parfocal.beads.result import distance_text
from parfocal.report.beads_style import WARNINGS

_Z_ORIGINS = {
    "stage": "as the stage or the table states them",
    "first_plane": "counted from the first plane",
    "single_plane": "counted from this plane",
}


def answer_text(stack: JudgedStack) -> str:
    """The sentence that matters: the reference focal plane, or why there is none."""
    result = stack.measured.result
    if not result.answered:
        return f'<p class="answer">No answer ({escape(result.status)}): {escape(result.reason)}</p>'
    low, high = result.interval_um
    if math.isfinite(result.distance_um):
        return (
            f'<p class="answer">The plane lies <b>{distance_text(result.distance_um)}</b> \u00b1'
            f" {number_text((high - low) / 2)} um ({100 * result.reference.level:g} % interval), from"
            f" {result.n_beads} beads</p>"
        )
    return (
        f'<p class="answer">REFP at z = <b>{number_text(result.reference_focal_plane_um)} um</b>'
        f" \u00b1 {number_text((high - low) / 2)} um ({100 * result.reference.level:g} % interval), from"
        f" {result.n_beads} beads</p>"
    )


def number_rows(stack: JudgedStack) -> list[tuple[str, str]]:
    """Names and values of what was found."""
    result = stack.measured.result
    if not (result.beads or result.refused):
        return []
    shape, reference = result.field_shape, result.reference
    refused = Counter(bead.reason for bead in result.refused)
    single = len(result.z_um) == 1
    rows = (
        [("REFP", f"z = {number_text(result.reference_focal_plane_um)} um")]
        if single
        else [
            ("REFP by slope", f"{number_text(reference.slope_z_um)} um"),
            ("REFP by centre intensity", f"{number_text(reference.centre_z_um)} um"),
        ]
    )
    rows += [
        ("beads used, found", f"{result.n_beads} of {len(result.beads)}"),
        ("candidates refused", ", ".join(f"{n} {name.replace('_', ' ')}" for name, n in refused.most_common()) or "0"),
        ("tilt", _with_error(shape.tilt_um_per_mm, shape.tilt_error_um_per_mm, "um per mm", shape.reason)),
        (
            "curvature",
            _with_error(
                shape.curvature_um_per_mm2,
                shape.curvature_error_um_per_mm2,
                "um per mm\u00b2",
                shape.curvature_reason or shape.reason,
            ),
        ),
        ("beads about the surface", f"{number_text(shape.residual_um)} um"),
    ]
    if stack.pooled is not None:
        pooled = stack.pooled
        rows.append(("pooled REFP", pooled.reason or f"{number_text(pooled.reference_focal_plane_um)} um"))
    return rows + _widths(stack)


def _widths(stack: JudgedStack) -> list[tuple[str, str]]:
    """Medians of the widths of fluorescent beads."""
    if stack.measured.result.contrast != "fluorescence":
        return []
    names = (("lateral FWHM", "lateral_fwhm_um"), ("axial FWHM", "axial_fwhm_um"))
    return [(f"{label}, median", f"{number_text(median_width(stack.measured, name))} um") for label, name in names]


def condition_text(stack: JudgedStack) -> str:
    """What the stack is and how it was taken."""
    measured, result = stack.measured, stack.measured.result
    left_out = sum(map(bool, measured.reasons))
    facts = [
        measured.path,
        result.contrast.replace("_", " "),
        f"beads of {_given(result.bead_diameter_um)}",
        f"pixel {_given(result.pixel_size_um)}",
        f"{len(measured.reasons)} plane{'s' if len(measured.reasons) != 1 else ''}"
        + (f", {left_out} left out" if left_out else ""),
    ]
    known = [z for z in measured.z_um if math.isfinite(z)]
    if known:
        ends = f"{number_text(min(known))} to {number_text(max(known))} um"
        facts.append(f"z {ends}, {_Z_ORIGINS[measured.z_origin]}")
    return f'<p class="conditions">{escape("; ".join(facts))}</p>'


def criteria_table(criteria: Sequence[Criterion]) -> str:
    """Table of the limits and how they were kept."""
    if not criteria:
        return "<p>No limit was set.</p>"
    rows = []
    for criterion in criteria:
        mark = {True: "pass", False: "fail", None: "not looked at"}[criterion.passed]
        value = criterion.reason or number_text(criterion.value)
        cells = (criterion.name, f"{criterion.limit:g}", value)
        kind = {True: PASS, False: FAIL, None: "none"}[criterion.passed]
        rows.append("<tr>" + "".join(f"<td>{escape(c)}</td>" for c in cells) + f'<td class="{kind}">{mark}</td></tr>')
    head = "<tr><th>limit</th><th></th><th>value</th><th></th></tr>"
    return f'<table class="list">{head}{"".join(rows)}</table>'


def target_table(stack: JudgedStack) -> str:
    """Table of the target planes; nothing without any."""
    if not stack.targets:
        return ""
    goal = "move z by" if stack.measured.z_origin == SINGLE_PLANE else "z ="
    places = [f": {goal} {number_text(z)} um" if math.isfinite(z) else "" for z in stack.target_z_um]
    rows = [(f"target {t.name}", f"REFP {t.offset_um:+g} um{place}") for t, place in zip(stack.targets, places)]
    return row_table(rows)


def remark_list(stack: JudgedStack) -> str:
    """Warnings in words and planes left out, as a list; nothing without any."""
    texts = [WARNINGS.get(warning, warning.replace("_", " ")) for warning in stack.measured.warnings]
    reasons = Counter(reason for reason in stack.measured.reasons if reason)
    texts += [f"{count} planes left out: {reason}" for reason, count in reasons.most_common(3)]
    if not texts:
        return ""
    return '<ul class="remarks">' + "".join(f"<li>{escape(text)}</li>" for text in texts) + "</ul>"


def row_table(rows: Sequence[tuple[str, str]]) -> str:
    """Table of names and values."""
    body = "".join(f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in rows)
    return f"<table>{body}</table>"


def _with_error(value: float, error: float, unit: str, reason: str) -> str:
    """A value with its error, to two digits of the error."""
    if math.isnan(value):
        return f"none: {reason}" if reason else "none"
    if not (math.isfinite(error) and error > 0):
        return f"{number_text(value)} {unit}"
    digits = max(0, 1 - math.floor(math.log10(error)))
    return f"{value:.{digits}f} \u00b1 {error:.{digits}f} {unit}"


def _given(length_um: float) -> str:
    """A length that was given, with all its digits."""
    return f"{length_um:g} um" if math.isfinite(length_um) else "unknown"


def number_text(value: Any) -> str:
    """A number with as many digits as it deserves; a dash for NaN."""
    number = float(value)
    if not math.isfinite(number):
        return "\u2013"
    if number == int(number):
        return f"{number:.0f}"
    return f"{number:.2f}" if abs(number) >= 10 else f"{number:.3g}"
