"""`parfocal restore`: what is written of each kind of image, its mark, and what is left alone."""

from __future__ import annotations

import contextlib
import hashlib
import io
from types import SimpleNamespace

import dying_work
import imageio.v3 as iio
import numpy as np
import pandas as pd
import pytest
import tifffile
from restored_files import MARK, QUICK, restore_here
from tiny_restorer import write_untrained_restorer

import parfocal.restoration.batch.restore as restoring
from parfocal import status
from parfocal.batch.files import find_tasks
from parfocal.cli import main
from parfocal.images.reading import read_images
from parfocal.restoration.batch import restore_files, worker
from parfocal.restoration.batch.names import output_names
from parfocal.restoration.restore import restore_defocus
from parfocal.restoration.result import is_marked_restored

pytestmark = pytest.mark.cellprofiler_python


def write_images(folder, nuclei, blurred):
    """One file of each kind that `parfocal restore` has to do with."""
    (folder / "deep" / "er").mkdir(parents=True)
    sharp = nuclei.astype(np.uint16) * 8 + 100
    iio.imwrite(folder / "byte.png", (blurred / blurred.max() * 255).astype(np.uint8))
    iio.imwrite(folder / "deep" / "er" / "x_A01_s1_w1.tif", blurred)
    tifffile.imwrite(folder / "float.tif", (blurred / 65535).astype(np.float32), description="my own words")
    tifffile.imwrite(folder / "rgb.tif", np.stack([blurred, blurred // 2, blurred // 3], -1), photometric="rgb")
    about = {"axes": "ZYX", "PhysicalSizeX": 0.325, "PhysicalSizeY": 0.325, "PhysicalSizeZ": 1.5}
    tifffile.imwrite(folder / "stack.ome.tif", np.stack([sharp, blurred]), ome=True, metadata=about)
    channels = {
        "Name": ["DNA", "a 'b' & \u00e9"],
        "EmissionWavelength": [461, 525],
        "EmissionWavelengthUnit": ["nm"] * 2,
    }
    many = np.stack([[sharp, blurred], [blurred[::-1], blurred[:, ::-1]]])
    tifffile.imwrite(folder / "many.ome.tif", many, ome=True, metadata={"axes": "TCYX", "Channel": channels})
    iio.imwrite(folder / "sharp.png", nuclei)
    iio.imwrite(folder / "blank.png", np.full((100, 100), 7, np.uint8))
    tifffile.imwrite(folder / "marked.tif", blurred, description=MARK, metadata=None)
    (folder / "broken.tif").write_bytes(b"nothing")


@pytest.fixture(scope="module")
def done(nuclei, blurred, tmp_path_factory):
    """A folder restored into itself by the command line: folder, table, what was said, and digests from before."""
    folder = tmp_path_factory.mktemp("images")
    write_images(folder, nuclei, blurred)
    before = digests(folder)
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        options = ["--method", "richardson_lucy", "--iterations", "2", "--previews", "--workers", "1"]
        code = main(["restore", str(folder), "-o", str(folder), *options])
    table = pd.read_parquet(folder / "restoration.parquet")
    table["name"] = [file[len(str(folder)) + 1 :] for file in table["file"]]
    return SimpleNamespace(folder=folder, table=table, said=said.getvalue(), code=code, before=before)


def digests(folder):
    return {p: hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_the_originals_are_never_changed(done):
    after = digests(done.folder)
    assert done.code == 0
    assert {path: after[path] for path in done.before} == done.before


def test_every_image_has_a_row_that_says_what_became_of_it(done):
    found = {(r.name, str(r.time), str(r.channel)): (r.status, r.restored) for r in done.table.itertuples(index=False)}
    assert found == {
        ("blank.png", "0", "0"): ("blank", False),
        ("broken.tif", "<NA>", "<NA>"): ("unreadable", False),
        ("byte.png", "0", "0"): ("ok", True),
        ("deep/er/x_A01_s1_w1.tif", "0", "0"): ("ok", True),
        ("float.tif", "0", "0"): ("ok", True),
        ("many.ome.tif", "0", "0"): ("ok", False),
        ("many.ome.tif", "0", "1"): ("ok", True),
        ("many.ome.tif", "1", "0"): ("ok", True),
        ("many.ome.tif", "1", "1"): ("ok", True),
        ("marked.tif", "0", "0"): ("already_restored", False),
        ("rgb.tif", "0", "0"): ("ok", True),
        ("sharp.png", "0", "0"): ("ok", False),
        ("stack.ome.tif", "0", "0"): ("ok", True),
    }
    reasons = dict(zip(done.table["name"], done.table["reason"]))
    assert "in focus: level" in reasons["sharp.png"]
    assert MARK in reasons["marked.tif"]
    assert (
        "13 images: 8 restored, 2 in focus, 1 refused (already_restored), 1 refused (blank), 1 unreadable" in done.said
    )
    columns = ["status", "restored", "change"]
    pd.testing.assert_frame_equal(pd.read_csv(done.folder / "restoration.csv")[columns], done.table[columns])


def test_the_planes_of_stacks_are_listed(done):
    planes = pd.read_csv(done.folder / "restoration_planes.csv")
    stack = planes[planes["file"].str.endswith("stack.ome.tif")]
    assert list(stack["plane"]) == [0, 1] and list(stack["restored"]) == [False, True]
    assert "in focus: level" in stack["reason"].iloc[0] and set(planes["file"]) == set(stack["file"])
    assert "restoration_planes.csv" in done.said


def test_only_restored_images_are_written_under_the_names_of_the_originals(done):
    written = {p.relative_to(done.folder / "restored").as_posix() for p in (done.folder / "restored").rglob("*.*")}
    assert written == {
        "byte.ome.tif",
        "deep/er/x_A01_s1_w1.ome.tif",
        "float.ome.tif",
        "many_c1.ome.tif",
        "many_t1.ome.tif",
        "many_t1_c1.ome.tif",
        "rgb.ome.tif",
        "stack.ome.tif",
    }
    named = {name for name in done.table["restored_file"] if name}
    assert named == {f"restored/{name}" for name in written}


@pytest.mark.parametrize("name", ["byte.png", "deep/er/x_A01_s1_w1.tif", "float.tif", "rgb.tif", "stack.ome.tif"])
def test_what_is_written_is_what_the_function_gives_in_type_shape_and_pixel_size(done, name):
    (original,) = read_images(done.folder / name)
    row = done.table[done.table["name"] == name].iloc[0]
    (written,) = read_images(done.folder / row["restored_file"])
    expected = restore_defocus(original.pixels, pixel_size_um=original.metadata.pixel_size_um, **QUICK)
    assert written.pixels.dtype == original.pixels.dtype
    np.testing.assert_array_equal(written.pixels, expected.image)
    assert not np.array_equal(written.pixels, original.pixels)
    assert written.metadata.pixel_size_um == original.metadata.pixel_size_um
    assert written.metadata.z_step_um == original.metadata.z_step_um
    assert row["change"] == pytest.approx(expected.main_plane.change, rel=1e-6)
    assert row["defocus_level"] == pytest.approx(expected.main_plane.defocus_level, rel=1e-6)
    assert row["intensity_ratio"] == pytest.approx(1, abs=1e-3)


def test_of_a_stack_the_sharp_plane_stays_and_one_is_counted(done):
    row = done.table[done.table["name"] == "stack.ome.tif"].iloc[0]
    before, after = (next(iter(read_images(done.folder / p))).pixels for p in ("stack.ome.tif", row["restored_file"]))
    assert (row["n_planes"], row["n_planes_restored"]) == (2, 1)
    np.testing.assert_array_equal(after[0], before[0])


def test_channels_are_files_of_their_own_that_keep_name_and_wavelength(done):
    (item,) = read_images(done.folder / "restored" / "many_t1_c1.ome.tif")
    assert item.metadata.channel_name == "a 'b' & \u00e9"
    assert item.metadata.emission_wavelength_um == pytest.approx(0.525)
    assert item.pixels.shape == (256, 256)


def test_every_restored_file_is_marked_for_every_reader_and_compressed(done):
    files = list((done.folder / "restored").rglob("*.ome.tif"))
    for path in files:
        (item,) = read_images(path)
        assert is_marked_restored(item.metadata.description)
        with tifffile.TiffFile(path) as tif:
            assert "Not for quantification of intensity or texture" in tif.pages[0].description
            assert tif.pages[0].compression != 1
    assert len(files) == 8


def test_the_original_description_goes_along_behind_the_mark(done):
    (item,) = read_images(done.folder / "restored" / "float.ome.tif")
    assert item.metadata.description.endswith("\nmy own words")


def test_previews_show_before_after_and_the_difference(done):
    picture = iio.imread(done.folder / "previews" / "deep" / "er" / "x_A01_s1_w1.png")
    assert picture.shape == (256, 3 * 256 + 8, 3)
    before, after, change = picture[:, :256], picture[:, 260:516], picture[:, 520:]
    assert np.ptp(before.astype(int), axis=2).max() == 0
    assert not np.array_equal(before, after)
    red, blue = change[..., 0].astype(int) - change[..., 2], change[..., 2].astype(int) - change[..., 0]
    assert red.max() > 200
    assert blue.max() > 50


def test_an_earlier_run_is_neither_overwritten_nor_restored_again(done, capsys):
    before = digests(done.folder)
    assert main(["restore", str(done.folder), "-o", str(done.folder), "--method", "wiener"]) == 2
    assert "restoration.csv exists: choose another output folder" in capsys.readouterr().err
    assert digests(done.folder) == before
    own = (worker.RESTORED, worker.UNCERTAINTY, worker.PREVIEWS)
    assert {task.path for task in find_tasks([done.folder], done.folder, own)} == {
        path for path in done.before if path.suffix in (".png", ".tif")
    }


def test_with_all_images_those_left_alone_are_written_unchanged(done, tmp_path):
    for name in ("sharp.png", "blank.png", "marked.tif"):
        (row,) = restore_here(done.folder / name, tmp_path, all_images=True)
        (before,), (after,) = read_images(done.folder / name), read_images(tmp_path / row["restored_file"])
        assert not row["restored"]
        np.testing.assert_array_equal(after.pixels, before.pixels)
        assert is_marked_restored(after.metadata.description) is (name == "marked.tif")


def test_the_uncertainty_is_a_second_image_of_the_same_shape(done, tmp_path, tmp_path_factory):
    model = write_untrained_restorer(tmp_path_factory.mktemp("models") / "untrained")
    given = {"method": "network", "model": model, "uncertainty": True, "defocus_level": 5.0}
    tifffile.imwrite(tmp_path / "rgb.tif", tifffile.imread(done.folder / "rgb.tif")[:96, :128], photometric="rgb")
    (row,) = restore_here(tmp_path / "rgb.tif", tmp_path, given=given)
    (blank,) = restore_here(done.folder / "blank.png", tmp_path, given=given, all_images=True)
    (item,) = read_images(tmp_path / row["uncertainty_file"])
    assert row["uncertainty_file"] == "uncertainty/rgb.ome.tif"
    assert item.pixels.dtype == np.float32
    assert item.pixels.shape == (96, 128, 3)
    assert item.pixels.min() > 0
    assert item.metadata.description.startswith("Standard deviation of the error")
    assert is_marked_restored(item.metadata.description)
    assert (tmp_path / blank["restored_file"]).is_file()
    assert "uncertainty_file" not in blank


def test_a_file_that_kills_its_process_becomes_a_row(done, tmp_path, monkeypatch):
    good, crash = tmp_path / "good.png", tmp_path / "crash.png"
    for path in (good, crash):
        path.write_bytes((done.folder / "sharp.png").read_bytes())
    monkeypatch.setattr(restoring, "restore_file", dying_work.restore_file_or_die)
    table = restore_files([crash, good], tmp_path / "out", QUICK, workers=1).table
    assert list(table["status"]) == ["unreadable", "ok"]
    assert "process that worked on it died" in table["reason"][0]
    assert list(table["restored"]) == [False, False]


def test_a_type_that_ome_tiff_lacks_is_a_row_with_its_reason(tmp_path, blurred):
    tifffile.imwrite(tmp_path / "long.tif", blurred.astype(np.int64), metadata=None)
    (row,) = restore_here(tmp_path / "long.tif", tmp_path)
    assert row["status"] == status.UNREADABLE
    assert row["reason"].endswith("the image is int64")
    assert not list(tmp_path.rglob("*.part"))


def test_names_lose_their_suffix_where_no_other_reads_alike():
    assert output_names(["a.tif", "d/b.OME.TIF", "a_w1.tif"]) == ["a", "d/b", "a_w1"]
    assert output_names(["a.tif", "A.png", "b.v2.tif"]) == ["a.tif", "A.png", "b.v2"]
    assert output_names(["a.tif", "a_c1.tif", "a_c2.tif"]) == ["a.tif", "a_c1", "a_c2"]
    assert output_names(["a_c1.tif", "a_c2.tif"]) == ["a_c1", "a_c2"]
    assert output_names(["a_t1.tif", "a_t1_c3.tif"]) == ["a_t1.tif", "a_t1_c3"]
    assert output_names(["x.tif", "x.png", "x.png.tif"]) == ["x.tif", "x.png", "x.png.tif"]
