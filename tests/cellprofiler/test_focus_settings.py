"""Settings of MeasureImageFocus: what they offer, what they refuse, and how they are stored and explained."""

import sys
import types
from pathlib import Path

import pytest
from cellprofiler_core.setting import ValidationError

from parfocal.commands import command_spec
from parfocal.cp_plugins import _parfocal_focus_names as names
from parfocal.cp_plugins import _parfocal_focus_settings as focus_settings
from parfocal.cp_plugins.measureimagefocus import MeasureImageFocus
from parfocal.focus_quality.classical import METRICS
from parfocal.focus_quality.measure import measure_image_focus
from parfocal.focus_quality.result import FocusEstimate, ImageFocus, PlaneFocus

PARAMETERS = {p.name: p for p in command_spec(measure_image_focus).parameters if not p.param.array}
PLUGINS = Path(__file__).resolve().parents[2] / "cp_plugins"


@pytest.mark.parametrize("name", PARAMETERS)
def test_setting_has_default_range_and_label_of_the_command(name):
    module, parameter = MeasureImageFocus(), PARAMETERS[name]
    setting = getattr(module, name)
    if parameter.param.choices:
        assert tuple(map(focus_settings.modality_name, setting.choices)) == parameter.param.choices
        assert focus_settings.modality_name(setting.value) == parameter.default
        return
    assert setting.value == parameter.default
    assert parameter.param.label.lower() in setting.text.lower()
    if parameter.param.unit:
        assert setting.text.endswith(f"({parameter.param.unit})")
    if parameter.type == "float":
        assert setting.min_value == parameter.param.minimum
        assert setting.max_value == parameter.param.maximum


def test_settings_become_arguments_of_the_command(make_module):
    module = make_module("DNA")
    unset = {name: parameter.default for name, parameter in PARAMETERS.items()}
    assert {**unset, **module.arguments()} == unset
    module.wants_optics.value = True
    assert module.arguments() == unset
    module.modality.value = "Light sheet"
    module.numerical_aperture.value = 0.75
    assert module.arguments() == {**unset, "modality": "light_sheet", "numerical_aperture": 0.75}


def test_optics_that_are_hidden_are_not_used(make_module):
    module = make_module("DNA", wants_optics=False, pixel_size_um=0.3, z_step_um=2.0)
    assert module.pixel_size_um not in module.visible_settings()
    assert not set(focus_settings.OPTICS) & set(module.arguments())


def test_a_run_does_not_start_with_a_setting_that_is_no_number(make_module):
    module = make_module("DNA", wants_optics=True)
    module.numerical_aperture.set_value_text("abc")
    # The image's own check asks the whole pipeline for its provider: it is not what is looked at here.
    module.visible_settings = lambda: [module.numerical_aperture]
    with pytest.raises(ValidationError, match="Numerical aperture: .*decimal"):
        module.prepare_run(types.SimpleNamespace(pipeline=None))


def test_measurements_are_those_of_core():
    answer = ImageFocus(FocusEstimate(), (PlaneFocus(FocusEstimate()),))
    assert tuple(answer.features()) == names.FEATURES
    assert METRICS == names.METRICS


def test_output_names_are_shown_only_where_they_are_wanted(make_module):
    module = make_module("DNA")
    group = module.images[0]
    assert not {group.overlay_name.key(), group.sharpest_plane_name.key()} & {
        s.key() for s in module.visible_settings()
    }
    group.wants_overlay.value = True
    assert group.overlay_name in module.visible_settings()
    assert group.sharpest_plane_name not in module.visible_settings()


def test_a_further_image_can_be_removed_but_not_the_first(make_module):
    module = make_module("DNA", "GFP", objects=["Nuclei"])
    assert not hasattr(module.images[0], "remover")
    module.images[1].remover.on_event_fired()
    module.objects[0].remover.on_event_fired()
    assert [len(module.images), len(module.objects)] == [1, 0]


