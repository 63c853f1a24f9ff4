"""Autofocus from a few images through a dry objective of 10x, NA 0.3: an estimate that leads near, then sharpness."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from parfocal.focal_position.evaluation.plan import Found, Plan
from parfocal.focal_position.evaluation.simulated import TEN_FOLD
from parfocal.focal_position.simulation.imaging import READ_NOISE, SampleImager
from parfocal.focal_position.simulation.psf import REACH, psf_stack
from parfocal.focal_position.simulation.sample import draw_sample
from parfocal.focus_control.autofocus import autofocus
from parfocal.focus_control.model_estimator import model_estimator
from parfocal.focus_control.simulated import SimulatedMicroscope
from parfocal.focus_quality.synthesis import Camera
from parfocal.report.sections import Section

KINDS, ABERRATIONS_WAVES = ("nuclei", "cells"), (0.0, 0.4, 0.6, 1.0)
METRIC, START_UM, _SIZE_PX, _PHOTONS, _BACKGROUND = "Brenner", 20.0, 256, 400.0, 0.1


@dataclass(frozen=True, eq=False)
class ImagedSample:
    """A sample seen through the optics, as a simulated microscope takes it."""

    imager: SampleImager

    def image(self, defocus_um: float, time_s: float, lit: bool, rng: np.random.Generator) -> np.ndarray:
        """Image (y, x) at a distance from focus."""
        light = self.imager.image(defocus_um / TEN_FOLD.depth_of_field_um) + _BACKGROUND
        return np.asarray(Camera(read_noise=READ_NOISE).expose(_PHOTONS * light * lit, rng))


def sections(plan: Plan) -> Found:
    """A row for each kind and aberration: found, images, and errors; for the whole number of stacks in each."""
    import pandas as pd

    estimator = model_estimator(
        model=plan.model,
        pixel_size_um=TEN_FOLD.pixel_size_um,
        numerical_aperture=TEN_FOLD.numerical_aperture,
        emission_wavelength_um=TEN_FOLD.emission_wavelength_um,
        spherical_aberration="positive",
    )
    rows = pd.DataFrame(
        [
            _one(estimator, kind, waves, plan.seed + number)
            for kind in KINDS
            for waves in ABERRATIONS_WAVES
            for number in range(plan.stacks)
        ]
    )
    groups = rows.groupby(["kind", "aberration waves"], sort=False).apply(_summary, include_groups=False).reset_index()
    together = _summary(rows).to_frame().T
    text = (
        f"10x, NA {TEN_FOLD.numerical_aperture:g}, pixels of {TEN_FOLD.pixel_size_um:g} um, a depth of field is "
        f"{TEN_FOLD.depth_of_field_um:.1f} um; starts within {START_UM:g} um of focus; {METRIC}. Errors are of the "
        "position where it ended, from the focal plane of the simulation."
    )
    return Found((Section("Autofocus from a few images", text, (together, groups)),), rows)


def _one(estimator: Any, kind: str, waves: float, seed: int) -> dict[str, Any]:
    rng = np.random.default_rng([seed, 98])
    depth = TEN_FOLD.depth_of_field_um
    sample = draw_sample(rng, kind, int(rng.integers(10, 40)), _SIZE_PX + 64, 0.0, 2.0 / depth)
    plane = float(rng.uniform(-START_UM, START_UM))
    microscope = SimulatedMicroscope(
        ImagedSample(SampleImager(sample, psf_stack(TEN_FOLD, waves, REACH))),  # type: ignore[arg-type]
        lambda _: plane,
        seed=seed,
    )
    found = autofocus(microscope, estimator, "estimate", range_um=3 * START_UM, metric=METRIC, refine_step_um=depth)
    error = found.z_um - plane if found.found else float("nan")
    told = {"kind": kind, "aberration waves": waves, "seed": seed, "status": found.status, "images": found.images}
    return {**told, "start um": -plane, "error um": error}


def _summary(rows: Any) -> Any:
    import pandas as pd

    found = rows[rows["status"] == "ok"]
    error = found["error um"].abs()
    return pd.Series(
        {
            "runs": len(rows),
            "found": len(found) / len(rows),
            "images": found["images"].mean(),
            "median error um": error.median(),
            "95th percentile um": error.quantile(0.95),
            "within 1 um": (error <= 1.0).mean(),
        }
    )
