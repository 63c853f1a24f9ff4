"""What the report says: its tables, sentences and figures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Optional

from parfocal.focus_quality.evaluation import figures as draw
from parfocal.focus_quality.evaluation import tables as make
from parfocal.focus_quality.evaluation.held_out import Exposure, HeldOut
from parfocal.focus_quality.evaluation.overviews import headline_scores, stack_kinds, stack_means
from parfocal.focus_quality.evaluation.stack_figures import stacks_figure
from parfocal.focus_quality.evaluation.stacks import RealStack
from parfocal.focus_quality.evaluation.synthetic import SyntheticRun
from parfocal.report.sections import Section

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Measured:
    """Everything that was measured: models in order (the first is the one in question), and the runs."""

    models: list[str]
    exposure: Exposure
    as_they_are: pd.DataFrame
    synthetic: SyntheticRun
    invariance: pd.DataFrame
    stacks: Optional[tuple[list[RealStack], pd.DataFrame, pd.DataFrame]]


@dataclass(frozen=True)
class Tables:
    """The tables by name, and how a distribution became one level."""

    level_rule: str
    tables: dict[str, pd.DataFrame]


def tables(measured: Measured, held_out: HeldOut, seed: int) -> Tables:
    """Make all tables."""
    import pandas as pd

    exposures = measured.synthetic.exposures
    rule = make.choose_level_rule(exposures, measured.models[0])
    found = {
        "levels": make.level_table(exposures, rule, "part"),
        "level_rules": make.level_rules_table(exposures),
        "by_source": make.source_table(exposures, rule),
        "by_level": make.level_table(exposures, rule, "true_level"),
        "scores": make.score_table(measured.synthetic, seed),
        "invariance": make.invariance_table(measured.invariance),
        "calibration": make.calibration_table(measured.synthetic),
        "as_they_are": make.as_they_are_table(measured.as_they_are),
        "refused": pd.DataFrame(held_out.refused, columns=["image", "source", "reason"]),
        "exposures": exposures,
        "exposure_metrics": measured.synthetic.metrics,
        "invariance_exposures": measured.invariance,
        "images_as_they_are": measured.as_they_are,
    }
    found["refused"]["image"] = [path.name for path, _, _ in held_out.refused]
    if measured.stacks is not None:
        found["stacks"], found["stack_planes"] = measured.stacks[2], measured.stacks[1]
    return Tables(rule, found)


def sections(
    measured: Measured, held_out: HeldOut, found: Tables, missing: list[str]
) -> tuple[list[Section], dict[str, Figure]]:
    """Write the sections in the order of the report, and draw the figures, by file name."""
    t, rule = found.tables, found.level_rule
    exposures = measured.synthetic.exposures
    figures = {
        "confusion.png": draw.confusion_figure(exposures, rule),
        "levels.png": draw.level_figure(t["by_level"], t["by_source"]),
        "f_scores.png": draw.f_score_figure(t["scores"]),
        "invariance.png": draw.invariance_figure(measured.invariance, rule),
        "calibration.png": draw.reliability_figure(measured.synthetic),
        "as_they_are.png": draw.histogram_figure(measured.as_they_are),
        "gallery.png": draw.gallery_figure(measured.synthetic.gallery),
    }
    written = [
        _images_section(measured, held_out, t),
        _levels_section(rule, t),
        Section("By source", "The same, by source.", (t["by_source"],)),
        Section("By level", "The same, by true level.", (t["by_level"],)),
        _scores_section(t),
        _invariance_section(measured, t),
        _calibration_section(t),
        _as_they_are_section(t),
        Section("Gallery", _GALLERY, (), ("gallery.png",)),
    ]
    if measured.stacks is not None:
        stacks, planes, summaries = measured.stacks
        figures["stacks.png"] = stacks_figure(stacks, planes, measured.models)
        own = summaries[summaries["scorer"].isin(measured.models)].drop(columns="domain")
        shown = (stack_means(summaries), own)
        written.append(Section("Real z-stacks", STACKS, shown, ("stacks.png",), (stack_kinds(stacks),)))
    if missing:
        written.append(Section("Skipped", f"Not found below the image folder: {', '.join(missing)}."))
    return written, figures


def _images_section(measured: Measured, held_out: HeldOut, t: dict[str, pd.DataFrame]) -> Section:
    e = measured.exposure
    parts = {part: sum(image.part == part for image in held_out.images) for part in ("test", "left_out", "unknown")}
    counts = ", ".join(f"{count} {part.replace('_', ' ')}" for part, count in parts.items() if count)
    text = (
        f"{len(held_out.images)} in-focus images ({counts}): `test` are other fields of sources that were trained on,"
        " `left out` are sources that took no part. Each was blurred to the 11 levels (Born-Wolf, 2 um apart at NA 0.5,"
        f" 500 nm, 0.65 um a pixel) and exposed once: peak {e.peak_electrons:g} photoelectrons, background"
        f" {100 * e.background_share:g} percent of it, read noise {e.read_noise_electrons:g} electrons, one count an"
        f" electron, black level 100 counts. {len(held_out.refused)} of the images looked at were refused."
    )
    refused = (t["refused"],) if len(t["refused"]) else ()
    return Section("Images", " ".join([text, *held_out.warnings]), refused)


def _levels_section(rule: str, t: dict[str, pd.DataFrame]) -> Section:
    text = (
        f"Level of the whole image: {make.LEVEL_RULES[rule]} (the better of the two rules for the first model; the"
        " second table has both). Shares and RMSE (levels) are over the answered images; `answered` is the coverage."
        " This is synthetic defocus; the 95 percent within one level of Yang et al. 2018 are on real stacks."
    )
    return Section("Levels", text, (t["levels"], t["level_rules"]), ("confusion.png", "levels.png"))


def _scores_section(t: dict[str, pd.DataFrame]) -> Section:
    text = (
        "Rank correlation (Spearman) of the score with the true level, over all exposures and as median within an"
        " image. F-score of in focus (level 0) against out of focus (level 2 and up; level 1, one depth of field, is"
        " the grey zone and left out), threshold chosen on 10 percent of the fields and tested on 90 percent, mean and"
        " standard deviation over 20 seeded splits, the same for all. There are nine positive cases to a negative one,"
        f" so that flagging everything scores high (row `{make.FLAG_ALL}`); the balanced F-score weights both classes"
        " alike. An image without an answer counts as a wrong decision. All images have the same exposure here; with"
        " the gain the values of all metrics but PowerLogLogSlope and ImageCorrelation change, and with them the"
        " threshold."
    )
    return Section("Scores of models and metrics", text, (headline_scores(t["scores"]),), ("f_scores.png",))


def _invariance_section(measured: Measured, t: dict[str, pd.DataFrame]) -> Section:
    images = measured.invariance[["source", "image"]].drop_duplicates()
    text = (
        "Absolute change of the expected level when the counts of an exposure are multiplied by a gain or shifted by"
        f" an offset and rounded (16 bit); {len(images)} images at 11 levels. A gain below 1 also rounds more coarsely."
        " `lost` counts answers that vanished; `within one` holds under the condition."
    )
    return Section("Gain and offset", text, (t["invariance"],), ("invariance.png",))


def _calibration_section(t: dict[str, pd.DataFrame]) -> Section:
    text = (
        "Expected calibration error (10 bins of equal width) of the probability of the predicted level, which says how"
        " often that level should be exactly right. The certainty is a function of the whole distribution and no"
        " probability; the figure's last panel shows the shares right against it. All patches count, also those that"
        " show background; how those of an image are summed up stands in the model's config (`pooling`)."
    )
    return Section("Calibration", text, (t["calibration"],), ("calibration.png",))


def _as_they_are_section(t: dict[str, pd.DataFrame]) -> Section:
    text = (
        "The same images without blur or noise added, whatever their optics. They are in focus as far as anyone knows:"
        " the level should be low. A median above 1.5 tells of a source whose pixels are finer than the model's, or"
        " soft."
    )
    return Section("Images as they are", text, (t["as_they_are"],), ("as_they_are.png",))


_GALLERY = (
    "Random patches of the synthetic exposures by predicted level (columns) and certainty (rows); the number is the"
    " level that the image was blurred to, the frame the predicted level (red sharp). Empty cells did not occur."
)
STACKS = (
    "Rank correlation of the score with the distance from the focal plane (1 is perfect, scores turned so that higher"
    " is further out of focus), error of the sharpest plane, planes answered. `widefield` fluorescence alone has an"
    " absolute level; `rank` are confocal, spinning-disk and light-sheet stacks; those `outside` the domain are"
    " measured as if they were widefield fluorescence, to see what the model would say. `within one` is the share of"
    " planes within one level of the geometry, where the optics are known: on a spinning disk and beads thicker than"
    " the depth of field it is no test of the level. `um per level` is what the planes at levels 1 to 9 show in the"
    " median, beside what the optics say, and `rmse um` the error of the distance that follows from these. First"
    " table: means over stacks; a stack whose sharpest plane could"
    " not be told counts as not found."
)
