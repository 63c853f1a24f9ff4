"""Settings of RestoreDefocus: what they offer, what they refuse, and how they are stored and explained."""

import json
import sys
import types
from pathlib import Path

import pytest
from cellprofiler_core.constants.measurement import COLTYPE_FLOAT, IMAGE
from cellprofiler_core.measurement import Measurements
from cellprofiler_core.pipeline import Pipeline
from cellprofiler_core.setting import ValidationError
from restoring import make, write_model

from parfocal.commands import command_spec
from parfocal.cp_plugins import _parfocal_focus_settings as focus_settings
from parfocal.cp_plugins import _parfocal_restore_files as files
from parfocal.cp_plugins import _parfocal_restore_names as names
from parfocal.cp_plugins import _parfocal_restore_settings as restore_settings
from parfocal.cp_plugins.measureimagefocus import MeasureImageFocus
from parfocal.cp_plugins.restoredefocus import RestoreDefocus
from parfocal.restoration.restore import restore_defocus
from parfocal.restoration.result import PlaneRestoration, Restoration

PARAMETERS = {p.name: p for p in command_spec(restore_defocus).parameters if not p.param.array}
PLUGINS = Path(__file__).resolve().parents[2] / "cp_plugins"
OPTICS = {"pixel_size_um": 0.325, "numerical_aperture": 0.75, "emission_wavelength_um": 0.5}


def method_name(shown):
    return restore_settings.METHODS[shown]


@pytest.mark.parametrize("name", PARAMETERS)
def test_setting_has_default_range_and_label_of_the_command(name):
    module, parameter = RestoreDefocus(), PARAMETERS[name]
    setting = getattr(module, name)
    assert parameter.param.label.lower() in setting.text.lower()
    if parameter.param.choices:
        named = {"modality": focus_settings.modality_name, "method": method_name}[name]
        assert tuple(map(named, setting.choices)) == parameter.param.choices
        assert named(setting.value) == parameter.default
        return
    assert setting.value == parameter.default
    if parameter.param.unit:
        assert setting.text.endswith(f"({parameter.param.unit})")
    if parameter.type in ("float", "int"):
        assert setting.min_value == parameter.param.minimum
        assert setting.max_value == parameter.param.maximum


def test_every_parameter_is_a_setting_and_an_argument():
    assert set(restore_settings.OPTIONS) == set(PARAMETERS)


def test_measurements_are_those_of_core():
    assert tuple(Restoration(None, None, (PlaneRestoration(),)).features()) == names.FEATURES


@pytest.mark.parametrize(
    ("values", "arguments"),
    [
        ({}, {}),
        ({"method": "Richardson-Lucy", "iterations": 7}, {"method": "richardson_lucy", "iterations": 7}),
        ({"method": "Wiener, unsupervised", "uncertainty": True}, {"method": "wiener"}),
        ({"wants_optics": True, **OPTICS}, OPTICS),
        ({"modality": "Light sheet", "smallest_level": 4.0}, {"modality": "light_sheet", "smallest_level": 4.0}),
        ({"defocus_level": 5.0, "smallest_level": 4.0, "check_focus": False}, {"defocus_level": 5.0}),
        ({"check_focus": False, "smallest_level": 4.0}, {"check_focus": False}),
        ({"uncertainty": True, "saturation_level": 4095.0}, {"uncertainty": True, "saturation_level": 4095.0}),
    ],
)
def test_settings_that_are_shown_become_arguments_of_the_command(values, arguments):
    unset = {name: parameter.default for name, parameter in PARAMETERS.items()}
    module = make(**{"method": "Network", "iterations": 30, **values})
    assert {**unset, **module.arguments()} == {**unset, **arguments}


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ({"method": "Network"}, {"model", "uncertainty", "check_focus", "smallest_level", "modality"}),
        ({"method": "Network", "uncertainty": True}, {"uncertainty_name"}),
        ({}, {"iterations"}),
        ({"method": "Wiener, unsupervised"}, set()),
        ({"when": restore_settings.CONDITIONAL}, {"measurement", "smallest_value", "largest_value"}),
        ({"wants_optics": True}, set(focus_settings.PLANE_OPTICS)),
        ({"wants_file": True}, {"directory", "suffix", "overwrite"}),
    ],
)
def test_settings_are_shown_only_where_they_matter(values, shown):
    found = set(restore_settings.in_use(make(**values)))
    assert shown <= found
    of_a_choice = {"model", "uncertainty", "uncertainty_name", "iterations", *restore_settings.CONDITION}
    of_a_choice |= {*focus_settings.PLANE_OPTICS, *restore_settings.FILE}
    others = {"model", "uncertainty"} if values.get("method") == "Network" else set()
    others |= {"iterations"} if "method" not in values else set()
    assert found & of_a_choice <= shown | others


