"""Cores of other languages by stand-ins: Micro-Manager's jar is not on Maven Central, and Pycro-Manager needs it."""

from __future__ import annotations

from array import array

import numpy as np
import pytest

from parfocal.fiji_bridge.micromanager import FocusChannel, MMCoreMicroscope
from parfocal.focus_control.microscope import CameraError, StageError

HEIGHT, WIDTH = 3, 4


class JavaException(Exception):
    pass


class StrVector:
    """Vector of the Java wrapper: no Python sequence."""

    def __init__(self, *texts):
        self._texts = texts

    def size(self):
        return len(self._texts)

    def get(self, i):
        return JavaString(self._texts[i])


class JavaString:
    def __init__(self, text):
        self._text = text

    def __str__(self):
        return self._text


class Setting:
    def getDeviceLabel(self):  # noqa: N802
        return JavaString("Filter")

    def getPropertyName(self):  # noqa: N802
        return JavaString("State")


class Configuration:
    def size(self):
        return 1

    def getSetting(self, i):  # noqa: N802
        return Setting()


class Tagged:
    class Tags:
        def __init__(self, number):
            self._number = number

        def get(self, key):
            assert key == "ImageNumber"
            return JavaString(str(self._number))

    def __init__(self, pix, number):
        self.pix, self.tags = pix, self.Tags(number)


class JavaCore:
    """As JPype shows `mmcorej.CMMCore`: camelCase, Java's strings, vectors and arrays, errors of Java."""

    def __init__(self, pixels, components=1, code=17):
        self.pixels, self.components, self.code = pixels, components, code
        self.z, self.error, self.sequence, self.config = 0.0, None, 0, "DAPI"

    def hashCode(self):  # noqa: N802
        return self.code

    def getLoadedDevices(self):  # noqa: N802
        return StrVector("Camera", "Z", "Filter", "Core")

    def getAvailableConfigGroups(self):  # noqa: N802
        return StrVector("Channel")

    def getAvailableConfigs(self, group):  # noqa: N802
        return StrVector("DAPI", "GFP")

    def getConfigData(self, group, preset):  # noqa: N802
        return Configuration()

    def getCurrentConfig(self, group):  # noqa: N802
        return JavaString(self.config)

    def setConfig(self, group, preset):  # noqa: N802
        self.config = preset

    def getProperty(self, device, name):  # noqa: N802
        return JavaString({"DAPI": "0", "GFP": "1"}[self.config])

    def getFocusDevice(self):  # noqa: N802
        return JavaString("Z")

    def getCameraDevice(self):  # noqa: N802
        return JavaString("Camera")

    def deviceBusy(self, device):  # noqa: N802
        return False

    def isContinuousFocusEnabled(self):  # noqa: N802
        return False

    def getPosition(self, device):  # noqa: N802
        return self.z

    def setPosition(self, device, z):  # noqa: N802
        if self.error:
            raise self.error
        self.z = z

    def getExposure(self):  # noqa: N802
        return 10.0

    def getImageHeight(self):  # noqa: N802
        return HEIGHT

    def getImageWidth(self):  # noqa: N802
        return WIDTH

    def getNumberOfComponents(self):  # noqa: N802
        return self.components

    def snapImage(self):  # noqa: N802
        if self.error:
            raise self.error

    def getImage(self):  # noqa: N802
        return self.pixels

    def isSequenceRunning(self):  # noqa: N802
        return self.sequence > 0

    def getLastTaggedImage(self):  # noqa: N802
        self.sequence += 1
        return Tagged(self.pixels, self.sequence)


# Java has no unsigned numbers: 200 and 40000 come as negative ones. JPype's arrays have the buffer protocol too.
BYTES = array("b", [1, -56, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])
SHORTS = array("h", [1, -25536, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])


@pytest.mark.parametrize(
    ("pixels", "bright", "kind"), [(BYTES, 200, "u1"), (SHORTS, 40000, "u2"), (array("f", [1, 0.5] * 6), 0.5, "f4")]
)
def test_pixels_of_java_become_an_image(pixels, bright, kind):
    image = MMCoreMicroscope(JavaCore(pixels)).snap()
    assert (image.shape, image.dtype) == ((HEIGHT, WIDTH), np.dtype(kind))
    assert image[0, 1] == bright
    assert image[2, 3] == image.ravel()[11]


def test_colours_of_java_are_averaged_without_alpha():
    image = MMCoreMicroscope(JavaCore(array("b", [-56, 100, 0, -1] * 12), components=4)).snap()
    np.testing.assert_array_equal(image, np.full((HEIGHT, WIDTH), 100.0))


def test_pixels_that_are_no_image_of_the_stated_size_are_an_error():
    with pytest.raises(CameraError, match="gave 5 values for an image of 4 x 3 pixels"):
        MMCoreMicroscope(JavaCore(array("b", [1] * 5))).snap()


def test_frames_of_a_sequence_come_from_tagged_images():
    core = JavaCore(BYTES)
    core.sequence = 1
    assert MMCoreMicroscope(core).snap()[0, 1] == 200
    assert core.sequence == 5


def test_errors_of_java_are_errors_of_the_device():
    core = JavaCore(BYTES)
    microscope = MMCoreMicroscope(core)
    core.error = JavaException("java.lang.Exception: no answer from COM3")
    with pytest.raises(CameraError, match="no answer from COM3"):
        microscope.snap()
    with pytest.raises(StageError, match="no answer from COM3"):
        microscope.move_to_um(1.0)


def test_the_channel_of_java_is_switched_and_restored():
    core = JavaCore(BYTES)
    seen = []
    core.snapImage = lambda: seen.append(core.config)
    MMCoreMicroscope(core, FocusChannel("Channel", "GFP")).snap()
    assert (seen, core.config) == (["GFP"], "DAPI")


def test_wrappers_of_one_java_core_have_one_lock():
    assert MMCoreMicroscope(JavaCore(BYTES)).lock() == MMCoreMicroscope(JavaCore(BYTES)).lock()
    assert MMCoreMicroscope(JavaCore(BYTES)).lock() != MMCoreMicroscope(JavaCore(BYTES, code=18)).lock()


class SnakeCore:
    """As Pycro-Manager shows the core: snake_case, arrays of numpy in a row, vectors of Java."""

    def __init__(self):
        self._hash_code = 5
        self.z = 0.0

    def get_loaded_devices(self):
        return StrVector("Camera", "Z")

    def get_focus_device(self):
        return "Z"

    def get_camera_device(self):
        return "Camera"

    def device_busy(self, device):
        return False

    def is_continuous_focus_enabled(self):
        return False

    def get_position(self, device):
        return self.z

    def set_position(self, device, z):
        self.z = z

    def get_exposure(self):
        return 10.0

    def get_image_height(self):
        return HEIGHT

    def get_image_width(self):
        return WIDTH

    def is_sequence_running(self):
        return False

    def snap_image(self):
        pass

    def get_image(self):
        return np.arange(12, dtype=np.uint16)


def test_pycro_managers_core_is_called_by_its_own_names():
    core = SnakeCore()
    microscope = MMCoreMicroscope(core)
    microscope.move_to_um(4.0)
    assert (core.z, microscope.z_um()) == (4.0, 4.0)
    np.testing.assert_array_equal(microscope.snap(), np.arange(12).reshape(3, 4))
    assert microscope.lock() == MMCoreMicroscope(SnakeCore()).lock()
