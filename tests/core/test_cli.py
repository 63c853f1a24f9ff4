from __future__ import annotations

import json
import os
import re
import subprocess
import sys

import dying_work
import imageio.v3 as iio
import numpy as np
import pandas as pd
import pytest
import tifffile

import parfocal.batch.measure
from parfocal.batch import measure_files
from parfocal.batch.arguments import arguments_for, check_given
from parfocal.batch.pool import run_in_processes
from parfocal.cli import main
from parfocal.commands import command_spec
from parfocal.focus_quality.measure import measure_image_focus
from parfocal.focus_quality.synthesis import defocus_image
from parfocal.images.metadata import ImageMetadata

HEAVY = ("tensorflow", "onnxruntime", "matplotlib", "pandas", "skimage", "scipy", "bioio")


@pytest.fixture
def plate(tmp_path, nuclei):
    """Folder of three wells of the same real nuclei, two of them turned."""
    folder = tmp_path / "plate"
    folder.mkdir()
    for turns, well in enumerate(("A01", "A02", "B01")):
        iio.imwrite(folder / f"x_{well}_s1_w1.png", np.rot90(nuclei, turns))
    return folder


@pytest.mark.parametrize("code", ["import parfocal", "import parfocal.cli as c; c.main(['--help'])"])
def test_importing_and_help_load_nothing_heavy(code):
    check = f"{code}\nimport sys; print('LOADED', sorted(set({HEAVY!r}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert "LOADED []" in done.stdout


@pytest.mark.parametrize(("given", "level"), [(None, "3"), ("1", "1")])
def test_tensorflow_will_say_nothing_but_what_a_user_has_asked_for(given, level, monkeypatch):
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", given or "")
    if given is None:
        monkeypatch.delenv("TF_CPP_MIN_LOG_LEVEL")
    assert main(["--version"]) == 0
    assert os.environ["TF_CPP_MIN_LOG_LEVEL"] == level


def test_version_and_help_end_well(capsys):
    assert main(["--version"]) == 0
    assert main(["--help"]) == 0
    assert "measure" in capsys.readouterr().out


@pytest.mark.parametrize(
    "command",
    [
        ["measure"],
        ["restore"],
        ["sort"],
        ["train", "focus-quality"],
        ["train", "restorer"],
        ["train", "sorter"],
        ["evaluate", "focus-quality"],
        ["evaluate", "restoration"],
        ["evaluate", "sorting"],
    ],
)
def test_every_command_has_help(command, capsys):
    assert main([*command, "--help"]) == 0
    assert "--output" in capsys.readouterr().out


def test_options_of_measure_are_those_of_the_command_with_unit_and_range(capsys):
    main(["measure", "--help"])
    text = " ".join(capsys.readouterr().out.split())
    for parameter in command_spec(measure_image_focus).parameters:
        assert (f"--{parameter.name.replace('_', '-')}" in text) is not parameter.param.array
    assert "(um, 0.001 to 100)" in text
    assert "--modality NAME" in text and "One of widefield_fluorescence, confocal, " in text
    assert "(default `default`)" in text


def test_what_is_told_of_several_options_is_told_once_with_their_names(capsys):
    main(["hold-focus", "--help"])
    text = " ".join(capsys.readouterr().out.split())
    assert "--tolerance-um and --settle-um: A correction begins where the error exceeds the first" in text
    assert "--search-range-um, --coarse-step-um and --fine-step-um: A search goes so far" in text
    assert text.count("A correction begins where") == 1
    assert "--settle-um NUMBER See --tolerance-um. (um, from 0, default 0.2)" in text


