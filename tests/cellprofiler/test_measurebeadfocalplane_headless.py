"""MeasureBeadFocalPlane in the real CellProfiler, without its window: groups of planes, and 3D images."""

import os
import sqlite3
import subprocess
import sys
from functools import lru_cache
from pathlib import Path

import bead_stacks
import numpy as np
import pandas as pd
import pytest
import tifffile
from bead_stacks import OPTICS, STEP_UM, Z_UM
from conftest import write_pipeline
from test_headless import database, loading, spreadsheet

from parfocal.beads.measure import measure_bead_focal_plane
from parfocal.cp_plugins import _parfocal_bead_settings as bead_settings
from parfocal.cp_plugins.measurebeadfocalplane import MeasureBeadFocalPlane

HERE = Path(__file__).resolve().parent
NAME = "BeadFocalPlane_{}_Stack"
ODD = 12


def beads(**values):
    module = MeasureBeadFocalPlane()
    for name, value in {"image_name": "Stack", **values}.items():
        getattr(module, name).value = value
    return module


def grouped_beads():
    return beads(
        stack_form=bead_settings.GROUPED,
        z_source=bead_settings.Z_METADATA,
        z_tag="Plane",
        z_factor_um=STEP_UM,
        target_offset_um=12.0,
        **OPTICS,
    )


def flag():
    from cellprofiler.modules.flagimage import FlagImage

    module = FlagImage()
    measured = module.flags[0].measurement_settings[0]
    measured.measurement.value = NAME.format("Answered")
    measured.wants_minimum.value, measured.minimum_value.value = True, 1.0
    measured.wants_maximum.value = False
    return module


def loading_groups():
    images, metadata, assign, groups = loading(["Stack"])
    metadata.wants_metadata.value = True
    metadata.extraction_methods[0].file_regexp.value = r"^Stack_(?P<Slide>[A-Z])_(?P<Plane>[0-9]+)"
    groups.wants_groups.value = True
    groups.grouping_metadata[0].metadata_choice.value = "Slide"
    return [images, metadata, assign, groups]


def write_planes(folder, slide, stack):
    # Without leading zeros: plane 10 comes before plane 2 in the group.
    for number, plane in enumerate(stack):
        tifffile.imwrite(folder / f"Stack_{slide}_{number}.tif", plane)


@pytest.fixture(scope="module")
def grouped(tmp_path_factory, run_headless):
    """Three slides, a group each: good, blank, and good with a plane of another size; to spreadsheet and SQLite."""
    folder = tmp_path_factory.mktemp("grouped")
    images = folder / "images"
    images.mkdir()
    write_planes(images, "A", bead_stacks.bright_field())
    write_planes(images, "B", bead_stacks.blank())
    write_planes(images, "C", bead_stacks.bright_field())
    tifffile.imwrite(images / f"Stack_C_{ODD}.tif", bead_stacks.blank()[0, :100])
    export = database()
    export.location_object.value = "Beads"
    pipeline = [*loading_groups(), grouped_beads(), flag(), spreadsheet(), export]
    printed = run_headless(pipeline, images, folder / "out")
    assert (folder / "out" / "Image.csv").exists(), printed
    table = pd.read_csv(folder / "out" / "Image.csv").sort_values(["Metadata_Slide", "Metadata_Plane"])
    return folder / "out", table.set_index(["Metadata_Slide", "Metadata_Plane"])


@lru_cache
def direct(**settings):
    return measure_bead_focal_plane(bead_stacks.bright_field(), z_step_um=STEP_UM, **OPTICS, **settings)


def test_every_row_of_a_group_has_the_numbers_of_the_command(grouped):
    rows = grouped[1].loc["A"]
    # The group has its planes in the order of their names; sums of another order differ in the last digits.
    order = sorted(range(len(Z_UM)), key=str)
    stack = bead_stacks.bright_field()[order]
    answer = measure_bead_focal_plane(stack, z_um=Z_UM[order], target_offset_um=12.0, **OPTICS)
    assert len(rows) == len(Z_UM)
    for feature, number in {
        "ReferenceFocalPlaneUm": answer.reference_focal_plane_um,
        "IntervalLowUm": answer.interval_um[0],
        "IntervalHighUm": answer.interval_um[1],
        "SlopeZUm": answer.reference.slope_z_um,
        "CentreZUm": answer.reference.centre_z_um,
        "TargetUm": answer.target_um,
        "BeadCount": 4,
        "RefusedCount": 0,
        "TiltUmPerMm": answer.field_shape.tilt_um_per_mm,
        "TiltErrorUmPerMm": answer.field_shape.tilt_error_um_per_mm,
        "Answered": 1,
    }.items():
        np.testing.assert_allclose(rows[NAME.format(feature)], number, rtol=1e-9, err_msg=feature)