def test_of_a_known_level_nothing_of_the_measuring_is_shown():
    found = restore_settings.in_use(make(defocus_level=4.0))
    assert not {"check_focus", "smallest_level", "modality"} & set(found)


@pytest.mark.parametrize(
    ("values", "fault", "message"),
    [
        ({"restored_name": "DNA"}, "restored_name", "DNA is already the name"),
        (
            {"method": "Network", "uncertainty": True, "uncertainty_name": "RDNA"},
            "uncertainty_name",
            "RDNA is already the name",
        ),
        (
            {"when": restore_settings.CONDITIONAL, "smallest_value": None},
            "smallest_value",
            "Enter a smallest or a largest",
        ),
        (
            {"when": restore_settings.CONDITIONAL, "largest_value": 2.0},
            "largest_value",
            "at least the smallest, 3; was 2",
        ),
        ({"method": "Network", "model": "defualt"}, "model", "no model 'defualt' for restoration"),
        ({"method": "Network", "model": " "}, "model", "Name a model"),
        ({"check_focus": False}, "check_focus", "Richardson-Lucy needs the level of defocus"),
        ({"wants_optics": True, "pixel_size_um": 0.3}, "numerical_aperture", "is missing"),
        ({"wants_optics": True, **OPTICS, "numerical_aperture": 1.2}, "numerical_aperture", "cannot exceed"),
        ({"wants_file": True, "suffix": " "}, "suffix", "never replaced"),
        ({"wants_file": True, "suffix": r"_\g<Dose>"}, "suffix", "Dose is no metadata tag"),
    ],
)
def test_validation_names_the_setting_at_fault(values, fault, message, tmp_path):
    model = write_model(tmp_path / "tiny")
    make(model=model).validate_module(Pipeline())
    with pytest.raises(ValidationError, match=message) as caught:
        make(**{"model": model, **values}).validate_module(Pipeline())
    assert caught.value.get_setting().text == getattr(RestoreDefocus(), fault).text


def test_a_model_that_needs_no_level_may_go_without_the_focus(tmp_path):
    model = Path(write_model(tmp_path / "tiny"))
    module = make(method="Network", model=str(model), check_focus=False)
    with pytest.raises(ValidationError, match="Network needs the level of defocus"):
        module.validate_module(Pipeline())
    config = json.loads((model / "config.json").read_text())
    (model / "config.json").write_text(json.dumps({**config, "architecture": "xue2021"}))
    module.validate_module(Pipeline())


def test_model_of_another_task_is_refused(tmp_path):
    (tmp_path / "config.json").write_text('{"task": "focus_quality"}')
    with pytest.raises(ValidationError, match="must be one for restoration, .* is one for focus_quality"):
        make(method="Network", model=str(tmp_path)).validate_module(Pipeline())


def test_settings_survive_storing():
    stored = make(when=restore_settings.CONDITIONAL, measurement="ImageFocus_Score_DNA", wants_optics=True, **OPTICS)
    stored.suffix.value = "_again"
    texts = [setting.unicode_value for setting in stored.settings()]
    loaded = RestoreDefocus()
    loaded.set_settings_from_values(texts, RestoreDefocus.variable_revision_number, "RestoreDefocus")
    assert [setting.unicode_value for setting in loaded.settings()] == texts
    assert loaded.arguments() == stored.arguments()
    assert loaded.largest_value.value is None
    assert (loaded.measurement.value, loaded.suffix.value) == ("ImageFocus_Score_DNA", "_again")


def test_every_setting_but_the_dividers_is_stored():
    module = RestoreDefocus()
    made = [setting for name, setting in restore_settings.create().items() if not name.endswith("divider")]
    assert sorted(setting.text for setting in module.settings()) == sorted(setting.text for setting in made)


def focus_then(module, condition):
    """Pipeline of MeasureImageFocus and the module, which goes by a measurement."""
    focus, pipeline = MeasureImageFocus(), Pipeline()
    focus.images[0].image_name.value = "DNA"
    module.when.value, module.measurement.value = restore_settings.CONDITIONAL, condition
    for number, part in enumerate((focus, module), 1):
        part.set_module_num(number)
        pipeline.add_module(part)
    return pipeline


def test_the_score_of_an_earlier_module_can_be_selected():
    module = make()
    module.measurement.test_valid(focus_then(module, "ImageFocus_Score_DNA"))
    pipeline = focus_then(make(), "ImageFocus_Score_GFP")
    with pytest.raises(ValidationError, match="ImageFocus_Score_GFP"):
        pipeline.modules()[1].measurement.test_valid(pipeline)


