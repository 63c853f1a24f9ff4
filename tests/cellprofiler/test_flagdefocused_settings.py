"""Settings of FlagDefocused: what they offer, what they refuse, and how they are stored and explained."""

import sys
import types
from pathlib import Path

import numpy as np
import pytest
import tifffile
from cellprofiler_core.constants.measurement import COLTYPE_FLOAT, COLTYPE_INTEGER, IMAGE
from cellprofiler_core.pipeline import Pipeline
from cellprofiler_core.setting import ValidationError
from flagging import make
from restoring import make as make_restoring

from parfocal.commands import command_spec
from parfocal.cp_plugins import _parfocal_flag_names as names
from parfocal.cp_plugins import _parfocal_flag_settings as flag_settings
from parfocal.cp_plugins import _parfocal_focus_settings as focus_settings
from parfocal.cp_plugins.flagdefocused import FlagDefocused
from parfocal.sorting.flag import flag_defocused
from parfocal.sorting.result import DefocusFlag, PlaneFlag

PARAMETERS = {p.name: p for p in command_spec(flag_defocused).parameters if not p.param.array}
PLUGINS = Path(__file__).resolve().parents[2] / "cp_plugins"
OPTICS = {"pixel_size_um": 0.325, "numerical_aperture": 0.75, "emission_wavelength_um": 0.5}
SHARP = {"threshold_from": flag_settings.SHARP}


@pytest.mark.parametrize("name", PARAMETERS)
def test_setting_has_default_range_and_label_of_the_command(name):
    module, parameter = FlagDefocused(), PARAMETERS[name]
    setting = getattr(module, name)
    assert parameter.param.label.lower() in setting.text.lower()
    if parameter.param.choices:
        assert tuple(map(focus_settings.modality_name, setting.choices)) == parameter.param.choices
        assert focus_settings.modality_name(setting.value) == parameter.default
        return
    assert setting.value == parameter.default
    if parameter.param.unit:
        assert setting.text.endswith(f"({parameter.param.unit})")
    if parameter.type == "float":
        assert setting.min_value == parameter.param.minimum
        assert setting.max_value == parameter.param.maximum


def test_every_parameter_is_a_setting_and_an_argument():
    assert set(flag_settings.OPTIONS) == set(PARAMETERS)


def test_measurements_are_those_of_core():
    assert tuple(DefocusFlag((PlaneFlag(),), 0.5).features()) == names.FEATURES


@pytest.mark.parametrize(
    ("values", "arguments"),
    [
        ({}, {}),
        ({"threshold": 0.3}, {}),
        ({"threshold": 0.3, "threshold_from": flag_settings.GIVEN}, {"threshold": 0.3}),
        ({"threshold": 0.3, **SHARP}, {}),
        ({"wants_optics": True, **OPTICS}, OPTICS),
        (OPTICS, {}),
        ({"modality": "Light sheet", "check_level": False}, {"modality": "light_sheet"}),
        ({"check_level": False, "saturation_level": 4095.0}, {"check_level": False, "saturation_level": 4095.0}),
    ],
)
def test_settings_that_are_shown_become_arguments_of_the_command(values, arguments):
    unset = {name: parameter.default for name, parameter in PARAMETERS.items()}
    assert {**unset, **make(**values).arguments()} == {**unset, **arguments}


@pytest.mark.parametrize(
    ("images", "values", "shown"),
    [
        (1, {}, set()),
        (2, {}, {"combination"}),
        (1, {"action": flag_settings.SKIP}, {"ignore_skip_on_last"}),
        (1, {"threshold_from": flag_settings.GIVEN}, {"threshold"}),
        (1, SHARP, {"sharp_folder", "false_alarm_rate"}),
        (1, {"wants_optics": True}, set(focus_settings.PLANE_OPTICS)),
    ],
)
def test_settings_are_shown_only_where_they_matter(images, values, shown):
    of_a_choice = {"combination", "ignore_skip_on_last", "threshold", "sharp_folder", "false_alarm_rate"}
    of_a_choice |= set(focus_settings.PLANE_OPTICS)
    module = make(*("DNA", "GFP")[:images], **values)
    assert set(flag_settings.in_use(module)) & of_a_choice == shown
    assert {getattr(module, name).key() for name in shown} <= {setting.key() for setting in module.visible_settings()}


def test_the_level_is_offered_for_widefield_fluorescence_alone():
    assert "check_level" in flag_settings.in_use(make())
    assert "check_level" not in flag_settings.in_use(make(modality="Confocal"))


