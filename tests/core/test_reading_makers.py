from __future__ import annotations

import struct
import sys
from types import SimpleNamespace
from xml.etree import ElementTree

import numpy as np
import pytest

from parfocal.images.makers import czi_metadata, nd2_metadata
from parfocal.images.metadata import UnreadableImage
from parfocal.images.reading import read_images

CZI = """<ImageDocument><Metadata><Information>
  <Instrument><Objectives>
    <Objective Id="Objective:1"><LensNA>0.8</LensNA><Immersion>Air</Immersion></Objective>
    <Objective Id="Objective:2"><LensNA>1.4</LensNA><Immersion>Oil</Immersion></Objective>
  </Objectives></Instrument>
  <Image>
    <ObjectiveSettings><ObjectiveRef Id="Objective:2"/><RefractiveIndex>1.518</RefractiveIndex></ObjectiveSettings>
    <Dimensions><Channels>
      <Channel Id="Channel:0" Name="DAPI"><EmissionWavelength>465</EmissionWavelength>
        <AcquisitionMode>WideField</AcquisitionMode><ContrastMethod>Fluorescence</ContrastMethod></Channel>
      <Channel Id="Channel:1" Name="T-PMT"><ContrastMethod>Brightfield</ContrastMethod></Channel>
    </Channels></Dimensions>
  </Image></Information>
  <Scaling><Items><Distance Id="X"><Value>6.5e-08</Value></Distance></Items></Scaling>
</Metadata></ImageDocument>"""

LIF = """<LMSDataContainerHeader Version="2"><Element Name="project"><Data/><Children>
<Element Name="field 1"><Data><Image>
<ImageDescription><Channels>
<ChannelDescription DataType="0" ChannelTag="0" Resolution="16" NameOfMeasuredQuantity="" Min="0" Max="65535" Unit=""
 LUTName="Blue" IsLUTInverted="0" BytesInc="0" BitInc="0"/>
</Channels><Dimensions>
<DimensionDescription DimID="1" NumberOfElements="30" Origin="0" Length="9.425e-06" Unit="m" BitInc="0" BytesInc="2"/>
<DimensionDescription DimID="2" NumberOfElements="20" Origin="0" Length="6.175e-06" Unit="m" BitInc="0" BytesInc="60"/>
<DimensionDescription DimID="3" NumberOfElements="3" Origin="0" Length="3e-06" Unit="m" BitInc="0" BytesInc="1200"/>
</Dimensions></ImageDescription>
<Attachment Name="HardwareSetting" DataSourceTypeName="Camera">
<ATLCameraSettingDefinition NumericalAperture="0.75" RefractionIndex="1" Immersion="DRY">
<WideFieldChannelConfigurator><WideFieldChannelInfo LUT="Blue" ContrastingMethodName="FLUO" FluoCubeName="A4"
 EmissionWavelength="470"/></WideFieldChannelConfigurator></ATLCameraSettingDefinition></Attachment>
</Image></Data><Memory Size="3600" MemoryBlockID="MemBlock_1"/></Element>
</Children></Element></LMSDataContainerHeader>"""


def write_lif(path, xml, pixels):
    """Write a LIF file of one memory block: blocks of magic number, length, and a text or the data."""
    name, text = "MemBlock_1", xml.replace("\n", "")
    with path.open("wb") as out:
        out.write(struct.pack("<iiBi", 0x70, 5 + 2 * len(text), 0x2A, len(text)) + text.encode("utf-16-le"))
        out.write(struct.pack("<iiBqB", 0x70, 14 + 2 * len(name), 0x2A, pixels.nbytes, 0x2A))
        out.write(struct.pack("<i", len(name)) + name.encode("utf-16-le") + pixels.tobytes())


def test_czi_gives_an_item_for_each_time_and_channel(tmp_path, rng):
    from pylibCZIrw import czi

    pixels = rng.integers(0, 60000, (2, 2, 3, 20, 30)).astype(np.uint16)
    path = tmp_path / "a.czi"
    with czi.create_czi(str(path)) as document:
        for t, c, z in np.ndindex(2, 2, 3):
            document.write(pixels[t, c, z][..., None], plane={"T": t, "C": c, "Z": z})
        scale = {"scale_x": 0.325e-6, "scale_y": 0.325e-6, "scale_z": 1.5e-6}
        document.write_metadata("a", channel_names={0: "DAPI", 1: "GFP"}, **scale)
    items = list(read_images(path))
    assert [(i.metadata.time, i.metadata.channel) for i in items] == [(0, 0), (0, 1), (1, 0), (1, 1)]
    for item in items:
        np.testing.assert_array_equal(item.pixels, pixels[item.metadata.time, item.metadata.channel])
        assert (item.metadata.pixel_size_um, item.metadata.z_step_um) == (0.325, 1.5)
        assert item.metadata.channel_name == ("DAPI", "GFP")[item.metadata.channel]
        assert item.metadata.numerical_aperture is None


