from __future__ import annotations

import pytest
import tifffile

from parfocal.screen.settings import ScreenSettings
from parfocal.screen.task import ScreenTask
from parfocal.screen.worker import installed_version, screen_file

OME = """<?xml version="1.0" encoding="UTF-8"?>
<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">
<Plate ID="Plate:0" Name="from the file"><Well ID="Well:0" Row="2" Column="6">
<WellSample ID="WellSample:0" Index="0"/>
<WellSample ID="WellSample:1" Index="1"><ImageRef ID="Image:0"/></WellSample></Well></Plate>
<Image ID="Image:0" Name="field"><AcquisitionDate>2024-05-06T07:08:09</AcquisitionDate>
<Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint16"
SizeX="{width}" SizeY="{height}" SizeZ="1" SizeC="1" SizeT="1">
<Channel ID="Channel:0:0" Name="DNA" SamplesPerPixel="1"/><TiffData/></Pixels></Image></OME>"""


@pytest.fixture
def row_of(tmp_path, nuclei):
    """Row of an OME-TIFF whose metadata and name are both of a well, and of which a list may tell more."""

    def row(told):
        path = tmp_path / "named_p1_A01_s1.ome.tif"
        pixels = nuclei[:96, :128].astype("u2")
        tifffile.imwrite(path, pixels, description=OME.format(width=128, height=96), metadata=None)
        settings = ScreenSettings(str(tmp_path), {}, overlays="none", version=installed_version())
        (found,) = screen_file(ScreenTask(str(path), told), settings)
        return found

    return row


def test_plate_well_site_and_date_of_an_ome_tiff_count_more_than_its_name(row_of):
    row = row_of({})
    assert (row["plate"], row["well"], row["site"]) == ("from the file", "C07", "2")
    assert row["acquired"] == "2024-05-06T07:08:09" and row["channel_name"] == "DNA"


def test_a_list_counts_more_than_the_file(row_of):
    row = row_of({"plate": "P9", "well": "H12"})
    assert (row["plate"], row["well"], row["site"]) == ("P9", "H12", "2")


def test_a_file_in_a_folder_that_one_may_not_enter_says_so_in_words(tmp_path, monkeypatch):
    def refuse(*_):
        raise PermissionError(13, "Permission denied", "a.tif")

    # Who runs the tests may be allowed to enter every folder.
    monkeypatch.setattr("parfocal.screen.worker.each_image", refuse)
    settings = ScreenSettings(str(tmp_path), {}, version=installed_version())
    (row,) = screen_file(ScreenTask(str(tmp_path / "a.tif")), settings)
    assert (row["status"], row["reason"]) == ("unreadable", "no permission to read it")
