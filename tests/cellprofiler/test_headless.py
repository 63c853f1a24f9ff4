"""The real CellProfiler, without its window, with the real modules before and after this one."""

import shutil
import sqlite3
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tifffile

from parfocal.focus_quality.measure import measure_image_focus

PLATE = Path(__file__).resolve().parents[2] / "examples" / "plate"
PLATE_NAME = "AS_09047_050428030001"


@pytest.fixture(scope="module")
def plate(tmp_path_factory, run_headless, levels_zyx):
    """The example pipeline over a few wells: two real ones, one defocused, one blank, one with noise alone."""
    folder = tmp_path_factory.mktemp("plate")
    images = folder / "images"
    images.mkdir()
    for well in ("O04", "O06"):
        shutil.copy(PLATE / "images" / f"{PLATE_NAME}_{well}f00d2.TIF", images)
    made = {"P01": levels_zyx[8], "P02": np.full((256, 256), 12, np.uint8)}
    made["P03"] = np.random.default_rng(3).normal(60, 6, (256, 256)).astype(np.uint8)
    for well, image in made.items():
        tifffile.imwrite(images / f"{PLATE_NAME}_{well}f01d2.TIF", image)
    printed = run_headless(PLATE / "measure_image_focus.cppipe", images, folder / "out")
    assert (folder / "out" / "Image.csv").exists(), printed
    return folder / "out", pd.read_csv(folder / "out" / "Image.csv").set_index("Metadata_Well"), images


def test_example_reads_plate_well_and_site_from_the_file_name(plate):
    _, table, _ = plate
    assert list(table.index) == ["O04", "O06", "P01", "P02", "P03"]
    assert set(table.Metadata_Plate) == {PLATE_NAME}
    assert list(table.Metadata_Site) == [0, 0, 1, 1, 1]


def test_program_gives_the_numbers_of_core(plate):
    _, table, images = plate
    for well, site in (("O06", 0), ("P01", 1)):
        direct = measure_image_focus(tifffile.imread(images / f"{PLATE_NAME}_{well}f{site:02}d2.TIF"))
        for feature, number in direct.features().items():
            np.testing.assert_allclose(table.loc[well, f"ImageFocus_{feature}_GFP"], number, rtol=1e-5)


def test_blank_and_empty_wells_do_not_pass_flagimage(plate):
    _, table, _ = plate
    assert list(table.ImageFocus_Status_GFP) == ["ok", "ok", "ok", "blank", "no_content"]
    assert list(table.ImageFocus_Answered_GFP) == [1, 1, 1, 0, 0]
    assert table.ImageFocus_Score_GFP.isna().tolist() == [False, False, False, True, True]
    assert table.Metadata_QCFlag[["P02", "P03"]].tolist() == [1, 1]


def test_defocused_well_is_flagged_and_a_sharp_one_passes(plate):
    _, table, _ = plate
    assert table.Metadata_QCFlag[["O06", "P01"]].tolist() == [0, 1]


def test_reason_reaches_the_spreadsheet(plate):
    _, table, _ = plate
    assert table.ImageFocus_Reason_GFP["P02"] == "every pixel is 12"


def test_overlays_are_saved_in_colour(plate):
    import imageio

    output, _, _ = plate
    found = sorted(path.name for path in (output / "overlays").iterdir())
    assert len(found) == 5
    sharp = imageio.imread(output / "overlays" / f"{PLATE_NAME}_O06f00d2_focus.png")
    assert sharp.shape == (512, 512, 3)
    assert np.ptp(sharp.astype(int), axis=2).max() > 100
    blank = imageio.imread(output / "overlays" / f"{PLATE_NAME}_P02f01d2_focus.png")
    assert not blank.any()


def loading(names, volume=False):
    """The four modules that load images, each channel by a part of its file name."""
    from cellprofiler_core.modules.groups import Groups
    from cellprofiler_core.modules.images import Images
    from cellprofiler_core.modules.metadata import Metadata
    from cellprofiler_core.modules.namesandtypes import NamesAndTypes

    assign = NamesAndTypes()
    assign.assignment_method.value = "Images matching rules"
    for _ in names[1:]:
        assign.add_assignment()
    for assignment, name in zip(assign.assignments, names):
        assignment.image_name.value = name
        assignment.rule_filter.value = f'and (file does contain "{name}")'
    assign.process_as_3d.value = volume
    return [Images(), Metadata(), assign, Groups()]


def spreadsheet():
    from cellprofiler.modules.exporttospreadsheet import ExportToSpreadsheet

    module = ExportToSpreadsheet()
    module.wants_prefix.value = False
    return module


def database():
    from cellprofiler.modules.exporttodatabase import ExportToDatabase

    module = ExportToDatabase()
    module.db_type.value = "SQLite"
    module.want_table_prefix.value = False
    module.save_cpa_properties.value = False
    module.location_object.value = "Nuclei"
    return module


def nuclei():
    from cellprofiler.modules.identifyprimaryobjects import IdentifyPrimaryObjects

    module = IdentifyPrimaryObjects()
    module.x_name.value, module.y_name.value = "DNA", "Nuclei"
    module.size_range.value = (10, 80)
    return module


def masked():
    from cellprofiler.modules.maskimage import MaskImage

    module = MaskImage()
    module.image_name.value, module.masked_image_name.value = "DNA", "Masked"
    module.object_name.value, module.invert_mask.value = "Nuclei", True
    return module


