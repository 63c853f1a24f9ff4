"""The report of a calibration: what was trained from which stacks, and how far its readings are off."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from parfocal.beads.calibrate.fit import (
    KEPT_BACK,
    LEFT_OUT,
    LIMITS,
    TRAINING,
    BeadCalibration,
    CalibrationSettings,
)
from parfocal.beads.calibrate.scores import LEAST_ANSWERED
from parfocal.report.sections import Section, write_markdown

if TYPE_CHECKING:
    import pandas as pd

REPORT = "report.md"
_FIGURES = ("read_distance.png", "number_of_beads.png")


def write_report(made: BeadCalibration, settings: CalibrationSettings) -> Path:
    """Write tables, pictures and `report.md` into the model's folder `calibration`, and the figures into its card."""
    folder = made.details
    for name, table in {**made.tables, "crops": _crop_table(made)}.items():
        table.to_csv(folder / f"{name}.csv", index=False)
    sections = [_about(made, settings)]
    if "readings" in made.tables:
        _draw(made, folder)
        sections += _score_sections(made, settings)
    path = folder / REPORT
    path.write_text(write_markdown("Calibration of a bead distance model", sections), encoding="utf-8")
    with (made.output / "card.md").open("a") as card:
        card.write("\n" + "\n".join(f"- {line}" for line in summary_lines(made)) + "\n")
    return path


def summary_lines(made: BeadCalibration) -> list[str]:
    """What came out, in a few lines."""
    counts = {role: made.roles.count(role) for role in (TRAINING, LIMITS, KEPT_BACK, LEFT_OUT)}
    low, high = made.range_um
    lines = [
        "stacks: " + ", ".join(f"{count} {role}" for role, count in counts.items() if count),
        f"{made.start}; {made.minutes:.1f} minutes; answers for {low:.0f} to {high:.0f} um",
    ]
    if "accuracy" not in made.tables:
        return [*lines, "no stack was kept back: the error is not known"]
    lines += [_line(row) for row in made.tables["accuracy"].to_dict("records")]
    return [*lines, _enough_text(made)]


def _line(row: dict[Any, Any]) -> str:
    answered = f"{row['model']}: {row['answered']:.0%} of {row['images']:.0f} images kept back answered"
    if not row["answered"]:
        unjudged = row["median_error_none_refused_um"]
        return answered + (f"; were nothing refused, median error {unjudged:.1f} um" if math.isfinite(unjudged) else "")
    return (
        f"{answered}, median error {row['median_error_um']:.2f} um, 95 % within {row['error_95_um']:.1f} um,"
        f" {row['within_10_um']:.1%} within 10 um; 95 % intervals hold {row['in_95_interval']:.0%}"
    )


def _enough_text(made: BeadCalibration) -> str:
    whole = made.tables["by_beads"]["beads"].iloc[-1].split()[-1]
    rule = "the fewest whose 95 % error is within 10 % of that with all"
    answered = float(made.tables["by_beads"]["answered"].iloc[-1])
    if answered < LEAST_ANSWERED:
        return (
            f"WARNING: the model answers only {answered:.0%} of the images kept back, so that its errors say little:"
            " take finer z steps, or more stacks; how many beads are enough is not known"
        )
    if made.beads_enough is None:
        return f"beads that are enough: all {whole} of an image are needed ({rule}); more may be better still"
    return f"beads that are enough: {made.beads_enough} of {whole} ({rule})"


def _about(made: BeadCalibration, settings: CalibrationSettings) -> Section:
    left_out = [sweep for sweep, role in zip(made.sweeps, made.roles) if role == LEFT_OUT]
    left = "".join(f"\n- {sweep.name}: {sweep.reason}" for sweep in left_out)
    text = (
        "\n".join(f"- {line}" for line in summary_lines(made))
        + "\n\nDistances are z less the reference focal plane (REFP) of the stack as measured, positive above it. Each"
        " such truth is itself uncertain by the interval of the REFP, whose half width the table gives. `background` is"
        " the median count about the beads, which tells exposures apart; where planes about the peak are saturated the"
        " REFP is that of the profile of all stacks, and the stack is kept back only where there is no other. "
        + _limits_text(made)
        + (f"\n\nLeft out:\n{left}" if left_out else "")
    )
    return Section("What was trained", text, (made.tables["stacks"].drop(columns="reason"),))


def _limits_text(made: BeadCalibration) -> str:
    if LIMITS in made.roles:
        return "The stack `limits` was not fitted to: it sets what the model refuses and how wide its intervals are."
    return (
        "Only one stack was trained from: limits and intervals are those of planes of the same stack, and too narrow"
        " for others. Give three stacks or more."
    )


def _score_sections(made: BeadCalibration, settings: CalibrationSettings) -> list[Section]:
    depth = settings.depth_of_field_um
    of_depth = (
        f"One depth of field is {depth:.1f} um."
        if math.isfinite(depth)
        else "The share within one depth of field is not known: give numerical aperture and wavelength."
    )
    accuracy = (
        "All beads of an image together, on whole stacks that took no part. Errors are of the images that were answered"
        f" (um), the last column is what the median would be were nothing refused. {of_depth}"
    )
    beads = f"Beads of an image drawn by chance. {_enough_text(made)[0].upper()}{_enough_text(made)[1:]}."
    tables = made.tables
    return [
        Section("Error on the stacks kept back", accuracy, (tables["accuracy"],), _FIGURES[:1]),
        Section("By stack", "The calibrated model, stack by stack.", (tables["by_stack"],)),
        Section("Number of beads", beads, (tables["by_beads"],), _FIGURES[1:]),
    ]


def _draw(made: BeadCalibration, folder: Path) -> None:
    from parfocal.report.beads_calibration import draw_bead_counts, draw_read_distances

    draw_read_distances(made.tables["readings"], made.range_um, folder / _FIGURES[0])
    draw_bead_counts(made.tables["by_beads"], made.beads_enough, folder / _FIGURES[1])


def _crop_table(made: BeadCalibration) -> pd.DataFrame:
    import pandas as pd

    table = pd.DataFrame([row for sweep in made.sweeps for row in sweep.rows], columns=_CROP_COLUMNS)
    return table.astype({"plane": "Int64"})


_CROP_COLUMNS = ["stack", "plane", "bead", "distance_um", "kept", "reason"]
