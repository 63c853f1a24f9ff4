"""FlagDefocused on single image sets, inside this process."""

import json

import numpy as np
import pytest
import tifffile
from cellprofiler_core.constants.measurement import IMAGE
from cellprofiler_core.constants.workspace import DISPOSITION_CONTINUE, DISPOSITION_SKIP
from cellprofiler_core.image import Image
from flagging import make, write_model
from restoring import Figure, in_a_row
from restoring import make as make_restoring

from parfocal.cp_plugins import _parfocal_flag_settings as flag_settings
from parfocal.sorting.flag import flag_defocused
from parfocal.sorting.scores import threshold_for_false_alarms


@pytest.fixture
def sharp(cells_yx):
    return cells_yx


@pytest.fixture
def blank():
    return np.full((128, 128), 7, np.uint8)


def run(module, workspace):
    module.run(workspace)
    return {
        name: workspace.measurements.get_current_image_measurement(name)
        for _, name, _ in module.get_measurement_columns(workspace.pipeline)
    }


def test_numbers_are_those_of_the_command(make_workspace, sharp, blurred, sorter):
    for image, flag in ((sharp, 0), (blurred, 1)):
        module = make(model=sorter)
        values = run(module, make_workspace(module, {"DNA": image}))
        direct = flag_defocused(image, model=sorter)
        for feature, number in direct.features().items():
            assert values[f"FlagDefocused_{feature}_DNA"] == pytest.approx(number, rel=1e-6), feature
        assert direct.flagged is bool(flag)
        assert (values["Metadata_Defocused_DNA"], values["Metadata_QCDefocused"]) == (flag, flag)
        assert (values["FlagDefocused_Status_DNA"], values["FlagDefocused_Reason_DNA"]) == ("ok", "")


def test_every_measured_column_is_declared_and_none_else(make_workspace, sharp, sorter):
    module = make("DNA", "GFP", model=sorter)
    workspace = make_workspace(module, {"DNA": sharp, "GFP": sharp})
    module.run(workspace)
    declared = {name for _, name, _ in module.get_measurement_columns(workspace.pipeline)}
    measured = set(workspace.measurements.get_feature_names(IMAGE))
    assert {name for name in measured if name.startswith(("FlagDefocused", "Metadata"))} == declared
    assert len(declared) == 2 * 10 + 1


@pytest.mark.parametrize(
    ("combination", "kinds", "flagged"),
    [
        (flag_settings.ANY, "sharp sharp", 0),
        (flag_settings.ANY, "sharp blurred", 1),
        (flag_settings.ALL, "sharp blurred", 0),
        (flag_settings.ALL, "blurred blurred", 1),
        (flag_settings.ALL, "blurred blank", 1),
    ],
)
def test_any_or_all_images_decide_about_the_set(
    combination, kinds, flagged, make_workspace, sharp, blurred, blank, sorter
):
    images = dict(zip(("DNA", "GFP"), ({"sharp": sharp, "blurred": blurred, "blank": blank}[k] for k in kinds.split())))
    module = make("DNA", "GFP", model=sorter, combination=combination)
    values = run(module, make_workspace(module, images))
    single = [values[f"Metadata_Defocused_{name}"] for name in images]
    assert single == [int(kind != "sharp") for kind in kinds.split()]
    assert values["Metadata_QCDefocused"] == flagged


@pytest.mark.parametrize("flag_unanswered", [True, False])
def test_an_image_without_an_answer_is_flagged_only_where_that_is_asked_for(
    flag_unanswered, make_workspace, blank, sorter
):
    module = make(model=sorter, flag_unanswered=flag_unanswered)
    values = run(module, make_workspace(module, {"DNA": blank}))
    assert values["Metadata_Defocused_DNA"] == values["Metadata_QCDefocused"] == int(flag_unanswered)
    assert values["FlagDefocused_Status_DNA"] == "blank"
    assert values["FlagDefocused_Reason_DNA"] == "every pixel is 7"
    assert values["FlagDefocused_Answered_DNA"] == 0
    assert np.isnan(values["FlagDefocused_Defocused_DNA"])
    assert np.isnan(values["FlagDefocused_Probability_DNA"])


