"""Reports of evaluations: sections with tables and figures, as Markdown and on the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console


# Column headings where the name alone would be long or unclear.
_HEADINGS = {
    "rank_correlation": "rank corr.",
    "rank_correlation_in_image": "in image",
    "f_score": "F-score",
    "f_score_sd": "sd",
    "f_score_balanced": "balanced F",
    "f_score_balanced_sd": "sd",
    "calibration_error": "ECE",
    "sharpest_within_one_plane": "sharpest within 1 plane",
}


@dataclass(frozen=True)
class Section:
    """One section: a title, a few sentences, tables, figures to embed (file names), and wide tables for paper only."""

    title: str
    text: str
    tables: tuple[pd.DataFrame, ...] = ()
    figures: tuple[str, ...] = ()
    wide_tables: tuple[pd.DataFrame, ...] = ()


def write_markdown(title: str, sections: Sequence[Section]) -> str:
    """Write the report: sections one after the other, tables in full, figures as links to the files beside it."""
    lines = [f"# {title}", ""]
    for section in sections:
        lines += [f"## {section.title}", "", section.text, ""]
        for table in (*section.tables, *section.wide_tables):
            lines += [*_markdown_table(table), ""]
        lines += [f"![{section.title}]({name})\n" for name in section.figures]
    return "\n".join(lines).rstrip() + "\n"


def print_sections(console: Console, sections: Sequence[Section]) -> None:
    """Print the sections with their tables, but for the wide ones."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    for section in sections:
        console.print(f"\n[bold]{section.title}[/bold]\n{section.text}", highlight=False)
        for frame in section.tables:
            table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
            for name in frame.columns:
                table.add_column(_heading(name), justify="right" if frame[name].dtype.kind in "fi" else "left")
            for row in _rows(frame):
                table.add_row(*row)
            console.print(table)


def _markdown_table(frame: pd.DataFrame) -> list[str]:
    header = "| " + " | ".join(map(_heading, frame.columns)) + " |"
    return [header, "|" + "---|" * len(frame.columns), *("| " + " | ".join(row) + " |" for row in _rows(frame))]


def _heading(name: object) -> str:
    return _HEADINGS.get(str(name), str(name)).replace("_", " ")


def _rows(frame: pd.DataFrame) -> list[tuple[str, ...]]:
    return list(zip(*(_cells(frame[name]) for name in frame.columns)))


def _cells(column: pd.Series) -> list[str]:
    """Text of a column: whole numbers as such, others to 3 decimals, missing ones empty."""
    if column.dtype.kind != "f":
        return [str(value).replace("|", "/") for value in column]
    known = column.dropna()
    whole = bool((known % 1 == 0).all() and (known > 1).any())
    return ["" if np.isnan(value) else f"{value:.{0 if whole else 3}f}" for value in column]
