"""The command `calibrate_beads`."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Optional

from parfocal.beads.batch.each import NamedStack, each_stack
from parfocal.beads.batch.settings import BatchSettings, check_given
from parfocal.beads.calibrate.fit import BeadCalibration, CalibrationSettings, calibrate_sweeps
from parfocal.beads.calibrate.report import write_report
from parfocal.beads.calibrate.start import AUTO, Start, choose_start
from parfocal.beads.calibrate.sweep import CropCut, Sweep, label_sweep
from parfocal.commands import Param, check_arguments, command
from parfocal.images.metadata import UnreadableImage
from parfocal.optics import Optics

# Arguments that are those of `measure_bead_focal_plane`.
_MEASUREMENT = ("bead_diameter_um", "pixel_size_um", "z_step_um", "black_level", "saturation_level")


@command
def calibrate_beads(
    stacks: Annotated[tuple[str, ...], Param(label="Stacks of beads")],
    output: Annotated[str, Param(label="Model folder to write")],
    bead_diameter_um: Annotated[float, Param("um", 0.01, 1000.0, label="Diameter of the beads")],
    pixel_size_um: Annotated[Optional[float], Param("um", 0.001, 100.0, label="Pixel size")] = None,
    z_step_um: Annotated[Optional[float], Param("um", 0.0001, 1000.0, label="z step")] = None,
    z_csv: Annotated[tuple[str, ...], Param(label="Tables of positions")] = (),
    channel: Annotated[Optional[int], Param("", 0, None, label="Channel")] = None,
    black_level: Annotated[float, Param("counts", 0.0, None, label="Black level")] = 0.0,
    saturation_level: Annotated[Optional[float], Param("counts", 0.0, None, label="Saturation level")] = None,
    keep_back: Annotated[Optional[int], Param("stacks", 0, None, label="Stacks kept back")] = None,
    start_from: Annotated[str, Param(label="Model to begin from")] = AUTO,
    members: Annotated[int, Param("networks", 1, 50, label="Networks of the ensemble")] = 2,
    steps: Annotated[Optional[int], Param("batches", 1, None, label="Steps")] = None,
    most_beads: Annotated[int, Param("beads", 1, None, label="Beads of a stack at most")] = 30,
    numerical_aperture: Annotated[Optional[float], Param("", 0.01, 2.0, label="Numerical aperture")] = None,
    wavelength_um: Annotated[Optional[float], Param("um", 0.2, 2.0, label="Wavelength of the light")] = None,
    immersion_index: Annotated[float, Param("", 1.0, 2.0, label="Refractive index of the immersion")] = 1.0,
    seed: Annotated[int, Param("", 0, None, label="Seed")] = 1,
) -> BeadCalibration:
    """Train a distance network for the user's own bright-field instrument from z-stacks of beads.

    Each stack is swept through its reference focal plane (REFP), which is measured; every used bead gives a crop from
    every plane, labelled with the plane's distance from it, positive above. Whole stacks, other fields and exposures,
    are kept back, and the error on them is reported (Chalfoun et al. 2024, doi:10.1038/s41598-024-57123-w).

    Parameters
    ----------
    stacks : tuple of path
        Files with a z-stack each, folders or patterns of files with a plane each; two stacks or more, better four, of
        several fields of view and at the exposures that are used.
    output : path
        Model folder to write, which must be empty or not exist yet; its folder `calibration` holds crops, tables and
        report.
    bead_diameter_um : float
        Diameter of the beads as they show in focus.
    pixel_size_um : float
        Camera pixel divided by magnification; by default what the files say.
    z_step_um : float
        Distance between the planes; by default what the files say.
    z_csv : tuple of path
        CSV files with the positions of the planes in a column z_um: one for all stacks, or one for each.
    channel : int
        Channel to take, from 0; all by default.
    black_level : float
        Counts of the camera without light.
    saturation_level : float
        Count at which the camera saturates; without it the limits of common cameras are looked for.
    keep_back : int
        Stacks that take no part in training, for the figures: a quarter by default, at least one. 0 for a model whose
        error is not known.
    start_from : str
        `auto`: the shipped model that fits the pixel size is fine-tuned, else new networks are trained. `new`, or a
        model by name or folder.
    members : int
        Networks of the ensemble.
    steps : int
        Batches of 64 crops for each network: 800 for fine-tuning, 1600 for new networks.
    most_beads : int
        Beads used of each stack, drawn by chance: it bounds the memory.
    numerical_aperture, wavelength_um, immersion_index : float
        Of the objective and the light: with NA and wavelength the share of errors within one depth of field is given.
    seed : int
        Of the choice of stacks and of the training.

    Returns
    -------
    BeadCalibration

    Raises
    ------
    FileExistsError
        Where the output folder holds something.
    FileNotFoundError
        Where there is no image.
    ModelError
        Where there is no model `start_from`.
    ValueError
        Where an argument is wrong, or too few stacks can be used; the message lists the others with their reasons.
    """
    arguments = dict(locals())
    check_arguments(calibrate_beads, arguments)
    folder = Path(output)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FileExistsError(f"{folder} is not empty: choose another output folder")
    depth_um = _depth_of_field_um(numerical_aperture, wavelength_um, immersion_index)
    settings = CalibrationSettings(keep_back, start_from, members, steps, depth_um, seed)
    given = {name: arguments[name] for name in _MEASUREMENT if arguments[name] is not None}
    given["contrast"] = "bright_field"
    check_given(given, BatchSettings(z_tables=tuple(z_csv)))
    named = each_stack(_texts(stacks), z_csv, channel, progress=_tell)
    sweeps, start = _label(named, given, start_from, CropCut(0, most_beads, seed))
    if start is None:
        raise ValueError(_none_usable(sweeps))
    made = calibrate_sweeps(sweeps, folder, start, settings)
    write_report(made, settings)
    return made


def _texts(stacks: Sequence[Any]) -> list[str]:
    if isinstance(stacks, (str, Path)):
        raise TypeError(f"stacks must be several paths, got one: {stacks!r}")
    if not stacks:
        raise ValueError("stacks must name files or folders, got none")
    return [str(path) for path in stacks]


def _tell(name: str) -> None:
    if sys.stderr.isatty():
        print(f"measuring {name}", file=sys.stderr)


def _depth_of_field_um(numerical_aperture: Optional[float], wavelength_um: Optional[float], index: float) -> float:
    if numerical_aperture is None or wavelength_um is None:
        return math.nan
    return Optics(wavelength_um, numerical_aperture, index).depth_of_field_um


def _label(
    named: Iterator[NamedStack], given: dict[str, Any], start_from: str, cut: CropCut
) -> tuple[list[Sweep], Optional[Start]]:
    """Measure and cut the stacks one by one; the first that answers decides what the networks begin from."""
    sweeps, start = [], None
    for stack in named:
        measured = stack.measure(given)
        result = measured.result
        if start is None and result.answered:
            start = choose_start(start_from, result.pixel_size_um, result.bead_diameter_um)
            cut = replace(cut, size_px=start.cut_px)
        usable = measured.usable.tolist()
        try:
            planes = iter(stack.stack.planes.only(usable)) if stack.stack is not None else iter(())
            sweeps.append(label_sweep(measured.name, measured.path, planes, result, usable, cut))
        except (UnreadableImage, OSError, MemoryError) as error:
            reason = str(error) or type(error).__name__
            sweeps.append(Sweep(measured.name, measured.path, result, reason=reason))
    return sweeps, start


def _none_usable(sweeps: Sequence[Sweep]) -> str:
    reasons = "; ".join(f"{sweep.name}: {sweep.reason}" for sweep in sweeps)
    return f"none of the {len(sweeps)} stacks can be used: {reasons}"
