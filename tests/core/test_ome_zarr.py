from __future__ import annotations

import json

import numpy as np
import pytest
import zarr

from parfocal.images.metadata import UnreadableImage
from parfocal.images.reading import find_images, read_images
from parfocal.screen.listing import list_tasks


def written(folder, pixels, axes, scale, **more):
    """An image by version 0.4 of the specification, whichever zarr writes it."""
    options = {} if zarr.__version__.startswith("2") else {"zarr_format": 2}
    group = zarr.open_group(str(folder), mode="w", **options)
    for level, factor in (("0", 1), ("1", 2)):
        part = np.ascontiguousarray(pixels[..., ::factor, ::factor])
        keys = {"chunks": part.shape, "dtype": part.dtype, "overwrite": True}
        array = (
            group.create_dataset(level, shape=part.shape, **keys)
            if not options
            else group.create_array(level, shape=part.shape, chunks=part.shape, dtype=part.dtype, overwrite=True)
        )
        array[...] = part
    kinds = {"t": "time", "c": "channel"}
    named = [{"name": a, "type": kinds.get(a, "space"), **({"unit": "micrometer"} if a in "zyx" else {})} for a in axes]
    levels = [
        {"path": "0", "coordinateTransformations": [{"type": "scale", "scale": scale}]},
        {"path": "1", "coordinateTransformations": [{"type": "scale", "scale": [2 * s for s in scale]}]},
    ]
    group.attrs.put({"multiscales": [{"version": "0.4", "name": "field", "axes": named, "datasets": levels}], **more})


@pytest.fixture
def pixels(rng):
    return rng.integers(0, 9999, (2, 3, 40, 50)).astype(np.uint16)


def test_an_image_is_read_at_its_largest_resolution_with_scale_and_names_of_channels(tmp_path, pixels):
    omero = {"channels": [{"label": "DNA"}, {"label": "actin"}]}
    written(tmp_path / "a.zarr", pixels, "czyx", [1, 2.5, 0.325, 0.325], omero=omero)
    items = list(read_images(tmp_path / "a.zarr"))
    assert [item.metadata.channel_name for item in items] == ["DNA", "actin"]
    for item, stack in zip(items, pixels):
        assert np.array_equal(item.pixels, stack)
        assert (item.metadata.pixel_size_um, item.metadata.z_step_um) == (0.325, 2.5)


@pytest.mark.current_python  # the zarr of the other Python writes no version 3, which OME-Zarr 0.5 is made of
@pytest.mark.filterwarnings("ignore:Scale value not provided", "ignore:Call to deprecated class Scaler")
def test_version_0_5_as_the_library_itself_writes_it_is_read(tmp_path, pixels):
    from ome_zarr.format import FormatV05
    from ome_zarr.writer import write_image

    group = zarr.open_group(str(tmp_path / "a.zarr"), mode="w", zarr_format=3)
    about = {"scale": {"z": 2.5, "y": 0.325, "x": 0.325}, "axes_units": dict.fromkeys("zyx", "micrometer")}
    write_image(pixels, group, axes="czyx", scale_factors=[], fmt=FormatV05(), **about)
    assert (tmp_path / "a.zarr" / "zarr.json").exists()
    items = list(read_images(tmp_path / "a.zarr"))
    assert len(items) == 2 and all(np.array_equal(item.pixels, stack) for item, stack in zip(items, pixels))
    assert {(item.metadata.pixel_size_um, item.metadata.z_step_um) for item in items} == {(0.325, 2.5)}


def test_a_folder_of_images_lists_each_as_one_and_does_not_look_into_it(tmp_path, pixels):
    for name in ("a.zarr", "sub/b.ome.zarr"):
        written(tmp_path / name, pixels[:, 0], "cyx", [1, 0.5, 0.5])
    assert find_images([tmp_path]) == [tmp_path / "a.zarr", tmp_path / "sub" / "b.ome.zarr"]


def test_the_fields_of_a_plate_are_images_with_their_wells(tmp_path, pixels):
    plate, fields = tmp_path / "p.zarr", ["B/3/0", "B/3/1", "C/12/0"]
    (plate / "B" / "3").mkdir(parents=True)
    (plate / "C" / "12").mkdir(parents=True)
    for number, field in enumerate(fields):
        written(plate / field, pixels[:1, number], "cyx", [1, 0.5, 0.5])
    wells = {"B/3": ["0", "1"], "C/12": ["0"]}
    about = {"plate": {"name": "P1", "wells": [{"path": path} for path in wells], "version": "0.4"}}
    told = {
        plate: about,
        **{plate / well: {"well": {"images": [{"path": i} for i in ids]}} for well, ids in wells.items()},
    }
    for folder, attributes in told.items():
        (folder / ".zgroup").write_text('{"zarr_format": 2}')
        (folder / ".zattrs").write_text(json.dumps(attributes))
    items = list(read_images(plate))
    assert [(i.metadata.plate, i.metadata.well, i.metadata.site) for i in items] == [
        ("P1", "B03", "0"),
        ("P1", "B03", "1"),
        ("P1", "C12", "0"),
    ]
    assert [item.metadata.series for item in items] == [0, 1, 2]
    assert all(np.array_equal(item.pixels, pixels[0, number]) for number, item in enumerate(items))
    tasks = [task.path for task in list_tasks([tmp_path], tmp_path / "out", ())]
    assert tasks == [str(plate / field) for field in fields]
    (alone,) = read_images(tasks[2])
    assert alone.metadata.well == "C12" and np.array_equal(alone.pixels, pixels[0, 2])


def test_what_is_no_ome_zarr_is_told(tmp_path):
    (tmp_path / "a.zarr").mkdir()
    with pytest.raises(UnreadableImage, match="holds no OME-Zarr image"):
        list(read_images(tmp_path / "a.zarr"))
