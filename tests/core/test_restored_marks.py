"""The mark of restored images: found again however they were saved, so that none is restored twice."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile
from restored_files import MARK, restore_here

import parfocal.batch.worker as measuring
from parfocal import status
from parfocal.batch.files import FileTask
from parfocal.images.metadata import ImageMetadata
from parfocal.images.reading import read_images
from parfocal.images.writing import write_ome_tiff


@pytest.fixture
def restored(tmp_path, blurred):
    """File with an image that is marked as restored, as `parfocal restore` writes it."""
    path = tmp_path / "restored.ome.tif"
    write_ome_tiff(path, blurred, ImageMetadata(description=MARK))
    return path


def test_what_was_restored_is_not_restored_again(restored, tmp_path):
    output = tmp_path / "out"
    (row,) = restore_here(restored, output)
    assert (row["status"], row["restored"], row["answered"]) == (status.ALREADY_RESTORED, False, False)
    assert MARK in row["reason"]
    assert not output.exists()


def test_marks_are_found_after_other_programs_have_saved_the_image(restored, tmp_path, blurred):
    with tifffile.TiffFile(restored) as tif:
        description = tif.pages[0].description
    # ImageJ takes the description of the file that it opened for the info of the image.
    tifffile.imwrite(tmp_path / "imagej.tif", blurred, imagej=True, metadata={"Info": description})
    tifffile.imwrite(tmp_path / "plain.tif", blurred, description=MARK, metadata=None)
    about = {"axes": "ZYX", "Description": MARK}
    tifffile.imwrite(tmp_path / "other.ome.tif", np.stack([blurred] * 3), ome=True, metadata=about)
    for name in ("imagej.tif", "plain.tif", "other.ome.tif"):
        assert [row["status"] for row in restore_here(tmp_path / name, tmp_path)] == [status.ALREADY_RESTORED]


def test_the_mark_of_one_image_of_a_file_is_not_that_of_the_others(tmp_path, blurred):
    path = tmp_path / "two.ome.tif"
    with tifffile.TiffWriter(path, ome=True) as tif:
        tif.write(blurred, metadata={"axes": "YX", "Description": MARK})
        tif.write(blurred[:200], metadata={"axes": "YX"})
    assert [row["status"] for row in restore_here(path, tmp_path)] == ["already_restored", "ok"]
    assert (tmp_path / "restored" / "two_s1.ome.tif").is_file()


def test_the_focus_of_a_restored_image_is_measured_with_a_warning(restored, tmp_path, blurred):
    raw = tmp_path / "raw.tif"
    tifffile.imwrite(raw, blurred)
    measuring.start_worker(measuring.WorkSettings(tmp_path, {}, overlays=False))
    marked, plain = (measuring.measure_file(FileTask(0, path, path.name)).images[0] for path in (restored, raw))
    assert marked["answered"]
    assert "restored_image" in marked["warnings"].split(";")
    assert "restored_image" not in plain["warnings"]
    assert marked["defocus_level"] == plain["defocus_level"]


def test_a_link_of_the_name_is_replaced_and_not_followed(tmp_path, blurred):
    original, link = tmp_path / "original.tif", tmp_path / "x.ome.tif"
    original.write_bytes(b"mine")
    link.symlink_to(original)
    write_ome_tiff(link, blurred, ImageMetadata())
    assert original.read_bytes() == b"mine"
    (item,) = read_images(link)
    np.testing.assert_array_equal(item.pixels, blurred)


def test_texts_of_any_kind_can_be_written_and_read(tmp_path, blurred):
    texts = {"description": "a\0b \u00b5 <c d='e' f=\"g\"> &amp;lt;", "channel_name": 'x "y" & <z>'}
    write_ome_tiff(tmp_path / "x.ome.tif", blurred, ImageMetadata(**texts, pixel_size_um=0.5))
    (item,) = read_images(tmp_path / "x.ome.tif")
    assert item.metadata.description == "a b \u00b5 <c d='e' f=\"g\"> <"
    assert item.metadata.channel_name == "x 'y' & <z>"
    assert item.metadata.pixel_size_um == 0.5