@pytest.mark.parametrize(
    ("change", "setting", "message"),
    [
        (lambda m: setattr(m.images[1].image_name, "value", "DNA"), lambda m: m.images[1].image_name, "DNA is already"),
        (
            lambda m: setattr(m.objects[1].object_name, "value", "Nuclei"),
            lambda m: m.objects[1].object_name,
            "Nuclei are",
        ),
        (
            lambda m: [setattr(g.wants_overlay, "value", True) for g in m.images],
            lambda m: m.images[1].overlay_name,
            "Focus",
        ),
        (lambda m: setattr(m.model, "value", "defualt"), lambda m: m.model, r"no model 'defualt'.*'default'"),
        (lambda m: setattr(m.model, "value", " "), lambda m: m.model, "Name a model"),
        (
            lambda m: setattr(m.saturation_level, "value", 0),
            lambda m: m.saturation_level,
            "above the black level, 0 counts",
        ),
    ],
)
def test_validation_names_the_setting_at_fault(make_module, change, setting, message):
    module = make_module("DNA", "GFP", objects=["Nuclei", "Cells"])
    module.validate_module(None)
    change(module)
    with pytest.raises(ValidationError, match=message) as caught:
        module.validate_module(None)
    assert caught.value.get_setting() == setting(module)


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        ({}, "pixel_size_um"),
        ({"pixel_size_um": 0.3, "emission_wavelength_um": 0.5}, "numerical_aperture"),
        ({"pixel_size_um": 0.3, "numerical_aperture": 0.5, "z_step_um": 1.0}, "emission_wavelength_um"),
        ({"pixel_size_um": 0.3, "numerical_aperture": 1.2, "emission_wavelength_um": 0.5}, "numerical_aperture"),
    ],
)
def test_incomplete_or_impossible_optics_are_refused(make_module, values, fault):
    module = make_module("DNA", wants_optics=True, **values)
    with pytest.raises(ValidationError) as caught:
        module.validate_module(None)
    assert caught.value.get_setting() == getattr(module, fault)


@pytest.mark.parametrize(
    "values", [{"z_step_um": 2.0}, {"pixel_size_um": 0.3, "numerical_aperture": 0.5, "emission_wavelength_um": 0.5}]
)
def test_complete_optics_or_a_z_step_alone_pass(make_module, values):
    make_module("DNA", wants_optics=True, **values).validate_module(None)


def test_number_out_of_range_is_refused():
    module = MeasureImageFocus()
    module.pixel_size_um.value = 200.0
    with pytest.raises(ValidationError, match=r"Must be at most 100.0, was 200.0"):
        module.pixel_size_um.test_valid(None)
    module.pixel_size_um.value = None
    module.pixel_size_um.test_valid(None)


def test_model_of_another_task_is_refused(make_module, tmp_path):
    (tmp_path / "config.json").write_text('{"task": "restoration"}')
    module = make_module("DNA", model=str(tmp_path))
    with pytest.raises(ValidationError, match="must be one for focus_quality, .* is one for restoration"):
        module.validate_module(None)


def test_settings_survive_storing(make_module):
    stored = make_module("DNA", "GFP", objects=["Nuclei"], wants_optics=True, pixel_size_um=0.325, black_level=100.0)
    stored.images[1].overlay_name.value = "Drawn"
    texts = [setting.unicode_value for setting in stored.settings()]
    loaded = MeasureImageFocus()
    loaded.set_settings_from_values(texts, MeasureImageFocus.variable_revision_number, "MeasureImageFocus")
    assert [setting.unicode_value for setting in loaded.settings()] == texts
    assert loaded.images[1].overlay_name.value == "Drawn"
    assert loaded.arguments() == stored.arguments()
    assert loaded.numerical_aperture.value is None


def test_pipelines_of_the_old_plugin_are_read():
    module = MeasureImageFocus()
    module.set_settings_from_values(["OrigBlue"], 1, "MeasureImageFocus")
    fresh = MeasureImageFocus()
    fresh.images[0].image_name.value = "OrigBlue"
    assert [s.unicode_value for s in module.settings()] == [s.unicode_value for s in fresh.settings()]


def test_help_of_module_and_settings_is_there_and_well_formed(make_module):
    module = make_module("DNA", objects=["Nuclei"], wants_optics=True)
    module.images[0].wants_overlay.value = module.images[0].wants_sharpest_plane.value = True
    text = module.get_help()
    assert "system-message" not in text
    for feature in (*names.FEATURES, *names.TEXTS, *names.METRICS):
        assert feature in text
    for name in [setting for setting in module.settings() if setting.text and "count" not in setting.text]:
        assert len(name.doc) > 80, name.text


def test_without_parfocal_the_module_loads_and_says_how_to_install_it(
    import_without_parfocal, make_workspace, cells_yx
):
    module = import_without_parfocal("measureimagefocus").MeasureImageFocus()
    module.images[0].image_name.value = "DNA"
    module.validate_module(None)
    assert len(module.get_measurement_columns(None)) == len(names.FEATURES) + len(names.TEXTS)
    workspace = make_workspace(module, {"DNA": cells_yx})
    with pytest.raises(ImportError) as caught:
        module.run(workspace)
    assert f'"{sys.executable}" -m pip install "{PLUGINS.parent}"' in str(caught.value)


def test_missing_part_of_parfocal_is_named(monkeypatch, make_module, make_workspace, cells_yx):
    from parfocal import registry

    registry._load.cache_clear()
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    module = make_module("DNA")
    with pytest.raises(ImportError, match=r"needs the Python package onnxruntime.*\n.*-m pip install onnxruntime"):
        module.run(make_workspace(module, {"DNA": cells_yx}))
