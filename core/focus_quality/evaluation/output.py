"""What an evaluation gives and writes: its folder with the report, the tables and the figures."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Optional, TypeVar

from parfocal.focus_quality.evaluation.held_out import HeldOut, HeldOutImage
from parfocal.focus_quality.evaluation.sections import Tables
from parfocal.report.sections import Section, print_sections, write_markdown

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

_Item = TypeVar("_Item")


@dataclass(frozen=True)
class FocusQualityEvaluation:
    """What an evaluation found.

    Attributes
    ----------
    output : Path
        Folder with `report.md`, a CSV for each table and the figures (PNG).
    level_rule : str
        How an image's distribution becomes one level: `predicted_level` or `defocus_level` (rounded).
    images : tuple of HeldOutImage
        Those evaluated on.
    refused : tuple
        (path, source, reason) of those that were not usable.
    warnings : tuple of str
    tables : dict
        DataFrames by the name of their CSV file.
    """

    output: Path
    level_rule: str
    images: tuple[HeldOutImage, ...]
    refused: tuple[tuple[Path, str, str], ...]
    warnings: tuple[str, ...]
    tables: dict[str, pd.DataFrame]

    @property
    def report(self) -> Path:
        """The Markdown report."""
        return self.output / "report.md"


def claim_output(output: Path, own: Optional[Path] = None) -> Path:
    """Make the folder of a report, which must be empty or not exist yet; `own` may lie in it."""
    if output.exists() and (not output.is_dir() or any(path != own for path in output.iterdir())):
        raise FileExistsError(f"{output} is not empty: choose another output folder")
    output.mkdir(parents=True, exist_ok=True)
    return output


class Rounds:
    """One progress display with a bar for each round."""

    def __enter__(self) -> Rounds:
        from rich.progress import Progress

        self._progress = Progress(refresh_per_second=1)
        self._progress.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._progress.stop()

    def __call__(self, items: Iterable[_Item], name: str) -> Iterator[_Item]:
        """Pass the items on, with a bar of this name."""
        known = list(items)
        yield from self._progress.track(known, total=len(known), description=name)


def write_evaluation(
    folder: Path,
    title: str,
    found: Tables,
    report: tuple[list[Section], dict[str, Figure]],
    held_out: HeldOut,
) -> FocusQualityEvaluation:
    """Write tables, figures and report into the folder, and print the sections."""
    from rich.console import Console

    for name, table in found.tables.items():
        table.to_csv(folder / f"{name}.csv", index=False)
    written, figures = report
    for name, figure in figures.items():
        figure.savefig(folder / name, dpi=110)
    (folder / "report.md").write_text(write_markdown(title, written), encoding="utf-8")
    print_sections(Console(), written)
    warnings = held_out.warnings
    return FocusQualityEvaluation(folder, found.level_rule, held_out.images, held_out.refused, warnings, found.tables)
