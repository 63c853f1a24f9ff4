"""The page: what is shown, put into its template."""

from __future__ import annotations

import json
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from parfocal.focus_quality.result import OUT_OF_FOCUS_LEVEL
from parfocal.install.packages import extra_command
from parfocal.report.screen.distributions import agreement_chart, certainty_chart, level_chart, probability_chart
from parfocal.report.screen.drift import drift
from parfocal.report.screen.figures import CERTAINTY_SCALE, LEVEL_SCALE
from parfocal.report.screen.headlines import headlines
from parfocal.report.screen.methods import methods_text
from parfocal.report.screen.packed import MOST_ROWS, for_script, pack, row_data, same_for_all
from parfocal.report.screen.pictures import is_bad, restored_pictures, worst_pictures
from parfocal.report.screen.plates import plate_lines, plate_maps, second_measure
from parfocal.report.screen.refused import refusals
from parfocal.report.screen.rows import SORTING
from parfocal.report.screen.run import Run
from parfocal.report.screen.target import GENERATOR
from parfocal.report.screen.warned import warned
from parfocal.report.screen.words import heading, words

if TYPE_CHECKING:
    import pandas as pd

# Longest list of plates that is written out; the selector of the maps has all.
_MOST_PLATES = 200
_SCRIPTS = ("unpack.js", "charts.js", "plates.js", "table.js")


def render(rows: pd.DataFrame, run: Run, home: Path, kind: str) -> str:
    """Make the page.

    Parameters
    ----------
    rows : pandas.DataFrame
        Of `screen_rows`.
    run : Run
    home : Path
        Folder from which the paths of pictures are meant.
    kind : str
        What the rows come from, see `kind_of`.

    Raises
    ------
    ImportError
        Where the extra `screen` is not installed; the message says how.
    """
    try:
        from jinja2 import Environment, FileSystemLoader, StrictUndefined
        from plotly.offline import get_plotlyjs
    except ImportError as error:
        told = f"the report needs the extra screen: {extra_command('screen')}"
        raise ImportError(f"{told}: {error}") from error

    folder = Path(__file__).parent
    page = Environment(loader=FileSystemLoader(folder), autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    page.filters.update(heading=heading, words=words)
    charts, order = _charts(rows)
    table = row_data(rows, OUT_OF_FOCUS_LEVEL)
    return page.get_template("page.html").render(
        generator=GENERATOR,
        version=metadata.version("parfocal"),
        run=run,
        n=len(rows),
        most_rows=MOST_ROWS,
        most_plates=_MOST_PLATES,
        level=OUT_OF_FOCUS_LEVEL,
        second=second_measure(rows),
        done=_done(rows),
        order=order,
        style=(folder / "style.css").read_text(encoding="utf-8"),
        plotly=get_plotlyjs(),
        scripts="\n".join((folder / name).read_text(encoding="utf-8") for name in _SCRIPTS),
        charts=charts,
        chart_data=for_script("{" + ",".join(f"{json.dumps(name)}:{chart}" for name, chart in charts.items()) + "}"),
        packed=pack({"maps": plate_maps(rows), **_map_style(rows), "table": table}),
        same=same_for_all(table),
        **_lists(rows, run, home, kind),
    )


def _done(rows: pd.DataFrame) -> dict[str, bool]:
    """What was done with the images, and drawn of them: only that is explained."""
    return {
        "measured": bool(rows["certainty"].notna().any()),
        "sorted": bool(rows["flagged"].notna().any() or (rows["sorting_status"] != "").any()),
        "restored": bool(rows["restored"].any() or (rows["restoration_status"] != "").any()),
        "overlays": bool((rows["overlay"] != "").any()),
    }


def _lists(rows: pd.DataFrame, run: Run, home: Path, kind: str) -> dict[str, Any]:
    return {
        "headlines": headlines(rows),
        "plates": plate_lines(rows),
        "without_well": int((rows["well"] == "").sum()),
        "worst": worst_pictures(rows, home),
        "n_worst": int(is_bad(rows).sum()),
        "restored": restored_pictures(rows, home),
        "n_restored": int(rows["restored"].sum()),
        "refusals": refusals(rows, kind == SORTING),
        "warnings": warned(rows),
        "methods": methods_text(rows, run, kind),
    }


def _map_style(rows: pd.DataFrame) -> dict[str, Any]:
    second = second_measure(rows)
    # Dark is to be looked at: the scale of a probability runs the other way round.
    scale = LEVEL_SCALE if second != "certainty" else CERTAINTY_SCALE
    return {"level_scale": LEVEL_SCALE, "second_scale": scale, "second": second, "out_of_focus": OUT_OF_FOCUS_LEVEL}


def _charts(rows: pd.DataFrame) -> tuple[dict[str, str], str]:
    """Charts by name, those left out that there is nothing for, and the order of the images in that of drift."""
    charts, order = {}, ""
    if rows["defocus_level"].notna().any():
        over_time = drift(rows)
        charts, order = {"levels": level_chart(rows), "drift": over_time.chart}, over_time.order
    if rows["certainty"].notna().any():
        charts["certainties"] = certainty_chart(rows)
    if rows["probability"].notna().any():
        charts["probabilities"] = probability_chart(rows)
    if (rows["certainty"].notna() & rows["mean_certainty"].notna()).any():
        charts["agreement"] = agreement_chart(rows)
    return charts, order
