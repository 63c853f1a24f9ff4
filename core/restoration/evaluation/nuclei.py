"""What users do next: nuclei counted and outlined by CellProfiler on sharp, blurred and restored images."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from parfocal.report.sections import Section
from parfocal.restoration.evaluation.cellprofiler_nuclei import diameter_range, nuclei_of, require_cellprofiler
from parfocal.restoration.evaluation.exposures import Exposure, exposures
from parfocal.restoration.evaluation.outlines import FOUND_OVERLAP, agreement
from parfocal.restoration.evaluation.plan import SIDES, Found, Plan
from parfocal.restoration.evaluation.real import outcome
from parfocal.restoration.evaluation.tables import by_level, levels_text
from parfocal.restoration.restore import restore_defocus
from parfocal.training.images import TrainingImage

if TYPE_CHECKING:
    import pandas as pd

# Names of the stain of nuclei in the sources; nothing where the source is not known.
_DNA = ("dna", "d", "0", "")
_BRIGHT_COUNTS, _OFFSET_COUNTS, _LARGEST_COUNTS = 1000.0, 200.0, 4095
_VALUES = {"count_error": "count error", "overlap": "overlap", "f1": f"F1 at overlap {FOUND_OVERLAP:g}"}
_TEXT = (
    "CellProfiler's IdentifyPrimaryObjects with its default settings and typical diameters set once for each image,"
    " from the sharp one, on a 12-bit camera's images ({photons:g} photoelectrons in bright structures). The truth is"
    " what it finds in the sharp image. Count error: difference of the counts over that of the sharp image. Overlap:"
    " the best intersection over union of each of the sharp image's nuclei, mean. Networks and Richardson-Lucy (30"
    " iterations, PSF of the measured level) are called as a user does; images that they leave alone count as they"
    " are."
)


def sections(plan: Plan) -> Found:
    """Count and outline nuclei; draws `nuclei.png`."""
    import pandas as pd

    require_cellprofiler()
    chosen = {side: [i for i in images if _shows_nuclei(i)] for side, images in plan.held_out().items()}
    if not any(chosen.values()):
        raise FileNotFoundError(f"no held-out image below {plan.images} shows nuclei (stain DNA)")
    rows: list[dict[str, Any]] = []
    drawn: dict[str, dict[str, Any]] = {}
    for one in exposures(plan, chosen, 2 * plan.crop_px):
        found = _outlined(one, plan)
        sharp = found["sharp"]["labels"]
        for name, done in found.items():
            row = {**one.about, "method": name, "outcome": done["outcome"]}
            rows.append({**row, **agreement(done["labels"], sharp)._asdict()})
        if one.level >= np.median(plan.levels) and not any(title.startswith(one.source) for title in drawn):
            drawn[f"{one.source}, level {one.level:g}"] = found
    scores = pd.DataFrame(rows)
    _draw(plan.path("nuclei.png"), drawn)
    return Found(tuple(_written(scores, plan)), scores)


def _shows_nuclei(image: TrainingImage) -> bool:
    return image.stain.lower() in _DNA


def _outlined(one: Exposure, plan: Plan) -> dict[str, dict[str, Any]]:
    """Image, outlined nuclei and what was done, by method."""
    sharp, blurred = _counts(one.sharp), _counts(one.blurred)
    # Of the image without noise: the same at all levels.
    diameters = diameter_range(_counts(one.focused) / _LARGEST_COUNTS)
    shown = {"sharp": (sharp, ""), "blurred": (blurred, "")}
    calls: dict[str, dict[str, Any]] = {Path(name).name: {"model": name} for name in plan.models}
    for name, arguments in {**calls, "richardson_lucy": {"method": "richardson_lucy"}}.items():
        done = restore_defocus(blurred, **arguments)
        shown[name] = (done.image, outcome(done.main_plane))
    return {
        name: {"image": image, "outcome": done, "labels": nuclei_of(image / _LARGEST_COUNTS, diameters)}
        for name, (image, done) in shown.items()
    }


def _counts(image_yx: np.ndarray) -> np.ndarray:
    """Bring an exposure to the counts of a 12-bit camera, uint16."""
    return np.rint(np.clip(image_yx * _BRIGHT_COUNTS + _OFFSET_COUNTS, 0, _LARGEST_COUNTS)).astype(np.uint16)


def _written(scores: pd.DataFrame, plan: Plan) -> list[Section]:
    written: list[Section] = []
    network = Path(plan.models[0]).name
    for side, about in SIDES.items():
        part = scores[(scores["held_out"] == side) & (scores["method"] != "sharp")]
        if part.empty:
            continue
        tables = [by_level(part, value, f"{name} at level") for value, name in _VALUES.items()]
        own = part[part["method"] == network]
        n_nuclei = int(own.drop_duplicates(["source", "image"])["nuclei_sharp"].sum())
        title = f"Nuclei, {about} ({own['image'].nunique()} images, {n_nuclei} nuclei)"
        text = f"{_verdict(part, network)} {_TEXT.format(photons=plan.photons)}"
        figures = () if written else ("nuclei.png",)
        written.append(Section(title, text, (*tables, _outcomes(own)), figures, (_by_source(part),)))
    return written


def _verdict(part: pd.DataFrame, network: str) -> str:
    """Say plainly whether restored images are better than blurred ones."""
    told = []
    for value, name in _VALUES.items():
        table = by_level(part, value, "level")
        better = table[network] < table["blurred"] if value == "count_error" else table[network] > table["blurred"]
        worse = list(table["level"][:-1][~better[:-1]])
        mean = table.iloc[-1]
        where = f"but not at {levels_text(worse)}" if worse else "at every level"
        told.append(
            f"{name[0].upper()}{name[1:]}: {mean['blurred']:.3f} blurred, {mean[network]:.3f} restored -"
            f" {'improved' if better.iloc[-1] else 'NOT improved'} on average, {where}."
        )
    return " ".join(told)


def _outcomes(own: pd.DataFrame) -> pd.DataFrame:
    """What `restore_defocus` did, by level."""
    table = own.groupby(["level", "outcome"]).size().unstack(fill_value=0)
    table.insert(0, "images at level", [f"{level:g}" for level in table.index])
    return table.reset_index(drop=True)


def _by_source(part: pd.DataFrame) -> pd.DataFrame:
    table = part.pivot_table(index="source", columns="method", values=list(_VALUES), sort=False)
    table.columns = [f"{_VALUES[value]} {method}" for value, method in table.columns]
    return table.reset_index()


def _draw(path: Path, drawn: dict[str, dict[str, Any]]) -> None:
    """Draw outlines over each method's image, one row for each source."""
    from matplotlib.figure import Figure

    columns = list(next(iter(drawn.values()))) if drawn else ["sharp"]
    figure = Figure(figsize=(3.4 * len(columns), 3.5 * max(1, len(drawn))), layout="constrained")
    axes = figure.subplots(max(1, len(drawn)), len(columns), squeeze=False)
    for row, (title, found) in zip(axes, drawn.items()):
        for axis, name in zip(row, columns):
            image, labels = found[name]["image"], found[name]["labels"]
            low, high = np.percentile(image, [0.5, 99.8])
            axis.imshow(image, cmap="gray", vmin=low, vmax=max(high, low + 1))
            axis.contour(labels > 0, [0.5], colors="tab:orange", linewidths=0.6)
            axis.axis("off")
            axis.set_title(f"{name.replace('_', ' ')}, {labels.max()} nuclei\n{title}", fontsize=8)
    figure.savefig(path, dpi=80)