def test_each_plane_of_a_group_has_its_signed_distance(grouped):
    rows = grouped[1].loc["A"]
    np.testing.assert_allclose(rows[NAME.format("PlaneZUm")], Z_UM)
    distance = Z_UM - direct().reference_focal_plane_um
    np.testing.assert_allclose(rows[NAME.format("DistanceUm")], distance, rtol=1e-6)
    assert distance[-1] > 0 > distance[0]


def test_blank_group_has_a_reason_and_does_not_end_the_run(grouped):
    rows = grouped[1].loc["B"]
    assert len(rows) == 5
    assert set(rows[NAME.format("Status")]) == {"no_content"}
    assert rows[NAME.format("Reason")].str.startswith("no bead").all()
    assert rows[NAME.format("ReferenceFocalPlaneUm")].isna().all()
    assert rows[NAME.format("DistanceUm")].isna().all()
    np.testing.assert_array_equal(rows[NAME.format("PlaneZUm")], Z_UM[:5])


def test_plane_of_another_size_is_left_out_and_listed(grouped):
    rows = grouped[1].loc["C"]
    assert len(rows) == len(Z_UM)
    keep = np.setdiff1d(np.arange(len(Z_UM)), ODD)
    answer = measure_bead_focal_plane(bead_stacks.bright_field()[keep], z_um=Z_UM[keep], **OPTICS)
    np.testing.assert_allclose(rows[NAME.format("ReferenceFocalPlaneUm")], answer.reference_focal_plane_um, rtol=1e-6)
    assert (
        rows[NAME.format("Warnings")]
        .str.contains("planes_left_out (1 of 15; number 5: has 100 x 220", regex=False)
        .all()
    )


def test_flagimage_sees_the_answer_in_every_row(grouped):
    flags = grouped[1]["Metadata_QCFlag"]
    assert [set(flags.loc[slide]) for slide in "ABC"] == [{0}, {1}, {0}]


def test_beads_of_a_group_are_listed_once_on_the_plane_nearest_to_focus(grouped):
    output, table = grouped
    counts = table["Count_Beads"]
    assert [list(counts.loc[slide].index[counts.loc[slide] > 0]) for slide in "ABC"] == [[6], [], [6]]
    rows = pd.read_csv(output / "Beads.csv")
    found = rows[rows.ImageNumber == table.loc[("A", 6), "ImageNumber"]]
    answer = direct()
    np.testing.assert_allclose(found["Location_Center_X"], [bead.x_px for bead in answer.beads], rtol=1e-6)
    np.testing.assert_allclose(found["Location_Center_Y"], [bead.y_px for bead in answer.beads], rtol=1e-6)
    focal = np.array([bead.focal_plane_um for bead in answer.beads])
    np.testing.assert_allclose(found[NAME.format("FocalPlaneUm")], focal, rtol=1e-6)
    np.testing.assert_allclose(found[NAME.format("DistanceUm")], focal - answer.reference_focal_plane_um, atol=1e-5)


def test_sqlite_holds_numbers_as_numbers_and_status_as_text(grouped):
    output, table = grouped
    with sqlite3.connect(next(output.glob("*.db"))) as connection:
        images = pd.read_sql("select * from Per_Image order by ImageNumber", connection)
        objects = pd.read_sql("select * from Per_Object", connection)
    expected = table.sort_values("ImageNumber")
    for feature in ("ReferenceFocalPlaneUm", "DistanceUm", "Answered"):
        found = images[f"Image_{NAME.format(feature)}"].astype(float)
        np.testing.assert_allclose(found, expected[NAME.format(feature)], rtol=1e-6)
    assert images[f"Image_{NAME.format('Status')}"].tolist() == expected[NAME.format("Status")].tolist()
    assert len(objects) == 8
    assert objects[f"Beads_{NAME.format('FocalPlaneUm')}"].dtype == float


