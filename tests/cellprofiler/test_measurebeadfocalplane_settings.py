"""Settings of MeasureBeadFocalPlane: what they offer, what they refuse, and how they are stored and explained."""

import sys
import types
from pathlib import Path

import bead_stacks
import pytest
from bead_stacks import OPTICS, STEP_UM, make
from cellprofiler_core.constants.measurement import IMAGE
from cellprofiler_core.pipeline import Pipeline
from cellprofiler_core.setting import ValidationError

from parfocal.beads.measure import measure_bead_focal_plane
from parfocal.commands import command_spec
from parfocal.cp_plugins import _parfocal_bead_names as names
from parfocal.cp_plugins import _parfocal_bead_settings as bead_settings
from parfocal.cp_plugins.measurebeadfocalplane import MeasureBeadFocalPlane

PARAMETERS = {p.name: p for p in command_spec(measure_bead_focal_plane).parameters if not p.param.array}
PLUGINS = Path(__file__).resolve().parents[2] / "cp_plugins"


@pytest.mark.parametrize("name", list(PARAMETERS))
def test_setting_has_default_range_and_label_of_the_command(name):
    module, parameter = MeasureBeadFocalPlane(), PARAMETERS[name]
    setting = getattr(module, name)
    assert parameter.param.label.lower() in setting.text.lower()
    if parameter.param.choices:
        assert tuple(map(bead_settings.contrast_name, setting.choices)) == parameter.param.choices
        assert bead_settings.contrast_name(setting.value) == parameter.default
        return
    assert setting.value == parameter.default
    assert setting.min_value == parameter.param.minimum
    assert setting.max_value == parameter.param.maximum
    if parameter.param.unit:
        assert setting.text.endswith(f"({parameter.param.unit})")


def test_arguments_are_all_of_the_command_but_the_positions():
    arguments = make(contrast="Fluorescence", target_offset_um=12.0, seed=3).arguments()
    assert set(arguments) == set(PARAMETERS) - {"z_step_um"}
    defaults = {name: parameter.default for name, parameter in PARAMETERS.items() if name != "z_step_um"}
    assert arguments == {**defaults, **OPTICS, "contrast": "fluorescence", "target_offset_um": 12.0, "seed": 3}


def test_columns_can_be_selected_in_other_modules():
    module = make(stack_form=bead_settings.GROUPED, contrast="Fluorescence")
    for kind, name, _ in module.get_measurement_columns(None):
        category, feature = name.split("_", 1)
        assert category in module.get_categories(None, kind)
        found = module.get_measurements(None, kind, category)
        if category == names.CATEGORY:
            feature, image = feature.split("_")
            assert module.get_measurement_images(None, kind, category, feature) == [image]
        assert feature in found
    assert module.get_categories(None, "Cells") == []
    assert module.get_measurements(None, IMAGE, "Intensity") == []
    assert module.get_measurement_images(None, IMAGE, names.CATEGORY, "Area") == []


@pytest.mark.parametrize(
    ("values", "setting", "message"),
    [
        ({"z_step_um": None}, "z_step_um", "Enter the z step"),
        ({"z_source": bead_settings.Z_METADATA, "z_tag": " "}, "z_tag", "Enter the name of the metadata tag"),
        ({"z_source": bead_settings.Z_METADATA, "z_factor_um": 0.0}, "z_factor_um", "was 0"),
        ({"bead_diameter_um": None}, "bead_diameter_um", "Enter the diameter"),
        ({"bead_diameter_um": 4.0}, "bead_diameter_um", "at least 3 pixels of 1.5 um; was 4 um"),
        ({"black_level": 50.0, "saturation_level": 40.0}, "saturation_level", "above the black level, 50 counts"),
    ],
)
def test_validation_names_the_setting_at_fault(values, setting, message):
    make().validate_module(Pipeline())
    module = make(**values)
    with pytest.raises(ValidationError, match=message) as caught:
        module.validate_module(Pipeline())
    assert caught.value.get_setting() is getattr(module, setting)


