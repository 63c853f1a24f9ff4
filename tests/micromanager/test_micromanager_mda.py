from __future__ import annotations

import numpy as np
import pytest
import useq
from beads_core import ADAPTERS
from held import Patient
from played import learned, load_played

from parfocal.fiji_bridge.micromanager import FocusKeepingEngine, demo_core
from parfocal.fiji_bridge.micromanager.start import close_core
from parfocal.focus_control.autofocus import autofocus
from parfocal.focus_control.session import hold_focus
from parfocal.focus_control.settings import HoldFocus

PLANES = {0: 3.0, 1: -5.0}
DRIFT_UM = 1.5


class Run:
    """A core whose focal plane depends on the stage position, and drifts from one time point to the next."""

    def __init__(self, core):
        self.core = core
        self.stage, self.camera, self.plane = load_played(core)
        for label, name in (("XY", "DXYStage"), ("Shutter", "DShutter")):
            core.loadDevice(label, "DemoCamera", name)
            core.initializeDevice(label)
        core.setXYStageDevice("XY")
        core.setShutterDevice("Shutter")
        self.microscope = Patient(core)
        self.estimate = learned(self.microscope)
        self.microscope.move_to_um(0.0)
        self.events, self.defocus = [], []
        core.mda.events.eventStarted.connect(self.prepare)
        core.mda.events.frameReady.connect(self.note)

    def prepare(self, event):
        index = event.index
        self.microscope.wait_s(600.0)
        self.plane[0] = PLANES[index.get("p", 0)] + DRIFT_UM * index.get("t", 0)

    def note(self, image, event, metadata):
        self.events.append((event.index.get("t"), event.index.get("p"), event.index.get("z")))
        self.defocus.append(self.camera.last_defocus_um)

    def focus(self):
        return autofocus(self.microscope, self.estimate, "estimate", tolerance_um=0.7, range_um=25.0)

    def go(self, engine, sequence):
        self.core.mda.set_engine(engine)
        self.core.mda.run(sequence)


@pytest.fixture
def run(unicore):
    unicore.setDeviceAdapterSearchPaths([ADAPTERS])
    return Run(unicore)


POSITIONS = [{"x": 0, "y": 0, "z": 0}, {"x": 100, "y": 0, "z": 0}]
LOOPS = {"stage_positions": POSITIONS, "time_plan": {"interval": 0, "loops": 3}, "axis_order": "tpz"}


def test_every_position_is_in_focus_at_every_time_point(run):
    engine = FocusKeepingEngine(run.core, run.focus, axes=("t", "p"))
    run.go(engine, useq.MDASequence(**LOOPS))
    assert run.events == [(t, p, None) for t in range(3) for p in range(2)]
    assert np.abs(run.defocus).max() < 0.8
    assert [(check.index["t"], check.index["p"]) for check in engine.checks] == [e[:2] for e in run.events]
    assert all(check.found for check in engine.checks)
    for check in engine.checks:
        true = PLANES[check.index["p"]] + DRIFT_UM * check.index["t"]
        assert check.correction_um == pytest.approx(true, abs=0.8)


def test_the_autofocus_events_of_the_sequence_itself_are_done_by_the_images(run):
    engine = FocusKeepingEngine(run.core, run.focus)
    run.go(engine, useq.MDASequence(**LOOPS, autofocus_plan=useq.AxesBasedAF(axes=("p",))))
    assert len(engine.checks) == 6
    assert np.abs(run.defocus).max() < 0.8


def test_a_sequence_with_autofocus_events_is_not_refocused_twice(run):
    engine = FocusKeepingEngine(run.core, run.focus, axes=("t", "p"))
    run.go(engine, useq.MDASequence(**LOOPS, autofocus_plan=useq.AxesBasedAF(axes=("p",))))
    assert len(engine.checks) == 6


