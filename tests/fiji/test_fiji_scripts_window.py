"""The scripts of an ordinary Fiji with its window: what they leave there, and errors as dialogs."""

from __future__ import annotations

from pathlib import Path

import pytest
import tifffile

from parfocal import measure_bead_focal_plane

NUCLEI = str(Path(__file__).parents[1] / "data" / "core" / "transfluor_O01f01.png")
TITLE = Path(NUCLEI).name
BEADS = Path(__file__).parents[1] / "data" / "beads" / "fluorescent_beads_acq1.tif"


@pytest.fixture
def opened(ordinary_window):
    ordinary_window.open(NUCLEI, None)
    yield ordinary_window
    ordinary_window.closeAll()


def test_a_restored_image_and_the_results_are_shown_and_the_overlay_lies_on_the_image(opened):
    answer = opened.run("Measure Image Focus...", {})
    assert not answer["thrown"], answer["thrown"]
    assert answer["rows"][0]["ImageFocus_Status"] == "ok"
    assert any(part["name"] == "legend" for part in opened.overlay())
    answer = opened.run("Restore Defocus...", {"defocus_level": "5", "method": "wiener"})
    assert answer["image"] == f"Restored {TITLE}"
    assert "Results" in opened.windows()
    assert any(title.startswith(f"Restored {TITLE}") for title in opened.windows())


def test_an_error_is_a_dialog_with_its_text(opened):
    told = opened.message("Flag Defocused...", {"threshold": "2"})
    assert told == ["Flag Defocused", "threshold must be in [0.0, 1.0], got 2.0"]


def test_without_an_image_a_dialog_says_so(opened):
    opened.closeAll()
    assert opened.message("Flag Defocused...", {}) == ["Flag Defocused", "no image is open: open one first"]


def test_beads_are_plots_a_table_and_rois_each_in_its_slice(ordinary_window, tmp_path):
    stack, step = tifffile.imread(BEADS), {"spacing": 5.0, "unit": "um", "axes": "ZYX"}
    tifffile.imwrite(tmp_path / "beads.tif", stack, imagej=True, resolution=(1 / 1.3668,) * 2, metadata=step)
    ordinary_window.open(str(tmp_path / "beads.tif"), None)
    given = {"bead_diameter_um": 15.0, "contrast": "fluorescence"}
    answer = ordinary_window.run("Measure Bead Focal Plane...", {**given, "plot": True, "rois": True})
    assert not answer["thrown"], answer["thrown"]
    expected = measure_bead_focal_plane(stack, pixel_size_um=1.3668, z_step_um=5.0, **given)
    for name, curve in (("Steepest slope", expected.reference.slope), ("Centre intensity", expected.reference.centre)):
        plot = ordinary_window.plot(f"{name} of beads, beads.tif")
        assert plot["x"] == pytest.approx(curve.z_um.tolist())
        assert plot["y"] == pytest.approx(curve.median.tolist(), rel=1e-6)
        assert plot["labels"][-1] == f"REFP, {expected.reference_focal_plane_um:.2f} um"
    table, frame = ordinary_window.table("Beads of beads.tif"), expected.bead_table()
    assert [row["reason"] for row in table] == frame["reason"].tolist()
    assert float(table[0]["focal_plane_um"]) == pytest.approx(frame["focal_plane_um"][0], abs=1e-3)
    rois = ordinary_window.managed_rois()
    assert len(rois) == len(expected.beads) == 5
    for roi, bead in zip(rois, expected.beads):
        x, y, width, height = roi["xywh"]
        assert roi["name"] == f"bead {bead.label}, {bead.focal_plane_um:.2f} um"
        assert width == height == pytest.approx(15.0 / 1.3668, abs=1e-4)
        assert (x + width / 2 - 0.5, y + height / 2 - 0.5) == pytest.approx((bead.x_px, bead.y_px), abs=1e-3)
        assert roi["slice"] == round(bead.focal_plane_um / 5.0) + 1
    ordinary_window.closeAll()