@pytest.mark.parametrize("volume", [True, False])
def test_form_of_the_stack_must_fit_how_images_are_loaded(volume):
    from test_headless import loading

    pipeline = Pipeline()
    for number, other in enumerate(loading(["Stack"], volume), 1):
        other.set_module_num(number)
        pipeline.add_module(other)
    fits, other = (bead_settings.VOLUME, bead_settings.GROUPED)[:: 1 if volume else -1]
    make(stack_form=fits).validate_module(pipeline)
    with pytest.raises(ValidationError, match="Process as 3D") as caught:
        make(stack_form=other).validate_module(pipeline)
    assert caught.value.get_setting().value == other


def test_image_of_a_module_that_works_on_groups_is_refused():
    from cellprofiler.modules.makeprojection import MakeProjection

    projection = MakeProjection()
    projection.projection_image_name.value = "Stack"
    module = make(stack_form=bead_settings.GROUPED)
    pipeline = Pipeline()
    for number, other in enumerate((projection, module), 1):
        other.set_module_num(number)
        pipeline.add_module(other)
    with pytest.raises(ValidationError, match="Stack depends on MakeProjection") as caught:
        module.validate_module(pipeline)
    assert caught.value.get_setting() is module.image_name


def test_a_run_does_not_start_with_a_setting_that_is_no_number():
    module = make()
    module.pixel_size_um.set_value_text("abc")
    module.visible_settings = lambda: [module.pixel_size_um]
    with pytest.raises(ValidationError, match="Pixel size.*decimal"):
        module.prepare_run(types.SimpleNamespace(pipeline=None))


def test_only_the_settings_of_the_chosen_source_of_z_are_shown():
    for source, own in bead_settings.Z_SETTINGS.items():
        module = make(z_source=source)
        shown = {setting.key() for setting in module.visible_settings()}
        for name in ("z_step_um", "z_tag", "z_factor_um"):
            assert (getattr(module, name).key() in shown) == (name in own)


def test_groups_are_run_by_one_worker_and_3d_images_are_not_held_back():
    assert make(stack_form=bead_settings.GROUPED).is_aggregation_module()
    assert not make().is_aggregation_module()


def test_settings_survive_storing():
    stored = make(
        stack_form=bead_settings.GROUPED,
        z_source=bead_settings.Z_METADATA,
        z_factor_um=-0.5,
        contrast="Fluorescence",
        target_offset_um=-12.0,
        pixel_size_um=None,
    )
    texts = [setting.unicode_value for setting in stored.settings()]
    loaded = MeasureBeadFocalPlane()
    loaded.set_settings_from_values(texts, MeasureBeadFocalPlane.variable_revision_number, "MeasureBeadFocalPlane")
    assert [setting.unicode_value for setting in loaded.settings()] == texts
    assert loaded.arguments() == stored.arguments()
    assert loaded.pixel_size_um.value is None


def test_help_of_module_and_settings_is_there_and_well_formed():
    module = make()
    text = module.get_help()
    assert "system-message" not in text
    for feature in (*names.image_features(True), *names.bead_features(True)):
        assert feature in text
    for setting in module.settings():
        assert len(setting.doc) > 80, setting.text


def test_without_parfocal_the_module_loads_and_says_how_to_install_it(import_without_parfocal, make_workspace):
    module = import_without_parfocal("measurebeadfocalplane").MeasureBeadFocalPlane()
    for name, value in {"image_name": "Stack", "z_step_um": STEP_UM, **OPTICS}.items():
        getattr(module, name).value = value
    module.validate_module(Pipeline())
    assert len(module.get_measurement_columns(None)) > len(names.FEATURES)
    with pytest.raises(ImportError) as caught:
        module.run(make_workspace(module, {"Stack": bead_stacks.blank()}))
    assert f'"{sys.executable}" -m pip install "{PLUGINS.parent}"' in str(caught.value)
