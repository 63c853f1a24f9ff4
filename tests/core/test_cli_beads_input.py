from __future__ import annotations

import bead_files as bf
import numpy as np
import pandas as pd
import pytest
import tifffile

import parfocal.beads.batch.measure
from parfocal.cli import main

pytestmark = pytest.mark.current_python

STEP = ["--z-step-um", "10"]


@pytest.fixture
def no_pictures(monkeypatch):
    """Save the time that pictures take, where it is the tables that matter."""
    monkeypatch.setattr(parfocal.beads.batch.measure, "_draw", lambda *_: [])


def run(output, *arguments):
    code = main(["beads", *map(str, arguments), "-o", str(output)])
    return code, pd.read_csv(output / "summary.csv"), pd.read_csv(output / "planes.csv")


@pytest.fixture(scope="module")
def expected_um():
    """Reference focal plane of the stack, counted from its first plane."""
    from parfocal.beads.measure import measure_bead_focal_plane

    found = measure_bead_focal_plane(bf.bead_stack(), bf.PIXEL_UM, bf.DIAMETER_UM, z_step_um=bf.STEP_UM)
    return found.reference_focal_plane_um


@pytest.mark.usefixtures("no_pictures")
def test_optics_and_positions_come_from_ome_and_what_is_given_counts_more(tmp_path, expected_um):
    positions = {"PositionZ": list(bf.Z_UM), "PositionZUnit": ["\u00b5m"] * 21}
    stack = bf.write_stack(
        tmp_path / "a.ome.tif", bf.bead_stack(), axes="ZYX", PhysicalSizeX=1.5, PhysicalSizeY=1.5, Plane=positions
    )
    _, table, planes = run(tmp_path / "a", stack, "--bead-diameter-um", "28.5")
    assert table.loc[0, "reference_focal_plane_um"] == pytest.approx(expected_um - 100, abs=1e-6)
    assert (table.loc[0, "z_origin"], table.loc[0, "pixel_size_um"]) == ("stage", 1.5)
    np.testing.assert_array_equal(planes["z_um"], bf.Z_UM)
    _, table, _ = run(tmp_path / "b", stack, "--bead-diameter-um", "28.5", *STEP)
    assert table.loc[0, "reference_focal_plane_um"] == pytest.approx(expected_um, abs=1e-6)


@pytest.mark.usefixtures("no_pictures")
def test_step_and_pixel_come_from_imagej(tmp_path, expected_um):
    path = tmp_path / "a.tif"
    about = {"axes": "ZYX", "spacing": 10.0, "unit": "um"}
    tifffile.imwrite(path, bf.bead_stack(), imagej=True, resolution=(1 / 1.5, 1 / 1.5), metadata=about)
    _, table, _ = run(tmp_path / "out", path, "--bead-diameter-um", "28.5")
    assert table.loc[0, "reference_focal_plane_um"] == pytest.approx(expected_um, abs=1e-3)


@pytest.mark.usefixtures("no_pictures")
def test_files_of_one_plane_are_a_stack_in_the_order_of_their_numbers(tmp_path, expected_um):
    folder = bf.write_planes(tmp_path / "planes", bf.bead_stack())
    for number, named in enumerate(([folder], [folder / "z_*.tif"], sorted(folder.iterdir()))):
        _, table, planes = run(tmp_path / f"out{number}", *named, *bf.KNOWN, *STEP)
        assert table["reference_focal_plane_um"].to_list() == pytest.approx([expected_um], abs=1e-9)
        assert planes.loc[9, "file"] == "z_10.tif"


def test_bad_planes_are_left_out_and_listed_and_the_others_keep_their_place(tmp_path, expected_um):
    folder = bf.write_planes(tmp_path / "planes", bf.bead_stack())
    (folder / "z_3.tif").write_bytes(b"II*\0 no image")
    tifffile.imwrite(folder / "z_18.tif", np.zeros((20, 30), np.uint8))
    code, table, planes = run(tmp_path / "out", folder, *bf.KNOWN, *STEP)
    assert code == 0
    assert table.loc[0, "n_planes_left_out"] == 2
    assert table.loc[0, "warnings"] == "planes_left_out"
    assert table.loc[0, "reference_focal_plane_um"] == pytest.approx(expected_um, abs=1.5)
    assert planes.index[~planes["measured"]].to_list() == [2, 17]
    assert "20 x 30 pixels, most planes have 300 x 300" in planes.loc[17, "reason"]
    assert "planes left out" in (tmp_path / "out" / "report.html").read_text()


