"""What is done when all stacks of a batch are measured: pooled, judged, written down."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, Optional

from parfocal.beads.batch import tables
from parfocal.beads.batch.history import HistoryEntry, append_history, comparable, last_entry
from parfocal.beads.batch.pooled import PooledStack, pool_stacks
from parfocal.beads.batch.settings import BatchSettings
from parfocal.beads.batch.stack import MeasuredStack
from parfocal.beads.batch.tables import JudgedStack
from parfocal.beads.batch.verdict import Limits, judge

if TYPE_CHECKING:
    import pandas as pd

REPORT, PICTURES, DRIFT = "report.html", "pictures", "history.png"
FILES = (tables.BEADS, tables.PLANES, tables.SUMMARY, tables.SUMMARY_JSON, REPORT, PICTURES)


@dataclass(frozen=True)
class BeadBatch:
    """What `measure_bead_stacks` leaves.

    Attributes
    ----------
    table : pandas.DataFrame
        One row for each stack; also in `summary.csv`.
    stacks : tuple of JudgedStack
    files : tuple of Path
        Tables and report that were written, and the history.
    """

    table: pd.DataFrame
    stacks: tuple[JudgedStack, ...]
    files: tuple[Path, ...]


@dataclass(frozen=True)
class BatchRun:
    """A batch whose stacks are measured and drawn.

    Attributes
    ----------
    output : Path
    settings : BatchSettings
    date : datetime
    earlier : list of HistoryEntry
        What the history holds before this run.
    """

    output: Path
    settings: BatchSettings
    date: datetime
    earlier: list[HistoryEntry]

    def finish(self, measured: Sequence[MeasuredStack], pictures: Sequence[list[Path]]) -> BeadBatch:
        """Pool, judge, and write tables, report and history."""
        import pandas as pd

        pooled = pool_stacks(measured) if self.settings.repeats else [None] * len(measured)
        stacks = tuple(self._judged(stack, pool) for stack, pool in zip(measured, pooled))
        written = tables.write_tables(self.output, stacks, self._about())
        entries = [self._entry(stack) for stack in stacks]
        drift = self._draw_history(entries)
        written.append(self._write_report(stacks, pictures, drift))
        if self.settings.history is not None:
            append_history(self.settings.history, entries)
            written.append(Path(self.settings.history))
        return BeadBatch(pd.DataFrame([tables.summary_row(stack) for stack in stacks]), stacks, tuple(written))

    def _judged(self, stack: MeasuredStack, pooled: Optional[PooledStack]) -> JudgedStack:
        plain = JudgedStack(stack, judge(stack.result, Limits()), pooled, self.settings.targets)
        last = last_entry(self.earlier, self._entry(plain))
        last_refp_um = None if last is None else last.reference_focal_plane_um
        return replace(plain, verdict=judge(stack.result, self.settings.limits, last_refp_um))

    def _entry(self, stack: JudgedStack) -> HistoryEntry:
        measured, result = stack.measured, stack.measured.result
        row = tables.summary_row(stack)
        return HistoryEntry(
            date=self.date,
            instrument=self.settings.instrument,
            stack=measured.path,
            contrast=result.contrast,
            z_origin=measured.z_origin,
            bead_diameter_um=result.bead_diameter_um,
            reference_focal_plane_um=result.reference_focal_plane_um,
            interval_low_um=result.interval_um[0],
            interval_high_um=result.interval_um[1],
            tilt_um_per_mm=result.field_shape.tilt_um_per_mm,
            n_beads=result.n_beads,
            status=result.status,
            verdict=stack.verdict.word,
            targets=row["targets"],
            target_z_um=row["target_z_um"],
        )

    def _draw_history(self, entries: Sequence[HistoryEntry]) -> Optional[Path]:
        """Draw the drift, of the stacks that can be compared with the first one that has an answer."""
        from parfocal.report.beads_history import draw_history

        known = [entry for entry in entries if math.isfinite(entry.reference_focal_plane_um)]
        if self.settings.history is None or not known:
            return None
        last = last_entry(self.earlier, known[0])
        return draw_history(
            comparable(self.earlier, known[0]),
            comparable(known, known[0]),
            self.output / PICTURES / DRIFT,
            None if last is None else last.reference_focal_plane_um,
            self.settings.limits.refp_shift_um,
        )

    def _write_report(
        self, stacks: Sequence[JudgedStack], pictures: Sequence[list[Path]], drift: Optional[Path]
    ) -> Path:
        from parfocal.report.beads_report import ReportAbout, write_report

        about = ReportAbout(self.settings.instrument, self.date.isoformat(" ", "minutes"), metadata.version("parfocal"))
        return write_report(self.output / REPORT, stacks, pictures, about, drift)

    def _about(self) -> dict[str, Any]:
        return {
            "parfocal": metadata.version("parfocal"),
            "date": self.date.isoformat(timespec="minutes"),
            "instrument": self.settings.instrument,
            "limits": {name: value for name, value in asdict(self.settings.limits).items() if value is not None},
            "repeats": self.settings.repeats,
        }
