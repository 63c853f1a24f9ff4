from __future__ import annotations

import errno

import imageio.v3 as iio
import numpy as np
import pytest
import tifffile
from PIL import Image

from parfocal.images.metadata import UnreadableImage, immersion_index, length_um, modality
from parfocal.images.reading import find_images, read_images

OME = """<?xml version="1.0" encoding="UTF-8"?>
<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">
  <Instrument ID="Instrument:0">
    <Objective ID="Objective:0" LensNA="0.3" Immersion="Air"/>
    <Objective ID="Objective:1" LensNA="1.2" Immersion="Water"/>
  </Instrument>
  <Image ID="Image:0" Name="field 7">
    <ObjectiveSettings ID="Objective:1"/>
    <Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint16" SizeX="30" SizeY="20" SizeZ="3" SizeC="2" SizeT="2"
            PhysicalSizeX="325" PhysicalSizeXUnit="nm" PhysicalSizeY="325" PhysicalSizeYUnit="nm" PhysicalSizeZ="1.5">
      <Channel ID="Channel:0:0" SamplesPerPixel="1" Name="DNA" EmissionWavelength="461" ContrastMethod="Fluorescence"/>
      <Channel ID="Channel:0:1" SamplesPerPixel="1" Name="ER" EmissionWavelength="0.525" EmissionWavelengthUnit="um"
               AcquisitionMode="SpinningDiskConfocal"/>
      <TiffData IFD="0" PlaneCount="12"/>
    </Pixels>
  </Image>
</OME>"""


@pytest.fixture
def tczyx(rng):
    return rng.integers(0, 60000, (2, 2, 3, 20, 30)).astype(np.uint16)


def read(path):
    return list(read_images(path))


def write_pages(path, pages, description=None, **options):
    with tifffile.TiffWriter(path) as tif:
        for number, page in enumerate(pages):
            text = None if number else description
            tif.write(page, metadata=None, contiguous=False, photometric="minisblack", description=text, **options)


def with_unit(resolution, unit):
    """Options for a resolution: older releases of tifffile take the unit as third number."""
    if tuple(map(int, tifffile.__version__.split(".")[:2])) < (2022, 7):
        return {"resolution": (*resolution, unit)}
    return {"resolution": resolution, "resolutionunit": unit}


def test_pages_of_a_plain_tiff_are_the_planes_of_a_stack(tmp_path, tczyx):
    write_pages(tmp_path / "a.tif", tczyx[0, 0])
    (item,) = read(tmp_path / "a.tif")
    np.testing.assert_array_equal(item.pixels, tczyx[0, 0])
    assert item.metadata.pixel_size_um is None


@pytest.mark.parametrize(
    ("resolution", "unit", "pixel_size_um"),
    [
        ((72, 72), "INCH", None),
        ((300, 300), "INCH", None),
        ((1, 1), "CENTIMETER", None),
        ((40000, 40000), "CENTIMETER", 0.25),
        ((25400 / 0.65, 25400 / 0.65), "INCH", 0.65),
    ],
)
def test_only_a_resolution_of_a_microscope_is_believed(tmp_path, tczyx, resolution, unit, pixel_size_um):
    tifffile.imwrite(tmp_path / "a.tif", tczyx[0, 0, 0], metadata=None, **with_unit(resolution, unit))
    assert read(tmp_path / "a.tif")[0].metadata.pixel_size_um == (
        None if pixel_size_um is None else pytest.approx(pixel_size_um, rel=1e-5)
    )


def test_imagej_hyperstack_gives_an_item_for_each_time_and_channel_with_its_scale(tmp_path, tczyx):
    about = {"axes": "TZCYX", "unit": "um", "spacing": 1.5}
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, tczyx.swapaxes(1, 2), imagej=True, resolution=(4, 4), metadata=about)
    items = read(path)
    assert [(i.metadata.time, i.metadata.channel) for i in items] == [(0, 0), (0, 1), (1, 0), (1, 1)]
    for item in items:
        np.testing.assert_array_equal(item.pixels, tczyx[item.metadata.time, item.metadata.channel])
        assert item.pixels.dtype == np.uint16
        assert item.pixels.dtype.isnative
        assert (item.metadata.pixel_size_um, item.metadata.z_step_um) == (0.25, 1.5)


def test_a_unit_without_a_resolution_is_no_pixel_size(tmp_path, tczyx):
    tifffile.imwrite(tmp_path / "a.tif", tczyx[0, 0], imagej=True, metadata={"axes": "ZYX", "unit": "um", "spacing": 5})
    metadata = read(tmp_path / "a.tif")[0].metadata
    assert (metadata.pixel_size_um, metadata.z_step_um) == (None, 5.0)


