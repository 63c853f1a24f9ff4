"""The command `evaluate_focal_position`."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

from parfocal.commands import Param, check_arguments, command
from parfocal.focal_position.evaluation.plan import Found, Plan
from parfocal.focal_position.network import ARCHITECTURES
from parfocal.report.sections import Section, print_sections, write_markdown

if TYPE_CHECKING:
    import pandas as pd

# Each is a module of this package, with a function `sections` of the plan.
STUDIES = ("downsampling", "bin_width", "learning_curve")
PARTS = ("simulated", "real", "few_images", *STUDIES)


@dataclass(frozen=True)
class FocalPositionEvaluation:
    """What an evaluation left.

    Attributes
    ----------
    output : Path
        Folder with `report.md`, the answers for single images as `rows.csv`, pictures, and calibrated models.
    sections : tuple of Section
        What the report says.
    rows : pandas.DataFrame
        One row for each image, or each training of a study.
    """

    output: Path
    sections: tuple[Section, ...]
    rows: pd.DataFrame = field(repr=False)


@command
def evaluate_focal_position(
    output: Annotated[str, Param(label="Folder for the report")],
    part: Annotated[str, Param(choices=PARTS, label="Part")] = "simulated",
    images: Annotated[Optional[str], Param(label="Folder of real stacks")] = None,
    listed: Annotated[Optional[str], Param(label="Real stacks with a second field (JSON)")] = None,
    model: Annotated[str, Param(label="Model")] = "default",
    stacks: Annotated[int, Param("stacks", 2, 10000, label="Simulated stacks")] = 20,
    steps: Annotated[int, Param("batches", 1, None, label="Steps of each training")] = 400,
    seed: Annotated[int, Param("", 0, None, label="Seed")] = 0,
    network: Annotated[str, Param(choices=ARCHITECTURES, label="Network of the studies")] = "default",
) -> FocalPositionEvaluation:
    """Measure how well focal positions are estimated: errors in um and depths of field, signs, certainty, and sweeps.

    Parameters
    ----------
    output : path
        Folder to write; it must be empty or not exist yet.
    part : str
        `simulated` (stacks of other seeds than those of the training, psfmodels needed), `real` (the model is
        calibrated on one field of each sample and judged on another), `few_images` (autofocus by an estimate and the
        sharpness of the images after it, 10x, NA 0.3), or a study of Wei and Roberts (2018) at a small budget on
        simulated stacks: `downsampling` (and batch size), `bin_width`, `learning_curve`.
    images : path, optional
        Folder of the real stacks, for `real`.
    listed : path, optional
        JSON with the real stacks, in the form of `models/focal_position_stacks.json`, the default.
    model : str
        Model, by name or folder; for `real` also `new`.
    stacks : int
        Simulated stacks of each group, or to train on in a study.
    steps : int
        Batches of each training: of the calibration for `real`, of each network in a study.
    seed : int
        Of samples, noise and weights.
    network : str
        That is trained in a study: `default`, or `wei2018`, which needs some 10,000 steps before it tells anything.

    Returns
    -------
    FocalPositionEvaluation

    Raises
    ------
    FileExistsError
        The output folder holds something.
    FileNotFoundError
        A real stack is missing.
    ImportError
        Simulated stacks without psfmodels.
    ValueError
        An argument is wrong.
    """
    check_arguments(evaluate_focal_position, locals())
    folder = Path(output)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FileExistsError(f"{folder} is not empty: choose another output folder")
    found = _sections(Plan(folder, images, listed, model, stacks, steps, seed, network), part)
    return _write(folder, part, found)


def _sections(plan: Plan, part: str) -> Found:
    module: Any = import_module(f"parfocal.focal_position.evaluation.{part}")
    return module.sections(plan)  # type: ignore[no-any-return]


def _write(folder: Path, part: str, found: Found) -> FocalPositionEvaluation:
    from rich.console import Console

    folder.mkdir(parents=True, exist_ok=True)
    found.rows.to_csv(folder / "rows.csv", index=False)
    title = f"Focal position: {part.replace('_', ' ')}"
    (folder / "report.md").write_text(write_markdown(title, found.sections), encoding="utf-8")
    print_sections(Console(), found.sections)
    return FocalPositionEvaluation(folder, found.sections, found.rows)