def test_sorter_and_level_that_contradict_each_other_give_no_answer(make_workspace, sharp, tmp_path):
    # Any image is defocused for this model.
    model = write_model(tmp_path / "blind", step=10.0)
    for check_level, status, flag in ((True, "disagreement", 0), (False, "ok", 1)):
        module = make(model=model, check_level=check_level, flag_unanswered=False)
        values = run(module, make_workspace(module, {"DNA": sharp}))
        assert values["FlagDefocused_Status_DNA"] == status
        assert values["Metadata_Defocused_DNA"] == flag
        assert np.isfinite(values["FlagDefocused_DefocusLevel_DNA"]) == check_level
        assert values["FlagDefocused_Warnings_DNA"] == ("" if check_level else "level_unchecked")


@pytest.mark.parametrize(
    ("action", "kind", "ends"),
    [
        (flag_settings.MARK, "blurred", DISPOSITION_CONTINUE),
        (flag_settings.SKIP, "blurred", DISPOSITION_SKIP),
        (flag_settings.SKIP, "sharp", DISPOSITION_CONTINUE),
    ],
)
def test_only_a_flagged_image_set_is_skipped_and_only_where_that_is_asked_for(
    action, kind, ends, make_workspace, sharp, blurred, sorter
):
    for test_mode in (False, True):
        module = make(model=sorter, action=action)
        workspace = make_workspace(module, {"DNA": {"blurred": blurred, "sharp": sharp}[kind]})
        workspace.pipeline.test_mode = test_mode
        values = run(module, workspace)
        assert workspace.disposition == ends
        assert values["Metadata_QCDefocused"] == int(kind == "blurred")


@pytest.mark.parametrize(("index", "ignore", "skipped"), [(3, True, False), (2, True, True), (3, False, True)])
def test_the_last_image_set_of_a_group_may_go_on(index, ignore, skipped, make_workspace, blurred, sorter):
    module = make(model=sorter, action=flag_settings.SKIP, ignore_skip_on_last=ignore)
    workspace = make_workspace(module, {"DNA": blurred})
    workspace.measurements.add_image_measurement("Group_Index", index)
    workspace.measurements.add_image_measurement("Group_Length", 3)
    assert run(module, workspace)["Metadata_QCDefocused"] == 1
    assert workspace.disposition == (DISPOSITION_SKIP if skipped else DISPOSITION_CONTINUE)


def test_the_flag_of_the_set_has_the_name_that_was_given(make_workspace, blurred, sorter):
    module = make(model=sorter, category_name="QC", flag_name="Blurred")
    values = run(module, make_workspace(module, {"DNA": blurred}))
    assert (values["QC_Blurred"], values["Metadata_Defocused_DNA"]) == (1, 1)
    assert "Metadata_QCDefocused" not in values


def test_a_threshold_that_was_given_counts(make_workspace, blurred, sorter):
    probability = flag_defocused(blurred, model=sorter).probability
    for threshold, flag in ((probability - 0.01, 1), (probability + 0.01, 0)):
        module = make(model=sorter, threshold_from=flag_settings.GIVEN, threshold=threshold)
        values = run(module, make_workspace(module, {"DNA": blurred}))
        assert values["FlagDefocused_Threshold_DNA"] == pytest.approx(threshold)
        assert values["FlagDefocused_Defocused_DNA"] == values["Metadata_Defocused_DNA"] == flag


@pytest.fixture
def examples(tmp_path, levels_zyx):
    """A folder of images in focus or nearly so, which say other optics than those that nothing is known of."""
    folder = tmp_path / "examples"
    folder.mkdir()
    for number, image in enumerate(levels_zyx[[0, 0, 1]]):
        mean = np.rint(image * (1 - 0.2 * number)).astype(np.uint8)
        tifffile.imwrite(folder / f"{number}.ome.tif", mean, metadata={"axes": "YX", "PhysicalSizeX": 0.3})
    return folder


def from_examples(folder, model, **values):
    where = {"threshold_from": flag_settings.SHARP, "sharp_folder": f"Elsewhere...|{folder}"}
    return make(model=model, **where, **values)


def probabilities(folder, model):
    return np.array([flag_defocused(tifffile.imread(path), model=model).probability for path in folder.iterdir()])


def test_sharp_images_give_the_threshold_for_a_rate(make_workspace, blurred, examples, sorter):
    module = from_examples(examples, sorter, false_alarm_rate=0.5)
    values = run(module, make_workspace(module, {"DNA": blurred}))
    threshold, rate = threshold_for_false_alarms(probabilities(examples, sorter), 0.5)
    assert rate == 0.5
    assert values["FlagDefocused_Threshold_DNA"] == pytest.approx(threshold, rel=1e-6)
    assert 0 < threshold < 0.1
    assert values["Metadata_Defocused_DNA"] == 1
    assert values["FlagDefocused_Warnings_DNA"] == ""


