"""Where the networks of a calibration begin: a shipped model whose crops fit, a model of the user, or anew."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

from parfocal.beads.distance.plan import usual_crop_px
from parfocal.beads.distance.predict import TASK
from parfocal.beads.distance.sampler import SHIFT_PX
from parfocal.beads.distance.scale import PIXEL_SIZE_FACTORS, needed_px
from parfocal.registry import model_folder, read_config, shipped_file

AUTO, NEW = "auto", "new"
# A crop should show the bead and the rings around it out of focus.
_LEAST_CROP_DIAMETERS = 1.5


@dataclass(frozen=True)
class Start:
    """What the networks begin from.

    Attributes
    ----------
    folder : Path or None
        Model that is fine-tuned; None for new networks.
    crop_px : int
        Width that the networks see.
    cut_px : int
        Width of the crops to cut: room to shift them, and for the model that is begun from to read them as they are.
    text : str
        The choice in words.
    """

    folder: Optional[Path]
    crop_px: int
    cut_px: int
    text: str


def choose_start(start_from: str, pixel_size_um: float, bead_diameter_um: float) -> Start:
    """Choose what to begin from.

    Parameters
    ----------
    start_from : str
        `auto`: the shipped model of the nearest pixel size, where it is 0.8 to 1.25 times that of the stacks and the
        beads fit into its crops, else new networks. `new`, or the name or folder of a model.
    pixel_size_um, bead_diameter_um : float
        Of the stacks, um.

    Raises
    ------
    ValueError
        Where a model that was named does not fit, or the beads do not fit into the crops of a new one.
    ModelError
        Where there is no such model.
    """
    if start_from == AUTO:
        return _nearest_shipped(pixel_size_um, bead_diameter_um)
    if start_from == NEW:
        return _new(pixel_size_um, bead_diameter_um, "new networks, as asked for")
    folder = model_folder(start_from, TASK)
    problem = _problem(folder, pixel_size_um, bead_diameter_um)
    if problem:
        raise ValueError(f"start_from {start_from!r} does not fit: {problem}; give another model, or {NEW!r}")
    return _fine_tuned(folder, pixel_size_um, f"`{folder.name}`, as asked for")


def _nearest_shipped(pixel_size_um: float, bead_diameter_um: float) -> Start:
    home = shipped_file(TASK)
    shipped = sorted(folder for folder in home.iterdir() if folder.is_dir()) if home.is_dir() else []
    fitting = [folder for folder in shipped if not _problem(folder, pixel_size_um, bead_diameter_um)]
    if not fitting:
        text = (
            f"new networks: no shipped model fits pixels of {pixel_size_um:g} um and beads of {bead_diameter_um:g} um"
        )
        return _new(pixel_size_um, bead_diameter_um, text)
    nearest = min(fitting, key=lambda folder: abs(math.log(read_config(folder)["pixel_size_um"] / pixel_size_um)))
    return _fine_tuned(nearest, pixel_size_um, f"the shipped model `{nearest.name}`")


def _fine_tuned(folder: Path, pixel_size_um: float, name: str) -> Start:
    config = read_config(folder)
    trained, crop_px = config["pixel_size_um"], config["crop_px"]
    cut_px = max(crop_px + 2 * SHIFT_PX, needed_px(pixel_size_um, trained, crop_px))
    return Start(folder, crop_px, cut_px, f"fine-tuned from {name} (pixels of {trained:g} um)")


def _new(pixel_size_um: float, bead_diameter_um: float, text: str) -> Start:
    crop_px = usual_crop_px(pixel_size_um)
    problem = _too_large(bead_diameter_um / pixel_size_um, crop_px)
    if problem:
        raise ValueError(f"{problem}: bin the images")
    return Start(None, crop_px, crop_px + 2 * SHIFT_PX, text)


def _problem(folder: Path, pixel_size_um: float, bead_diameter_um: float) -> str:
    config, (low, high) = read_config(folder), PIXEL_SIZE_FACTORS
    trained = config["pixel_size_um"]
    if not low * trained <= pixel_size_um <= high * trained:
        return f"pixels must be {low * trained:g} to {high * trained:g} um wide, they are {pixel_size_um:g}"
    return _too_large(bead_diameter_um / pixel_size_um, config["crop_px"])


def _too_large(bead_px: float, crop_px: int) -> str:
    if bead_px * _LEAST_CROP_DIAMETERS <= crop_px:
        return ""
    return f"beads {bead_px:.0f} px wide do not fit into crops of {crop_px} px, {_LEAST_CROP_DIAMETERS:g} times that"