def test_ome_tiff_gives_an_item_for_each_time_and_channel_with_its_optics(tmp_path, tczyx):
    # OME counts planes fastest, then channels, then times.
    write_pages(tmp_path / "a.ome.tif", tczyx.reshape(12, 20, 30), description=OME)
    items = read(tmp_path / "a.ome.tif")
    assert len(items) == 4
    for item in items:
        np.testing.assert_array_equal(item.pixels, tczyx[item.metadata.time, item.metadata.channel])
    first, second = items[0].metadata, items[1].metadata
    assert (first.pixel_size_um, first.z_step_um) == (0.325, 1.5)
    assert (first.numerical_aperture, first.immersion_index) == (1.2, 1.333)
    assert (first.emission_wavelength_um, second.emission_wavelength_um) == (0.461, 0.525)
    assert (first.modality, second.modality) == ("widefield_fluorescence", "confocal")
    assert (first.series_name, first.channel_name, second.channel_name) == ("field 7", "DNA", "ER")


def test_files_of_an_ome_set_each_give_their_own_images(tmp_path, tczyx):
    data = "".join(
        f'<TiffData FirstT="{t}" FirstC="0" FirstZ="0" IFD="0" PlaneCount="3"><UUID FileName="t{t}.ome.tif">urn:uuid:'
        f"00000000-0000-0000-0000-00000000000{t}</UUID></TiffData>"
        for t in range(2)
    )
    xml = OME.replace('SizeC="2"', 'SizeC="1"').replace('<TiffData IFD="0" PlaneCount="12"/>', data)
    xml = xml[: xml.index('      <Channel ID="Channel:0:1"')] + xml[xml.index("<TiffData") :]
    for t in range(2):
        own = xml.replace("<OME ", f'<OME UUID="urn:uuid:00000000-0000-0000-0000-00000000000{t}" ')
        write_pages(tmp_path / f"t{t}.ome.tif", tczyx[t, 0], description=own)
    for t in range(2):
        (item,) = read(tmp_path / f"t{t}.ome.tif")
        assert item.metadata.time == t
        np.testing.assert_array_equal(item.pixels, tczyx[t, 0])


def test_optics_of_metamorph_files_are_read(tmp_path, tczyx):
    names = {"spatial-calibration-x": 0.3375, "_MagNA_": 0.75, "_MagRI_": 1, "wavelength": 525}
    properties = "".join(f'<prop id="{name}" type="float" value="{value}"/>' for name, value in names.items())
    text = f'<MetaData><PlaneInfo><prop id="spatial-calibration-units" type="string" value="um"/>{properties}'
    path = tmp_path / "a.tif"
    text = f"{text}</PlaneInfo></MetaData>"
    tifffile.imwrite(path, tczyx[0, 0, 0], description=text, software="MetaSeries", metadata=None)
    metadata = read(path)[0].metadata
    assert (metadata.pixel_size_um, metadata.emission_wavelength_um) == (0.3375, 0.525)
    assert (metadata.numerical_aperture, metadata.immersion_index) == (0.75, 1.0)


