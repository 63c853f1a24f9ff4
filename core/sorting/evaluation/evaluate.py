"""The command `evaluate_sorting`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Callable, Optional

from parfocal.commands import Param, check_arguments, command
from parfocal.report.sections import Section, print_sections, write_markdown
from parfocal.sorting.recipe import CONFIGS
from parfocal.training.images import accept_images, find_training_images

PARTS = ("cross_validation", "held_out", "transfer", "resolution", "training_size")


@dataclass(frozen=True)
class SortingEvaluation:
    """What an evaluation left.

    Attributes
    ----------
    output : Path
        Folder with `report.md`, its figures, and the scores of single images as CSV.
    sections : tuple of Section
        What the report says.
    """

    output: Path
    sections: tuple[Section, ...]


@dataclass(frozen=True)
class Plan:
    """What every part needs: images, settings and the folder of the report."""

    images: dict[str, list[Any]]
    output: Path
    networks: tuple[str, ...]
    model: str
    exposures: int
    epochs: Optional[float]
    folds: int
    seed: int
    judged_folds: Optional[int] = None


@command
def evaluate_sorting(
    images: Annotated[str, Param(label="Folder of in-focus images")],
    output: Annotated[str, Param(label="Folder for the report")],
    sources: Annotated[Optional[str], Param(label="Sources of the images (JSON)")] = None,
    part: Annotated[str, Param(choices=PARTS, label="Part")] = "cross_validation",
    networks: Annotated[str, Param(label="Networks to cross-validate, separated by commas")] = "default",
    model: Annotated[str, Param(label="Model")] = "default",
    exposures: Annotated[int, Param("exposures", 1, 100, label="Synthetic exposures of each class and image")] = 2,
    epochs: Annotated[Optional[float], Param("passes", 0.0, None, label="Passes of each training")] = None,
    folds: Annotated[int, Param("folds", 2, 20, label="Folds")] = 5,
    judged_folds: Annotated[Optional[int], Param("folds", 2, 20, label="Judge the first so many folds alone")] = None,
    seed: Annotated[int, Param("", 0, None, label="Seed")] = 5,
    resume: Annotated[bool, Param(label="Take what an earlier run has left")] = False,
) -> SortingEvaluation:
    """Evaluate sorters of sharp and defocused images on synthetic exposures of real in-focus images.

    Sharp are levels 0 to 0.5, defocused 3 to 10, each exposed with a random camera (40 to 4000 photoelectrons in bright
    structures, an uneven background on three in ten).

    Parameters
    ----------
    images : path
        Folder of in-focus images, searched recursively.
    output : path
        Folder to write; it must be empty or not exist yet, unless `resume` is set.
    sources : path, optional
        JSON that groups the images into sources and says which took part in training, in the form of
        `models/training_sources.json`.
    part : str
        `cross_validation` (networks and classical metrics over folds, split by field within the sources), `held_out`
        (a model on sources that took no part in its training), `transfer` (the same after training on a few images of
        each source), `resolution` (the paper's crop against resize) or `training_size`.
    networks : str
        Networks that are trained, separated by commas: `default`, `xue2021`, `resnet50v2`, `ensemble`.
    model : str
        Sorting model, by name or folder, for `held_out` and `transfer`.
    exposures : int
        Sharp and defocused exposures of each image.
    epochs : float, optional
        Passes of each training, the same for all networks; by default the config's, and 3 for `resolution` and
        `training_size`.
    folds : int
        Folds of the cross-validation.
    judged_folds : int, optional
        Train for and judge the first so many of the folds alone, to spare time; all figures of the table, those of the
        metrics too, are of these.
    seed : int
        Of the exposures.
    resume : bool
        Take the scores of networks that an earlier run in `output` has left.

    Returns
    -------
    SortingEvaluation

    Raises
    ------
    FileExistsError
        The output folder holds something and `resume` is not set.
    FileNotFoundError
        There is no image.
    ValueError
        An argument is wrong.
    """
    check_arguments(evaluate_sorting, locals())
    names = tuple(name.strip() for name in networks.split(",") if name.strip())
    if judged_folds is not None and judged_folds > folds:
        raise ValueError(f"judged_folds must be at most folds={folds}, got {judged_folds}")
    for name in names:
        if name not in CONFIGS:
            raise ValueError(f"networks must be among {', '.join(CONFIGS)}, got {name!r}")
    folder = Path(output)
    if not resume and folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FileExistsError(f"{folder} is not empty: choose another output folder, or resume")
    found = find_training_images(images, sources)
    folder.mkdir(parents=True, exist_ok=True)
    sides = {"trained": [i for i in found if i.train], "left_out": [i for i in found if not i.train]}
    accepted = {**accept_images({"trained": sides["trained"]}, folder / "refused.csv"), "left_out": sides["left_out"]}
    sections = tuple(_part(part)(Plan(accepted, folder, names, model, exposures, epochs, folds, seed, judged_folds)))
    (folder / "report.md").write_text(write_markdown("Sorting", sections))
    from rich.console import Console

    print_sections(Console(), sections)
    return SortingEvaluation(folder, sections)


def _part(name: str) -> Callable[[Plan], list[Section]]:
    if name == "cross_validation":
        from parfocal.sorting.evaluation.folds import cross_validation_sections

        return cross_validation_sections
    if name == "held_out":
        from parfocal.sorting.evaluation.left_out import held_out_sections

        return held_out_sections
    if name == "transfer":
        from parfocal.sorting.evaluation.transfer import transfer_sections

        return transfer_sections
    from parfocal.sorting.evaluation import studies

    return studies.resolution_sections if name == "resolution" else studies.size_sections
