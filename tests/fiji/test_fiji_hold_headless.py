"""Hold Focus without a window: SciJava module, macro, and among Micro-Manager's own autofocus methods."""

from __future__ import annotations

import pytest

from parfocal.commands import command_spec
from parfocal.focus_control.autofocus import METHODS, autofocus
from parfocal.focus_control.log import read_log
from parfocal.focus_control.metrics import FOCUS_METRICS
from parfocal.focus_control.settings import HoldFocus

GIVEN = {"estimator": "metric", "search_range_um": 20.0, "interval_s": 0.05, "tolerance_um": 0.6}
LIMITS = {"lowest_z_um": "-25", "highest_z_um": "25"}
OPTIONS = " ".join(f"{name}={value}" for name, value in {**GIVEN, **LIMITS}.items())
STAYED = ["stopped at the position where it was"]


@pytest.fixture(scope="module")
def java(headless, tmp_path_factory):
    """ImageJ without a window, with Micro-Manager."""
    headless.load_micromanager(str(tmp_path_factory.mktemp("classes")))
    return headless


@pytest.fixture
def microscope(java):
    """The same, its stage 3 um above the focal plane; nothing is held."""
    java.begin_micromanager()
    java.arrange(0.0, 0.0, 3.0)
    yield java
    java.run_without_image("hold_focus", {"action": "stop"})
    java.wait_for_end()


def test_the_module_has_the_settings_of_the_definition(java):
    inputs = java.inputs("hold_focus")
    for parameter in command_spec(HoldFocus).parameters:
        label, _, default, least, most, choices, persisted = inputs[parameter.name]
        assert label.startswith(parameter.param.label)
        assert default == (None if parameter.default is None else str(parameter.default))
        assert choices == list(parameter.param.choices) and not persisted
        if parameter.default is not None and parameter.type in ("int", "float"):
            assert (least, most) == (parameter.param.minimum, parameter.param.maximum)
    assert inputs["action"][5] == ["start", "pause", "stop", "show"]


def test_the_module_holds_pauses_and_stops_where_the_stage_is(microscope, tmp_path):
    log = tmp_path / "focus.csv"
    assert microscope.run_without_image("hold_focus", {**GIVEN, **LIMITS, "log": str(log)}) is None
    microscope.wait_for_state("locked")
    assert abs(microscope.stage()["off"]) < 1.0
    assert microscope.run_without_image("hold_focus", {"action": "pause"}) is None
    microscope.settled_stage()
    microscope.arrange(0.0, 0.0, 7.5)
    assert microscope.run_without_image("hold_focus", {"action": "stop"}) is None
    assert microscope.wait_for_end() == STAYED
    assert microscope.stage()["z"] == 7.5
    assert read_log(log).settings.lowest_z_um == -25.0


def test_a_macro_holds_and_stops(microscope):
    assert microscope.run_macro(f'run("Hold Focus...", "{OPTIONS}"); return "went on";') == "went on"
    microscope.wait_for_state("locked")
    assert microscope.run_macro('run("Hold Focus", "action=stop"); return "went on";') == "went on"
    assert microscope.wait_for_end() == STAYED


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"lowest_z_um": "10"}, "must be within lowest_z_um=10 and highest_z_um=inf to begin, it is at 3 um"),
        ({"action": "show"}, "the window of Hold Focus needs ImageJ's, and this one was started without"),
        (
            {"estimator": "model"},
            "must all be given, or a model that was calibrated on your own stacks; without a model",
        ),
    ],
)
def test_what_cannot_be_is_an_exception_and_nothing_moves(microscope, given, message):
    before = microscope.stage()
    assert message in microscope.run_without_image("hold_focus", {"estimator": "metric", **given})
    assert microscope.stage() == before


def test_a_second_start_goes_on_and_another_session_is_refused(microscope):
    microscope.run_without_image("hold_focus", {**GIVEN, **LIMITS})
    microscope.wait_for_state("locked")
    assert microscope.run_without_image("hold_focus", {**GIVEN, **LIMITS}) is None
    assert microscope.second_session() == "another session holds the focus of this microscope: stop it first"


def test_without_micromanager_it_says_what_to_do(java):
    java.end_micromanager()
    assert "Micro-Manager has not been started: Plugins >" in java.run_without_image("hold_focus", {})


