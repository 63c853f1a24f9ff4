"""What the report of a leave-one-source-out evaluation says: its tables, sentences and figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from parfocal.focus_quality.evaluation import figures as draw
from parfocal.focus_quality.evaluation import tables as make
from parfocal.focus_quality.evaluation.left_out import NETWORK, LeftOutMeasured
from parfocal.focus_quality.evaluation.overviews import headline_scores, stack_kinds, stack_means
from parfocal.focus_quality.evaluation.scores import expected_calibration_error, level_errors, rank_correlation
from parfocal.focus_quality.evaluation.sections import STACKS, Tables
from parfocal.focus_quality.evaluation.stack_figures import stacks_figure
from parfocal.focus_quality.settings import FocusQualityTraining
from parfocal.report.sections import Section

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


def left_out_tables(measured: LeftOutMeasured, seed: int) -> Tables:
    """Make all tables; the level rule is the better one over the sources that were left out."""
    import pandas as pd

    rule = make.choose_level_rule(measured.foreign.exposures, NETWORK)
    found = {
        "left_out": stain_table(measured.foreign.exposures, rule),
        "level_rules": make.level_rules_table(measured.foreign.exposures),
        "by_level": make.level_table(measured.foreign.exposures, rule, "true_level"),
        "scores": make.score_table(measured.foreign, seed),
        "calibration": make.calibration_table(measured.foreign),
        "pooling": pooling_table(measured, rule),
        "exposures": measured.foreign.exposures,
        "refused": pd.DataFrame([(path.name, *rest) for path, *rest in measured.held_out.refused], columns=_REFUSED),
    }
    if measured.known is not None:
        found["known"] = stain_table(measured.known.exposures, rule)
        found["known_exposures"] = measured.known.exposures
    if measured.stacks is not None:
        found["stacks"], found["stack_planes"] = measured.stacks[2], measured.stacks[1]
    return Tables(rule, found)


def stain_table(exposures: pd.DataFrame, rule: str) -> pd.DataFrame:
    """Errors, rank correlation and calibration: a row for each source and stain, and one for all together."""
    import pandas as pd

    rows = [
        {"source": source, "stain": stain, **_row(own, rule)}
        for (source, stain), own in exposures.groupby(["source", "stain"])
    ]
    return pd.DataFrame([*rows, {"source": "all", "stain": "", **_row(exposures, rule)}])


def pooling_table(measured: LeftOutMeasured, rule: str) -> pd.DataFrame:
    """Errors and calibration with patches averaged, and summed up by the independence that fits the other sources."""
    import pandas as pd

    runs = {"averaged": measured.averaged, "independence of the other sources": measured.foreign}
    rows = [{"patches": name, **_row(run.exposures, rule)} for name, run in runs.items()]
    table = pd.DataFrame(rows)
    table["independence"] = [0.0, measured.pooling.independence]
    return table


def left_out_sections(
    measured: LeftOutMeasured, found: Tables, settings: FocusQualityTraining, missing: list[str]
) -> tuple[list[Section], dict[str, Figure]]:
    """Write the sections in the order of the report, and draw the figures, by file name."""
    t = found.tables
    figures = {
        "confusion.png": draw.confusion_figure(measured.foreign.exposures, found.level_rule),
        "calibration.png": draw.reliability_figure(measured.foreign),
    }
    budget = _BUDGET.format(steps=settings.steps, batch=settings.batch_size, architecture=settings.architecture)
    if not (measured.foreign.exposures["status"] == "ok").any():
        budget += (
            " No image was answered: after so few steps the networks are certain of nothing. Give them more steps."
        )
    rule = f"Level of the whole image: {make.LEVEL_RULES[found.level_rule]} (the better of the two rules here)."
    written = [
        Section("Sources left out", f"{budget} {rule}", (t["left_out"], t["level_rules"]), ("confusion.png",)),
        Section("By level", "The same, by true level.", (t["by_level"],)),
        Section("Scores of the network and the metrics", _SCORES, (headline_scores(t["scores"]),)),
        Section("Calibration", _CALIBRATION, (t["calibration"], t["pooling"]), ("calibration.png",)),
    ]
    if "known" in t:
        written.insert(2, Section("Known sources", _KNOWN, (t["known"],)))
    if measured.stacks is not None:
        stacks, planes, summaries = measured.stacks
        (scorer,) = set(summaries["scorer"]) - set(make.METRICS)
        figures["stacks.png"] = stacks_figure(stacks, planes, [scorer])
        own = summaries[summaries["scorer"] == scorer].drop(columns="domain")
        shown = (stack_means(summaries), own)
        written.append(Section("Real z-stacks", STACKS, shown, ("stacks.png",), (stack_kinds(stacks),)))
    if missing:
        written.append(Section("Skipped", f"Not found below the image folder: {', '.join(missing)}."))
    return written, figures


def _row(rows: pd.DataFrame, rule: str) -> dict[str, Any]:
    true, found = rows["true_level"].to_numpy(float), rows[rule].to_numpy(float)
    told = rows[rows["status"] == "ok"]
    right = (told["predicted_level"] == told["true_level"]).to_numpy(bool)
    errors = level_errors(true, found)
    return {
        "exposures": errors.pop("n"),
        **errors,
        "rank_correlation": rank_correlation(rows["defocus_level"].to_numpy(float), true),
        "calibration_error": expected_calibration_error(told["confidence"].to_numpy(float), np.asarray(right)),
    }


_REFUSED = ["image", "source", "reason"]
_BUDGET = (
    "Each source that may be trained on was left out in turn: its images are measured by a `{architecture}` network"
    " that has seen none of them, after {steps} steps of {batch} patches. Sources that nobody trains on are measured by"
    " the network that has seen all others. Every image was blurred to the 11 levels and exposed once; shares and RMSE"
    " (levels) are over the answered ones, `answered` is the coverage. ECE is the expected calibration error of the"
    " probability of an image's most probable level."
)
_KNOWN = "Other fields of sources that were trained on, by the network that has seen every source."
_SCORES = (
    "Of the sources left out: rank correlation (Spearman) with the true level, over all and in the median image, and"
    " F-score of level 0 against 2 and up, threshold from 10 percent of the fields; `balanced` weights both alike."
)
_CALIBRATION = (
    "Expected calibration error of the probability of the predicted level, for images and for patches. n patches count"
    " for n to the power of the independence: that of each source is the one that fits all other sources; the last"
    " column names the one that fits them all, which the network in `model` states in its config. No level is told"
    " where the patches give less than half, on average, to it and those beside it (`out_of_domain`)."
)
