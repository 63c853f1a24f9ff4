"""The printable report of bead stacks: one HTML file that holds its pictures."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Optional

from parfocal.beads.batch.tables import JudgedStack
from parfocal.beads.batch.verdict import FAIL, PASS
from parfocal.report.beads_report_parts import (
    answer_text,
    condition_text,
    criteria_table,
    number_rows,
    number_text,
    remark_list,
    row_table,
    target_table,
)
from parfocal.report.beads_style import STYLE, WARNINGS

_VERDICT_WORDS = {PASS: "Pass", FAIL: "Fail", "": "No verdict"}


@dataclass(frozen=True)
class ReportAbout:
    """What the report says beside the stacks.

    Attributes
    ----------
    instrument, date, version : str
        Of the instrument, the run, and Parfocal.
    """

    instrument: str
    date: str
    version: str


def write_report(
    path: str | Path,
    stacks: Sequence[JudgedStack],
    pictures: Sequence[Sequence[Path]],
    about: ReportAbout,
    drift: Optional[Path] = None,
) -> Path:
    """Write the report: a page for each stack, before them a list where there are several.

    Parameters
    ----------
    path : path
        HTML file to write.
    stacks : sequence of JudgedStack
    pictures : sequence of sequences of Path
        PNG files of each stack, in the order to show them: the last two side by side, the others over the whole width.
    about : ReportAbout
    drift : Path, optional
        Picture of the history.

    Returns
    -------
    Path
        The file written.
    """
    pages = [_page(stack, shown, about, drift if len(stacks) == 1 else None) for stack, shown in zip(stacks, pictures)]
    if len(stacks) > 1:
        pages.insert(0, _overview(stacks, about, drift))
    title = f"Bead focal plane {about.instrument} {about.date}"
    html = (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head>\n<body>{''.join(pages)}</body></html>\n"
    )
    path = Path(path)
    path.write_text(html, encoding="utf-8")
    return path


def _page(stack: JudgedStack, pictures: Sequence[Path], about: ReportAbout, drift: Optional[Path]) -> str:
    parts = [
        _head(f"Reference focal plane of {stack.measured.name}", about, stack.verdict.word),
        answer_text(stack),
        condition_text(stack),
        '<div class="columns">',
        f"<div>{row_table(number_rows(stack))}</div>",
        f"<div>{criteria_table(stack.verdict.criteria)}{target_table(stack)}</div>",
        "</div>",
        remark_list(stack),
        *map(_image, pictures[:-2]),
        '<div class="columns">',
        *(f"<div>{_image(picture)}</div>" for picture in pictures[-2:]),
        "</div>",
        _image(drift) if drift is not None else "",
        _foot(about),
    ]
    return f'<section class="page">{"".join(parts)}</section>\n'


def _overview(stacks: Sequence[JudgedStack], about: ReportAbout, drift: Optional[Path]) -> str:
    words = [stack.verdict.word for stack in stacks]
    whole = FAIL if FAIL in words else PASS if PASS in words else ""
    single = any(len(stack.measured.result.z_um) == 1 for stack in stacks)
    head = ["stack", "REFP, um", "interval, um", "beads", "tilt, um per mm", "verdict", "remark"]
    pooled = any(stack.pooled is not None for stack in stacks)
    if pooled:
        head[3:3] = ["pooled REFP, um", "above the reference stack, um"]
    rows = [_overview_row(stack, pooled) for stack in stacks]
    if single:
        head.insert(1, "plane above the REFP, um")
        for row, stack in zip(rows, stacks):
            row.insert(1, number_text(stack.measured.result.distance_um))
    cells = "".join(f"<th>{escape(name)}</th>" for name in head)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    table = f'<table class="list"><tr>{cells}</tr>{body}</table>'
    picture = _image(drift) if drift is not None else ""
    head_html = _head(f"Reference focal planes of {len(stacks)} stacks", about, whole)
    return f'<section class="page">{head_html}{table}{picture}{_foot(about)}</section>\n'


def _overview_row(stack: JudgedStack, pooled: bool) -> list[str]:
    result = stack.measured.result
    low, high = result.interval_um
    row = [stack.measured.name, number_text(result.reference_focal_plane_um), f"\u00b1 {number_text((high - low) / 2)}"]
    warnings = "; ".join(WARNINGS.get(name, name) for name in result.warnings)
    remark = warnings if result.answered else result.reason or result.status
    if pooled and stack.pooled is not None:
        shift = f"{number_text(stack.pooled.shift_um)} \u00b1 {number_text(stack.pooled.shift_error_um)}"
        row += [number_text(stack.pooled.reference_focal_plane_um), shift]
        remark = "; ".join(filter(None, (remark, stack.pooled.reason)))
    row += [
        str(result.n_beads),
        number_text(result.field_shape.tilt_um_per_mm),
        _VERDICT_WORDS[stack.verdict.word],
        remark,
    ]
    return row


def _head(title: str, about: ReportAbout, word: str) -> str:
    badge = f'<span class="badge {word or "none"}">{_VERDICT_WORDS[word]}</span>'
    who = " &middot; ".join(escape(text) for text in (about.instrument, about.date) if text)
    return f"<header>{badge}<h1>{escape(title)}</h1><p>{who}</p></header>"


def _foot(about: ReportAbout) -> str:
    return (
        f"<footer>Parfocal {escape(about.version)}. Distances are positive above the REFP, towards larger z.</footer>"
    )


def _image(picture: Path) -> str:
    data = base64.b64encode(picture.read_bytes()).decode()
    return f'<img alt="{escape(picture.stem)}" src="data:image/png;base64,{data}">'