def test_help_names_other_options_as_they_are_given(capsys):
    main(["restore", "--help"])
    text = " ".join(capsys.readouterr().out.split())
    assert "restore only what lies from --smallest-level up to" in text and "`smallest_level`" not in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["focus"], "invalid choice: 'focus'"),
        (["measure", "x.tif"], "required: -o/--output"),
        (["measure", "nowhere.tif", "-o", "out"], "no such file or folder: nowhere.tif"),
        (["measure", "nowhere/*.tif", "-o", "out"], "no image matches nowhere/"),
        (["measure", ".", "-o", "out", "--numerical-aperture", "5"], r"must be in \[0.01, 2.0\], got 5.0"),
        (["measure", ".", "-o", "out", "--pixel-size-um", "x"], "must be a number, got 'x'"),
        (["restore", ".", "-o", "out", "--iterations", "2.5"], "must be a whole number, got '2.5'"),
        (["measure", ".", "-o", "out", "--numerical-aperture", "1.4"], r"\(0, immersion_index=1.0\], got 1.4"),
        (["measure", ".", "-o", "out", "--model", "nothing"], "no model 'nothing' for focus_quality"),
        (["measure", ".", "-o", "out", "--workers", "0"], "workers must be 1 or more, got 0"),
        (["restore", "nowhere.tif", "-o", "out", "--method", "wiener"], "no such file or folder: nowhere.tif"),
        (["restore", ".", "-o", "out", "--method", "blind"], "invalid choice: 'blind'"),
        (["restore", ".", "-o", "out", "--smallest-level", "11"], r"must be in \[0.0, 10.0\] levels, got 11.0"),
        (["restore", ".", "-o", "out", "--method", "wiener", "--no-check-focus"], "wiener needs a level"),
        (["restore", ".", "-o", "out", "--model", "nothing"], "no model 'nothing' for restoration"),
        (["restore", ".", "-o", "out", "--method", "wiener", "--only-flagged", "a.csv"], "no such table: a.csv"),
        (["sort", ".", "-o", "out", "--threshold", "2"], r"must be in \[0.0, 1.0\], got 2.0"),
        (["sort", ".", "-o", "out", "--model", "nothing"], "no model 'nothing' for sorting"),
        (["sort", ".", "-o", "out", "--numerical-aperture", "1.4"], r"\(0, immersion_index=1.0\], got 1.4"),
        (["summarise", "nowhere.csv", "-o", "a.png"], "no such table: nowhere.csv"),
        (["summarise", "nowhere.csv", "-o", "a.pdf"], "must be a PNG file, got a.pdf"),
        (["train", "focus-quality", "nowhere", "-o", "m"], "no such folder: nowhere"),
        (["train", "focus-quality", "nowhere", "-o", "m", "--config", "x"], "invalid choice: 'x'"),
        (["train", "restorer", "nowhere", "-o", "m"], "no such folder: nowhere"),
        (["evaluate", "restoration", "nowhere", "-o", "m"], "no such folder: nowhere"),
        (["train", "sorter", "nowhere", "-o", "m"], "no such folder: nowhere"),
        (["train", "sorter", "nowhere", "-o", "m", "--synthetic"], "no such folder: nowhere"),
        (["train", "sorter", "nowhere", "-o", "m", "--start-from", "none"], "no model 'none' for sorting"),
        (["evaluate", "sorting", "nowhere", "-o", "m"], "no such folder: nowhere"),
        (["evaluate", "sorting", ".", "-o", "m", "--networks", "vgg"], "networks must be among default, xue2021"),
    ],
)
def test_errors_of_the_user_are_one_line_and_exit_2(arguments, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    told = capsys.readouterr().err
    assert "Traceback" not in told
    assert told.count("\n") <= 2
    assert re.search(message, told)


def test_an_image_whose_halves_disagree_has_an_overlay_and_no_level(nuclei, tmp_path):
    soft = defocus_image(nuclei.astype(np.float32), 16.0)
    soft[:, :84] = nuclei[:, :84]
    tifffile.imwrite(tmp_path / "half.tif", np.rint(100 + 20 * soft).astype(np.uint16))
    (row,) = measure_files([tmp_path / "half.tif"], tmp_path / "out", workers=1).table.to_dict("records")
    assert row["status"] == "out_of_domain" and np.isnan(row["defocus_level"])
    assert (tmp_path / "out" / row["overlay"]).is_file()


def test_measure_writes_tables_overlays_and_a_summary(plate, tmp_path, capsys):
    out = tmp_path / "out"
    assert main(["measure", str(plate), "-o", str(out), "--workers", "1", "--patches"]) == 0
    table = pd.read_csv(out / "measurements.csv", dtype={"site": str})
    assert list(table["well"]) == ["A01", "A02", "B01"]
    assert list(table["status"]) == ["ok"] * 3
    assert set(table["site"]) == {"1"}
    assert set(table["channel_name"]) == {"w1"}
    pd.testing.assert_frame_equal(
        pd.read_parquet(out / "measurements.parquet")[["defocus_level", "certainty"]],
        table[["defocus_level", "certainty"]],
    )
    for name in ("overlays/x_A01_s1_w1.png.png", "summary.png", "patches.csv"):
        assert (out / name).stat().st_size > 0
    assert not (out / "planes.csv").exists()
    assert len(pd.read_csv(out / "patches.csv")) == 3 * 16
    told = capsys.readouterr()
    assert "3 images: 3 answered" in told.out
    assert str(out) in told.out
    assert told.err == "" and "warning" not in told.out


def test_what_is_warned_of_is_said_with_what_it_means(plate, tmp_path, capsys):
    one = [str(plate / "x_A01_s1_w1.png"), "--workers", "1", "--pixel-size-um", "0.65"]
    for command in ("measure", "sort"):
        assert main([command, *one, "-o", str(tmp_path / command)]) == 0
        said = capsys.readouterr().out
        assert said.startswith("1 image: ")
        assert "warning, 1 image: optics incomplete. Only some of pixel size, NA and wavelength are known" in said


def test_the_numbers_are_those_of_the_function(plate, tmp_path, nuclei):
    table = measure_files([plate / "x_A01_s1_w1.png"], tmp_path / "out", workers=1, overlays=False).table
    expected = measure_image_focus(nuclei).estimate
    assert table["defocus_level"][0] == pytest.approx(expected.defocus_level, abs=1e-9)
    assert table["certainty"][0] == pytest.approx(expected.certainty, abs=1e-9)
    assert not (tmp_path / "out" / "overlays").exists()


def test_a_stack_gives_a_row_its_planes_and_its_sharpest_plane(tmp_path, nucleus_stack):
    out = tmp_path / "out"
    # ImageJ wants whole pixels per unit to state 0.5 um exactly.
    options = {"imagej": True, "resolution": (2, 2), "metadata": {"axes": "ZYX", "unit": "um", "spacing": 2.0}}
    tifffile.imwrite(tmp_path / "stack.tif", nucleus_stack, **options)
    given = ["--workers", "1", "--write-sharpest", "--classical-metrics"]
    assert main(["measure", str(tmp_path / "stack.tif"), "-o", str(out), *given]) == 0
    row = pd.read_csv(out / "measurements.csv").iloc[0]
    planes = pd.read_csv(out / "planes.csv")
    assert (row["n_planes"], row["pixel_size_um"], row["z_step_um"]) == (9, 0.5, 2.0)
    assert list(planes["plane"]) == list(range(9))
    assert row["sharpest_plane_z_um"] == 2.0 * row["sharpest_plane_index"]
    assert row["defocus_level"] == planes["defocus_level"].min()
    assert row["Brenner"] == planes["Brenner"][row["sharpest_plane_index"]]
    sharpest = tifffile.imread(out / row["sharpest_plane_file"])
    np.testing.assert_array_equal(sharpest, nucleus_stack[row["sharpest_plane_index"]])
    assert (out / row["overlay"]).is_file()


def test_tables_of_an_earlier_run_are_only_replaced_when_allowed(plate, tmp_path, capsys):
    command = ["measure", str(plate), "-o", str(plate), "--workers", "1", "--no-overlays"]
    (plate / "measurements.csv").write_text("mine")
    (plate / "overlays").mkdir()
    for name in ("summary.png", "overlays/x.png"):
        (plate / name).write_bytes((plate / "x_A01_s1_w1.png").read_bytes())
    assert main(command) == 2
    assert "measurements.csv exists" in capsys.readouterr().err
    assert (plate / "measurements.csv").read_text() == "mine"
    assert main([*command, "--overwrite"]) == 0
    # The pictures that an earlier run left in the same folder are not measured.
    assert len(pd.read_csv(plate / "measurements.csv")) == 3


def test_given_values_count_more_than_those_of_the_file():
    about = ImageMetadata(pixel_size_um=0.325, numerical_aperture=0.75, modality="confocal")
    arguments, warnings = arguments_for(about, {"pixel_size_um": 0.65, "modality": "widefield_fluorescence"})
    assert arguments == {"pixel_size_um": 0.65, "numerical_aperture": 0.75, "modality": "widefield_fluorescence"}
    assert warnings == ()


def test_impossible_values_of_a_file_are_left_out_with_a_warning():
    arguments, warnings = arguments_for(ImageMetadata(pixel_size_um=352.0, numerical_aperture=1.4), {})
    assert arguments == {}
    assert warnings == ("pixel_size_um_of_file_not_used", "numerical_aperture_of_file_not_used")
    arguments, warnings = arguments_for(ImageMetadata(numerical_aperture=1.4, immersion_index=1.515), {})
    assert arguments == {"numerical_aperture": 1.4, "immersion_index": 1.515}
    assert warnings == ()


def test_given_values_are_checked_together():
    check_given({"numerical_aperture": 1.4, "immersion_index": 1.515})
    with pytest.raises(ValueError, match=r"numerical_aperture must be in \(0, immersion_index=1.33\], got 1.4"):
        check_given({"numerical_aperture": 1.4, "immersion_index": 1.33})


def test_a_dying_process_loses_only_the_task_at_fault():
    results = dict(run_in_processes(dying_work.upper_or_die, list("abcde"), 2))
    assert {letter: results[letter] for letter in "acde"} == {"a": "A", "c": "C", "d": "D", "e": "E"}
    assert isinstance(results["b"], Exception)


def test_a_file_that_kills_its_process_becomes_a_row(plate, tmp_path, monkeypatch):
    good, crash = plate / "x_A01_s1_w1.png", plate / "crash.png"
    crash.write_bytes(good.read_bytes())
    monkeypatch.setattr(parfocal.batch.measure, "measure_file", dying_work.measure_file_or_die)
    table = measure_files([crash, good], tmp_path / "out", workers=1, overlays=False).table
    assert list(table["status"]) == ["unreadable", "ok"]
    assert "process that worked on it died" in table["reason"][0]


def test_summarise_draws_the_table_of_cellprofiler(tmp_path, capsys):
    table, picture = tmp_path / "Image.csv", tmp_path / "new" / "a.png"
    columns = {"Score": 1.0, "Certainty": 0.7, "MeanCertainty": 0.8, "Answered": 1, "Status": "ok"}
    rows = pd.DataFrame({f"ImageFocus_{name}_DNA": [value] * 2 for name, value in columns.items()})
    rows.assign(Metadata_Well=["A01", "A02"]).to_csv(table, index=False)
    assert main(["summarise", str(table), "-o", str(picture)]) == 0
    assert iio.imread(picture).ndim == 3
    assert main(["summarise", str(table), "-o", str(picture)]) == 2
    assert "give --overwrite" in capsys.readouterr().err


def test_models_and_specs_are_listed(capsys):
    assert main(["models"]) == 0
    assert "focus_quality\tdefault" in capsys.readouterr().out
    assert main(["spec"]) == 0
    specs = {spec["name"]: spec for spec in json.loads(capsys.readouterr().out)}
    assert set(specs) >= {"measure_image_focus", "measure_bead_focal_plane", "train_focus_quality"}
    assert set(specs) >= {"restore_defocus", "train_restorer", "evaluate_restoration"}
    assert set(specs) >= {"flag_defocused", "train_sorter", "evaluate_sorting"}
    parameters = {parameter["name"] for parameter in specs["measure_image_focus"]["parameters"]}
    assert {"pixel_size_um", "modality"} <= parameters


@pytest.mark.parametrize(("missing", "hinted"), [("tensorflow.keras", True), ("cellprofiler", False)])
def test_a_missing_package_is_said_to_be_of_training_where_it_is(missing, hinted, monkeypatch, capsys, tmp_path):
    def fail(options):
        raise ModuleNotFoundError(f"No module named {missing!r}", name=missing)

    monkeypatch.setattr("parfocal.cli.models.run", fail)
    assert main(["models"]) == 2
    assert ("training needs TensorFlow" in capsys.readouterr().err) == hinted