def test_too_few_sharp_images_are_warned_of(make_workspace, blurred, examples, sorter):
    module = from_examples(examples, sorter)
    values = run(module, make_workspace(module, {"DNA": blurred}))
    highest = probabilities(examples, sorter).max()
    assert values["FlagDefocused_Threshold_DNA"] == pytest.approx(highest, rel=1e-6)
    assert values["FlagDefocused_Warnings_DNA"] == "few_sharp_images"


def test_sharp_images_are_sorted_once_and_workers_get_the_result(
    make_workspace, blurred, examples, sorter, monkeypatch
):
    from parfocal.sorting import thresholds

    calls = []
    direct = thresholds.sharp_threshold
    monkeypatch.setattr(thresholds, "sharp_threshold", lambda *a, **k: calls.append(k) or direct(*a, **k))
    first, worker = from_examples(examples, sorter), from_examples(examples, sorter)
    found = [run(first, make_workspace(first, {"DNA": blurred})) for _ in range(2)]
    worker.set_dictionary_for_worker(json.loads(json.dumps(first.get_dictionary_for_worker())))
    found.append(run(worker, make_workspace(worker, {"DNA": blurred})))
    assert len(calls) == 1
    assert calls[0]["pixel_size_um"] is None
    assert found[0] == found[1] == found[2]
    # Other settings ask for another threshold.
    worker.false_alarm_rate.value = 0.5
    assert run(worker, make_workspace(worker, {"DNA": blurred})) != found[0]
    assert len(calls) == 2


def test_optics_that_are_given_hold_for_the_sharp_images_too(make_workspace, blurred, examples, sorter):
    optics = {"pixel_size_um": 0.6, "numerical_aperture": 0.5, "emission_wavelength_um": 0.5}
    module = from_examples(examples, sorter, wants_optics=True, false_alarm_rate=0.3, **optics)
    values = run(module, make_workspace(module, {"DNA": blurred}))
    direct = [flag_defocused(tifffile.imread(path), model=sorter, **optics) for path in examples.iterdir()]
    assert values["FlagDefocused_Threshold_DNA"] == pytest.approx(max(d.probability for d in direct), rel=1e-6)
    assert values["FlagDefocused_Probability_DNA"] == pytest.approx(
        flag_defocused(blurred, model=sorter, **optics).probability, rel=1e-6
    )


def test_an_image_that_an_earlier_module_restored_is_not_sorted(make_workspace, blurred, sorter):
    modules = make(model=sorter), make_restoring(), make("RDNA", model=sorter, flag_name="Again")
    workspace = in_a_row(make_workspace, {"DNA": blurred}, *modules)
    measured = workspace.measurements.get_current_image_measurement
    assert [measured(f"FlagDefocused_Status_{name}") for name in ("DNA", "RDNA")] == ["ok", "already_restored"]
    assert measured("FlagDefocused_Reason_RDNA") == "restored by an earlier module of the pipeline"
    assert np.isnan(measured("FlagDefocused_Probability_RDNA"))
    assert (measured("FlagDefocused_Answered_RDNA"), measured("Metadata_Defocused_RDNA")) == (0, 1)


def test_the_flag_of_an_image_is_a_condition_for_restoring(make_workspace, sharp, blurred, sorter):
    for image, restored in ((sharp, 0), (blurred, 1)):
        condition = {"measurement": "Metadata_Defocused_DNA", "smallest_value": 1.0, "check_focus": False}
        restoring = make_restoring(when="Only where a measurement says so", defocus_level=5.0, **condition)
        workspace = in_a_row(make_workspace, {"DNA": image}, make(model=sorter), restoring)
        assert workspace.measurements.get_current_image_measurement("RestoreDefocus_Restored_RDNA") == restored


def test_a_file_that_is_marked_as_restored_is_not_sorted(make_workspace, blurred, sorter, tmp_path):
    from parfocal.restoration.marked_tiff import write_marked
    from parfocal.restoration.restore import restore_defocus

    restored = restore_defocus(blurred, method="richardson_lucy", iterations=5)
    write_marked(tmp_path / "field.tif", restored.image, restored.provenance)
    image = Image(restored.image, scale=255, path_name=str(tmp_path), file_name="field.tif")
    module = make(model=sorter)
    values = run(module, make_workspace(module, {"DNA": image}))
    assert values["FlagDefocused_Status_DNA"] == "already_restored"
    assert values["FlagDefocused_Reason_DNA"] == "the file field.tif is marked as restored"