@pytest.mark.usefixtures("no_pictures")
def test_pages_of_another_size_in_one_file_are_left_out(tmp_path, expected_um):
    path = tmp_path / "a.tif"
    with tifffile.TiffWriter(path) as tif:
        for number, plane in enumerate(bf.bead_stack()):
            tif.write(plane[:50, :60] if number == 4 else plane, metadata=None, contiguous=False)
    _, table, planes = run(tmp_path / "out", path, *bf.KNOWN, *STEP)
    assert planes.index[~planes["measured"]].to_list() == [4]
    assert table.loc[0, "reference_focal_plane_um"] == pytest.approx(expected_um, abs=1.5)


@pytest.mark.usefixtures("no_pictures")
def test_file_that_is_cut_off_keeps_the_planes_that_are_whole(tmp_path):
    path = tmp_path / "a.tif"
    with tifffile.TiffWriter(path) as tif:
        for plane in bf.bead_stack():
            tif.write(plane, metadata=None, contiguous=False)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(0.999 * len(whole))])
    _, table, planes = run(tmp_path / "out", path, *bf.KNOWN, *STEP)
    assert planes.index[~planes["measured"]].to_list() == [20]
    assert "cut off" in planes.loc[20, "reason"]
    assert table.loc[0, "status"] == "ok"


@pytest.mark.usefixtures("no_pictures")
def test_plane_whose_pixels_are_damaged_is_left_out(tmp_path):
    path = tmp_path / "a.tif"
    with tifffile.TiffWriter(path) as tif:
        for plane in bf.bead_stack():
            tif.write(plane, metadata=None, contiguous=False, compression="zlib")
    with tifffile.TiffFile(path) as tif:
        start, count = tif.pages[19].dataoffsets[0], tif.pages[19].databytecounts[0]
    data = bytearray(path.read_bytes())
    data[start : start + count] = b"\xff" * count
    path.write_bytes(data)
    _, table, planes = run(tmp_path / "out", path, *bf.KNOWN, *STEP)
    assert planes.index[~planes["measured"]].to_list() == [19]
    assert table.loc[0, "status"] == "ok"


def test_stack_that_fails_is_a_row_with_its_reason_beside_those_that_do_not(tmp_path):
    good = bf.write_stack(tmp_path / "good.tif", bf.bead_stack())
    empty = bf.write_stack(tmp_path / "empty.tif", np.full((21, 300, 300), 120, np.uint8))
    (tmp_path / "broken.tif").write_bytes(good.read_bytes()[:5000])
    code, table, _ = run(tmp_path / "out", good, empty, tmp_path / "broken.tif", *bf.KNOWN, *STEP, "--repeats")
    assert code == 0
    assert table["stack"].to_list() == ["good.tif", "empty.tif", "broken.tif"]
    assert table["status"].to_list() == ["ok", "no_content", "unreadable"]
    assert table["reason"].iloc[1].startswith("no bead")
    assert table["reason"].iloc[2] != ""


@pytest.mark.parametrize(
    ("planes", "status"), [(slice(10, 11), "too_small"), (slice(9, 12), "too_small"), (slice(0, 0), "unreadable")]
)
def test_too_few_planes_give_no_answer(tmp_path, planes, status):
    path = tmp_path / "a.tif"
    if planes.stop:
        bf.write_stack(path, bf.bead_stack()[planes])
    else:
        path.write_bytes(b"")
    code, table, _ = run(tmp_path / "out", path, *bf.KNOWN, *STEP)
    assert (code, table.loc[0, "status"]) == (1, status)
    assert np.isnan(table.loc[0, "reference_focal_plane_um"])
    assert "No answer" in (tmp_path / "out" / "report.html").read_text()


@pytest.mark.usefixtures("no_pictures")
def test_order_of_the_planes_does_not_matter_and_repeated_ones_are_averaged(tmp_path, rng, expected_um):
    order = rng.permutation(np.append(np.arange(21), 10))
    path = bf.write_stack(tmp_path / "a.tif", bf.bead_stack()[order])
    table_csv = bf.write_positions(tmp_path / "z.csv", bf.Z_UM[order])
    _, table, planes = run(tmp_path / "out", path, *bf.KNOWN, "--z-csv", table_csv)
    assert table.loc[0, "reference_focal_plane_um"] == pytest.approx(expected_um - 100, abs=0.2)
    twice = planes[planes["z_um"] == bf.Z_UM[10]]
    assert len(twice) == 2
    assert twice["centre_intensity"].nunique() == 1