def test_a_further_image_can_be_removed_but_not_the_first():
    module = make("DNA", "GFP")
    assert not hasattr(module.images[0], "remover")
    module.images[1].remover.on_event_fired()
    assert [group.image_name.value for group in module.images] == ["DNA"]


@pytest.mark.parametrize(
    ("values", "fault", "message"),
    [
        ({"flag_name": "Defocused_DNA"}, "flag_name", "Metadata_Defocused_DNA is the name of another measurement"),
        ({"flag_name": "Defocused"}, "flag_name", "Metadata_Defocused is the name of another measurement"),
        ({"category_name": "FlagDefocused", "flag_name": "Status_GFP"}, "flag_name", "FlagDefocused_Status_GFP is"),
        ({"threshold_from": flag_settings.GIVEN}, "threshold", "Enter the threshold"),
        (SHARP, "sharp_folder", "Select the folder of your sharp images"),
        ({**SHARP, "sharp_folder": "Elsewhere...|/no/such"}, "sharp_folder", "There is no folder /no/such"),
        ({"model": "defualt"}, "model", "no model 'defualt' for sorting"),
        ({"model": " "}, "model", "Name a model"),
        ({"wants_optics": True, "pixel_size_um": 0.3}, "numerical_aperture", "is missing"),
        ({"wants_optics": True, **OPTICS, "numerical_aperture": 1.2}, "numerical_aperture", "cannot exceed"),
    ],
)
def test_validation_names_the_setting_at_fault(values, fault, message, sorter):
    make("DNA", "GFP", model=sorter).validate_module(Pipeline())
    module = make("DNA", "GFP", **{"model": sorter, **values})
    with pytest.raises(ValidationError, match=message) as caught:
        module.validate_module(Pipeline())
    assert caught.value.get_setting() is getattr(module, fault)


def test_an_image_is_sorted_once_by_a_module(sorter):
    module = make("DNA", "DNA", model=sorter)
    with pytest.raises(ValidationError, match="DNA is already sorted by this module") as caught:
        module.validate_module(Pipeline())
    assert caught.value.get_setting() is module.images[1].image_name


def in_a_pipeline(*modules):
    pipeline = Pipeline()
    for number, module in enumerate(modules, 1):
        module.set_module_num(number)
        pipeline.add_module(module)
    return pipeline


def test_modules_of_one_pipeline_do_not_replace_each_others_flags(sorter):
    from cellprofiler.modules.flagimage import FlagImage

    first, other = make(model=sorter), FlagImage()
    for values, fault, message in (
        ({"images": ("DNA",), "flag_name": "Second"}, "image", "FlagDefocused_Probability_DNA .* FlagDefocused #1"),
        ({"images": ("GFP",)}, "flag_name", "Metadata_QCDefocused is already measured by FlagDefocused #1"),
        ({"images": ("GFP",), "flag_name": "QCFlag"}, "flag_name", "Metadata_QCFlag .* by FlagImage #2"),
    ):
        images, settings = values.pop("images"), values
        module = make(*images, model=sorter, **settings)
        pipeline = in_a_pipeline(first, other, module)
        with pytest.raises(ValidationError, match=message) as caught:
            module.validate_module(pipeline)
        at_fault = module.images[0].image_name if fault == "image" else module.flag_name
        assert caught.value.get_setting() is at_fault
        # The module before it is not to blame.
        first.validate_module(pipeline)


def test_names_of_flags_are_letters_and_digits(sorter):
    module = make(model=sorter, flag_name="QC/Defocused")
    module.visible_settings = lambda: [module.flag_name]
    with pytest.raises(ValidationError, match="Name the flag: Only ASCII letters"):
        module.prepare_run(types.SimpleNamespace(pipeline=Pipeline()))


def starts(module):
    # The image's own check asks the whole pipeline for its provider: it is not what is looked at here.
    module.visible_settings = lambda: [module.false_alarm_rate, module.model]
    return module.prepare_run(types.SimpleNamespace(pipeline=Pipeline()))


def test_a_run_does_not_start_without_sharp_images(sorter, tmp_path):
    module = make(model=sorter, sharp_folder=f"Elsewhere...|{tmp_path}", **SHARP)
    (tmp_path / "notes.txt").write_text("no image")
    with pytest.raises(ValidationError, match="Folder of sharp images: no image below the folder"):
        starts(module)
    tifffile.imwrite(tmp_path / "sharp.tif", np.zeros((9, 9), np.uint8))
    module.get_dictionary()["of an earlier run"] = [0.5, "", []]
    assert starts(module)
    assert module.get_dictionary() == {}


