"""Optics from the text that ImageJ has of an image."""

from __future__ import annotations

import pytest

from parfocal.images.info_text import read_info
from parfocal.images.metadata import ImageMetadata

OME = """<?xml version="1.0" encoding="UTF-8"?>
<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">
<Instrument ID="Instrument:0"><Objective ID="Objective:0" LensNA="1.4" Immersion="Oil"/></Instrument>
<Image ID="Image:0"><ObjectiveSettings ID="Objective:0"/>
<Pixels DimensionOrder="XYZCT" ID="Pixels:0" Type="uint16" SizeX="4" SizeY="4" SizeZ="2" SizeC="2" SizeT="1"
 PhysicalSizeX="65" PhysicalSizeXUnit="nm" PhysicalSizeZ="0.3">
<Channel ID="Channel:0:0" EmissionWavelength="461"/>
<Channel ID="Channel:0:1" EmissionWavelength="0.525" EmissionWavelengthUnit="\u00b5m" AcquisitionMode="WideField"/>
</Pixels></Image></OME>"""
ZEISS = """ Information|Image|SizeX #1 = 512
Information|Image|Channel|EmissionWavelength #1 = 465.0
Information|Image|Channel|EmissionWavelength #02 = 525.5
Information|Image|Channel|ExcitationWavelength #1 = 405
Information|Instrument|Objective|LensNA #1 = 0.8
Information|Instrument|Objective|Immersion #1 = Air
Information|Instrument|Objective|ImmersionRefractiveIndex = 1.0"""


@pytest.mark.parametrize(("channel", "wavelength"), [(0, 0.461), (1, 0.525)])
def test_ome_xml_is_read_for_the_channel_also_behind_other_text(channel, wavelength):
    found = read_info(f"Restored\n{OME}\nand more", channel)
    assert found.emission_wavelength_um == pytest.approx(wavelength)
    assert (found.numerical_aperture, found.immersion_index, found.pixel_size_um, found.z_step_um) == (
        1.4,
        1.515,
        0.065,
        0.3,
    )
    assert found.modality == (None if channel == 0 else "widefield_fluorescence")


@pytest.mark.parametrize(("channel", "wavelength"), [(0, 0.465), (1, 0.5255), (2, None)])
def test_properties_are_read_for_the_channel(channel, wavelength):
    found = read_info(ZEISS, channel)
    assert found.emission_wavelength_um == pytest.approx(wavelength)
    assert (found.numerical_aperture, found.immersion_index) == (0.8, 1.0)


def test_other_makers_names_are_known():
    assert read_info("dObjectiveNA = 0.75").numerical_aperture == 0.75
    assert read_info("Image|ATLConfocalSetting|NumericalAperture = 1.2").numerical_aperture == 1.2
    assert read_info("Numerical Aperture: 0.45").numerical_aperture == 0.45
    assert read_info("Emission wavelength = 525 nm").emission_wavelength_um == 0.525


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nothing of it",
        "<OME broken",
        "<OME><Image></OME>",
        "LensNA #1 = 0.8\nLensNA #2 = 1.4",
        "LensNA = none",
        "LensNA = 0.8\ndObjectiveNA = 0.75",
        "Immersion = honey",
    ],
)
def test_what_is_not_said_or_said_in_two_ways_is_not_known(text):
    assert read_info(text) == ImageMetadata()


def test_images_of_one_file_that_differ_tell_only_what_they_have_in_common():
    second = OME.replace('"Image:0"', '"Image:1"').replace('EmissionWavelength="461"', 'EmissionWavelength="600"')
    image = second[second.index("<Image ") : second.index("</OME>")]
    found = read_info(OME.replace("</OME>", f"{image}</OME>"))
    assert (found.numerical_aperture, found.emission_wavelength_um) == (1.4, None)