def test_a_stack_stays_around_the_focal_plane(run):
    engine = FocusKeepingEngine(run.core, run.focus, axes=("t", "p"))
    run.go(engine, useq.MDASequence(**LOOPS, z_plan={"range": 4, "step": 2}))
    assert len(run.events) == 18
    np.testing.assert_allclose(np.reshape(run.defocus, (6, 3)), np.tile([-2.0, 0.0, 2.0], (6, 1)), atol=0.8)


def test_between_refocusings_the_correction_of_each_position_holds(run):
    # Else the core takes all time points of a position in one burst, within which nothing drifts here.
    engine = FocusKeepingEngine(run.core, run.focus, axes=("p",), use_hardware_sequencing=False)
    sequence = useq.MDASequence(**{**LOOPS, "axis_order": "ptz"})
    run.go(engine, sequence)
    assert len(engine.checks) == 2
    # Refocused at the first time point alone: what comes later is the drift since.
    np.testing.assert_allclose(
        np.reshape(run.defocus, (2, 3)), np.tile([0.0, -DRIFT_UM, -2 * DRIFT_UM], (2, 1)), atol=0.8
    )


def test_an_acquisition_goes_on_with_z_restored_where_no_focal_plane_is_found(run):
    run.camera.fault = "black"
    engine = FocusKeepingEngine(run.core, run.focus, axes=("t", "p"))
    run.go(engine, useq.MDASequence(**LOOPS))
    assert len(run.events) == 6
    assert [check.found for check in engine.checks] == [False] * 6
    assert all(check.reason and check.correction_um == 0.0 for check in engine.checks)
    assert run.stage.true_z_um == 0.0


def test_a_focus_function_that_raises_does_not_end_the_acquisition(run):
    def fail():
        raise RuntimeError("no answer")

    engine = FocusKeepingEngine(run.core, fail, axes=("p",))
    run.go(engine, useq.MDASequence(stage_positions=POSITIONS))
    assert len(run.events) == 2
    assert engine.checks[0].reason == "RuntimeError: no answer"


def test_a_session_keeps_the_focus_of_one_position(run):
    run.microscope.move_to_um(PLANES[0])
    session = hold_focus(run.microscope, run.estimate, HoldFocus(tolerance_um=0.3, scale_error=0.02))
    engine = FocusKeepingEngine(run.core, session, axes=("t",))
    run.go(engine, useq.MDASequence(stage_positions=POSITIONS[:1], time_plan={"interval": 0, "loops": 4}))
    session.stop()
    assert [check.found for check in engine.checks] == [True] * 4
    assert np.abs(run.defocus).max() < 1.0


def test_a_session_is_refused_for_several_positions(run):
    session = hold_focus(run.microscope, run.estimate)
    engine = FocusKeepingEngine(run.core, session)
    for sequence in (
        useq.MDASequence(stage_positions=POSITIONS),
        useq.MDASequence(grid_plan={"rows": 2, "columns": 2, "fov_width": 50, "fov_height": 50}),
    ):
        with pytest.raises(ValueError, match="a session follows the focal plane of one position"):
            engine.setup_sequence(sequence)
    session.stop()


def test_what_cannot_focus_is_refused(run):
    with pytest.raises(TypeError, match="focus must be a function or a session of hold_focus, got int"):
        FocusKeepingEngine(run.core, 3)


def test_axes_that_no_sequence_has_are_refused(run):
    with pytest.raises(ValueError, match="axes must be among t, p, g, c, z, got 'q'"):
        FocusKeepingEngine(run.core, run.focus, axes=("t", "q"))


def test_an_acquisition_runs_on_the_core_without_hardware():
    core = demo_core()
    try:
        frames = []
        core.mda.events.frameReady.connect(lambda image, event, metadata: frames.append(image.shape))
        core.mda.run(useq.MDASequence(time_plan=useq.TIntervalLoops(interval=0, loops=2)))
        assert len(frames) == 2
    finally:
        close_core(core)
