"""The command `evaluate_restoration`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import numpy as np

from parfocal.commands import Param, check_arguments, command
from parfocal.report.sections import Section, write_markdown
from parfocal.restoration.comparison import degraded, restored_by_all, rows_of
from parfocal.restoration.dataset import read_scenes
from parfocal.restoration.evaluation_figure import Example, draw_examples
from parfocal.restoration.intensity import Intensity
from parfocal.restoration.restorers import make_restorer
from parfocal.training.images import TrainingImage, find_training_images, split_by_field

if TYPE_CHECKING:
    import pandas as pd

LEVELS = (2, 3, 4, 5, 6, 7, 8, 9, 10)
SIDES = {"left_out": "sources that took no part in training", "test": "other fields of the trained sources"}


@dataclass(frozen=True)
class RestorationEvaluation:
    """What an evaluation left.

    Attributes
    ----------
    output : Path
        Folder with `report.md`, the scores as `scores.csv`, and the picture `examples.png`.
    scores : pandas.DataFrame
        One row for each image, level and method: SSIM, PSNR, mean absolute error.
    """

    output: Path
    scores: pd.DataFrame = field(repr=False)


@command
def evaluate_restoration(
    images: Annotated[str, Param(label="Folder of in-focus images")],
    output: Annotated[str, Param(label="Folder for the report")],
    sources: Annotated[Optional[str], Param(label="Sources of the images (JSON)")] = None,
    model: Annotated[str, Param(label="Model")] = "default",
    further_models: Annotated[str, Param(label="Further models, separated by commas")] = "",
    images_per_source: Annotated[int, Param("images", 1, 1000, label="Images of each source and stain")] = 3,
    crop_px: Annotated[int, Param("px", 128, 4096, label="Width of the crops")] = 288,
    photons: Annotated[float, Param("electrons", 10.0, 1e6, label="Photoelectrons of bright structures")] = 1000.0,
    seed: Annotated[int, Param("", 0, None, label="Seed")] = 0,
) -> RestorationEvaluation:
    """Compare restoring networks with Richardson-Lucy and Wiener deconvolution on held-out synthetic pairs.

    In-focus images that took no part in training are blurred to levels 2 to 10 and exposed; every method's result is
    scored by SSIM and PSNR at one data range after the best affine of its intensities. About 6 seconds for each image
    and level.

    Parameters
    ----------
    images : path
        Folder of in-focus images, searched recursively.
    output : path
        Folder to write; it must be empty or not exist yet.
    sources : path, optional
        JSON that groups the images into sources and says which took part in training, in the form of
        `models/training_sources.json`.
    model : str
        Restoration model, by name or folder.
    further_models : str
        More model folders to compare, separated by commas.
    images_per_source : int
        Images of each source and stain, at most.
    crop_px : int
        Images are cut to their middle of this width.
    photons : float
        Photoelectrons of bright structures; the background has a tenth of them.
    seed : int
        Of the noise.

    Returns
    -------
    RestorationEvaluation

    Raises
    ------
    FileExistsError
        The output folder holds something.
    FileNotFoundError
        No image is held out.
    """
    check_arguments(evaluate_restoration, locals())
    folder = Path(output)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FileExistsError(f"{folder} is not empty: choose another output folder")
    parts = split_by_field(find_training_images(images, sources))
    chosen = {side: _some(parts[side], images_per_source) for side in SIDES}
    if not any(chosen.values()):
        raise FileNotFoundError(f"no image below {images} is held out from training")
    names = [model, *(name.strip() for name in further_models.split(",") if name.strip())]
    restorers = {Path(name).name: make_restorer("network", name) for name in names}
    rows, examples = _scored(chosen, restorers, crop_px, photons, seed)
    import pandas as pd

    scores = pd.DataFrame(rows)
    folder.mkdir(parents=True, exist_ok=True)
    scores.to_csv(folder / "scores.csv", index=False)
    draw_examples(folder / "examples.png", examples)
    (folder / "report.md").write_text(write_markdown("Restoration", _sections(scores, photons)))
    return RestorationEvaluation(folder, scores)


def _some(images: Sequence[TrainingImage], count: int) -> list[TrainingImage]:
    """The first images of each source and stain."""
    kept: list[TrainingImage] = []
    for image in images:
        same = [other for other in kept if (other.source, other.stain) == (image.source, image.stain)]
        if len(same) < count:
            kept.append(image)
    return kept


def _scored(
    chosen: dict[str, list[TrainingImage]], restorers: dict[str, Any], crop_px: int, photons: float, seed: int
) -> tuple[list[dict[str, Any]], list[Example]]:
    rows: list[dict[str, Any]] = []
    examples: list[Example] = []
    for side, images in chosen.items():
        seen: set[str] = set()
        for number, (image, scene) in enumerate(zip(images, read_scenes(images))):
            pixels = _middle(scene.pixels[..., 0].astype(np.float32), crop_px)
            for level in LEVELS:
                rng = np.random.default_rng([seed, len(side), number, level])
                focused, exposed = degraded(pixels, level, photons, rng)
                truth = Intensity.of(focused, smoothed=False).apply(focused)
                found = restored_by_all(exposed, truth, level, restorers)
                about = {"held_out": side, "source": image.source, "image": image.path.name, "level": level}
                rows += rows_of(found, truth, about)
                if side == "left_out" and image.source not in seen and level in (2, 5, 8):
                    examples.append(Example(f"{image.source}, level {level}", found, truth))
            seen.add(image.source)
    return rows, examples


def _middle(pixels_yx: np.ndarray, size: int) -> np.ndarray:
    y, x = (max(0, (n - size) // 2) for n in pixels_yx.shape)
    return pixels_yx[y : y + size, x : x + size]


def _sections(scores: pd.DataFrame, photons: float) -> list[Section]:
    text = (
        f"{photons:g} photoelectrons in bright structures, a tenth of them in the background. SSIM (Gaussian window)"
        " and PSNR at data range 1, after the affine of least squares for every method. The networks get the measured"
        " level. Richardson-Lucy and Wiener get the true PSF: `richardson_lucy` for 30 iterations,"
        " `richardson_lucy_best` for as many of 5, 10, 20 and 30 as suit the truth best; `richardson_lucy_gaussian`"
        " gets the Gaussian's width and the number of iterations that do."
    )
    sections = []
    for side, about in SIDES.items():
        part = scores[scores["held_out"] == side]
        if part.empty:
            continue
        n_images = part["image"].nunique()
        tables = tuple(_table(part, value) for value in ("ssim", "psnr"))
        figures = ("examples.png",) if side == "left_out" else ()
        sections.append(Section(f"SSIM and PSNR, {about} ({n_images} images)", text, tables, figures))
    return sections


def _table(part: pd.DataFrame, value: str) -> pd.DataFrame:
    """Means by level and method, and over all levels."""
    table = part.pivot_table(index="level", columns="method", values=value, sort=False)
    table.loc["mean"] = table.mean()
    table.insert(0, value, [str(level) for level in table.index])
    return table.reset_index(drop=True).rename(columns={value: f"{value.upper()} at level"})
