"""Beads in ImageJ: the numbers of core, plots, ROIs and table."""

from __future__ import annotations

from pathlib import Path

import pytest
import tifffile

from parfocal import measure_bead_focal_plane

BEADS = Path(__file__).parents[1] / "data" / "beads" / "fluorescent_beads_acq1.tif"
STACK = tifffile.imread(BEADS)
SIZES = {"pixel_size_um": 1.3668, "bead_diameter_um": 15.0, "z_step_um": 5.0}
OPTIONS = "bead_diameter_um=15 contrast=fluorescence"


@pytest.fixture(scope="module")
def expected():
    return measure_bead_focal_plane(STACK, contrast="fluorescence", **SIZES)


@pytest.fixture(scope="module")
def calibrated(tmp_path_factory):
    """The stack as a file that states pixel size and z step."""
    path = tmp_path_factory.mktemp("beads") / "beads.tif"
    step = {"spacing": 5.0, "unit": "um", "axes": "ZYX"}
    tifffile.imwrite(path, STACK, imagej=True, resolution=(1 / 1.3668, 1 / 1.3668), metadata=step)
    return str(path)


def test_a_macro_measures_with_the_sizes_of_the_calibration(headless, calibrated, expected):
    headless.table_rows()
    headless.run_macro(f'open("{calibrated}"); run("Measure Bead Focal Plane...", "{OPTIONS}");')
    (row,) = headless.table_rows()
    assert (row["Label"], row["BeadFocalPlane_Status"]) == ("beads.tif", "ok")
    for name, value in expected.numbers().items():
        assert float(row[f"BeadFocalPlane_{name}"]) == pytest.approx(value, abs=2e-3, nan_ok=True), name
    headless.run_macro("close();")


def test_extension_gives_the_focal_plane_and_its_interval(headless, calibrated, expected):
    told = headless.run_macro(
        f'open("{calibrated}"); run("Parfocal Macro Extensions"); Ext.beadFocalPlane(z, low, high, "{OPTIONS}");'
        'close(); return "" + z + ";" + low + ";" + high;'
    )
    found = [float(number) for number in told.split(";")]
    assert found == pytest.approx([expected.reference_focal_plane_um, *expected.interval_um], abs=1e-3)


def test_without_a_pixel_size_it_says_what_is_missing(headless):
    told = headless.run_module("measure_bead_focal_plane", str(BEADS), {"bead_diameter_um": 15.0, "z_step_um": "5"})
    assert "Pixel size must be given, the calibration of the image states none" in told["failed"]


def test_in_the_window_plots_and_a_table_of_the_beads_are_shown(window, calibrated, expected):
    window.open_image(calibrated)
    window.start_macro(f'run("Measure Bead Focal Plane...", "{OPTIONS}");')
    rows = window.table_window("Beads of beads.tif")
    assert [row["bead"] for row in rows[: len(expected.beads)]] == [str(bead.label) for bead in expected.beads]
    assert float(rows[0]["focal_plane_um"]) == pytest.approx(expected.beads[0].focal_plane_um, abs=1e-3)
    for name, curve in (("Steepest slope", expected.reference.slope), ("Centre intensity", expected.reference.centre)):
        plot = window.plot(f"{name} of beads, beads.tif")
        assert plot["x"] == pytest.approx(curve.z_um.tolist())
        assert plot["y"] == pytest.approx(curve.median.tolist(), rel=1e-6)
        assert plot["labels"][-1] == f"REFP, {expected.reference_focal_plane_um:.2f} um"
    window.managed_rois()
    window.close_all()


def test_in_the_window_beads_go_to_the_roi_manager_each_in_its_slice(window, calibrated, expected):
    window.open_image(calibrated)
    window.start_macro(f'run("Measure Bead Focal Plane...", "{OPTIONS} plot=no");')
    rois = window.managed_rois()
    assert len(rois) == len(expected.beads) == 5
    for roi, bead in zip(rois, expected.beads):
        x, y, width, height = roi["xywh"]
        assert roi["name"] == f"bead {bead.label}, {bead.focal_plane_um:.2f} um"
        assert width == height == pytest.approx(15.0 / 1.3668, abs=1e-4)
        assert (x + width / 2 - 0.5, y + height / 2 - 0.5) == pytest.approx((bead.x_px, bead.y_px), abs=1e-3)
        assert roi["slice"] == round(bead.focal_plane_um / 5.0) + 1
    window.close_all()
