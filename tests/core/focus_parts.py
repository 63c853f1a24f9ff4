"""A session on a simulated microscope, and what every test holds it to."""

from __future__ import annotations

from parfocal.focus_control.session import hold_focus
from parfocal.focus_control.settings import HoldFocus
from parfocal.focus_control.simulated import SimulatedMicroscope, stepped
from parfocal.focus_control.simulated_sample import Sample
from parfocal.focus_control.stated_estimator import StatedEstimator


class Rig:
    """Microscope, estimator and session; `minutes` lets it run as a time-lapse would."""

    def __init__(self, z_um=0.0, plane=None, settings=None, microscope=None, log=None, **estimator):
        sample = Sample(size_px=64, cells=8)
        plane = plane or stepped()
        self.microscope = microscope or SimulatedMicroscope(sample=sample, focal_plane=plane, z=z_um)
        self.estimator = StatedEstimator(self.microscope, **estimator)
        self.session = hold_focus(self.microscope, self.estimator, settings or HoldFocus(), log)

    @property
    def faults(self):
        return self.microscope.faults

    @property
    def error_um(self):
        """True distance of the device from the focal plane."""
        return self.microscope.z - self.microscope.focal_plane(self.microscope.now_s())

    @property
    def looks(self):
        return [row for row in self.session.rows if row["kind"] == "look"]

    def minutes(self, count):
        """One settled look a minute; the largest true error after them."""
        worst = 0.0
        for _ in range(count):
            due_s = self.microscope.now_s() + 60.0
            before = len(self.session.rows)
            self.session.settle()
            looks = [row for row in self.session.rows[before:] if row["kind"] == "look"]
            assert 1 <= len(looks) <= self.session.settings.looks_at_once
            self.microscope.wait_s(max(0.0, due_s - self.microscope.now_s()))
            worst = max(worst, abs(self.error_um))
        self.check_moves()
        return worst

    def check_moves(self):
        """No position outside the limits was ever commanded, and no step was longer than allowed."""
        low, high = self.session.limits_um
        commanded = self.microscope.commanded_um
        assert all(low <= z <= high for z in commanded), (low, high, commanded)
        assert all(low - 1e-9 <= z <= high + 1e-9 for z in self.microscope.visited_um[1:])
