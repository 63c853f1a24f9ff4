"""The command `evaluate_hold_focus`."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from parfocal.commands import Param, check_arguments, command
from parfocal.focus_control.evaluation.time_lapse import TimeLapse, frame_table, run_time_lapse
from parfocal.optics.optics import Optics
from parfocal.report.focus_control import draw_time_lapse
from parfocal.report.sections import Section, print_sections, write_markdown

if TYPE_CHECKING:
    import pandas as pd

OPTICS = (
    Optics(numerical_aperture=0.3),
    Optics(numerical_aperture=0.5),
    Optics(numerical_aperture=0.75),
    Optics(numerical_aperture=1.3, immersion_index=1.515),
)
_SHOWN = 1


@dataclass(frozen=True)
class HoldFocusEvaluation:
    """What an evaluation left.

    Attributes
    ----------
    output : Path
        Folder with the report, `report.md`, the tables as CSV, and the figure.
    tables : dict
        The tables by name.
    """

    output: Path
    tables: dict[str, pd.DataFrame] = field(repr=False)


@command
def evaluate_hold_focus(
    output: Annotated[str, Param(label="Folder for the report")],
    hours: Annotated[float, Param("h", 1.0, 240.0, label="Length of the time-lapse")] = 24.0,
    interval_s: Annotated[float, Param("s", 1.0, 3600.0, label="From one frame to the next")] = 60.0,
    seed: Annotated[int, Param("", 0, None, label="Seed")] = 0,
) -> HoldFocusEvaluation:
    """Evaluate the control loop over a day of drift, jumps, bleaching and faults, in simulated time.

    It takes a few minutes. The estimator adds errors of a stated size to the truth: what a network does is evaluated by
    `parfocal evaluate focal-position`.

    Parameters
    ----------
    output : str
        Folder to write; it must be empty or not exist yet.
    hours : float
        Length of the day; drift and events are stretched to it.
    interval_s : float
        From one frame, and one look, to the next.
    seed : int
        Of the simulations.

    Returns
    -------
    HoldFocusEvaluation

    Raises
    ------
    FileExistsError
        Where the output folder holds something.
    """
    check_arguments(evaluate_hold_focus, locals())
    folder = Path(output)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FileExistsError(f"{folder} is not empty: choose another output folder")
    runs = _run(hours, interval_s, seed)
    tables = _tables(runs)
    _write(folder, tables, runs[_SHOWN])
    return HoldFocusEvaluation(folder, tables)


def _run(hours: float, interval_s: float, seed: int) -> list[TimeLapse]:
    from rich.progress import track

    days = [(optics, sign_known) for sign_known in (True, False) for optics in OPTICS]
    return [run_time_lapse(optics, hours, interval_s, seed, known) for optics, known in track(days, "time-lapses")]


def _tables(runs: list[TimeLapse]) -> dict[str, pd.DataFrame]:
    import pandas as pd

    return {
        "time_lapses": pd.DataFrame([run.row() for run in runs]),
        "recoveries": pd.DataFrame(runs[_SHOWN].recoveries()),
        "frames": frame_table(runs[_SHOWN]),
        "log": runs[_SHOWN].log.table(),
    }


def _write(folder: Path, tables: dict[str, pd.DataFrame], shown: TimeLapse) -> None:
    from rich.console import Console

    folder.mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        table.to_csv(folder / f"{name}.csv", index=False)
    draw_time_lapse(shown).savefig(folder / "time_lapse.png", dpi=110)
    sections = [
        Section("Time-lapses", _TIME_LAPSES, (tables["time_lapses"],)),
        Section("Events", _EVENTS, (tables["recoveries"],), figures=("time_lapse.png",)),
    ]
    (folder / "report.md").write_text(write_markdown("Holding focus", sections), encoding="utf-8")
    print_sections(Console(), sections)


_TIME_LAPSES = (
    "A day in simulated time: 40 um of uneven drift, four jumps (one out of the estimator's range), bleaching to a"
    " tenth, cells that move and divide, dust, an hour without light, and each fault once, those of the stage with a"
    " step of 0.9 um. The estimator's errors are stated: a tenth of the depth of field in focus and 8 percent of the"
    " distance; half of the days it does not tell above from below. Errors are true distances from the setpoint when a"
    " frame is taken, faults and jumps included."
)
_EVENTS = (
    f"The day at NA {OPTICS[_SHOWN].numerical_aperture}. Largest error while the event lasts, at least half an hour;"
    " minutes from its end to the next frame that is locked and within 1 um."
)
