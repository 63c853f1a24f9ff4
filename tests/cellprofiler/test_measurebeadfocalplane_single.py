"""MeasureBeadFocalPlane on single images of beads: in this process, in the real program, and in its workers."""

import os
import subprocess
import sys
from functools import lru_cache
from pathlib import Path

import bead_stacks
import numpy as np
import pandas as pd
import pytest
import tifffile
from bead_stacks import DISTANCES_UM, OPTICS, make
from cellprofiler_core.constants.measurement import IMAGE
from cellprofiler_core.image import Image
from conftest import write_pipeline
from test_headless import loading, spreadsheet
from test_measurebeadfocalplane import Figure, column, run

from parfocal.beads.measure import measure_bead_focal_plane
from parfocal.cp_plugins import _parfocal_bead_settings as bead_settings

HERE = Path(__file__).parent
NAME = "BeadFocalPlane_{}_Stack"
SINGLE = {"stack_form": bead_settings.SINGLE, "distance_model": "a2k_like", "z_step_um": None}
NUMBERS = {
    "ReferenceFocalPlaneUm": lambda r: r.reference_focal_plane_um,
    "IntervalLowUm": lambda r: r.interval_um[0],
    "IntervalHighUm": lambda r: r.interval_um[1],
    "DistanceUm": lambda r: r.distance_um,
    "DistanceLowUm": lambda r: -r.interval_um[1],
    "DistanceHighUm": lambda r: -r.interval_um[0],
    "TargetUm": lambda r: r.target_um,
    "BeadCount": lambda r: r.n_beads,
    "RefusedCount": lambda r: len(r.refused) + sum(not bead.used for bead in r.beads),
    "TiltUmPerMm": lambda r: r.field_shape.tilt_um_per_mm,
    "TiltErrorUmPerMm": lambda r: r.field_shape.tilt_error_um_per_mm,
    "Answered": lambda r: r.answered,
}


@lru_cache
def direct(index):
    plane = bead_stacks.single_planes()[index]
    return measure_bead_focal_plane(plane, distance_model="a2k_like", target_offset_um=12.0, **OPTICS)


@pytest.fixture
def measure(make_workspace):
    """Measure a plane, or an Image, with settings; gives the measurements."""

    def measure(plane, **values):
        module = make(**SINGLE, **values)
        return run(module, make_workspace(module, {"Stack": plane}))

    return measure


def test_masked_beads_are_not_measured_and_those_at_the_mask_not_used(measure):
    plane = bead_stacks.single_planes()[0]
    mask = np.ones(plane.shape, bool)
    near = direct(0).beads[-1]
    mask[round(near.y_px) - 25 :, round(near.x_px) + 25 :] = False
    values = measure(Image(plane, mask=mask, scale=255))
    assert column(values, "DistanceUm") == pytest.approx(DISTANCES_UM[0], abs=5.0)
    assert column(values, "BeadCount") == direct(0).n_beads - 1
    told, used = column(values, "FocalPlaneUm", "Beads."), column(values, "Used", "Beads.")
    cut = np.hypot(values["Beads.Location_Center_X"] - near.x_px, values["Beads.Location_Center_Y"] - near.y_px) < 2
    assert cut.sum() == 1
    assert np.isnan(told[cut]).all()
    assert not used[cut].any()


def test_image_all_of_whose_beads_are_refused_has_them_as_objects_and_no_answer(measure):
    values = measure(bead_stacks.single_planes()[0], bead_diameter_um=32.0)
    assert column(values, "Status") == "out_of_range"
    assert column(values, "Answered") == 0
    assert np.isnan([column(values, name) for name in ("DistanceUm", "DistanceLowUm", "DistanceHighUm")]).all()
    assert values["Count_Beads"] > 3
    assert np.isnan(column(values, "DistanceUm", "Beads.")).all()


def test_every_measured_column_is_declared_and_none_else(make_workspace):
    for contrast in bead_settings.CONTRASTS:
        module = make(**SINGLE, contrast=contrast)
        workspace = make_workspace(module, {"Stack": bead_stacks.blank()[0]})
        module.run(workspace)
        declared = {(kind, name) for kind, name, _ in module.get_measurement_columns(workspace.pipeline)}
        measured = {
            (kind, name)
            for kind in (IMAGE, "Beads")
            for name in workspace.measurements.get_feature_names(kind)
            if name.startswith(("BeadFocalPlane_", "Location_", "Count_", "Number_Object"))
        }
        assert measured == declared
        assert not {name for _, name in declared} & {NAME.format(name) for name in ("SlopeZUm", "PlaneZUm")}