@pytest.mark.usefixtures("no_pictures")
def test_positions_are_found_by_file_name_where_the_table_has_them(tmp_path, expected_um):
    folder = bf.write_planes(tmp_path / "planes", bf.bead_stack())
    names = [f"z_{number}.tif" for number in range(1, 21)]
    table_csv = bf.write_positions(tmp_path / "z.csv", bf.Z_UM[:20][::-1], file=names[::-1])
    _, table, planes = run(tmp_path / "out", folder, *bf.KNOWN, "--z-csv", table_csv)
    assert planes.loc[20, "reason"] == "z.csv has no row for it"
    assert table.loc[0, "reference_focal_plane_um"] == pytest.approx(expected_um - 100, abs=1.5)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("z\n1\n", "must have a column z_um and a row for each plane"),
        ("z_um\n", "must have a column z_um and a row for each plane"),
        ("z_um\n1\nx\n", "line 3: z_um must be a number, got 'x'"),
        ("z_um\n1\ninf\n", "line 3: z_um must be finite"),
        ("z_um\n0,00\n0,75\n", "line 2: has more columns than the first line: give numbers with a decimal point"),
        ("z_um,file\n1,a\n2,a\n", "names the file 'a' more than once"),
    ],
)
def test_table_of_positions_that_is_none_is_an_error(tmp_path, capsys, text, message):
    path = bf.write_stack(tmp_path / "a.tif", bf.bead_stack())
    (tmp_path / "z.csv").write_text(text)
    assert main(["beads", str(path), *bf.KNOWN, "--z-csv", str(tmp_path / "z.csv"), "-o", str(tmp_path / "out")]) == 2
    assert message in capsys.readouterr().err


def test_stack_without_positions_pixel_size_or_with_too_few_rows_says_what_is_missing(tmp_path):
    path = bf.write_stack(tmp_path / "a.tif", bf.bead_stack())
    code, table, _ = run(tmp_path / "a", path, *bf.KNOWN)
    assert code == 1
    assert table.loc[0, "reason"].endswith("give the z step or a table with a column z_um")
    _, table, _ = run(tmp_path / "b", path, "--bead-diameter-um", "28.5", *STEP)
    assert table.loc[0, "reason"].endswith("give the pixel size")
    short = bf.write_positions(tmp_path / "z.csv", bf.Z_UM[:5])
    _, table, _ = run(tmp_path / "c", path, *bf.KNOWN, "--z-csv", short)
    assert table.loc[0, "reason"].endswith("has 5 rows, the stack has 21 planes")


@pytest.mark.usefixtures("no_pictures")
def test_planes_of_a_file_are_read_one_at_a_time(tmp_path, monkeypatch):
    from parfocal.images.tiff_planes import TiffPlanes

    path = bf.write_stack(tmp_path / "a.tif", bf.bead_stack())
    asked = []
    read = TiffPlanes.__getitem__
    monkeypatch.setattr(TiffPlanes, "__getitem__", lambda self, index: asked.append(index) or read(self, index))
    monkeypatch.setattr(np, "stack", lambda *_: pytest.fail("the whole stack was brought into memory"))
    run(tmp_path / "out", path, *bf.KNOWN, *STEP)
    assert asked.count(0) <= 3
    assert all(isinstance(index, int) for index in asked)


@pytest.mark.usefixtures("no_pictures")
def test_channel_of_several_is_chosen_by_number(tmp_path, expected_um):
    empty = np.full((21, 300, 300), 120, np.uint8)
    path = tmp_path / "a.ome.tif"
    both = np.stack([empty, bf.bead_stack()], axis=1)
    tifffile.imwrite(path, both, metadata={"axes": "ZCYX", "PhysicalSizeZ": 10.0})
    _, table, _ = run(tmp_path / "out", path, *bf.KNOWN, "--channel", "1")
    assert table["reference_focal_plane_um"].to_list() == pytest.approx([expected_um], abs=1e-9)
    code, table, _ = run(tmp_path / "none", path, *bf.KNOWN, "--channel", "2")
    assert (code, table.loc[0, "reason"]) == (1, "there is no channel 2 in it")