def test_columns_can_be_selected_in_other_modules():
    module = make()
    columns = module.get_measurement_columns(None)
    assert len(columns) == len(names.FEATURES) + len(names.TEXTS)
    for kind, name, coltype in columns:
        category, feature, image = name.split("_")
        assert category in module.get_categories(None, kind)
        assert feature in module.get_measurements(None, kind, category)
        assert image in module.get_measurement_images(None, kind, category, feature)
        assert (coltype == COLTYPE_FLOAT) == (feature in names.FEATURES)
    assert module.get_categories(None, "Nuclei") == []
    assert module.get_measurements(None, IMAGE, "Intensity") == []
    assert module.get_measurement_images(None, IMAGE, "RestoreDefocus", "Area") == []


def run_of(originals, *modules):
    """Workspace in which a run begins: image sets with these files, and the modules."""
    measurements = Measurements(image_set_start=1)
    for number, name in enumerate(originals, 1):
        measurements.add_measurement(IMAGE, "FileName_DNA", name, image_set_number=number)
        measurements.add_measurement(IMAGE, "ImageNumber", number, image_set_number=number)
    pipeline = Pipeline()
    for number, module in enumerate(modules, 1):
        module.set_module_num(number)
        pipeline.add_module(module)
        # The input image's own check asks the pipeline for its provider: it is not what is looked at here.
        module.visible_settings = list
    return types.SimpleNamespace(pipeline=pipeline, measurements=measurements)


def starts(originals, *modules):
    """Whether a run of the modules over these files would start, as far as the last one goes."""
    return modules[-1].prepare_run(run_of(originals, *modules))


def saving(folder, **values):
    return make(**{"wants_file": True, "directory": f"Elsewhere...|{folder}", **values})


def test_a_run_does_not_start_where_a_file_would_be_replaced(tmp_path):
    (tmp_path / "b_restored.ome.tif").write_text("of a user")
    both = ["a.tif", "b.ome.tif"]
    with pytest.raises(ValidationError, match=r"b_restored\.ome\.tif exists already, 1 of the 2 files do"):
        starts(both, saving(tmp_path))
    assert starts(both[:1], saving(tmp_path))
    for change in ({"overwrite": True}, {"wants_file": False}, {"suffix": "_new"}):
        assert starts(both, saving(tmp_path, **change))


def test_a_run_does_not_start_where_two_images_would_get_one_file(tmp_path):
    first, message = saving(tmp_path, overwrite=True), "would be written more than once"
    with pytest.raises(ValidationError, match=rf"a_restored\.ome\.tif {message}"):
        starts(["a.tif", "a.png"], first)
    with pytest.raises(ValidationError, match=message):
        starts(["a.tif"], first, saving(tmp_path, restored_name="Other"))
    assert starts(["a.tif"], first, saving(tmp_path, restored_name="Other", suffix="_other"))


def test_the_name_of_the_file_is_known_also_of_an_image_that_other_modules_made(tmp_path):
    from cellprofiler.modules.smooth import Smooth

    smooth = Smooth()
    smooth.image_name.value, smooth.filtered_image_name.value = "DNA", "Smooth"
    (tmp_path / "a_restored.ome.tif").write_text("of a user")
    workspace = run_of(["a.tif"])
    for number, module in enumerate((smooth, saving(tmp_path, image_name="Smooth")), 1):
        module.set_module_num(number)
        workspace.pipeline.add_module(module)
    with pytest.raises(ValidationError, match="a_restored.ome.tif exists already"):
        files.check_free(module, workspace)


def test_test_mode_warns_that_nothing_is_saved(tmp_path):
    pipeline = Pipeline()
    pipeline.test_mode = True
    make().validate_module_warnings(pipeline)
    with pytest.raises(ValidationError, match="not saved in test mode"):
        saving(tmp_path).validate_module_warnings(pipeline)


def test_help_of_module_and_settings_is_there_and_well_formed():
    module = make()
    text = module.get_help()
    assert "system-message" not in text
    assert "Do not measure intensity or texture on restored images" in text
    for feature in (*names.FEATURES, *names.TEXTS):
        assert feature in text
    for setting in module.settings():
        assert len(setting.doc) > 80, setting.text


def test_without_parfocal_the_module_loads_and_says_how_to_install_it(
    import_without_parfocal, make_workspace, cells_yx
):
    module = import_without_parfocal("restoredefocus").RestoreDefocus()
    module.image_name.value = "DNA"
    module.validate_module(Pipeline())
    assert len(module.get_measurement_columns(None)) == len(names.FEATURES) + len(names.TEXTS)
    with pytest.raises(ImportError) as caught:
        module.run(make_workspace(module, {"DNA": cells_yx}))
    assert f'"{sys.executable}" -m pip install "{PLUGINS.parent}"' in str(caught.value)