def test_a_stack_is_as_sharp_as_its_sharpest_plane(make_workspace, levels_zyx, sorter):
    for planes, index, flag in (([6, 0, 8], 1, 0), ([8, 6], 1, 1)):
        module = make(model=sorter)
        values = run(module, make_workspace(module, {"DNA": levels_zyx[planes]}))
        assert values["FlagDefocused_SharpestPlane_DNA"] == index
        assert values["Metadata_Defocused_DNA"] == flag


def test_color_and_twelve_bits_are_sorted_as_the_command_does(make_workspace, blurred, sorter):
    counts = blurred.astype(np.uint16) * 16
    given = {"RGB": np.stack([blurred] * 3, axis=-1), "DNA": Image(counts / np.float32(4095), scale=4095)}
    module = make("RGB", "DNA", model=sorter)
    values = run(module, make_workspace(module, given))
    for name in given:
        direct = flag_defocused({"RGB": given["RGB"], "DNA": counts}[name], model=sorter)
        assert values[f"FlagDefocused_Probability_{name}"] == pytest.approx(direct.probability, rel=1e-5)


def test_saturation_level_is_in_counts(make_workspace, blurred, sorter):
    level = float(np.percentile(blurred, 90))
    module = make(model=sorter, saturation_level=level)
    values = run(module, make_workspace(module, {"DNA": blurred}))
    assert values["FlagDefocused_Status_DNA"] == "saturated"
    with pytest.raises(ValueError, match="does not say which count"):
        module.run(make_workspace(module, {"DNA": Image(blurred / np.float32(255))}))


def test_other_kinds_of_microscope_are_out_of_the_domain_of_the_model(make_workspace, blurred, sorter):
    module = make(model=sorter, modality="Phase contrast")
    values = run(module, make_workspace(module, {"DNA": blurred}))
    assert values["FlagDefocused_Status_DNA"] == "out_of_domain"


def test_binary_image_is_refused(make_workspace, sharp, sorter):
    module = make(model=sorter)
    with pytest.raises(ValueError, match="DNA is binary"):
        module.run(make_workspace(module, {"DNA": Image(sharp > 40)}))


class Window(Figure):
    """Two columns of four images."""

    def subplot(self, x, y):
        if (x, y) not in self.axes:
            self.axes[x, y] = self.figure.add_subplot(4, 2, 1 + x + 2 * y)
        return self.axes[x, y]


def test_window_shows_each_image_with_its_verdict_in_words(make_workspace, levels_zyx, blank, sorter):
    given = {"DNA": levels_zyx[0], "Stack": levels_zyx[[8, 5]], "GFP": blank, "RGB": np.stack([blank] * 3, axis=-1)}
    module = make(*given, model=sorter, action=flag_settings.SKIP, threshold_from=flag_settings.GIVEN, threshold=0.6)
    module.show_window = True
    workspace = make_workspace(module, given)
    module.run(workspace)
    figure = Window()
    module.display(workspace, figure)
    assert figure.shape == (2, 4)
    titles = [figure.shown[0, row]["title"] for row in range(4)]
    told = flag_defocused(levels_zyx[0], model=sorter)
    level = told.main_plane.defocus_level
    assert titles[0] == f"DNA: passes, in focus, probability {told.probability:.2f}, level {level:.1f}"
    assert titles[1].startswith("Stack, plane 2 of 2: FLAGGED, defocused, probability 0.")
    assert titles[2] == "GFP: FLAGGED, no answer (blank)"
    assert [figure.shown[0, row]["image"].ndim for row in range(4)] == [2, 2, 2, 3]
    widths = [figure.subplot(0, row).spines["top"].get_linewidth() for row in range(4)]
    assert widths[0] < widths[1] == widths[2]
    rows = figure.shown[1, 0]["rows"]
    assert rows["Threshold"] == "0.6 (given)"
    assert "SharpestPlane" not in rows
    assert figure.shown[1, 1]["rows"]["SharpestPlane"] == "1"
    heading = figure.figure.texts[0].get_text()
    assert heading == "Image set flagged (Metadata_QCDefocused = 1), the rest of the pipeline is skipped"