def test_model_of_another_task_is_refused(tmp_path):
    (tmp_path / "config.json").write_text('{"task": "focus_quality"}')
    with pytest.raises(ValidationError, match="must be one for sorting, .* is one for focus_quality"):
        make(model=str(tmp_path)).validate_module(Pipeline())


def test_settings_survive_storing():
    stored = make("DNA", "GFP", wants_optics=True, flag_name="Blurred", **SHARP, **OPTICS)
    stored.action.value, stored.combination.value = flag_settings.SKIP, flag_settings.ALL
    texts = [setting.unicode_value for setting in stored.settings()]
    loaded = FlagDefocused()
    loaded.set_settings_from_values(texts, FlagDefocused.variable_revision_number, "FlagDefocused")
    assert [setting.unicode_value for setting in loaded.settings()] == texts
    assert loaded.arguments() == stored.arguments()
    assert [group.image_name.value for group in loaded.images] == ["DNA", "GFP"]
    assert loaded.threshold.value is None
    assert (loaded.flag_name.value, loaded.action.value) == ("Blurred", flag_settings.SKIP)


def test_every_setting_but_the_dividers_is_stored():
    made = {name for name in flag_settings.create() if not name.endswith("divider")}
    assert sorted(flag_settings.SETTINGS) == sorted(made)


def test_columns_can_be_selected_in_other_modules():
    module = make("DNA", "GFP")
    columns = module.get_measurement_columns(None)
    assert len(columns) == 2 * (len(names.FEATURES) + len(names.TEXTS) + 1) + 1
    for kind, name, coltype in columns:
        category, feature, *image = name.split("_")
        assert category in module.get_categories(None, kind)
        assert feature in module.get_measurements(None, kind, category)
        found = module.get_measurement_images(None, kind, category, feature)
        assert found == ([] if name == "Metadata_QCDefocused" else ["DNA", "GFP"])
        assert image == [] or image[0] in found
        assert (coltype == COLTYPE_FLOAT) == (feature in names.FEATURES and category == names.CATEGORY)
        assert (coltype == COLTYPE_INTEGER) == (category == "Metadata")
    assert module.get_categories(None, "Nuclei") == []
    assert module.get_measurements(None, IMAGE, "Intensity") == []
    assert module.get_measurement_images(None, IMAGE, "Metadata", "Well") == []


@pytest.mark.parametrize("flag", ["Metadata_Defocused_DNA", "Metadata_Defocused_DNA_2", "Metadata_QCDefocused"])
def test_each_flag_can_be_the_condition_of_restoredefocus(flag):
    restoring = make_restoring(when="Only where a measurement says so", measurement=flag)
    pipeline = in_a_pipeline(make("DNA", "DNA_2"), restoring)
    restoring.measurement.test_valid(pipeline)
    restoring.measurement.value = "Metadata_Defocused_GFP"
    with pytest.raises(ValidationError, match="Defocused_GFP"):
        restoring.measurement.test_valid(pipeline)


def test_flags_can_be_used_as_metadata_in_names():
    pipeline = in_a_pipeline(make("DNA"))
    tags = r"\g<QCDefocused>_\g<Defocused_DNA>_\g<Dose>"
    assert pipeline.get_undefined_metadata_tags(tags) == ["Dose"]


def test_help_of_module_and_settings_is_there_and_well_formed():
    module = make()
    text = module.get_help()
    assert "system-message" not in text
    for feature in (*names.FEATURES, *names.TEXTS, "Metadata_Defocused_", "Metadata_QCDefocused"):
        assert feature in text
    for setting in module.settings()[1:]:
        assert len(setting.doc) > 80, setting.text


def test_without_parfocal_the_module_loads_and_says_how_to_install_it(
    import_without_parfocal, make_workspace, cells_yx
):
    module = import_without_parfocal("flagdefocused").FlagDefocused()
    module.set_module_num(1)
    module.images[0].image_name.value = "DNA"
    module.validate_module(Pipeline())
    assert len(module.get_measurement_columns(None)) == len(names.FEATURES) + len(names.TEXTS) + 2
    with pytest.raises(ImportError) as caught:
        module.run(make_workspace(module, {"DNA": cells_yx}))
    assert f'"{sys.executable}" -m pip install "{PLUGINS.parent}"' in str(caught.value)
