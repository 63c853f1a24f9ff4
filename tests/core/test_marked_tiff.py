"""Files of restored images: what they hold, how they are told from others, and what they do not replace."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile

from parfocal.images.reading import read_images
from parfocal.restoration.marked_tiff import is_marked_file, write_marked
from parfocal.restoration.result import provenance_text

PROVENANCE = provenance_text("model a & b", "1.0", 1, 1)


@pytest.mark.parametrize("shape", [(40, 50), (4, 40, 50), (40, 50, 3), (4, 40, 50, 3), (40, 50, 4)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_pixels_pixel_size_and_mark_come_back(shape, dtype, rng, tmp_path):
    path = tmp_path / "made" / "field_restored.ome.tif"
    image = rng.integers(0, 250, shape).astype(dtype)
    write_marked(path, image, PROVENANCE, pixel_size_um=0.325)
    assert is_marked_file(path)
    with tifffile.TiffFile(path) as tif:
        assert tif.series[0].axes == {2: "YX", 3: "ZYX" if shape[-1] > 4 else "YXS", 4: "ZYXS"}[len(shape)]
    (found,) = read_images(path)
    np.testing.assert_array_equal(found.pixels, image)
    assert found.pixels.dtype == dtype
    assert found.metadata.pixel_size_um == pytest.approx(0.325)
    assert [made.name for made in path.parent.iterdir()] == [path.name]


def test_a_file_is_replaced_only_where_that_is_asked_for(rng, tmp_path):
    path = tmp_path / "field.ome.tif"
    old, new = (rng.integers(0, 250, (40, 50)).astype(np.uint8) for _ in range(2))
    write_marked(path, old, PROVENANCE)
    with pytest.raises(FileExistsError, match=r"field.ome.tif exists already"):
        write_marked(path, new, PROVENANCE)
    np.testing.assert_array_equal(tifffile.imread(path), old)
    write_marked(path, new, PROVENANCE, overwrite=True)
    np.testing.assert_array_equal(tifffile.imread(path), new)


def test_a_failed_write_leaves_nothing_but_the_file_that_was_there(rng, tmp_path):
    with pytest.raises(TypeError, match="the image is bool"):
        write_marked(tmp_path / "new.ome.tif", np.zeros((40, 50), bool), PROVENANCE)
    assert not list(tmp_path.iterdir())
    write_marked(tmp_path / "old.ome.tif", np.zeros((40, 50), np.uint8), PROVENANCE)
    with pytest.raises(TypeError, match="the image is bool"):
        write_marked(tmp_path / "old.ome.tif", np.zeros((40, 50), bool), PROVENANCE, overwrite=True)
    assert [path.name for path in tmp_path.iterdir()] == ["old.ome.tif"]
    assert is_marked_file(tmp_path / "old.ome.tif")


def test_nothing_is_written_without_the_mark(tmp_path):
    with pytest.raises(ValueError, match="provenance must be that of a restored image, got ''"):
        write_marked(tmp_path / "field.ome.tif", np.zeros((40, 50), np.uint8), "")
    assert not list(tmp_path.iterdir())


def test_other_and_broken_files_are_not_marked(tmp_path):
    tifffile.imwrite(tmp_path / "plain.tif", np.zeros((40, 50), np.uint8), description="ImageJ=1.54p")
    (tmp_path / "text.tif").write_text(PROVENANCE)
    (tmp_path / "cut.tif").write_bytes((tmp_path / "plain.tif").read_bytes()[:60])
    assert not any(is_marked_file(tmp_path / name) for name in ("plain.tif", "text.tif", "cut.tif", "none.tif"))


def test_the_mark_is_found_where_another_program_passed_the_description_on(tmp_path):
    tifffile.imwrite(tmp_path / "copy.tif", np.zeros((40, 50), np.uint8), description=f"copied: {PROVENANCE}")
    assert is_marked_file(tmp_path / "copy.tif")
