"""The worker as a host sees it: numbers of core, what is wrong told, and one task after the other."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile
from hosts import Host, share

import parfocal
from parfocal.registry import shipped_file
from parfocal.restoration.result import MARK, RESTORED_IMAGE
from parfocal.worker.protocol import PROTOCOL, plain

BEADS = Path(__file__).parents[1] / "data" / "beads"
SIZES = {"pixel_size_um": 1.3668, "bead_diameter_um": 15.0, "z_step_um": 5.0, "contrast": "fluorescence"}


def same(found, expected):
    assert set(found) == set(expected)
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-12, err_msg=name)


def test_hello_tells_versions_and_tasks(host):
    task, _ = host.ask("hello")
    told = task.outputs
    assert (told["protocol"], told["parfocal"]) == (PROTOCOL, "0.1.0")
    assert "restore_files" in told["tasks"]
    assert "measure_image_focus" in told["tasks"]


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.float32, np.float64, np.int32])
def test_focus_has_the_numbers_of_core_for_every_type(kind, host, nuclei):
    pixels = nuclei.astype(kind)
    same(host.features("measure_image_focus", pixels), parfocal.measure_image_focus(pixels).features())


def test_colours_and_stacks_are_taken_as_core_takes_them(host, nuclei, blurred):
    colours = np.stack([nuclei, nuclei // 2, nuclei // 3], axis=-1)
    same(host.features("measure_image_focus", colours), parfocal.measure_image_focus(colours).features())
    stack = np.stack([blurred, nuclei.astype(np.float32)])
    task, _ = host.ask("measure_image_focus", stack, each_plane=True)
    expected = parfocal.measure_image_focus(stack)
    same({name: float(value) for name, value in task.outputs["features"].items()}, expected.features())
    levels = [plane["features"]["Score"] for plane in task.outputs["planes"]]
    assert levels == pytest.approx([plane.estimate.defocus_level for plane in expected.planes])
    assert [plane["features"]["Sharpest"] for plane in task.outputs["planes"]] == [0.0, 1.0]


def test_arguments_are_read_from_text_and_calibration_fills_in_what_is_not_given(host, nuclei):
    calibration = {"unit": "nm", "pixel_width": 500.0}
    given = {"numerical_aperture": "0.5", "emission_wavelength_um": 0.5, "saturation_level": "", "model": None}
    found = host.features("measure_image_focus", nuclei, arguments=given, calibration=calibration)
    optics = {"pixel_size_um": 0.5, "numerical_aperture": 0.5, "emission_wavelength_um": 0.5}
    same(found, parfocal.measure_image_focus(nuclei, **optics).features())
    found = host.features("measure_image_focus", nuclei, arguments={**given, "pixel_size_um": "0.65"})
    same(found, parfocal.measure_image_focus(nuclei, **{**optics, "pixel_size_um": 0.65}).features())


def test_a_selection_is_a_mask_or_the_rectangle_around_it(host, nuclei):
    mask = np.zeros(nuclei.shape, np.uint8)
    mask[20:190, 10:180] = 255
    arrays = {"selection": mask}
    expected = parfocal.measure_image_focus(nuclei, mask_yx=mask > 0).features()
    same(host.features("measure_image_focus", nuclei, arrays=arrays), expected)
    expected = parfocal.flag_defocused(nuclei[20:190, 10:180]).features()
    same(host.features("flag_defocused", nuclei, arrays=arrays), expected)
    other = np.zeros(nuclei.shape, np.float32)
    other[:150] = 1.0
    expected = parfocal.measure_image_focus(nuclei, mask_yx=(mask > 0) & (other > 0)).features()
    same(host.features("measure_image_focus", nuclei, arrays={**arrays, "mask": other}), expected)


def test_objects_of_a_label_image_are_told_apart_and_fractions_refused(host, nuclei):
    labels = np.zeros(nuclei.shape, np.float32)
    labels[10:120, 10:120], labels[130:250, 100:240] = 3, 8
    task, _ = host.ask("measure_image_focus", nuclei, {"labels": labels})
    expected = parfocal.measure_image_focus(nuclei, labels_yx=labels.astype(int)).objects
    assert list(task.outputs["objects"]) == ["3", "8"]
    for label, estimate in expected.items():
        assert task.outputs["objects"][str(label)]["features"]["Score"] == pytest.approx(estimate.defocus_level)
    told = host.error("measure_image_focus", nuclei, arrays={"labels": labels / 2})
    assert "labels must be whole numbers, got fractions" in told


def test_what_is_not_finite_goes_over_as_text(host):
    task, _ = host.ask("measure_image_focus", np.full((200, 200), 9, np.uint16))
    assert (task.outputs["status"], task.outputs["features"]["Score"]) == ("blank", "NaN")
    assert task.outputs["features"]["Answered"] == 0.0
    told = plain({"a": [float("nan"), np.float32("inf")], "b": np.array([-np.inf, 1.5]), "c": (True, None, "x", 3)})
    assert told == {"a": ["NaN", "Infinity"], "b": ["-Infinity", 1.5], "c": [True, None, "x", 3]}
    assert [float(text) for text in ("Infinity", "-Infinity")] == [np.inf, -np.inf]


def test_a_restored_image_comes_back_in_the_memory_of_the_host(host, blurred):
    arguments = {"defocus_level": 5.0, "uncertainty": True}
    arrays = {"uncertainty": np.zeros(blurred.shape, np.float32)}
    task, after = host.ask("restore_defocus", blurred, arrays, arguments=arguments)
    expected = parfocal.restore_defocus(blurred, **arguments)
    assert task.outputs["provenance"] == expected.provenance
    np.testing.assert_array_equal(after["image"], expected.image)
    np.testing.assert_array_equal(after["uncertainty"], expected.uncertainty)


def test_an_image_that_is_not_restored_is_left_as_it_is(host, nuclei):
    task, after = host.ask("restore_defocus", nuclei)
    assert (task.outputs["provenance"], task.outputs["features"]["Restored"]) == ("", 0.0)
    np.testing.assert_array_equal(after["image"], nuclei)


def test_beads_have_the_numbers_of_core(host):
    stack = tifffile.imread(BEADS / "fluorescent_beads_acq1.tif")
    expected = parfocal.measure_bead_focal_plane(stack, **SIZES)
    same(host.features("measure_bead_focal_plane", stack, arguments=SIZES), expected.numbers())


def test_patches_come_with_the_colours_of_the_overlay(host, nuclei):
    from parfocal.report.overlay import level_colors

    task, _ = host.ask("measure_image_focus", nuclei, patches=True)
    (told,) = task.outputs["patches"]
    patches = parfocal.measure_image_focus(nuclei).planes[0].patches
    assert told["corners_yx"] == patches.corners_yx.tolist()
    expected = 255 * level_colors(patches.defocus_level[0], patches.certainty[0])
    assert told["rgb"][0] == pytest.approx(expected, abs=0.5)


@pytest.mark.parametrize(
    ("script", "inputs", "message"),
    [
        ("measure_image_focus", {"protocol": 2}, "protocol must be 1, which this Parfocal speaks, got 2"),
        ("measure_image_fokus", {}, "task must be one of hello, measure_image_focus"),
        ("measure_image_focus", {"arguments": {"pixel_size_um": "wide"}}, "Pixel size must be a number, got 'wide'"),
        ("measure_image_focus", {"arguments": {"size": 1}}, "takes no 'size', it takes pixel_size_um"),
        ("measure_image_focus", {"arguments": {"black_level": -1}}, "black_level must be at least 0.0 counts, got -1"),
        ("measure_image_focus", {"arguments": {"model": "/nowhere"}}, "/nowhere"),
        ("measure_bead_focal_plane", {"arguments": {"bead_diameter_um": 9}}, "the calibration of the image states"),
        ("measure_bead_focal_plane", {"arguments": {"pixel_size_um": 1}}, "Diameter of the beads must be given"),
        ("restore_defocus", {"metadata": "Restored from defocus by Parfocal 1", "title": "a.tif"}, "a.tif: its meta"),
    ],
)
def test_what_is_wrong_is_told_and_the_next_task_runs(script, inputs, message, host, nuclei):
    assert message in host.error(script, nuclei, **inputs)
    task, _ = host.ask("hello")
    assert task.status.name == "COMPLETE"


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (None, "image must be given as an NDArray of Appose, got None"),
        ({"dtype": "uint8"}, "image must be an NDArray of Appose"),
        ({"dtype": "uint8", "shape": [9, 9], "shm": {"name": "psm_nowhere", "rsize": 81}}, "no shared memory"),
        ({"dtype": "words", "shape": [9, 9], "shm": {"name": "psm_nowhere", "rsize": 81}}, "image must be an NDArray"),
    ],
)
def test_pixels_that_are_not_there_are_told(image, message, host):
    task = host.service.task("measure_image_focus", {"protocol": PROTOCOL, "image": image})
    host.finish(task)
    assert message in task.error


def test_pixels_of_another_shape_than_their_memory_are_told(host, nuclei):
    shared = share(nuclei)
    shared.shape = [4000, 4000]
    try:
        task = host.service.task("measure_image_focus", {"protocol": PROTOCOL, "image": shared})
        host.finish(task)
    finally:
        shared.shm.dispose()
    assert "uint8 of shape (4000, 4000) does not fit into" in task.error


def in_parts(host, script, stack, at_once, **inputs):
    """Outputs of a task that gets a stack in parts, and the indices it has asked for."""
    window, asked = share(np.zeros_like(stack[:at_once])), []

    def supply(event):
        if (event.info or {}).get("planes_from") is None:
            return
        first = event.info["planes_from"]
        asked.append(first)
        window.ndarray()[: len(stack[first : first + at_once])] = stack[first : first + at_once]
        given = {"protocol": PROTOCOL, "of": event.task.uuid, "first": first}
        host.service.task("planes", given).start()

    try:
        image = {"planes": len(stack), "window": window}
        task = host.service.task(script, {"protocol": PROTOCOL, "image": image, **inputs})
        host.finish(task, supply)
    finally:
        window.shm.dispose()
    return task, asked


@pytest.mark.parametrize("coloured", [False, True])
def test_a_stack_in_parts_has_the_numbers_of_the_whole(coloured, host, nuclei, blurred):
    stack = np.stack([blurred.astype(np.uint8), nuclei, nuclei[::-1], nuclei.T, blurred.T.astype(np.uint8)])
    if coloured:
        stack = np.stack([stack, stack // 2, stack // 3], axis=-1)
    task, asked = in_parts(host, "measure_image_focus", stack, 2, each_plane=True)
    assert task.error is None, task.error
    expected = parfocal.measure_image_focus(stack)
    same({name: float(value) for name, value in task.outputs["features"].items()}, expected.features())
    assert len(task.outputs["planes"]) == 5
    assert set(asked) == {0, 2, 4}


def test_a_window_that_is_none_and_a_task_that_waits_for_planes_is_cancelled(host, nuclei):
    told = host.error("flag_defocused", image={"planes": 3, "window": None})
    assert "window of the image must be an NDArray of Appose, got None" in told
    window = share(np.stack([nuclei]))

    def never(event):
        if (event.info or {}).get("planes_from") is not None:
            event.task.cancel()

    image = {"planes": 3, "window": window}
    task = host.service.task("flag_defocused", {"protocol": PROTOCOL, "image": image})
    host.finish(task, never)
    window.shm.dispose()
    assert task.status.name == "CANCELED"
    assert host.ask("hello")[0].status.name == "COMPLETE"


def test_progress_is_told_and_a_task_is_cancelled_before_its_next_plane(host, nuclei):
    steps = []

    def listener(event):
        if event.response_type.name == "UPDATE":
            steps.append((event.current, event.maximum))
            event.task.cancel()

    task, _ = host.ask("measure_image_focus", np.stack([nuclei] * 60), listener=listener)
    assert task.status.name == "CANCELED"
    assert steps[0] == (0, 60)
    assert len(steps) < 60


def test_a_batch_writes_what_the_command_line_writes(host, nuclei, tmp_path):
    (tmp_path / "in").mkdir()
    tifffile.imwrite(tmp_path / "in" / "a.tif", nuclei)
    given = {"folder": str(tmp_path / "in"), "output": str(tmp_path / "out"), "threshold": "0.5"}
    task, _ = host.ask("sort_files", arguments=given)
    assert task.error is None
    assert task.outputs["counts"] == {"ok": 1}
    assert task.outputs["table"] == str(tmp_path / "out" / "sorting.csv")
    assert "exists: choose another output folder" in host.error("sort_files", arguments=given)
    assert "must be a folder, got '/nowhere'" in host.error("sort_files", arguments={**given, "folder": "/nowhere"})


def test_models_are_loaded_once(host, nuclei, tmp_path):
    model = shutil.copytree(shipped_file("focus_quality") / "default", tmp_path / "model")
    first = host.features("measure_image_focus", nuclei, arguments={"model": str(model)})
    (model / "config.json").unlink()
    same(host.features("measure_image_focus", nuclei, arguments={"model": str(model)}), first)


def spoken(*lines):
    """What a worker answers to lines, and what it says on its standard error."""
    done = subprocess.run(
        [sys.executable, "-m", "parfocal.worker"],
        input="".join(f"{line}\n" for line in lines),
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return [json.loads(line) for line in done.stdout.splitlines()], done.stderr


def test_lines_that_are_no_requests_do_no_harm_and_the_end_of_input_ends_it():
    hello = json.dumps({"task": "b", "requestType": "EXECUTE", "script": "hello", "inputs": {"protocol": PROTOCOL}})
    bad = [
        "what",
        "[]",
        '{"task": "a"}',
        '{"task": "a", "requestType": "DANCE"}',
        '{"task":"z","requestType":"CANCEL"}',
    ]
    answers, said = spoken(*bad, hello)
    assert [answer["responseType"] for answer in answers] == ["LAUNCH", "COMPLETION"]
    assert said.count("no request of Appose") == 4


def test_a_worker_that_dies_is_noticed_by_the_host(nuclei):
    host = Host()
    task, _ = host.ask("hello")
    task, _ = host.ask("measure_image_focus", np.stack([nuclei] * 60), listener=lambda event: host.service.kill())
    assert task.status.name == "CRASHED"


def test_a_restored_image_is_measured_with_a_warning_and_not_sorted(host, nuclei):
    task, _ = host.ask("measure_image_focus", nuclei, metadata=MARK)
    assert task.outputs["status"] == "ok" and RESTORED_IMAGE in task.outputs["warnings"].split()
    task, _ = host.ask("flag_defocused", nuclei, metadata=MARK)
    assert task.outputs["status"] == "already_restored" and MARK in task.outputs["reason"]
    assert np.isnan(float(task.outputs["features"]["Probability"]))


def test_a_calibration_of_exactly_one_states_nothing(host, nuclei):
    optics = {"numerical_aperture": 0.5, "emission_wavelength_um": 0.5}
    calibration = {"unit": "um", "pixel_width": 1.0, "plane_distance": 1.0}
    planes = np.stack([nuclei, nuclei // 2])
    expected = parfocal.measure_image_focus(planes, **optics).features()
    same(host.features("measure_image_focus", planes, arguments=optics, calibration=calibration), expected)
    assert np.isnan(expected["SharpestPlaneZUm"])


def test_optics_come_from_the_text_of_the_image_where_nothing_is_given(host, nuclei):
    text = "Scene|LensNA = 0.8\nScene|EmissionWavelength #2 = 600\n"
    inputs = {"metadata": text, "channel": 1, "calibration": {"unit": "um", "pixel_width": 0.5}}
    optics = {"pixel_size_um": 0.5, "numerical_aperture": 0.8, "emission_wavelength_um": 0.6}
    expected = parfocal.measure_image_focus(nuclei, **optics).features()
    same(host.features("measure_image_focus", nuclei, **inputs), expected)
    task, _ = host.ask("measure_image_focus", nuclei, metadata="Scene|LensNA = 1.4\n")
    assert "numerical_aperture_of_file_not_used" in task.outputs["warnings"]