@pytest.fixture(scope="module")
def screen(tmp_path_factory, run_headless, levels_zyx):
    """Two 12-bit fields of two channels with nuclei, masks, classical metrics, spreadsheet and SQLite; one is blank."""
    from parfocal.cp_plugins.measureimagefocus import MeasureImageFocus

    folder = tmp_path_factory.mktemp("screen")
    images = folder / "images"
    images.mkdir()
    maximum = [(281, "H", 1, 4095, True)]
    for field, (dna, gfp) in enumerate(((levels_zyx[0], levels_zyx[6]), (levels_zyx[0], np.zeros_like(levels_zyx[0])))):
        tifffile.imwrite(images / f"{field}_DNA.tif", dna.astype(np.uint16) * 16, extratags=maximum)
        tifffile.imwrite(images / f"{field}_GFP.tif", gfp.astype(np.uint16) * 16, extratags=maximum)
    module = MeasureImageFocus()
    module.add_image(), module.add_image(), module.add_objects()
    for group, name in zip(module.images, ("DNA", "GFP", "Masked")):
        group.image_name.value = name
    module.objects[0].object_name.value = "Nuclei"
    module.classical_metrics.value = True
    module.saturation_level.value = 4095
    pipeline = [*loading(["DNA", "GFP"]), nuclei(), masked(), module, spreadsheet(), database()]
    printed = run_headless(pipeline, images, folder / "out")
    assert (folder / "out" / "Image.csv").exists(), printed
    return folder / "out", pd.read_csv(folder / "out" / "Image.csv"), images


def test_every_image_of_the_module_is_measured(screen):
    _, table, images = screen
    assert table.Scaling_DNA.tolist() == [4095, 4095]
    for name in ("DNA", "GFP"):
        direct = measure_image_focus(
            tifffile.imread(images / f"0_{name}.tif"), saturation_level=4095, classical_metrics=True
        )
        for feature, number in {**direct.features(), **direct.metrics()}.items():
            np.testing.assert_allclose(table.loc[0, f"ImageFocus_{feature}_{name}"], number, rtol=1e-5)
    assert table.ImageFocus_Status_GFP.tolist() == ["ok", "blank"]
    assert table.ImageFocus_Brenner_GFP.isna().tolist() == [False, True]
    assert table.ImageFocus_Answered_Masked.tolist() == [1, 1]
    assert table.ImageFocus_Score_Masked[0] != table.ImageFocus_Score_DNA[0]


def test_objects_have_a_table_of_their_own(screen):
    output, table, _ = screen
    objects = pd.read_csv(output / "Nuclei.csv")
    assert len(objects) == table.Count_Nuclei.sum() > 4
    assert objects.ImageFocus_Score_DNA.notna().any()
    blank = objects[objects.ImageNumber == 2]
    assert blank.ImageFocus_Score_GFP.isna().all()
    assert (blank.ImageFocus_Answered_GFP == 0).all()


def test_sqlite_holds_numbers_as_numbers_and_status_as_text(screen):
    output, table, _ = screen
    path = next(output.glob("*.db"))
    with sqlite3.connect(path) as connection:
        rows = pd.read_sql("select * from Per_Image order by ImageNumber", connection)
        objects = pd.read_sql("select * from Per_Object", connection)
    np.testing.assert_allclose(rows.Image_ImageFocus_Score_DNA, table.ImageFocus_Score_DNA, rtol=1e-6)
    assert rows.Image_ImageFocus_Status_GFP.tolist() == ["ok", "blank"]
    assert rows.Image_ImageFocus_Answered_GFP.tolist() == [1, 0]
    assert rows.Image_ImageFocus_Score_GFP.isna().tolist() == [False, True]
    assert objects.Nuclei_ImageFocus_Score_DNA.dtype == float


@pytest.fixture(scope="module")
def stack(tmp_path_factory, run_headless, levels_zyx):
    """A stack with its sharpest plane in the middle."""
    from cellprofiler.modules.saveimages import SaveImages

    from parfocal.cp_plugins.measureimagefocus import MeasureImageFocus

    folder = tmp_path_factory.mktemp("stack")
    images = folder / "images"
    images.mkdir()
    tifffile.imwrite(images / "Stack.tif", levels_zyx[[8, 5, 0, 6]], photometric="minisblack")
    module = MeasureImageFocus()
    group = module.images[0]
    group.image_name.value = "Stack"
    group.wants_overlay.value = group.wants_sharpest_plane.value = True
    module.wants_optics.value, module.z_step_um.value = True, 2.0
    savers = []
    for name in ("FocusOverlay", "SharpestPlane"):
        saver = SaveImages()
        saver.image_name.value, saver.file_name_method.value, saver.single_file_name.value = name, "Single name", name
        savers.append(saver)
    printed = run_headless([*loading(["Stack"], True), module, *savers, spreadsheet()], images, folder / "out")
    assert (folder / "out" / "Image.csv").exists(), printed
    return folder / "out", pd.read_csv(folder / "out" / "Image.csv")


def test_stack_gives_its_sharpest_plane(stack, levels_zyx):
    output, table = stack
    assert table.ImageFocus_SharpestPlane_Stack.tolist() == [2]
    assert table.ImageFocus_SharpestPlaneZUm_Stack.tolist() == [4.0]
    np.testing.assert_array_equal(tifffile.imread(output / "SharpestPlane.tiff"), levels_zyx[0])
    assert tifffile.imread(output / "FocusOverlay.tiff").shape == (4, 256, 256, 3)
