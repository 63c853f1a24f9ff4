"""A microscope on a real core in simulated time, and how its focus is held."""

from __future__ import annotations

import numpy as np

from parfocal.fiji_bridge.micromanager import MMCoreMicroscope

# The estimator was learned on this very sample: its distances are right far from focus, too.
SETTINGS = {"interval_s": 60.0, "tolerance_um": 1.0, "settle_um": 0.5, "probe_um": 2.0, "scale_error": 0.02}
SETTINGS |= {"least_deviation_um": 0.2, "coarse_step_um": 4.0, "fine_step_um": 1.0, "largest_step_um": 50.0}


class Patient(MMCoreMicroscope):
    """Its waits take no time."""

    seconds = 0.0

    def now_s(self):
        return self.seconds

    def wait_s(self, seconds):
        self.seconds += seconds


class Drifting(Patient):
    """Its sample drifts against the stage, and it may add shot noise, which the beads lack."""

    rng = None

    def sample_um(self):
        """By how much the focal plane lies higher than at the start."""
        return 0.0

    def z_um(self):
        return super().z_um() + self.sample_um()

    def move_to_um(self, z_um):
        super().move_to_um(z_um - self.sample_um())

    def snap(self):
        self.seconds += 0.1
        image = super().snap()
        return image if self.rng is None else self.rng.poisson(image + 10.0).astype(np.uint16)
