"""`parfocal beads`."""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from parfocal.beads.batch.history import parse_date
from parfocal.beads.batch.positions import SINGLE_PLANE
from parfocal.beads.batch.targets import Target
from parfocal.beads.batch.verdict import Limits
from parfocal.beads.measure import measure_bead_focal_plane
from parfocal.beads.result import distance_text
from parfocal.cli.options import add_command_options, given_arguments
from parfocal.commands import CommandSpec, command_spec

if TYPE_CHECKING:
    from parfocal.beads.batch import BeadBatch
    from parfocal.beads.batch.tables import JudgedStack

# Exit status where not one stack has an answer, so that a script notices; a verdict does not change it.
NO_ANSWER = 1


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options: files, limits and history here, the measurement's own from its definition."""
    parser.add_argument(
        "stacks",
        nargs="+",
        metavar="STACK",
        help="files with a z-stack each (TIFF, OME-TIFF, ImageJ; CZI, ND2 and LIF with the "
        "extra `formats`), folders or patterns in quotes of files with a plane each. Pixel size and z come from "
        "the files where they state them; what is given here counts more.",
    )
    parser.add_argument("-o", "--output", required=True, metavar="FOLDER", help="folder for tables, pictures, report")
    parser.add_argument("--overwrite", action="store_true", help="replace the files of an earlier run")
    parser.add_argument(
        "--z-csv",
        nargs="+",
        action="extend",
        default=[],
        metavar="FILE",
        help="CSV file with the positions of the planes in a column z_um, in their order or by a column file; once for "
        "all stacks, or once for each",
    )
    parser.add_argument("--channel", type=int, metavar="NUMBER", help="channel to measure, from 0 (default: all)")
    parser.add_argument(
        "--single-planes",
        action="store_true",
        help="each plane of each file is an image by itself: tell its distance by the distance model",
    )
    parser.add_argument("--repeats", action="store_true", help="the stacks are repeats of one sample: pool them")
    parser.add_argument(
        "--target",
        action="append",
        default=[],
        type=_checked(Target.parse),
        metavar="NAME=UM",
        help="name a plane by its distance above (+) or below (-) the reference focal plane; may be repeated",
    )
    _add_limits(parser.add_argument_group("limits", "Pass or fail; what is not given is not asked."))
    history = parser.add_argument_group("history", "A CSV file that grows by a row for each stack.")
    history.add_argument("--history", metavar="FILE", help="append to this file, which is created where it is missing")
    history.add_argument("--instrument", default="", metavar="NAME", help="name of the instrument")
    history.add_argument("--date", type=_checked(parse_date), metavar="DATE", help="such as 2024-11-21 (default: now)")
    spec = _spec()
    add_command_options(parser.add_argument_group("measurement", spec.summary), spec)


def _add_limits(group: Any) -> None:
    limits = (
        ("interval-um", float, "largest half width of the interval of the reference focal plane, um"),
        ("tilt-um-per-mm", float, "largest tilt of the focal plane across the field, um per mm"),
        ("distance-um", float, "largest distance of a single plane from the reference focal plane, um, either side"),
        ("refp-shift-um", float, "largest shift since the last comparable entry of the history, um"),
    )
    for name, kind, text in limits:
        group.add_argument(f"--limit-{name}", type=kind, metavar="NUMBER", help=text)
    group.add_argument("--fewest-beads", type=int, metavar="NUMBER", help="beads that must take part")


def _spec() -> CommandSpec:
    """The command as files see it: they may state the pixel size, and targets have names here."""
    spec = command_spec(measure_bead_focal_plane)
    kept = [parameter for parameter in spec.parameters if parameter.name != "target_offset_um"]
    return replace(spec, parameters=tuple(replace(p, required=p.required and p.name != "pixel_size_um") for p in kept))


def _checked(convert: Callable[[str], Any]) -> Callable[[str], Any]:
    """Make argparse tell what a converter says."""

    def checked(text: str) -> Any:
        try:
            return convert(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    return checked


def run(options: argparse.Namespace) -> int:
    """Measure, and say where things lie and what came out."""
    from parfocal.beads.batch import BatchSettings, measure_bead_stacks

    settings = BatchSettings(
        z_tables=tuple(options.z_csv),
        channel=options.channel,
        limits=Limits(
            options.limit_interval_um,
            options.limit_tilt_um_per_mm,
            options.limit_distance_um,
            options.limit_refp_shift_um,
            options.fewest_beads,
        ),
        targets=tuple(options.target),
        single_planes=options.single_planes,
        repeats=options.repeats,
        history=options.history,
        instrument=options.instrument,
        date=options.date,
    )
    given = given_arguments(options, _spec())
    tell = _tell if sys.stderr.isatty() else lambda name: None
    batch = measure_bead_stacks(options.stacks, options.output, given, settings, options.overwrite, tell)
    print(_summary(batch, options.output))
    return 0 if any(stack.measured.result.answered for stack in batch.stacks) else NO_ANSWER


def _tell(name: str) -> None:
    print(f"measuring {name}", file=sys.stderr)


def _summary(batch: BeadBatch, output: str) -> str:
    lines = [line for stack in batch.stacks for line in _stack_lines(stack)]
    lines.append(f"written to {output}: {', '.join(path.name for path in batch.files)}")
    return "\n".join(lines)


def _stack_lines(stack: JudgedStack) -> list[str]:
    result = stack.measured.result
    if result.answered:
        low, high = result.interval_um
        half = (high - low) / 2
        interval = f"+- {half:.2f} um" if math.isfinite(half) else "without an interval"
        place = f"REFP {result.reference_focal_plane_um:.2f}"
        if math.isfinite(result.distance_um):
            place = distance_text(result.distance_um)
        text = f"{place} {interval}, {result.n_beads} beads"
    else:
        text = f"no answer ({result.status}): {result.reason}"
    lines = [f"{stack.measured.name}: {text}" + (f": {stack.verdict.word}" if stack.verdict.word else "")]
    lines += [f"  failed: {c.name}, limit {c.limit:g}, {c.reason or f'{c.value:.3g}'}" for c in stack.verdict.failed]
    goal = "move z by" if stack.measured.z_origin == SINGLE_PLANE else "z"
    lines += [f"  target {target}: {goal} {z:.2f} um" for target, z in zip(stack.targets, stack.target_z_um) if z == z]
    if stack.pooled is not None and math.isfinite(stack.pooled.reference_focal_plane_um):
        lines.append(f"  pooled: REFP {stack.pooled.reference_focal_plane_um:.2f} um")
    left_out = sum(map(bool, stack.measured.reasons))
    lines += [f"  planes left out: {left_out}, see planes.csv"] if left_out else []
    return lines + [f"  warning: {warning}" for warning in stack.measured.warnings if warning != "planes_left_out"]
