"""The command `evaluate_bead_focal_plane`."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

from parfocal.beads.calibrate.study import calibration_study
from parfocal.beads.evaluation.distance import PLOTS, distance_sections, run_distance
from parfocal.beads.evaluation.distance_plots import draw_distance
from parfocal.beads.evaluation.real import repeatability, run_real
from parfocal.beads.evaluation.simulated import CASES, run_simulated, summarise
from parfocal.commands import Param, check_arguments, command
from parfocal.registry import shipped_file
from parfocal.report.sections import Section, print_sections, write_markdown

if TYPE_CHECKING:
    import pandas as pd


PARTS = ("all", "focal_plane", "distance", "calibration")


@dataclass(frozen=True)
class BeadEvaluation:
    """What an evaluation left.

    Attributes
    ----------
    output : Path
        Folder with the report, `report.md`, and every table as CSV.
    tables : dict
        The tables by name.
    """

    output: Path
    tables: dict[str, pd.DataFrame] = field(repr=False)


@command
def evaluate_bead_focal_plane(
    output: Annotated[str, Param(label="Folder for the report")],
    images: Annotated[Optional[str], Param(label="Folder of real bead stacks")] = None,
    stacks: Annotated[Optional[str], Param(label="List of the real stacks (JSON)")] = None,
    part: Annotated[str, Param(choices=PARTS, label="What to evaluate")] = "all",
    stacks_per_case: Annotated[int, Param("stacks", 1, 1000, label="Simulated stacks of each case")] = 6,
    fields: Annotated[int, Param("fields", 2, 10000, label="Simulated fields for the distance")] = 100,
    seed: Annotated[int, Param("", 0, None, label="Seed")] = 0,
) -> BeadEvaluation:
    """Evaluate the reference focal plane, and the distance networks, on simulated beads and on repeated real stacks.

    By default it takes about 40 minutes on one core: 10 for the reference focal plane, 8 for the distance, the rest for
    the calibration, which trains networks (TensorFlow is needed for that part).

    Parameters
    ----------
    output : str
        Folder to write; it must be empty or not exist yet.
    images : str, optional
        Folder in which real stacks lie; without it only simulated ones are measured.
    stacks : str, optional
        JSON that names the real stacks, in the form of `models/bead_stacks.json`, the default.
    part : str
        `focal_plane` (simulated and real stacks), `distance` (networks that read a single plane), `calibration` (what
        stacks of an instrument that was not trained for gain), or `all`.
    stacks_per_case : int
        Each with its own noise, bead places and position of the focal plane between two planes.
    fields : int
        Fields of 20 beads that each distance model reads; images and untrained optics get half as many.
    seed : int
        Of the simulations.

    Returns
    -------
    BeadEvaluation

    Raises
    ------
    FileExistsError
        Where the output folder holds something.
    FileNotFoundError
        Where none of the real stacks is found.
    """
    check_arguments(evaluate_bead_focal_plane, locals())
    folder = Path(output)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FileExistsError(f"{folder} is not empty: choose another output folder")
    tables: dict[str, pd.DataFrame] = {}
    sections: list[Section] = []
    if part in ("all", "focal_plane"):
        real = None if images is None else _real(images, stacks)
        tables.update(_simulated(stacks_per_case, seed))
        sections += _focal_plane_sections(tables, real)
    if part in ("all", "distance"):
        tables.update(run_distance(fields, seed))
        sections += distance_sections(tables)
    if part in ("all", "calibration"):
        tables["calibration"] = calibration_study()
        sections.append(Section("Calibration", _CALIBRATION, (tables["calibration"],)))
    _write(folder, tables, sections)
    return BeadEvaluation(folder, tables)


def _focal_plane_sections(tables: dict[str, pd.DataFrame], real: Optional[pd.DataFrame]) -> list[Section]:
    """Sections of simulated stacks and, where there are some, of real ones, whose tables are added."""
    sections = [Section("Simulated stacks", _SIMULATED, (tables["simulated"],))]
    if real is not None:
        tables.update({"real_stacks": real, "repeatability": repeatability(real)})
        sections.append(Section("Real stacks", _REAL, (tables["repeatability"],), wide_tables=(real,)))
    return sections


_SIMULATED = (
    "Bright-field stacks by Mie theory (docs/bead-simulation.md). Errors against the reference focal plane of the beads"
    " in the picture, in z steps; an interval is to cover the truth in 95 percent."
)
_REAL = (
    "Fluorescent beads. Repeated acquisitions of one field: by how much the reference focal plane differs, and so does"
    " the vertex of a parabola through the normalised variance of whole planes of the same stacks. Where both differ by"
    " the same, the stage did. Bright field is checked on simulated stacks only: no real one was at hand."
)

_CALIBRATION = (
    "Simulated instruments that `a2k_like` was not trained for: that model, then models that `calibrate_beads` made"
    " from 1 and 3 stacks of the instrument (41 planes over -200 to 200 um, 8 beads each), on 2 other stacks with all"
    " beads of an image. Errors against the measured and (`true_median_um`) the simulated reference focal plane."
)


def _real(images: str, stacks: Optional[str]) -> pd.DataFrame:
    listed = stacks or str(shipped_file("bead_stacks.json"))
    found = run_real(images, listed)
    if found.empty:
        raise FileNotFoundError(f"none of the stacks that {listed} names lies in {images}")
    return found


def _simulated(stacks_per_case: int, seed: int) -> dict[str, pd.DataFrame]:
    import pandas as pd
    from rich.progress import track

    total = len(CASES) * stacks_per_case
    rows = pd.DataFrame(track(run_simulated(stacks_per_case, seed), "simulated stacks", total=total))
    return {"simulated": summarise(rows), "simulated_stacks": rows}


def _write(folder: Path, tables: dict[str, pd.DataFrame], sections: list[Section]) -> None:
    from rich.console import Console

    folder.mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        table.to_csv(folder / f"{name}.csv", index=False)
    if any(name in tables for name in PLOTS):
        draw_distance(tables, folder)
    (folder / "report.md").write_text(write_markdown("Bead focal plane", sections), encoding="utf-8")
    print_sections(Console(), sections)
