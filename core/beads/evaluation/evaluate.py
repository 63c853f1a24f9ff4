"""The command `evaluate_bead_focal_plane`."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

from parfocal.beads.evaluation.real import repeatability, run_real
from parfocal.beads.evaluation.simulated import CASES, run_simulated, summarise
from parfocal.commands import Param, check_arguments, command
from parfocal.registry import shipped_file
from parfocal.report.sections import Section, print_sections, write_markdown

if TYPE_CHECKING:
    import pandas as pd


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
    stacks_per_case: Annotated[int, Param("stacks", 1, 1000, label="Simulated stacks of each case")] = 6,
    seed: Annotated[int, Param("", 0, None, label="Seed")] = 0,
) -> BeadEvaluation:
    """Evaluate the reference focal plane on simulated stacks of known truth and on repeated real ones.

    With the default number of stacks a run takes about ten minutes on one core.

    Parameters
    ----------
    output : str
        Folder to write; it must be empty or not exist yet.
    images : str, optional
        Folder in which real stacks lie; without it only simulated ones are measured.
    stacks : str, optional
        JSON that names the real stacks, in the form of `models/bead_stacks.json`, the default.
    stacks_per_case : int
        Each with its own noise, bead places and position of the focal plane between two planes.
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
    real = None if images is None else _real(images, stacks)
    tables = _simulated(stacks_per_case, seed)
    sections = [Section("Simulated stacks", _SIMULATED, (tables["simulated"],))]
    if real is not None:
        tables.update({"real_stacks": real, "repeatability": repeatability(real)})
        sections.append(Section("Real stacks", _REAL, (tables["repeatability"],), wide_tables=(real,)))
    _write(folder, tables, sections)
    return BeadEvaluation(folder, tables)


_SIMULATED = (
    "Bright-field stacks by Mie theory (docs/bead-simulation.md). Errors against the reference focal plane of the beads"
    " in the picture, in z steps; an interval is to cover the truth in 95 percent."
)
_REAL = (
    "Fluorescent beads. Repeated acquisitions of one field: by how much the reference focal plane differs, and so does"
    " the vertex of a parabola through the normalised variance of whole planes of the same stacks. Where both differ by"
    " the same, the stage did. Bright field is checked on simulated stacks only: no real one was at hand."
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
    (folder / "report.md").write_text(write_markdown("Bead focal plane", sections), encoding="utf-8")
    print_sections(Console(), sections)
