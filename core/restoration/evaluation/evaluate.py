"""The command `evaluate_restoration`."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Callable, Optional

from parfocal.commands import Param, check_arguments, command
from parfocal.report.sections import Section, print_sections, write_markdown
from parfocal.restoration.evaluation.plan import Found, Plan
from parfocal.restoration.network import ARCHITECTURES

if TYPE_CHECKING:
    import pandas as pd

# Each is a module of this package, with a function `sections` of the plan.
STUDIES = ("losses", "networks", "directions", "magnification", "training_size")
PARTS = ("synthetic", "real", "honesty", "nuclei", "calibration", "mosaic", *STUDIES)
LEVELS = "2,3,4,5,6,7,8,9,10"


@dataclass(frozen=True)
class RestorationEvaluation:
    """What an evaluation left.

    Attributes
    ----------
    output : Path
        Folder with `report.md`, the scores of single images as `scores.csv`, and pictures.
    sections : tuple of Section
        What the report says.
    scores : pandas.DataFrame
        One row for each image, level and method.
    """

    output: Path
    sections: tuple[Section, ...]
    scores: pd.DataFrame = field(repr=False)


@command
def evaluate_restoration(
    images: Annotated[str, Param(label="Folder of in-focus images")],
    output: Annotated[str, Param(label="Folder for the report")],
    part: Annotated[str, Param(choices=PARTS, label="Part")] = "synthetic",
    sources: Annotated[Optional[str], Param(label="Sources of the images (JSON)")] = None,
    model: Annotated[str, Param(label="Model")] = "default",
    further_models: Annotated[str, Param(label="Further models, separated by commas")] = "",
    levels: Annotated[str, Param(label="Defocus levels, separated by commas")] = LEVELS,
    images_per_source: Annotated[int, Param("images", 1, 1000, label="Images of each source and stain")] = 3,
    crop_px: Annotated[int, Param("px", 96, 4096, label="Width of the crops")] = 288,
    photons: Annotated[float, Param("electrons", 10.0, 1e6, label="Photoelectrons of bright structures")] = 1000.0,
    sorter: Annotated[str, Param(label="Sorting model")] = "default",
    stacks: Annotated[Optional[str], Param(label="Focal planes of the z-stacks (JSON)")] = None,
    transfer: Annotated[bool, Param(label="Train on half of the pairs that are out of the domain")] = False,
    network: Annotated[str, Param(choices=ARCHITECTURES, label="Network of the studies")] = "xue2021",
    first_filters: Annotated[int, Param("", 2, 128, label="Its filters at the finest scale")] = 8,
    steps: Annotated[int, Param("batches", 1, None, label="Steps of each training")] = 300,
    seed: Annotated[int, Param("", 0, None, label="Seed")] = 0,
    resume: Annotated[bool, Param(label="Take the networks that an earlier run has trained")] = False,
) -> RestorationEvaluation:
    """Compare restoring networks with classical deconvolution, on pairs in and out of focus, and in what comes after.

    In-focus images that took no part in training are blurred to each level and exposed; every method's result is
    scored by SSIM and PSNR at one data range after the best affine of its intensities. `synthetic` takes about 3
    seconds for each image and level.

    Parameters
    ----------
    images : path
        Folder of in-focus images and, for `real`, z-stacks, searched recursively.
    output : path
        Folder to write; it must be empty or not exist yet, unless `resume` is set.
    part : str
        `synthetic` (SSIM and PSNR by level, all methods), `real` (planes of z-stacks against their sharpest one),
        `honesty` (does a sorter still tell restored images from sharp ones), `nuclei` (counted and outlined by
        CellProfiler, which must be installed), `calibration` (of the uncertainty image), `mosaic` (stitched fields
        restored whole and one by one), or a study for which small networks are trained: `losses`, `networks` (the
        architectures beside `model`), `directions` (one network for both sides of focus or one for each),
        `magnification`, `training_size`.
    sources : path, optional
        JSON that groups the images into sources and says which took part in training, in the form of
        `models/training_sources.json`.
    model : str
        Restoration model, by name or folder.
    further_models : str
        More model folders to compare, separated by commas.
    levels : str
        Levels to which images are blurred, separated by commas.
    images_per_source : int
        Images of each source and stain, at most.
    crop_px : int
        Images are cut to their middle of this width; twice as wide for `real`, `nuclei` and `mosaic`.
    photons : float
        Photoelectrons of bright structures; the background has a tenth of them.
    sorter : str
        Sorting model, by name or folder, for `honesty`.
    stacks : path, optional
        JSON with the focal planes of the z-stacks, in the form of `models/evaluation_stacks.json`, the default.
    transfer : bool
        For `real`: also train the model on, on one half of the pairs out of its domain, and test it on the other half.
    network : str
        Architecture that the studies train; `networks` trains all.
    first_filters : int
        Width of `xue2021` and `unet` in the studies; 64 in the paper.
    steps : int
        Batches of each training, in the studies and for `transfer`: few, to be afforded on a CPU.
    seed : int
        Of noise, weights and crops.
    resume : bool
        Take the networks that an earlier run of the same options has left in `output`.

    Returns
    -------
    RestorationEvaluation

    Raises
    ------
    FileExistsError
        The output folder holds something and `resume` is not set.
    FileNotFoundError
        No image is held out.
    ImportError
        `nuclei` without CellProfiler.
    ValueError
        An argument is wrong.
    """
    check_arguments(evaluate_restoration, locals())
    folder = Path(output)
    if not resume and folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FileExistsError(f"{folder} is not empty: choose another output folder, or resume")
    names = (model, *(name.strip() for name in further_models.split(",") if name.strip()))
    plan = Plan(
        images=images,
        output=folder,
        sources=sources,
        models=names,
        levels=_levels(levels),
        images_per_source=images_per_source,
        crop_px=crop_px,
        photons=photons,
        sorter=sorter,
        stacks=stacks,
        transfer=transfer,
        network=network,
        first_filters=first_filters,
        steps=steps,
        seed=seed,
    )
    found = _part(part)(plan)
    return _write(folder, part, found)


def _levels(text: str) -> tuple[float, ...]:
    try:
        levels = tuple(float(level) for level in text.split(","))
    except ValueError as error:
        raise ValueError(f"levels must be numbers separated by commas, got {text!r}") from error
    if not all(0 < level <= 10 for level in levels):
        raise ValueError(f"levels must lie in (0, 10], got {text!r}")
    return levels


def _part(name: str) -> Callable[[Plan], Found]:
    found: Any = import_module(f"parfocal.restoration.evaluation.{name}")
    return found.sections  # type: ignore[no-any-return]


def _write(folder: Path, part: str, found: Found) -> RestorationEvaluation:
    from rich.console import Console

    folder.mkdir(parents=True, exist_ok=True)
    found.scores.to_csv(folder / "scores.csv", index=False)
    title = f"Restoration: {part.replace('_', ' ')}"
    (folder / "report.md").write_text(write_markdown(title, found.sections), encoding="utf-8")
    print_sections(Console(), found.sections)
    return RestorationEvaluation(folder, found.sections, found.scores)
