"""`parfocal hold-focus`."""

from __future__ import annotations

import argparse
import math
from typing import Any, Optional

from parfocal.cli.microscope import add_microscope_options, add_settings_options, fill_in_demo, given_settings, opened
from parfocal.cli.options import add_command_options, given_arguments
from parfocal.cli.signals import ended_as_by_ctrl_c
from parfocal.commands import command_spec
from parfocal.focal_position.estimate import estimate_focal_position
from parfocal.focus_control.estimators import ESTIMATORS, METRIC, MODEL, chosen_estimator
from parfocal.focus_control.log import LOOK, Row, check_new

NOT_FOUND = 1
# So often the end of the session, and of the time it was given, is looked for.
_PATIENCE_S = 0.1


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options: those of settings and estimator from their definitions."""
    add_microscope_options(parser)
    parser.add_argument(
        "--estimator",
        choices=ESTIMATORS,
        default=MODEL,
        help="a focal-position model, or a focus metric learned from one sweep at the start (default: model)",
    )
    parser.add_argument("--log", metavar="FILE", help="CSV to write, a row for each decision")
    parser.add_argument("--duration", type=float, metavar="SECONDS", help="end by itself after so long")
    parser.add_argument("--once", action="store_true", help="find the focal plane once, by the estimator, and end")
    add_settings_options(parser)
    group = parser.add_argument_group("what the model is told")
    add_command_options(group, command_spec(estimate_focal_position))


def run(options: argparse.Namespace) -> int:
    """Hold focus until Ctrl-C, SIGTERM, SIGHUP or the end of the time, or find it once."""
    if options.duration is not None and not 0 < options.duration < math.inf:
        raise ValueError(f"duration must be above 0 s, got {options.duration:g}")
    if options.log and options.once:
        raise ValueError(f"log must be left out with once, which takes no decisions to write, got {options.log}")
    if options.log:
        check_new(options.log)
    fill_in_demo(options)
    settings = given_settings(options)
    with ended_as_by_ctrl_c(), opened(options) as microscope:
        estimate = _estimator(options, microscope, settings)
        run_once = _once if options.once else _hold
        return run_once(options, microscope, estimate, settings)


def _estimator(options: argparse.Namespace, microscope: Any, settings: Any) -> Any:
    told = given_arguments(options, command_spec(estimate_focal_position))
    return chosen_estimator(options.estimator, microscope, settings, told, _tell, "--estimator metric")


def _tell(line: str) -> None:
    print(line, flush=True)


def _once(options: argparse.Namespace, microscope: Any, estimate: Any, settings: Any) -> int:
    from parfocal.focus_control.autofocus import autofocus

    found = autofocus(
        microscope,
        estimate,
        "estimate",
        setpoint_um=settings.setpoint(settings.channel),
        range_um=settings.travel_um,
        metric=settings.focus_metric or "VollathF4",
        tolerance_um=settings.tolerance_um,
        # Half a coarse step is a depth of field where the optics are known.
        refine_step_um=settings.coarse_step_um / 2 if settings.focus_metric else None,
        lowest_z_um=settings.lowest_z_um,
        highest_z_um=settings.highest_z_um,
        lowest_offset_um=settings.lowest_offset_um,
        highest_offset_um=settings.highest_offset_um,
        backlash_um=settings.backlash_um,
        approach=settings.approach,
    )
    if not found.found:
        print(f"not found, z restored to {found.z_um:.2f} um: {found.reason}")
        if options.estimator == MODEL:
            print("try --estimator metric, or a model calibrated on your sample (parfocal calibrate)")
        return NOT_FOUND
    swept = f" and {estimate.planes} of the sweep" if options.estimator == METRIC else ""
    print(f"in focus at {found.z_um:.2f} um after {found.images} images{swept}, moved from {found.start_z_um:.2f} um")
    return 0


def _hold(options: argparse.Namespace, microscope: Any, estimate: Any, settings: Any) -> int:
    from parfocal.focus_control.session import hold_focus

    begun, timed_out, advised = microscope.now_s(), False, False
    with _Shown(begun) as shown:
        session = hold_focus(microscope, estimate, settings, options.log, shown.show)
        print("Ctrl-C ends, and leaves the stage at the last good position", flush=True)
        if microscope.by_offset:
            print("hardware autofocus is on: its offset is corrected, positions are those of the offset", flush=True)
        try:
            with session:
                while not timed_out and not session.wait(_PATIENCE_S):
                    timed_out = options.duration is not None and microscope.now_s() - begun >= options.duration
                    if not advised and session.advice:
                        advised = True
                        shown.tell(session.advice)
        except KeyboardInterrupt:
            pass  # the usual way to end; the session has stopped
    if session.error is not None:
        raise session.error
    locked = _sum_up(session)
    if options.log:
        print(f"log in {options.log}")
    return NOT_FOUND if timed_out and not locked else 0


def _sum_up(session: Any) -> int:
    """Say how the session went; looks that were locked."""
    looks = [row for row in session.rows if row["kind"] == LOOK]
    locked = sum(row["state"] == "locked" for row in looks)
    end = session.rows[-1]
    print(f"{len(looks)} looks, {locked} of them locked; {end['reason']}, {end['z_after_um']:.2f} um")
    return locked


class _Shown:
    """Status line at a terminal, else a line for each row."""

    def __init__(self, begun_s: float) -> None:
        from rich.console import Console

        self._begun_s, self._console = begun_s, Console()
        self._live: Optional[Any] = None

    def __enter__(self) -> _Shown:
        if self._console.is_terminal:
            from rich.live import Live

            self._live = Live(console=self._console, auto_refresh=False)
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def tell(self, line: str) -> None:
        """Write a line that stays: above the status line where there is one."""
        self._console.print(line, soft_wrap=True, markup=False, highlight=False)

    def show(self, row: Row) -> None:
        """Show a row of the log."""
        from rich.text import Text

        line = row_line(row, self._begun_s)
        if self._live is None:
            print(line, flush=True)
        else:
            self._live.update(Text(line, no_wrap=True, overflow="ellipsis"), refresh=True)


def row_line(row: Row, begun_s: float) -> str:
    """A row of the log as a line: time, state, position, error, drift, decision, and why."""
    minutes, seconds = divmod(int(max(0.0, row["time_s"] - begun_s)), 60)
    parts = [f"{minutes // 60:02d}:{minutes % 60:02d}:{seconds:02d}", f"{row['state']:<11}"]
    # Before the move: that is where the error was.
    for name, value, unit in (
        ("z", row["z_before_um"], "um"),
        ("error", row["error_um"], "um"),
        ("drift", row["drift_um_h"], "um/h"),
    ):
        parts.append(f"{name} {value:+.2f} {unit}" if math.isfinite(value) else f"{name} -")
    told = "; ".join(filter(None, (row["reason"], row["fault"])))
    has_moved = math.isfinite(row["z_after_um"]) and row["z_after_um"] != row["z_before_um"]
    moved = f" to {row['z_after_um']:+.2f} um" if has_moved else ""
    return "  ".join([*parts, f"{row['decision']}{moved}: {told}" if told else f"{row['decision']}{moved}"])