def test_3d_image_is_refused_where_a_single_image_is_asked_for(measure):
    with pytest.raises(ValueError, match="Stack is a 3D image, not a single plane: select how the beads are imaged"):
        measure(bead_stacks.bright_field())


def test_exposure_drops_out_unless_the_model_goes_by_counts(measure, monkeypatch):
    from parfocal import registry
    from parfocal.beads.distance.predict import TASK

    scaled = Image(bead_stacks.single_planes()[0] / np.float32(255))
    assert column(measure(scaled), "DistanceUm") == pytest.approx(direct(0).distance_um, abs=1e-3)
    folder, config = registry.checked_config("a2k_like", TASK)
    monkeypatch.setattr(registry, "checked_config", lambda *given: (folder, {**config, "normalisation": "none"}))
    with pytest.raises(ValueError, match="Stack does not say which count its value 1.0 stands for, and the distance"):
        measure(scaled)


def displayed(make_workspace, plane):
    module = make(**SINGLE)
    module.show_window = True
    workspace = make_workspace(module, {"Stack": plane})
    module.run(workspace)
    figure = Figure()
    module.display(workspace, figure)
    figure.plain.canvas.draw()
    return workspace, figure


def test_window_shows_what_each_bead_tells_the_image_and_the_numbers(make_workspace):
    _, figure = displayed(make_workspace, bead_stacks.single_planes()[0])
    np.testing.assert_array_equal(figure.shown[0, 1], bead_stacks.single_planes()[0])
    assert {"Status", "DistanceUm", "DistanceLowUm", "DistanceHighUm"} <= {row[0] for row in figure.shown[1, 0]}
    assert len(figure.axes[0, 1].patches) == len(direct(0).beads)
    lines = {line.get_label(): line.get_ydata() for line in figure.axes[0, 0].lines}
    np.testing.assert_allclose(lines["mean, interval"], direct(0).distance_um, rtol=1e-9)
    used = [-bead.focal_plane_um for bead in direct(0).beads if bead.used]
    np.testing.assert_allclose(lines["used"], used, rtol=1e-9)
    span = figure.axes[0, 0].patches[0].get_extents().transformed(figure.axes[0, 0].transData.inverted())
    np.testing.assert_allclose([span.y0, span.y1], sorted(-end for end in direct(0).interval_um), rtol=1e-6)


def test_window_of_an_image_without_beads_shows_the_reason(make_workspace):
    _, figure = displayed(make_workspace, bead_stacks.blank()[0])
    assert ["Status", "no_content"] in figure.shown[1, 0]
    assert not figure.axes[0, 0].lines


def test_what_a_window_shows_can_be_sent_by_a_worker(make_workspace):
    from cellprofiler_core.utilities.zmq import json_decode, json_encode

    for plane in (bead_stacks.single_planes()[0], bead_stacks.blank()[0]):
        workspace, _ = displayed(make_workspace, plane)
        sent = json_decode(*json_encode(workspace.display_data.__dict__))["window"]
        assert sent["table"] == workspace.display_data.window["table"]
        np.testing.assert_array_equal(sent["told_um"], workspace.display_data.window["told_um"])


def flag():
    """Flag images without an answer, and those farther than 100 um from focus."""
    from cellprofiler.modules.flagimage import FlagImage

    module = FlagImage()
    group = module.flags[0]
    module.add_measurement(group)
    answered, distance = group.measurement_settings
    answered.measurement.value = NAME.format("Answered")
    answered.wants_minimum.value, answered.minimum_value.value, answered.wants_maximum.value = True, 1.0, False
    distance.measurement.value = NAME.format("DistanceUm")
    distance.wants_minimum.value, distance.minimum_value.value = True, -100.0
    distance.wants_maximum.value, distance.maximum_value.value = True, 100.0
    group.combination_choice.value = "Flag if any fail"
    return module