def test_scenes_of_a_czi_are_series(tmp_path, rng):
    from pylibCZIrw import czi

    pixels = rng.integers(0, 60000, (2, 20, 30)).astype(np.uint16)
    with czi.create_czi(str(tmp_path / "a.czi")) as document:
        for scene in range(2):
            document.write(pixels[scene][..., None], plane={"C": 0}, scene=scene, location=(100 * scene, 0))
    items = list(read_images(tmp_path / "a.czi"))
    assert [item.metadata.series for item in items] == [0, 1]
    np.testing.assert_array_equal([item.pixels for item in items], pixels)


def test_optics_of_a_czi_are_those_of_the_objective_it_refers_to():
    root = ElementTree.fromstring(CZI)
    first, second = czi_metadata(root, 0, 0, 0), czi_metadata(root, 0, 1, 0)
    assert (first.numerical_aperture, first.immersion_index, first.pixel_size_um) == (1.4, 1.518, 0.065)
    assert (first.emission_wavelength_um, first.modality, first.channel_name) == (
        0.465,
        "widefield_fluorescence",
        "DAPI",
    )
    assert (second.emission_wavelength_um, second.modality) == (None, "bright_field")


def test_optics_of_an_nd2_are_those_of_its_channel():
    from nd2.structures import Microscope

    scope = Microscope(objectiveNumericalAperture=0.75, immersionRefractiveIndex=1.0, modalityFlags=["fluorescence"])
    channel = SimpleNamespace(channel=SimpleNamespace(name="GFP", emissionLambdaNm=535.0), microscope=scope)
    file = SimpleNamespace(
        voxel_size=lambda: SimpleNamespace(x=0.325, y=0.325, z=1.0),
        metadata=SimpleNamespace(channels=[channel]),
        sizes={"Y": 20, "X": 30},
    )
    metadata = nd2_metadata(file, series=3, channel=0, time=1)
    assert (metadata.pixel_size_um, metadata.z_step_um) == (0.325, None)
    assert (metadata.numerical_aperture, metadata.immersion_index) == (0.75, 1.0)
    assert (metadata.emission_wavelength_um, metadata.modality) == (0.535, "widefield_fluorescence")
    assert (metadata.series, metadata.time, metadata.channel_name) == (3, 1, "GFP")


def test_lif_gives_its_stack_and_optics(tmp_path, rng):
    pixels = rng.integers(0, 60000, (3, 20, 30)).astype("<u2")
    write_lif(tmp_path / "a.lif", LIF, pixels)
    (item,) = read_images(tmp_path / "a.lif")
    np.testing.assert_array_equal(item.pixels, pixels)
    metadata = item.metadata
    assert metadata.pixel_size_um == pytest.approx(0.325, rel=1e-9)
    assert (metadata.numerical_aperture, metadata.immersion_index) == (0.75, 1.0)
    assert (metadata.emission_wavelength_um, metadata.modality) == (0.47, None)
    assert "field 1" in metadata.series_name


@pytest.mark.parametrize("suffix", ["czi", "nd2", "lif"])
@pytest.mark.parametrize("content", [b"\0" * 2000, b"text instead of an image\n"], ids=["zeros", "text"])
def test_damaged_makers_files_are_unreadable(tmp_path, suffix, content):
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(content)
    with pytest.raises(UnreadableImage):
        list(read_images(path))


@pytest.mark.parametrize(("suffix", "module"), [("czi", "pylibCZIrw"), ("nd2", "nd2"), ("lif", "bioio_lif")])
def test_a_missing_package_is_named_with_the_command_that_installs_it(tmp_path, monkeypatch, suffix, module):
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(b"\x70\0\0\0")
    for name in (module, f"{module}.czi"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(UnreadableImage, match=rf'\.{suffix} files need the package {module}: .*-e "\.\[formats\]"'):
        list(read_images(path))
