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
FORMS = (bead_settings.VOLUME, bead_settings.GROUPED, bead_settings.SINGLE)
PLUGINS = Path(__file__).resolve().parents[2] / "cp_plugins"


def single(**values):
    return make(**{"stack_form": bead_settings.SINGLE, "distance_model": "a2k_like", **values})


@pytest.mark.parametrize("name", list(PARAMETERS))
def test_setting_has_default_range_and_label_of_the_command(name):
    module, parameter = MeasureBeadFocalPlane(), PARAMETERS[name]
    setting = getattr(module, name)
    assert parameter.param.label.lower() in setting.text.lower()
    if parameter.param.choices:
        assert tuple(map(bead_settings.contrast_name, setting.choices)) == parameter.param.choices
        assert bead_settings.contrast_name(setting.value) == parameter.default
        return
    if name == "distance_model":  # a text, which is never None
        assert (setting.value or None) == parameter.default
        return
    assert setting.value == parameter.default
    assert setting.min_value == parameter.param.minimum
    assert setting.max_value == parameter.param.maximum
    if parameter.param.unit:
        assert setting.text.endswith(f"({parameter.param.unit})")


def test_arguments_are_all_of_the_command_but_the_positions():
    chosen = {"target_offset_um": 12.0, "seed": 3}
    arguments = make(contrast="Fluorescence", distance_model="hidden", **chosen).arguments()
    others = set(PARAMETERS) - {"z_step_um", "distance_model"}
    assert arguments == {**defaults(others), **OPTICS, **chosen, "contrast": "fluorescence"}


def test_arguments_of_a_single_image_are_those_that_have_a_say_in_it():
    hidden = {"black_level": 7.0, "saturation_level": 200.0, "seed": 3}
    arguments = single(**hidden, distance_model=" a2k_like ").arguments()
    others = set(PARAMETERS) - {"z_step_um", *hidden}
    assert arguments == {**defaults(others), **OPTICS, "distance_model": "a2k_like"}
    given = {**arguments, "z_um": [0.0]}
    plain, other = (measure_bead_focal_plane(bead_stacks.single_planes()[0], **given, **more) for more in ({}, hidden))
    assert plain.answered
    assert plain.distance_um == other.distance_um
    assert plain.interval_um == other.interval_um


def defaults(chosen):
    return {name: PARAMETERS[name].default for name in chosen}


@pytest.mark.parametrize("form", FORMS)
def test_columns_can_be_selected_in_other_modules(form):
    module = make(stack_form=form, contrast="Fluorescence")
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


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (" ", "Enter the name of a distance model"),
        ("mine", r"no model 'mine' for bead_distance: give one of \['a2k_like', 'nikon_like'\]"),
        (str(PLUGINS), "this is no Parfocal model folder"),
        (str(PLUGINS.parent / "models" / "focus_quality" / "default"), "one for bead_distance, .* for focus_quality"),
    ],
)
def test_a_run_does_not_start_with_a_distance_model_that_is_not_there(name, message):
    make(distance_model=name).validate_module(Pipeline())
    module = single(distance_model=name)
    module.visible_settings = lambda: [module.distance_model]  # no module of this pipeline makes the image
    with pytest.raises(ValidationError, match=message) as caught:
        module.prepare_run(types.SimpleNamespace(pipeline=Pipeline()))
    assert caught.value.get_setting() is module.distance_model


def test_hidden_settings_do_not_hold_up_a_single_image():
    single(z_step_um=None, black_level=50.0, saturation_level=40.0).validate_module(Pipeline())


@pytest.mark.parametrize("volume", [True, False])
def test_form_of_the_stack_must_fit_how_images_are_loaded(volume):
    from test_headless import loading

    pipeline = Pipeline()
    for number, other in enumerate(loading(["Stack"], volume), 1):
        other.set_module_num(number)
        pipeline.add_module(other)
    for form in FORMS:
        module = single(stack_form=form)
        if (form == bead_settings.VOLUME) == volume:
            module.validate_module(pipeline)
            continue
        with pytest.raises(ValidationError, match="Process as 3D") as caught:
            module.validate_module(pipeline)
        assert caught.value.get_setting().value == form


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
        assert module.distance_model.key() not in shown


def test_single_image_shows_its_model_and_nothing_of_z():
    module = single()
    shown = [setting.key() for setting in module.visible_settings()]
    assert shown == [getattr(module, name).key() for name in bead_settings.SINGLE_SETTINGS]
    assert set(bead_settings.SINGLE_SETTINGS) < set(bead_settings.SETTINGS)


def test_groups_are_run_by_one_worker_and_3d_images_are_not_held_back():
    assert make(stack_form=bead_settings.GROUPED).is_aggregation_module()
    assert not make().is_aggregation_module()
    assert not single().is_aggregation_module()


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


def test_pipeline_of_the_first_revision_loads(tmp_path):
    # The 16 settings as the first revision wrote them.
    stored = {
        "Select the image of beads": "Stack",
        "How is the stack given?": "One plane in each image set of a group",
        "Name the beads": "Beads",
        "Where do the z positions come from?": "Metadata of the image sets",
        "z step (um)": "",
        "Metadata tag of z": "Plane",
        "Micrometers for one unit of the tag": "10.0",
        "Contrast": "Bright field",
        "Diameter of the beads (um)": "28.5",
        "Pixel size (um)": "1.5",
        "Black level (counts)": "0.0",
        "Saturation level (counts)": "",
        "Repeatability of the stage (um)": "0.0",
        "Level of the interval": "0.9",
        "Target above the REFP (um)": "12.0",
        "Seed of the interval": "7",
    }
    module = MeasureBeadFocalPlane()
    module.set_settings_from_values(list(stored.values()), 1, "MeasureBeadFocalPlane")
    assert [setting.unicode_value for setting in module.settings()] == [*stored.values(), ""]
    assert module.grouped
    assert module.distance_model.value == ""
    assert module.arguments()["seed"] == 7


def test_help_of_module_and_settings_is_there_and_well_formed():
    module = make()
    text = module.get_help()
    assert "system-message" not in text
    for form in FORMS:
        for feature in (*names.image_features(form), *names.bead_features(form, fluorescence=True)):
            assert f"{feature}:" in text or f"{feature}," in text
    for said in ("parfocal calibrate-beads", "positive where the plane lies above", "simulated optics"):
        assert said in " ".join(text.split())
    for setting in module.settings():
        assert len(setting.doc) > 80, setting.text


def test_without_parfocal_the_module_loads_and_says_how_to_install_it(import_without_parfocal, make_workspace):
    module = import_without_parfocal("measurebeadfocalplane").MeasureBeadFocalPlane()
    for name, value in {"image_name": "Stack", "z_step_um": STEP_UM, **OPTICS}.items():
        getattr(module, name).value = value
    module.validate_module(Pipeline())
    assert len(module.get_measurement_columns(None)) > len(names.FEATURES)
    module.stack_form.value, module.distance_model.value = bead_settings.SINGLE, "mine"
    module.validate_module(Pipeline())
    with pytest.raises(ImportError) as caught:
        module.run(make_workspace(module, {"Stack": bead_stacks.blank()}))
    assert f'"{sys.executable}" -m pip install "{PLUGINS.parent}"' in str(caught.value)