def write_images(folder):
    """Beads at +60 and -150 um, nothing, and beads in a file that does not state the pixel size."""
    folder.mkdir()
    size = {"axes": "YX", "PhysicalSizeX": 1.5, "PhysicalSizeY": 1.5, "PhysicalSizeXUnit": "um"}
    for number, plane in enumerate([*bead_stacks.single_planes(), bead_stacks.blank()[0]]):
        tifffile.imwrite(folder / f"Stack_{number}.ome.tif", plane, metadata=size)
    tifffile.imwrite(folder / "Stack_3.tif", bead_stacks.single_planes()[0])


def pipeline():
    module = make(**SINGLE, pixel_size_um=None, target_offset_um=12.0)
    return [*loading(["Stack"]), module, flag(), spreadsheet()]


@pytest.fixture(scope="module")
def program(tmp_path_factory, run_headless):
    """Folder and table of four images in one run of the real program."""
    folder = tmp_path_factory.mktemp("single")
    write_images(folder / "images")
    printed = run_headless(pipeline(), folder / "images", folder / "out")
    assert (folder / "out" / "Image.csv").exists(), printed
    return folder / "out", pd.read_csv(folder / "out" / "Image.csv")


def test_program_gives_distance_and_side_as_the_command_does(program):
    _, table = program
    np.testing.assert_allclose(table[NAME.format("DistanceUm")][:2], DISTANCES_UM, atol=5.0)
    for index in (0, 1):
        for feature, number in NUMBERS.items():
            np.testing.assert_allclose(
                table[NAME.format(feature)][index], number(direct(index)), rtol=1e-6, err_msg=feature
            )
    low, high = (table[NAME.format(f"Distance{end}Um")][:2] for end in ("Low", "High"))
    assert (low < table[NAME.format("DistanceUm")][:2]).all()
    assert (table[NAME.format("DistanceUm")][:2] < high).all()


def test_images_without_an_answer_have_reasons_and_do_not_end_the_run(program):
    _, table = program
    assert table[NAME.format("Status")].tolist() == ["ok", "ok", "no_content", "unreadable"]
    assert table[NAME.format("Answered")].tolist() == [1, 1, 0, 0]
    assert table[NAME.format("DistanceUm")][2:].isna().all()
    assert table[NAME.format("Reason")][2].startswith("no bead")
    assert table[NAME.format("Reason")][3] == "Stack_3.tif does not say how large a pixel is: enter the pixel size"


def test_flagimage_sees_images_out_of_focus_and_those_without_an_answer(program):
    assert program[1]["Metadata_QCFlag"].tolist() == [0, 1, 1, 1]


def test_beads_are_objects_of_their_image(program):
    output, table = program
    rows = pd.read_csv(output / "Beads.csv")
    assert table["Count_Beads"].tolist() == [len(direct(0).beads), len(direct(1).beads), 0, 0]
    for index in (0, 1):
        own, answer = rows[rows.ImageNumber == index + 1], direct(index)
        for axis, name in (("X", "x_px"), ("Y", "y_px")):
            np.testing.assert_allclose(
                own[f"Location_Center_{axis}"], [getattr(bead, name) for bead in answer.beads], rtol=1e-6
            )
        focal = np.array([bead.focal_plane_um for bead in answer.beads])
        np.testing.assert_allclose(own[NAME.format("FocalPlaneUm")], focal, rtol=1e-6)
        difference = focal - answer.reference_focal_plane_um
        np.testing.assert_allclose(own[NAME.format("DistanceUm")], difference, atol=1e-4)
        assert own[NAME.format("Used")].tolist() == [bead.used for bead in answer.beads]


def test_analysis_workers_give_the_same_numbers(tmp_path, program):
    write_images(tmp_path / "images")
    (tmp_path / "out").mkdir()
    file = write_pipeline(pipeline(), tmp_path / "beads.cppipe")
    command = [sys.executable, HERE / "analyse_with_workers.py", file, tmp_path / "images", tmp_path / "out", 1]
    done = subprocess.run(
        list(map(str, command)),
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "PYTHONPATH": str(HERE / "stubs"), "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    table = pd.read_csv(tmp_path / "out" / "Image.csv").sort_values("FileName_Stack", ignore_index=True)
    columns = [NAME.format(feature) for feature in NUMBERS]
    np.testing.assert_allclose(table[columns], program[1][columns], rtol=1e-9)
