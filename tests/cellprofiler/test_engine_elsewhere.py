"""The modules with their engine in a worker: the numbers, images and windows that they give with it in this Python."""

import sys
from pathlib import Path

import bead_stacks
import flagging
import numpy as np
import pytest
import restoring
import tifffile
from cellprofiler_core.constants.measurement import IMAGE
from test_measurebeadfocalplane_single import SINGLE

from parfocal.cp_plugins import _parfocal_engine as engine
from parfocal.worker.calls import function_of
from parfocal.worker.client import Client
from parfocal.worker.process import WorkerDied

ROOT = Path(__file__).resolve().parents[2]
CURRENT = ROOT / ".venv" / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
OPTICS = {"wants_optics": True, "pixel_size_um": 0.6, "numerical_aperture": 0.5, "emission_wavelength_um": 0.5}


@pytest.fixture
def given(make_module, make_workspace, cells_yx, levels_zyx, tmp_path):
    """Each module with all that it makes, and a workspace for it; anew at each call."""
    cells_yx, levels_zyx = cells_yx[:168, :168], levels_zyx[:, :168, :168]
    labels = np.zeros(cells_yx.shape, int)
    labels[10:100, 20:160], labels[110:160, 20:160] = 1, 2
    field, sharp = levels_zyx[4], {"DNA": cells_yx}

    def make(name):
        folder = tmp_path / name
        focus = make_module("DNA", objects=("Nuclei",), classical_metrics=True, **OPTICS)
        stacks = make_module("DNA", z_step_um=2.0)
        for module in (focus, stacks):
            module.images[0].wants_overlay.value = module.images[0].wants_sharpest_plane.value = True
        restored = {"method": "Network", "wants_file": True, "directory": f"Elsewhere...|{folder}"}
        restored.update(uncertainty=True)
        return {
            "focus": (focus, make_workspace(focus, sharp, {"Nuclei": labels})),
            "stack": (stacks, make_workspace(stacks, {"DNA": levels_zyx[2:4]})),
            "flag": both(flagging.make(), {"DNA": field}),
            "restored": both(restoring.make(**restored), {"DNA": restoring.loaded(tmp_path, scaled(field))}),
            "beads": both(bead_stacks.make(), {"Stack": bead_stacks.bright_field()}),
            "single": both(bead_stacks.make(**SINGLE), {"Stack": bead_stacks.single_planes()[1]}),
        }

    def both(module, images):
        return module, make_workspace(module, images)

    return make


def scaled(counts):
    return counts / np.float32(255)


def found(given, name):
    """What all modules leave: measurements, images and data of windows; and the bytes of files."""
    everything = {}
    for kind, (module, workspace) in given(name).items():
        module.show_window = True
        module.run(workspace)
        measurements = workspace.measurements
        for thing in measurements.get_object_names():
            for feature in measurements.get_feature_names(thing):
                get = measurements.get_current_image_measurement
                value = get(feature) if thing == IMAGE else measurements.get_current_measurement(thing, feature)
                everything[kind, thing, feature] = value
        for image in workspace.image_set.names:
            everything[kind, image] = workspace.image_set.get_image(image).pixel_data
        everything[kind, "window"] = vars(workspace.display_data)
    return everything


def assert_same(one, other, place, close):
    """Equal to the last bit, or numbers to 1e-4 of their size."""
    if isinstance(one, dict):
        assert list(one) == list(other), place
        for name in one:
            assert_same(one[name], other[name], (place, name), close)
    elif isinstance(one, (list, tuple)):
        assert len(one) == len(other), place
        for first, second in zip(one, other):
            assert_same(first, second, place, close)
    elif isinstance(one, (np.ndarray, np.number, float)) and np.asarray(one).dtype.kind == "f" and close:
        largest = np.abs(np.nan_to_num(one)).max(initial=1e-9)
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-4 * largest, err_msg=str(place))
    elif isinstance(one, (np.ndarray, np.number, float)):
        np.testing.assert_array_equal(one, other, err_msg=str(place))
    elif isinstance(one, (str, int, bool, type(None))):
        assert one == other or close, place


@pytest.fixture
def elsewhere(monkeypatch):
    clients = []

    def use(client):
        clients.append(client)
        monkeypatch.setattr(engine, "_client", lambda: client)

    yield use
    for client in clients:
        client.close()


def test_all_modules_give_the_same_with_a_worker_to_the_last_bit_in_the_same_python(given, elsewhere, tmp_path):
    """In another one to a ten-thousandth."""
    expected = found(given, "here")
    assert expected["restored", IMAGE, "RestoreDefocus_Restored_RDNA"] == 1
    assert expected["beads", IMAGE, "BeadFocalPlane_Answered_Stack"] == 1
    assert expected["single", IMAGE, "BeadFocalPlane_Answered_Stack"] == 1
    assert {("focus", "FocusOverlay"), ("stack", "SharpestPlane"), ("focus", "Nuclei", "ImageFocus_Score_DNA")} <= set(
        expected
    )
    elsewhere(Client(sys.executable, "0.1.0", 300.0, ""))
    assert_same(expected, found(given, "there"), "", close=False)
    first, second = (tifffile.imread(tmp_path / name / "field_restored.ome.tif") for name in ("here", "there"))
    np.testing.assert_array_equal(first, second)
    if CURRENT.exists():
        elsewhere(Client(str(CURRENT), "0.1.0", 300.0, ""))
        assert_same(expected, found(given, "elsewhere"), "", close=True)


class Dying(Client):
    """A client whose worker dies at each call of a command; the other functions are called here."""

    def __init__(self, command):
        super().__init__(sys.executable, "0.1.0", 300.0, "")
        self._command = command

    def call(self, name, *arguments, **named):
        if name != self._command:
            return function_of(name)(*arguments, **named)
        return super().call(name, *arguments, **named)

    def _running(self):
        raise WorkerDied("exit code -9: out of luck")


@pytest.mark.parametrize(
    ("kind", "command", "column"),
    [
        ("focus", "measure_image_focus", "ImageFocus_{}_DNA"),
        ("flag", "flag_defocused", "FlagDefocused_{}_DNA"),
        ("restored", "restore_defocus", "RestoreDefocus_{}_RDNA"),
        ("beads", "measure_bead_focal_plane", "BeadFocalPlane_{}_Stack"),
    ],
)
def test_an_image_at_which_the_worker_dies_has_the_reason_and_no_answer(kind, command, column, given, elsewhere):
    elsewhere(Dying(command))
    module, workspace = given("dying")[kind]
    module.run(workspace)
    get = workspace.measurements.get_current_image_measurement
    assert get(column.format("Status")) == "unreadable"
    assert get(column.format("Answered")) == 0
    assert f"worker ended 2 times at {command}, exit code -9: out of luck" in get(column.format("Reason"))
    if kind != "beads":
        assert get(column.format("Reason")).startswith("DNA: ")