def test_analysis_worker_gives_groups_the_same_numbers(tmp_path, grouped):
    images, output = tmp_path / "images", tmp_path / "out"
    images.mkdir(), output.mkdir()
    write_planes(images, "A", bead_stacks.bright_field())
    write_planes(images, "B", bead_stacks.blank())
    pipeline = write_pipeline([*loading_groups(), grouped_beads(), spreadsheet()], tmp_path / "beads.cppipe")
    command = [sys.executable, HERE / "analyse_with_workers.py", pipeline, images, output, 1]
    done = subprocess.run(
        list(map(str, command)),
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "PYTHONPATH": str(HERE / "stubs"), "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    table = pd.read_csv(output / "Image.csv").set_index(["Metadata_Slide", "Metadata_Plane"]).sort_index()
    columns = [NAME.format(feature) for feature in ("ReferenceFocalPlaneUm", "DistanceUm", "BeadCount", "Answered")]
    np.testing.assert_allclose(table[columns], grouped[1].loc[["A", "B"], columns], rtol=1e-9)


@pytest.fixture(scope="module")
def volumes(tmp_path_factory, run_headless):
    """3D images whose files say where their planes lie: positions, a z step, nothing; and a blank one."""
    folder = tmp_path_factory.mktemp("volumes")
    images = folder / "images"
    images.mkdir()
    size = {"axes": "ZYX", "PhysicalSizeX": 1.5, "PhysicalSizeY": 1.5, "PhysicalSizeXUnit": "um"}
    stack = bead_stacks.bright_field()
    positions = {"PositionZ": [float(z) for z in 200 + Z_UM], "PositionZUnit": ["um"] * len(Z_UM)}
    tifffile.imwrite(images / "Stack_0.ome.tif", stack, metadata={**size, "Plane": positions})
    step = {**size, "PhysicalSizeZ": STEP_UM, "PhysicalSizeZUnit": "um"}
    tifffile.imwrite(images / "Stack_1.ome.tif", stack, metadata=step)
    tifffile.imwrite(images / "Stack_2.tif", stack, photometric="minisblack")
    tifffile.imwrite(images / "Stack_3.ome.tif", bead_stacks.blank(), metadata=step)
    module = beads(z_source=bead_settings.Z_FILE, bead_diameter_um=OPTICS["bead_diameter_um"])
    printed = run_headless([*loading(["Stack"], True), module, flag(), spreadsheet()], images, folder / "out")
    assert (folder / "out" / "Image.csv").exists(), printed
    return folder / "out", pd.read_csv(folder / "out" / "Image.csv")


def test_positions_and_pixel_size_come_from_the_file(volumes):
    _, table = volumes
    found = table[NAME.format("ReferenceFocalPlaneUm")]
    refp = direct().reference_focal_plane_um
    np.testing.assert_allclose(found, [200 + refp, refp, np.nan, np.nan], rtol=1e-6)
    assert table[NAME.format("BeadCount")].tolist() == [4, 4, 0, 0]


def test_file_that_says_nothing_and_blank_stack_have_reasons(volumes):
    _, table = volumes
    assert table[NAME.format("Status")].tolist() == ["ok", "ok", "unreadable", "no_content"]
    assert table[NAME.format("Reason")][2] == "Stack_2.tif does not say how large a pixel is: enter the pixel size"
    assert table["Metadata_QCFlag"].tolist() == [0, 0, 1, 1]


def test_beads_of_3d_images_have_a_table_of_their_own(volumes):
    output, _ = volumes
    rows = pd.read_csv(output / "Beads.csv")
    assert rows["ImageNumber"].tolist() == [1] * 4 + [2] * 4
    focal = [bead.focal_plane_um for bead in direct().beads]
    np.testing.assert_allclose(rows[NAME.format("FocalPlaneUm")][4:], focal, rtol=1e-6)
    np.testing.assert_array_equal(rows["Location_Center_Z"][4:], np.rint(np.array(focal) / STEP_UM))


def test_example_pipeline_measures_real_beads(tmp_path, run_headless):
    stacks = HERE.parent / "data" / "beads"
    example = HERE.parents[1] / "examples" / "beads" / "measure_bead_focal_plane.cppipe"
    printed = run_headless(example, stacks, tmp_path / "out")
    assert (tmp_path / "out" / "Image.csv").exists(), printed
    table = pd.read_csv(tmp_path / "out" / "Image.csv").set_index("FileName_Stack")
    for name, row in table.iterrows():
        stack = tifffile.imread(stacks / name)
        answer = measure_bead_focal_plane(stack, 1.3668, 18.0, z_step_um=5.0, contrast="fluorescence")
        assert row[NAME.format("ReferenceFocalPlaneUm")] == pytest.approx(answer.reference_focal_plane_um, abs=1e-6)
    assert len(table) == 2
    assert (table["Metadata_QCFlag"] == 0).all()
    assert len(pd.read_csv(tmp_path / "out" / "Beads.csv")) == 10