def test_parfocal_is_among_the_autofocus_methods_once_and_stays_selected(microscope):
    assert microscope.autofocus_list() == []
    for _ in range(2):
        microscope.offer_parfocal()
        assert microscope.autofocus_list() == ["Parfocal"]
    assert microscope.select_autofocus() == "Parfocal"


def test_micromanager_focuses_once_by_its_autofocus(microscope):
    microscope.offer_parfocal()
    microscope.select_autofocus()
    before = microscope.stage()
    assert microscope.plugin_call("fullFocus") > 0
    assert abs(microscope.stage()["off"]) < 0.6
    assert microscope.stage()["snaps"] == before["snaps"] + microscope.plugin_call("getNumberOfImages") + 1
    assert microscope.plugin_call("getVerboseStatus").startswith("in focus at ")
    microscope.plugin_call("initialize")
    microscope.plugin_call("applySettings")
    microscope.plugin_call("saveSettings")


def test_what_its_autofocus_does_not_find_is_an_exception_and_z_is_restored(microscope):
    microscope.offer_parfocal()
    microscope.select_autofocus()
    microscope.arrange(0.0, 0.0, 3.0, "camera")
    told = microscope.plugin_call("fullFocus")
    assert told.startswith("threw Parfocal: the focal plane was not found") and "0 images with a score" in told
    microscope.arrange(0.0, 0.0, 25.0)
    microscope.plugin_call("setPropertyValue", "range_um", "4")
    assert "the focal plane was not found, z is where it was" in microscope.plugin_call("fullFocus")
    assert microscope.stage()["z"] == pytest.approx(25.0)


def test_its_properties_are_those_of_the_definition(microscope):
    microscope.offer_parfocal()
    microscope.select_autofocus()
    shown = microscope.plugin_properties()
    parameters = [p for p in command_spec(autofocus).parameters if not p.param.array]
    assert list(shown) == [parameter.name for parameter in parameters]
    assert shown["method"] == ["sweep", list(METHODS)] and shown["metric"][1] == list(FOCUS_METRICS)
    assert shown["lowest_z_um"] == ["", []]
    microscope.plugin_call("setPropertyValue", "tolerance_um", "0.8")
    assert microscope.plugin_call("getPropertyValue", "tolerance_um") == "0.8"
    assert microscope.property_set_as_item("fine_step_um", "0.25") == "0.25"
    for name, value, message in (
        ("tolerance_um", "wide", "Tolerance must be a number, got 'wide'"),
        ("tolerance_um", "-1", "tolerance_um must be in"),
        ("speed", "1", "there is no property 'speed': there are method, "),
    ):
        assert message in microscope.plugin_call("setPropertyValue", name, value)
    assert microscope.plugin_call("getPropertyValue", "tolerance_um") == "0.8"


def test_its_scores_are_those_of_the_metric(microscope):
    microscope.offer_parfocal()
    microscope.select_autofocus()
    middle, off = microscope.score_of_plane(30), microscope.score_of_plane(36)
    assert middle > off > 0
    microscope.arrange(0.0, 0.0, 0.0)
    assert microscope.plugin_call("getCurrentFocusScore") == pytest.approx(middle, rel=1e-6)


def test_during_an_acquisition_its_autofocus_goes_by_the_session_that_waits(microscope):
    microscope.offer_parfocal()
    microscope.select_autofocus()
    microscope.run_without_image("hold_focus", {**GIVEN, **LIMITS})
    microscope.wait_for_state("locked")
    assert microscope.plugin_call("isContinuousFocusEnabled") and microscope.plugin_call("isContinuousFocusLocked")
    microscope.set_acquiring(True)
    microscope.settled_stage()
    microscope.move_plane(2.0)
    still = microscope.settled_stage()
    assert microscope.settled_stage() == still
    assert microscope.plugin_call("fullFocus") > 0
    assert abs(microscope.stage()["off"]) < 0.6
    assert microscope.plugin_call("getVerboseStatus").startswith("locked")
    microscope.set_acquiring(False)
    microscope.plugin_call("enableContinuousFocus", False)
    assert microscope.wait_for_end() == STAYED
    assert not microscope.plugin_call("isContinuousFocusEnabled")
