"""What calibration gains on optics and beads that the shipped model was not trained for: simulated instruments."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from parfocal.beads.calibrate.fit import CalibrationSettings, calibrate_sweeps
from parfocal.beads.calibrate.scores import figures, read_sweeps
from parfocal.beads.calibrate.start import Start, choose_start
from parfocal.beads.calibrate.sweep import CropCut, Sweep, label_sweep
from parfocal.beads.distance.scenes import changed_optics
from parfocal.beads.distance.simulated import SimulatedOptics
from parfocal.beads.measure import measure_bead_focal_plane
from parfocal.beads.simulation import Light, Sample, SimulatedBeadStack, Stage, simulate_bead_stack

if TYPE_CHECKING:
    import pandas as pd

# Condenser and beads of other instruments than those that `a2k_like` was trained for (0.1; 27 to 30 um).
CASES: tuple[dict[str, float], ...] = (
    {"condenser_numerical_aperture": 0.08},
    {"bead_diameter_um": 20.0},
    {"condenser_numerical_aperture": 0.08, "bead_diameter_um": 20.0},
)
TRAINED_STACKS = (1, 3)
_TEST_STACKS = 2
_HALF_RANGE_UM, _STEPS = 200.0, 40
_SHAPE_YX, _BEADS = (560, 760), 8
# Exposures of the stacks, on the preset's light, in turn.
_EXPOSURES = (1.0, 0.6, 1.3, 0.8)


def simulated_sweep_stack(
    optics: SimulatedOptics, z_um: np.ndarray, number: int, seed: int, n_beads: int = _BEADS
) -> SimulatedBeadStack:
    """Simulate one sweep of an instrument: its own field, exposure, stray light and REFP; true distances are known.

    Heights differ by 1 um and z positions by 0.5 um (standard deviations), the corners lack 10 percent of the light.

    Parameters
    ----------
    optics : SimulatedOptics
    z_um : ndarray
        Positions of the planes, um; the REFP lies up to 20 um from 0.
    number : int
        Which stack of the instrument.
    seed : int
    n_beads : int
        Beads in a field of 560 x 760 pixels.
    """
    rng, preset = np.random.default_rng([seed, 95, number]), optics.preset
    reach = float(np.abs(z_um).max()) + 25.0
    middle = sum(preset.distance_range_um) / 2
    look = preset.appearance(distance_range_um=(middle - reach - 60.0, middle + reach + 60.0))
    electrons = preset.background_electrons * _EXPOSURES[number % len(_EXPOSURES)]
    light = Light(level_electrons=electrons, stray_electrons=electrons * rng.uniform(0, 0.05), vignetting=0.1)
    return simulate_bead_stack(
        look,
        preset.optics.pixel_size_um,
        _SHAPE_YX,
        z_um,
        rng,
        n_beads=n_beads,
        reference_focal_plane_um=float(rng.uniform(-20, 20)),
        sample=Sample(height_spread_um=1.0, minimum_distance_diameters=3.0),
        stage=Stage(z_jitter_um=0.5),
        light=light,
        camera=preset.camera,
    )


def calibration_study(
    optics: str = "a2k_like",
    cases: Sequence[dict[str, float]] = CASES,
    trained_stacks: Sequence[int] = TRAINED_STACKS,
    settings: CalibrationSettings = CalibrationSettings(),  # noqa: B008
    n_planes: int = _STEPS + 1,
) -> pd.DataFrame:
    """Calibrate simulated instruments that a shipped model was not trained for.

    Parameters
    ----------
    optics : str
        Model and its optics, of which something is changed.
    cases : sequence of dict
        Changes, see `changed_optics`.
    trained_stacks : sequence of int
        Numbers of stacks to calibrate with; of 2 or more one sets the limits. One more is kept back, as the command
        asks for.
    settings : CalibrationSettings
    n_planes : int
        Planes of a stack, over +-200 um.

    Returns
    -------
    DataFrame
        For each case the shipped model, then the calibrated ones, on two other stacks: figures of `figures` with all
        beads of an image, `true_median_um` (median error against the simulated, not the measured REFP) and minutes of
        training. Distances are those that all models of a case answer for.
    """
    import pandas as pd

    rows = []
    for changes in cases:
        instrument = _Instrument(changed_optics(optics, **changes), max(trained_stacks) + 1, settings, n_planes)
        name = ", ".join(f"{key} {value:g}" for key, value in changes.items())
        rows.append({"optics": name, "stacks": 0, **instrument.score(optics), "minutes": 0.0})
        for count in trained_stacks:
            rows.append({"optics": name, "stacks": count, **instrument.calibrated(count)})
    return pd.DataFrame(rows)


class _Instrument:
    """A simulated instrument: stacks to calibrate with, and stacks to test on with known REFP."""

    def __init__(self, optics: SimulatedOptics, n_stacks: int, settings: CalibrationSettings, n_planes: int) -> None:
        preset = optics.preset
        self.settings = replace(settings, keep_back=1)
        self.start: Start = choose_start(settings.start_from, preset.optics.pixel_size_um, preset.bead_diameter_um)
        self.depth_um = preset.optics.depth_of_field_um
        z_um = np.linspace(-_HALF_RANGE_UM, _HALF_RANGE_UM, n_planes)
        cut = CropCut(self.start.cut_px, seed=settings.seed)
        made = [_sweep(optics, z_um, number, settings.seed, cut) for number in range(n_stacks + _TEST_STACKS)]
        self.sweeps = [sweep for sweep, _ in made[:n_stacks]]
        self.tests = [sweep for sweep, _ in made[n_stacks:]]
        self.shift_um = {sweep.name: sweep.result.reference_focal_plane_um - true for sweep, true in made[n_stacks:]}
        # What every sweep covers, less what a model leaves at the ends of its range.
        inner = 0.95 * (_HALF_RANGE_UM - 20.0)
        self.range_um = (-inner, inner)

    def calibrated(self, count: int) -> dict[str, Any]:
        """Figures of a model from so many stacks, and one kept back."""
        with tempfile.TemporaryDirectory() as folder:
            made = calibrate_sweeps(self.sweeps[: count + 1], Path(folder) / "model", self.start, self.settings)
            return {**self.score(str(made.output)), "minutes": made.minutes}

    def score(self, model: str) -> dict[str, float]:
        """Figures of a model on the test stacks."""
        whole = read_sweeps(model, self.tests, self.range_um)
        true_error = (whole["error_um"] - whole["stack"].map(self.shift_um))[whole["answered"]]
        return {**figures(whole, self.depth_um), "true_median_um": float(true_error.abs().median())}


def _sweep(optics: SimulatedOptics, z_um: np.ndarray, number: int, seed: int, cut: CropCut) -> tuple[Sweep, float]:
    """A sweep as it is measured, and its true REFP, um."""
    made, preset = simulated_sweep_stack(optics, z_um, number, seed), optics.preset
    result = measure_bead_focal_plane(
        made.stack_zyx, preset.optics.pixel_size_um, preset.bead_diameter_um, z_um=z_um, contrast="bright_field"
    )
    name = f"stack {number + 1}"
    return label_sweep(name, name, made.stack_zyx, result, range(len(z_um)), cut), made.reference_focal_plane_um
