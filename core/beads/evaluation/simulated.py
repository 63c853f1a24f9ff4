"""The reference focal plane of simulated stacks of known truth, over a grid of beads, optics, steps and noise."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from parfocal.beads.measure import measure_bead_focal_plane
from parfocal.beads.simulation import A2K_LIKE, NIKON_LIKE, Light, Sample, Stage, simulate_bead_stack
from parfocal.beads.simulation.presets import BrightFieldPreset

if TYPE_CHECKING:
    import pandas as pd

    from parfocal.beads.simulation import BeadAppearance


@dataclass(frozen=True)
class StackCase:
    """One kind of stack: a preset with a bead, steps, light, and what else is in the sample.

    Attributes
    ----------
    name : str
        What varies.
    preset : BrightFieldPreset
        Optics and camera.
    bead_diameter_um, numerical_aperture : float
        Of bead and objective.
    z_step_um, half_range_um : float
        Planes lie this far apart, up to so far on either side of a plane near the reference focal plane.
    light : float
        Photoelectrons against the preset's.
    n_beads : int
        Isolated beads in the field.
    sample : Sample
        Heights, tilt, cells, dust.
    stage : Stage
        Jitter and drift.
    """

    name: str
    preset: BrightFieldPreset
    z_step_um: float
    half_range_um: float
    bead_diameter_um: float = 28.5
    numerical_aperture: float = 0.0
    light: float = 1.0
    n_beads: int = 6
    sample: Sample = Sample()
    stage: Stage = Stage()

    def appearance(self) -> BeadAppearance:
        """Compute what the bead of this case looks like; a few seconds."""
        changes: dict[str, Any] = {"bead_diameter_um": self.bead_diameter_um}
        if self.numerical_aperture:
            changes["optics"] = replace(self.preset.optics, numerical_aperture=self.numerical_aperture)
        return self.preset.appearance(**changes)


_COARSE = StackCase("A2K-like, step 7.5 um", A2K_LIKE, 7.5, 75.0)
_FINE = StackCase("Nikon-like, step 1 um", NIKON_LIKE, 1.0, 12.0)
CASES = (
    _COARSE,
    replace(_COARSE, name="A2K-like, step 3 um", z_step_um=3.0, half_range_um=45.0),
    replace(_COARSE, name="A2K-like, step 30 um", z_step_um=30.0, half_range_um=180.0),
    replace(_COARSE, name="A2K-like, a ninth of the light", light=1 / 9),
    replace(_COARSE, name="A2K-like, beads of 24 um", bead_diameter_um=24.0),
    replace(_COARSE, name="A2K-like, beads of 35 um", bead_diameter_um=35.0),
    replace(_COARSE, name="A2K-like, NA 0.16", numerical_aperture=0.16),
    replace(_COARSE, name="A2K-like, NA 0.2", numerical_aperture=0.2),
    replace(_COARSE, name="A2K-like, 3 beads", n_beads=3),
    replace(_COARSE, name="A2K-like, 12 beads", n_beads=12),
    replace(_COARSE, name="A2K-like, heights spread by 2 um", sample=Sample(height_spread_um=2.0)),
    replace(_COARSE, name="A2K-like, stage jitter 1 um", stage=Stage(z_jitter_um=1.0)),
    replace(_COARSE, name="A2K-like, cells, dust, touching", sample=Sample(cells=40, dust=10, touching_pairs=1)),
    _FINE,
    replace(_FINE, name="Nikon-like, step 2 um", z_step_um=2.0),
    replace(_FINE, name="Nikon-like, step 4 um", z_step_um=4.0, half_range_um=20.0),
    replace(_FINE, name="Nikon-like, a ninth of the light, step 2 um", z_step_um=2.0, light=1 / 9),
)


def run_simulated(stacks_per_case: int, seed: int) -> Iterator[dict[str, Any]]:
    """Simulate and measure stacks of every case: one row for each stack, errors in um and in z steps."""
    for number, case in enumerate(CASES):
        appearance = case.appearance()
        for repeat in range(stacks_per_case):
            yield _measure(case, appearance, np.random.default_rng([seed, number, repeat]))


def _measure(case: StackCase, appearance: BeadAppearance, rng: np.random.Generator) -> dict[str, Any]:
    pixel_um = case.preset.optics.pixel_size_um
    z = np.arange(-case.half_range_um, case.half_range_um + case.z_step_um / 2, case.z_step_um)
    truth = float(rng.uniform(-0.5, 0.5) * case.z_step_um)
    side = round(case.bead_diameter_um / pixel_um * (4 + 3 * np.sqrt(case.n_beads)))
    simulated = simulate_bead_stack(
        appearance,
        pixel_um,
        (side, side),
        z,
        rng,
        n_beads=case.n_beads,
        reference_focal_plane_um=truth,
        sample=case.sample,
        stage=case.stage,
        light=Light(level_electrons=case.preset.background_electrons * case.light),
        camera=replace(case.preset.camera, gain=case.preset.camera.gain / case.light),
    )
    # What can be asked for is the plane of the beads in the picture, which differ in height.
    own = float(np.mean(simulated.scene.bead_reference_z_um))
    found = measure_bead_focal_plane(
        simulated.stack_zyx,
        pixel_um,
        case.bead_diameter_um,
        z_um=z,
        black_level=case.preset.camera.offset,
        z_error_um=case.stage.z_jitter_um,
    )
    error = found.reference_focal_plane_um - own
    low, high = found.interval_um
    return {
        "case": case.name,
        "z_step_um": case.z_step_um,
        "status": found.status,
        "beads": case.n_beads,
        "used": found.n_beads,
        "error_um": error,
        "error_steps": abs(error) / case.z_step_um,
        "half_interval_um": (high - low) / 2,
        "covered": bool(low <= own <= high) if found.answered else None,
        "warnings": ";".join(found.warnings),
    }


def summarise(rows: pd.DataFrame) -> pd.DataFrame:
    """Share answered, error in steps, and coverage of the interval, by case and over all."""
    import pandas as pd

    parts = [*rows.groupby("case", sort=False), ("all", rows)]
    return pd.DataFrame([{"case": name, **_summary(part)} for name, part in parts])


def _summary(rows: pd.DataFrame) -> dict[str, float]:
    told = rows[rows["status"] == "ok"]
    errors = told["error_steps"].to_numpy(float)
    if not len(told):
        return {"stacks": len(rows), "answered": 0.0}
    return {
        "stacks": len(rows),
        "answered": len(told) / len(rows),
        "median error, steps": float(np.median(errors)),
        "99th percentile, steps": float(np.percentile(errors, 99)),
        "within a quarter": float(np.mean(errors <= 0.25)),
        "within one": float(np.mean(errors <= 1.0)),
        "median error, um": float(np.median(np.abs(told["error_um"]))),
        "half interval, um": float(np.median(told["half_interval_um"])),
        "covered": float(told["covered"].astype(float).mean()),
    }
