"""Several fields on the real core: those of the demo camera follow its XY stage."""

from __future__ import annotations

import functools
import io
import sys

import numpy as np
import pymmcore
import pytest
from beads_core import ADAPTERS, load_beads, unload
from played import load_played

from parfocal.cli import main
from parfocal.fiji_bridge.micromanager import MMCoreMicroscope, MMCoreXYStage
from parfocal.focus_control.autofocus import autofocus
from parfocal.focus_control.fields import measure_focus_surface, take_fields
from parfocal.focus_control.microscope import StageError
from parfocal.focus_control.settings import HoldFocus


@pytest.fixture
def beads():
    """Core whose beads, and the frame of them, follow an XY stage, which is at 40, -30 um."""
    core = pymmcore.CMMCore()
    load_beads(core)
    _add_xy(core)
    core.setProperty("Camera", "PixelType", "16bit")
    yield core
    unload(core)


def _add_xy(core):
    core.loadDevice("XY", "DemoCamera", "DXYStage")
    core.initializeDevice("XY")
    core.setXYStageDevice("XY")
    core.setXYPosition(40.0, -30.0)
    core.waitForDevice("XY")


def xy(core):
    return core.getXPosition(), core.getYPosition()


def test_positions_are_those_of_the_xy_stage(beads):
    stage = MMCoreXYStage(beads)
    stage.move_to_um(120.0, 5.0)
    assert stage.xy_um() == pytest.approx((120.0, 5.0), abs=0.02)
    assert xy(beads) == stage.xy_um()


def test_a_field_is_as_large_as_the_image_where_the_pixel_size_is_known(beads):
    assert MMCoreXYStage(beads).field_um() is None
    beads.definePixelSizeConfig("20x", "Camera", "Binning", "1")
    beads.setPixelSizeUm("20x", 0.5)
    assert MMCoreXYStage(beads).field_um() == (128.0, 128.0)


def test_stacks_of_several_fields_show_different_samples_and_the_stages_go_back(beads):
    stacks = take_fields(
        MMCoreMicroscope(beads), MMCoreXYStage(beads), HoldFocus(), 12.0, 2.0, [(300.0, 0.0), (-300.0, 100.0)]
    )
    sharp = [stack.stack_zyx[6].astype(float).ravel() for stack in stacks]
    assert np.abs(np.corrcoef(sharp) - np.eye(3)).max() < 0.2
    np.testing.assert_allclose([stack.focal_z_um for stack in stacks], 0.0, atol=1.0)
    assert xy(beads) == pytest.approx((40.0, -30.0), abs=0.02)
    assert beads.getPosition() == 0.0


def test_a_core_without_an_xy_stage_is_refused_with_the_devices_there_are(core):
    with pytest.raises(StageError, match="the core has no XY stage; its devices: Camera, Z, Filter"):
        MMCoreXYStage(core)
    with pytest.raises(StageError, match="no XY stage 'Table'"):
        MMCoreXYStage(core, "Table")


def test_a_stage_that_stays_busy_is_a_time_out(beads):
    with pytest.raises(StageError, match="XY is still busy after 0.05 s"):
        MMCoreXYStage(beads, timeout_s=0.05).move_to_um(50000.0, 0.0)


def test_a_focus_surface_is_measured_over_positions_of_a_tilted_sample(unicore):
    unicore.setDeviceAdapterSearchPaths([ADAPTERS])
    _, camera, _ = load_played(unicore)
    _add_xy(unicore)

    def tilted(seconds):
        x_um, y_um = xy(unicore)
        return 1.0 + 0.02 * x_um - 0.01 * y_um

    camera._focal_plane = tilted
    microscope, stage = MMCoreMicroscope(unicore), MMCoreXYStage(unicore)
    surface = measure_focus_surface(
        microscope, stage, [(0, 0), (200, 0), (0, 200), (200, 200)], lambda: autofocus(microscope, range_um=10.0)
    )
    assert surface.predict(150.0, 50.0).z_um == pytest.approx(1.0 + 3.0 - 0.5, abs=0.5)
    assert xy(unicore) == pytest.approx((40.0, -30.0), abs=0.02)
    assert unicore.getPosition() == 0.0


@pytest.fixture
def calibrated(monkeypatch, tmp_path):
    """Run `parfocal calibrate` without its training; what it would have trained on and been judged by."""
    import parfocal.cli.calibrate as calibrate

    taken = {}

    class Made:
        text, output = "Errors on such a field", "out"

    @functools.wraps(calibrate.calibrate_focal_position)
    def note(stacks, output, **others):
        taken.update(stacks=stacks, **others)
        return Made

    monkeypatch.setattr(calibrate, "calibrate_focal_position", note)
    monkeypatch.setattr(sys, "stdin", io.StringIO())

    def run(*arguments):
        status = main(["calibrate", "-o", str(tmp_path / "out"), "--range-um", "20", "--step-um", "2", *arguments])
        return status, taken

    return run


def test_calibrating_moves_to_the_fields_and_is_judged_by_the_last(config, calibrated, capsys):
    offsets = ["--field-offset-um", "300", "0", "--field-offset-um", "-300", "50"]
    status, taken = calibrated("--config", config, *offsets)
    assert status == 0
    assert [stack.name for stack in taken["stacks"]] == ["field 1", "field 2"]
    assert taken["second_field"].name == "field 3"
    told = capsys.readouterr().out
    assert "field 3: 21 planes, focal plane at" in told
    assert "no second field" not in told


def test_calibrating_without_an_xy_stage_says_that_it_has_only_the_same_field(calibrated, capsys):
    status, taken = calibrated("--demo", "--field-offset-um", "300", "0")
    assert status == 0
    (stack,) = taken["stacks"]
    np.testing.assert_allclose(stack.z_um, np.arange(-20, 21, 2.0))
    assert stack.focal_z_um == pytest.approx(12.0, abs=1.0)
    assert "second_field" not in taken
    told = capsys.readouterr().out
    assert "the core has no XY stage; its devices: Stage, Camera: only the present field is taken" in told
    assert "no second field" in told


def test_calibrating_without_offsets_or_a_terminal_says_that_it_has_only_the_same_field(config, calibrated, capsys):
    status, taken = calibrated("--config", config)
    assert status == 0
    assert len(taken["stacks"]) == 1 and "second_field" not in taken
    assert "no second field: the errors are those on the field that is adapted to" in capsys.readouterr().out


def test_offsets_to_the_same_field_are_refused(config, calibrated, capsys):
    status, taken = calibrated("--config", config, "--field-offset-um", "3", "0")
    assert status == 2
    assert taken == {}
    assert "field_offset_um must lead to a field that does not overlap" in capsys.readouterr().err


def test_an_occupied_folder_is_told_before_stacks_are_taken(calibrated, tmp_path, capsys):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("kept")
    status, taken = calibrated("--demo")
    assert (status, taken) == (2, {})
    told = capsys.readouterr()
    assert "out is not empty: choose another output folder" in told.err
    assert "planes" not in told.out