def test_colours_stay_last(tmp_path, rng):
    colours = rng.integers(0, 255, (20, 30, 3)).astype(np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", colours, photometric="rgb")
    tifffile.imwrite(tmp_path / "b.tif", np.moveaxis(colours, -1, 0), photometric="rgb", planarconfig="separate")
    for name in ("a.tif", "b.tif"):
        np.testing.assert_array_equal(read(tmp_path / name)[0].pixels, colours)


def test_a_stack_of_three_planes_without_named_axes_is_not_taken_for_colours(tmp_path, tczyx):
    options = {"photometric": "rgb", "planarconfig": "separate"}
    tifffile.imwrite(tmp_path / "a.tif", tczyx[0, 0], **options)
    np.testing.assert_array_equal(read(tmp_path / "a.tif")[0].pixels, tczyx[0, 0])


def test_axes_that_nobody_named_are_refused_with_the_shape(tmp_path, tczyx):
    tifffile.imwrite(tmp_path / "a.tif", tczyx, photometric="minisblack")
    with pytest.raises(UnreadableImage, match=r"\(2, 2, 3, 20, 30\) are not known .* save it as OME-TIFF"):
        read(tmp_path / "a.tif")


@pytest.mark.parametrize("share", [0.01, 0.4, 0.7])
@pytest.mark.parametrize("kind", ["pages", "compressed", "one piece", "imagej"])
def test_a_truncated_tiff_is_unreadable_however_it_is_stored(tmp_path, tczyx, kind, share, capfd):
    whole, cut = tmp_path / "whole.tif", tmp_path / "cut.tif"
    stack = tczyx.reshape(12, 20, 30)
    if kind in ("one piece", "imagej"):
        tifffile.imwrite(whole, stack, imagej=kind == "imagej", metadata={"axes": "ZYX"})
    else:
        write_pages(whole, stack, compression="zlib" if kind == "compressed" else None, rowsperstrip=5)
    assert read(whole)[0].pixels.shape == (12, 20, 30)
    content = whole.read_bytes()
    cut.write_bytes(content[: int(share * len(content))])
    with pytest.raises(UnreadableImage):
        read(cut)
    assert capfd.readouterr().err == ""


def test_common_pictures_are_read_without_believing_their_resolution(tmp_path, rng):
    grey = rng.integers(0, 60000, (20, 30)).astype(np.uint16)
    iio.imwrite(tmp_path / "a.png", grey)
    iio.imwrite(tmp_path / "b.jpg", np.full((20, 30), 90, np.uint8), dpi=(72, 72))
    with_alpha = np.stack([np.full((20, 30), 7, np.uint8), np.full((20, 30), 255, np.uint8)], axis=-1)
    Image.fromarray(with_alpha).save(tmp_path / "c.png")
    np.testing.assert_array_equal(read(tmp_path / "a.png")[0].pixels, grey)
    (jpeg,) = read(tmp_path / "b.jpg")
    assert jpeg.metadata.pixel_size_um is None
    np.testing.assert_array_equal(jpeg.pixels, 90)
    np.testing.assert_array_equal(read(tmp_path / "c.png")[0].pixels, with_alpha[..., 0])


def test_files_that_are_no_images_say_so(tmp_path):
    for name in ("a.tif", "b.png"):
        (tmp_path / name).write_text("not an image at all\n")
        with pytest.raises(UnreadableImage):
            read(tmp_path / name)
    with pytest.raises(UnreadableImage, match="the name says TIFF, the content is something else"):
        read(tmp_path / "a.tif")
    (tmp_path / "empty.tif").touch()
    with pytest.raises(UnreadableImage, match="empty"):
        read(tmp_path / "empty.tif")
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(UnreadableImage, match=r"files \.txt are not known, only \.tif"):
        read(tmp_path / "notes.txt")
    with pytest.raises(FileNotFoundError, match="nowhere.tif"):
        read(tmp_path / "nowhere.tif")


def test_a_file_that_one_may_not_read_says_so_in_plain_words(tmp_path, monkeypatch):
    def refuse(path):
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    (tmp_path / "a.tif").write_bytes(b"II*\0")
    monkeypatch.setattr(tifffile, "TiffFile", refuse)
    with pytest.raises(UnreadableImage, match="^no permission to read it$"):
        read(tmp_path / "a.tif")


def test_find_images_searches_folders_and_leaves_thumbnails_and_hidden_files_out(tmp_path):
    wanted = [tmp_path / "b" / "A01.TIF", tmp_path / "c.png"]
    others = [tmp_path / "b" / "._A01.TIF", tmp_path / "b" / "A01_thumb.TIF", tmp_path / "notes.txt"]
    (tmp_path / "b").mkdir()
    for path in wanted + others:
        path.touch()
    assert find_images([tmp_path]) == wanted
    assert find_images([tmp_path / "c.png", tmp_path]) == [wanted[1], wanted[0]]
    assert find_images([f"{tmp_path}/**/*.png"]) == [wanted[1]]
    assert find_images([tmp_path / "notes.txt"]) == [tmp_path / "notes.txt"]


def test_find_images_names_what_it_did_not_find(tmp_path):
    with pytest.raises(FileNotFoundError, match=f"no image below the folder {tmp_path}"):
        find_images([tmp_path])
    with pytest.raises(FileNotFoundError, match=r"no image matches .*\*\.tif"):
        find_images([f"{tmp_path}/*.tif"])
    with pytest.raises(FileNotFoundError, match="no such file or folder: .*nowhere"):
        find_images([tmp_path / "nowhere"])


def test_lengths_indices_and_kinds_of_microscope_are_read_from_the_words_of_files():
    assert length_um("3.25e-07", "m") == 0.325
    assert length_um(650, "nm") == 0.65
    assert length_um(0.65, "\u00b5m") == length_um(0.65, "micron") == 0.65
    assert length_um(72, "inch") is length_um(0, "um") is length_um("nan", "um") is length_um(None, "um") is None
    assert immersion_index("1.406", "Oil") == 1.406
    assert immersion_index(None, "Oil") == 1.515
    assert immersion_index(None, "Other") is None
    assert modality("Fluorescence", "LaserScanningConfocalMicroscopy") == "confocal"
    assert modality("Brightfield", "WideField") == "bright_field"
    assert modality(None, "unheard of") is None


def test_a_link_to_nothing_is_found_so_that_it_becomes_a_row(tmp_path):
    (tmp_path / "gone.tif").symlink_to(tmp_path / "nowhere.tif")
    assert [path.name for path in find_images([tmp_path])] == ["gone.tif"]
    with pytest.raises(FileNotFoundError, match="gone.tif"):
        read(tmp_path / "gone.tif")
