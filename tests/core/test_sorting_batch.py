"""`parfocal sort`: tables, thresholds from sharp images, the picture, and what `parfocal restore` makes of it."""

from __future__ import annotations

import contextlib
import hashlib
import io
from types import SimpleNamespace

import dying_work
import imageio.v3 as iio
import numpy as np
import pandas as pd
import pytest
import tifffile
from restored_files import MARK
from tiny_sorter import write_edge_sorter

import parfocal.sorting.batch.sort as sorting
from parfocal import flag_defocused, status
from parfocal.batch.files import FileTask
from parfocal.cli import main
from parfocal.focus_quality.synthesis import defocus_image
from parfocal.progress import listening
from parfocal.report.sorting import draw_sorting, least_sure_first
from parfocal.restoration.batch.flags import read_flags
from parfocal.sorting.batch import sort_files, worker
from parfocal.sorting.batch.rows import sorting_table
from parfocal.sorting.thresholds import sharp_threshold

pytestmark = pytest.mark.cellprofiler_python


@pytest.fixture(scope="session")
def model(tmp_path_factory):
    return write_edge_sorter(tmp_path_factory.mktemp("models") / "edges")


@pytest.fixture(scope="session")
def sharp(nuclei):
    """Real nuclei in focus, uint16."""
    return nuclei.astype(np.uint16) * 8 + 100


@pytest.fixture(scope="module")
def done(sharp, blurred, model, tmp_path_factory):
    """A folder sorted into itself by the command line: folder, table, what was said, and digests from before."""
    folder = tmp_path_factory.mktemp("images")
    (folder / "deep").mkdir()
    iio.imwrite(folder / "deep" / "x_A01_s1_w1.tif", sharp)
    iio.imwrite(folder / "deep" / "x_A02_s1_w1.tif", blurred)
    iio.imwrite(folder / "blank.png", np.full((100, 100), 7, np.uint8))
    tifffile.imwrite(folder / "marked.tif", blurred, description=MARK, metadata=None)
    about = {"axes": "ZYX", "PhysicalSizeX": 0.65, "PhysicalSizeXUnit": "um", "PhysicalSizeZ": 1.5}
    tifffile.imwrite(folder / "stack.ome.tif", np.stack([blurred, sharp, blurred]), ome=True, metadata=about)
    channels = np.stack([[sharp, blurred], [blurred, sharp]])
    tifffile.imwrite(folder / "many.ome.tif", channels, ome=True, metadata={"axes": "TCYX"})
    (folder / "broken.tif").write_bytes(b"nothing")
    before = digests(folder)
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        code = main(["sort", str(folder), "-o", str(folder), "--model", model, "--workers", "1"])
    table = pd.read_parquet(folder / "sorting.parquet")
    table["name"] = [file[len(str(folder)) + 1 :] for file in table["file"]]
    return SimpleNamespace(folder=folder, table=table, said=said.getvalue(), code=code, before=before)


def digests(folder):
    return {p: hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(folder.rglob("*")) if p.is_file()}


def sort_here(path, **given):
    """Rows of one file, sorted in this process."""
    worker.start_worker(worker.SortSettings(given))
    return worker.sort_file(FileTask(0, path, path.name)).images


@pytest.fixture
def here(monkeypatch):
    """Sort in this process, which is quicker than to start another."""

    def run(work, tasks, workers, start, lost, progress):
        start[0](*start[1])
        return [work(task) for task in tasks]

    monkeypatch.setattr(sorting, "run_tasks", run)


def test_the_originals_are_never_changed(done):
    after = digests(done.folder)
    assert done.code == 0
    assert {path: after[path] for path in done.before} == done.before
    added = {path.name for path in set(after) - set(done.before)}
    assert added == {"sorting.csv", "sorting.parquet", "planes.csv", "summary.png"}


def test_every_image_has_a_row_that_says_how_it_was_sorted(done):
    rows = done.table.astype({"flagged": object}).itertuples(index=False)
    found = {(r.name, str(r.time), str(r.channel)): (r.status, r.flagged) for r in rows}
    found = {
        key: (told, None if flagged is None or pd.isna(flagged) else flagged) for key, (told, flagged) in found.items()
    }
    assert found == {
        ("blank.png", "0", "0"): ("blank", None),
        ("broken.tif", "<NA>", "<NA>"): ("unreadable", None),
        ("deep/x_A01_s1_w1.tif", "0", "0"): ("ok", False),
        ("deep/x_A02_s1_w1.tif", "0", "0"): ("ok", True),
        ("many.ome.tif", "0", "0"): ("ok", False),
        ("many.ome.tif", "0", "1"): ("ok", True),
        ("many.ome.tif", "1", "0"): ("ok", True),
        ("many.ome.tif", "1", "1"): ("ok", False),
        ("marked.tif", "0", "0"): ("already_restored", None),
        ("stack.ome.tif", "0", "0"): ("ok", False),
    }
    reasons = dict(zip(done.table["name"], done.table["reason"]))
    assert MARK in reasons["marked.tif"]
    assert reasons["blank.png"] == "every pixel is 7"
    counts = "4 sharp, 3 defocused, 1 without an answer (already_restored), 1 without an answer (blank), 1 unreadable"
    assert f"10 images: {counts}" in done.said
    assert "broken.tif: " in done.said


def test_the_table_as_text_says_the_same_and_leaves_what_is_unknown_empty(done):
    text = pd.read_csv(done.folder / "sorting.csv", dtype=str, keep_default_na=False)
    assert list(text.columns) == list(done.table.columns[:-1])
    assert list(text["flagged"]) == ["", "", "False", "True", "False", "True", "True", "False", "", "False"]
    lone = text.iloc[0]
    assert (lone["probability"], lone["defocus_level"], lone["sharpest_plane_index"]) == ("", "", "")


def test_the_numbers_are_those_of_the_function(done, blurred, model):
    row = done.table[done.table["name"] == "deep/x_A02_s1_w1.tif"].iloc[0]
    expected = flag_defocused(blurred, model=model)
    assert row["probability"] == pytest.approx(expected.probability, rel=1e-9)
    assert row["defocus_level"] == pytest.approx(expected.main_plane.defocus_level, rel=1e-9)
    assert (row["threshold"], row["well"], row["site"], row["channel_name"]) == (0.5, "A02", "1", "w1")
    assert (row["height_px"], row["width_px"], row["n_planes"]) == (256, 256, 1)


def test_a_stack_has_its_planes_in_a_table_of_their_own(done):
    planes = pd.read_csv(done.folder / "planes.csv")
    row = done.table[done.table["name"] == "stack.ome.tif"].iloc[0]
    assert list(planes["plane"]) == [0, 1, 2]
    assert list(planes["z_um"]) == [0.0, 1.5, 3.0]
    assert set(planes["file"]) == {row["file"]}
    assert row["sharpest_plane_index"] == 1
    assert row["probability"] == pytest.approx(planes["probability"].min(), rel=1e-9)
    assert row["pixel_size_um"] == 0.65


def test_restore_reads_the_table_and_leaves_images_without_an_answer_alone(done, tmp_path, capsys):
    flags = read_flags(done.folder / "sorting.csv")
    wanted = {key: bool(flag) for key, flag in zip(range(10), done.table["flagged"].fillna(False))}
    numbers = done.table[["series", "time", "channel"]].fillna(-1).to_numpy(int)
    for key, (row, place) in enumerate(zip(done.table.itertuples(), numbers)):
        told = flags.of_file(row.file)
        assert told.get(tuple(place), told.get(None)).flagged is wanted[key]
    table = str(done.folder / "sorting.csv")
    paths = sorted(map(str, done.before))
    quick = ["--method", "richardson_lucy", "--iterations", "1", "--workers", "1"]
    assert main(["restore", *paths, "-o", str(tmp_path / "out"), "--only-flagged", table, *quick]) == 0
    restored = pd.read_parquet(tmp_path / "out" / "restoration.parquet")
    done_to = restored[restored["restored"]]
    names = sorted(f"{row.file[len(str(done.folder)) + 1 :]} {row.time} {row.channel}" for row in done_to.itertuples())
    assert names == ["deep/x_A02_s1_w1.tif 0 0", "many.ome.tif 0 1", "many.ome.tif 1 0"]


def test_an_earlier_run_is_only_replaced_when_that_is_allowed(here, done, model, tmp_path, capsys):
    command = ["sort", str(done.folder / "blank.png"), "-o", str(tmp_path), "--model", model, "--workers", "1"]
    (tmp_path / "summary.png").write_text("of another program")
    (tmp_path / "planes.csv").write_text("old")
    assert main(command) == 2
    assert "planes.csv exists: choose another output folder, or give --overwrite\n" in capsys.readouterr().err
    assert (tmp_path / "summary.png").read_text() == "of another program"
    assert main([*command, "--overwrite"]) == 0
    assert iio.imread(tmp_path / "summary.png").ndim == 3
    assert not (tmp_path / "planes.csv").exists()
    # Its own picture is not taken for an image.
    assert main(["sort", str(tmp_path), "-o", str(tmp_path), "--model", model, "--overwrite"]) == 2
    assert "but what Parfocal wrote" in capsys.readouterr().err


def test_where_nothing_can_be_read_the_exit_status_says_so(here, done, model, tmp_path):
    command = ["sort", str(done.folder / "broken.tif"), "-o", str(tmp_path / "out"), "--model", model, "--workers", "1"]
    assert main(command) == 1
    row = pd.read_parquet(tmp_path / "out" / "sorting.parquet").iloc[0]
    assert (row["status"], row["answered"]) == (status.UNREADABLE, False)


def test_a_file_that_kills_its_process_becomes_a_row(done, model, tmp_path, monkeypatch):
    good, crash = tmp_path / "good.tif", tmp_path / "crash.tif"
    for path in (good, crash):
        path.write_bytes((done.folder / "deep" / "x_A02_s1_w1.tif").read_bytes())
    monkeypatch.setattr(sorting, "sort_file", dying_work.sort_file_or_die)
    table = sort_files([crash, good], tmp_path / "out", {"model": model}, workers=1).table
    assert list(table["status"]) == ["unreadable", "ok"]
    assert "process that worked on it died" in table["reason"][0]
    assert pd.isna(table["flagged"][0]) and table["flagged"][1]


def test_optics_of_the_file_are_used_and_given_ones_count_more(nuclei, model, tmp_path):
    large = np.kron(nuclei, np.ones((4, 4), np.uint8))
    options = {"resolution": (4, 4), "metadata": {"axes": "YX", "unit": "um"}, "imagej": True}
    tifffile.imwrite(tmp_path / "fine.tif", large, **options)
    optics = {"numerical_aperture": 0.77, "emission_wavelength_um": 0.5, "model": model, "check_level": False}
    (row,) = sort_here(tmp_path / "fine.tif", **optics)
    assert (row["pixel_size_um"], row["flagged"]) == (0.25, False)
    (row,) = sort_here(tmp_path / "fine.tif", pixel_size_um=1.0, **optics)
    assert (row["pixel_size_um"], row["flagged"]) == (1.0, True)


def sharp_folder(folder, nuclei, count):
    """Sharp images that differ by exposure, one that is blank, and one that cannot be read."""
    folder.mkdir()
    rng = np.random.default_rng(5)
    for i in range(count):
        shown = np.rot90(nuclei, i).astype(float) * 8 + 100
        iio.imwrite(
            folder / f"{i:02d}.tif", np.rint(shown + rng.normal(0, 10 + i, shown.shape)).clip(0).astype(np.uint16)
        )
    return folder


def test_a_threshold_from_sharp_images_keeps_the_rate_on_them(nuclei, model, tmp_path):
    folder = sharp_folder(tmp_path / "sharp", nuclei, 9)
    told = sorted(flag_defocused(iio.imread(path), model=model).probability for path in folder.iterdir())
    iio.imwrite(folder / "blank.png", np.full((100, 100), 7, np.uint8))
    (folder / "broken.tif").write_bytes(b"nothing")
    heard = []
    with listening(lambda *told: heard.append(told)):
        found = sharp_threshold(folder, 0.2, model=model)
    assert sorted(set(heard)) == [(done, 11) for done in range(12)] and heard == sorted(heard)
    assert found.threshold == pytest.approx(told[-2], rel=1e-9)
    assert (found.promised_rate, found.n_images, found.warning) == (0.2, 9, "")
    assert [line.split(": ")[1] for line in found.left_out] == ["blank", "unreadable"]
    few = sharp_threshold(folder, 0.01, model=model)
    assert few.threshold == pytest.approx(told[-1], rel=1e-9)
    assert few.promised_rate == pytest.approx(0.1)
    assert few.warning == (
        "9 sharp images promise a rate of false alarms of 0.1 at best, wanted is 0.01: that takes 99 sharp images"
    )


def test_sharp_images_that_are_defocused_by_their_level_are_named(nuclei, model, tmp_path):
    folder = sharp_folder(tmp_path / "sharp", nuclei, 4)
    assert sharp_threshold(folder, 0.2, model=model).doubt == ""
    iio.imwrite(folder / "soft.png", np.rint(defocus_image(nuclei, 8.0)).astype(np.uint8))
    found = sharp_threshold(folder, 0.2, model=model)
    assert len(found.doubtful) == 1
    assert "1 of the 5 sharp images are defocused by their level, such as" in found.doubt
    assert "soft.png: level " in found.doubt


@pytest.mark.parametrize(("rate", "needed"), [(0.05, 19), (0.01, 99), (0.3, 3), (0.1, 9)])
def test_so_many_sharp_images_are_needed_for_a_rate(rate, needed):
    from parfocal.sorting.scores import threshold_for_false_alarms
    from parfocal.sorting.thresholds import SharpThreshold

    def warning(count):
        threshold, promised = threshold_for_false_alarms(np.linspace(0, 1, count), rate)
        return SharpThreshold(threshold, promised, count, rate).warning

    assert warning(needed) == ""
    assert f"that takes {needed} sharp images" in warning(needed - 1)


def test_sharp_images_that_cannot_be_sorted_give_no_threshold(done, model, tmp_path):
    (tmp_path / "only").mkdir()
    iio.imwrite(tmp_path / "only" / "a.png", np.full((100, 100), 7, np.uint8))
    with pytest.raises(
        ValueError, match=r"no image in .*only could be sorted, such as .*a.png: blank: every pixel is 7"
    ):
        sharp_threshold(tmp_path / "only", 0.1, model=model)
    marked = tmp_path / "marked"
    marked.mkdir()
    (marked / "m.tif").write_bytes((done.folder / "marked.tif").read_bytes())
    with pytest.raises(ValueError, match="already_restored"):
        sharp_threshold(marked, 0.1, model=model)
    with pytest.raises(FileNotFoundError, match="no such file or folder"):
        sharp_threshold(tmp_path / "nowhere", 0.1, model=model)


def test_the_command_chooses_the_threshold_and_warns_where_images_are_few(here, done, nuclei, model, tmp_path, capsys):
    folder = sharp_folder(tmp_path / "sharp", nuclei, 4)
    image, out = str(done.folder / "deep" / "x_A02_s1_w1.tif"), tmp_path / "out"
    options = ["--model", model, "--workers", "1", "--sharp-examples", str(folder), "--false-alarm-rate"]
    assert main(["sort", image, "-o", str(out), *options, "0.1"]) == 0
    said = capsys.readouterr().out
    row = pd.read_parquet(out / "sorting.parquet").iloc[0]
    expected = sharp_threshold(folder, 0.1, model=model)
    assert row["threshold"] == expected.threshold < 0.5
    assert row["warnings"] == "too_few_sharp_examples"
    assert bool(row["flagged"])
    assert "from 4 sharp images: a new sharp image is flagged with a probability of 0.2 at most" in said
    assert f"warning: {expected.warning}" in said
    assert main(["sort", image, "-o", str(out), *options, "0.2", "--overwrite"]) == 0
    assert "warning" not in capsys.readouterr().out
    assert pd.read_parquet(out / "sorting.parquet").iloc[0]["warnings"] == ""


def test_arguments_that_do_not_go_together_are_refused(done, model, tmp_path):
    def sort(**arguments):
        given = {"model": model, **arguments.pop("given", {})}
        sort_files([done.folder / "blank.png"], tmp_path / "out", given, workers=1, **arguments)

    with pytest.raises(ValueError, match="threshold is chosen from sharp_examples, got 0.3 as well"):
        sort(sharp_examples=done.folder, given={"threshold": 0.3})
    with pytest.raises(ValueError, match="false_alarm_rate needs sharp_examples"):
        sort(false_alarm_rate=0.1)
    with pytest.raises(FileNotFoundError, match="no such file or folder: .*nowhere"):
        sort_files([tmp_path / "nowhere"], tmp_path / "out", {"model": model}, workers=1)
    with pytest.raises(ValueError, match="workers must be 1 or more, got 0"):
        sort_files([done.folder], tmp_path / "out", {"model": model}, workers=0)
    with pytest.raises(ValueError, match="false_alarm_rate must be between 0 and 1, got 2"):
        sort(false_alarm_rate=2, sharp_examples=done.folder)


def test_what_is_looked_at_first_is_what_is_least_sure():
    rows = [
        {"status": "ok", "probability": 0.99, "threshold": 0.5},
        {"status": "blank", "threshold": 0.5},
        {"status": "ok", "probability": 0.6, "threshold": 0.5},
        {"status": "disagreement", "threshold": 0.5},
        {"status": "ok", "probability": 0.1, "threshold": 0.5},
    ]
    assert least_sure_first(sorting_table([{"file": "a", **row} for row in rows]), [0, 1, 2, 3]) == [3, 2, 0, 1]


def test_views_are_parts_at_full_resolution_of_images_that_a_person_has_to_look_at(
    done, sharp, blurred, model, tmp_path
):
    rows = [sort_here(done.folder / "deep" / f"x_A0{i}_s1_w1.tif", model=model)[0] for i in (1, 2)]
    assert "view" not in rows[0]
    assert rows[1]["view"].shape == (160, 160) and rows[1]["view"].dtype == np.uint8
    assert np.ptp(rows[1]["view"]) > 100
    assert "view" not in sort_here(done.folder / "marked.tif", model=model)[0]
    (blank,) = sort_here(done.folder / "blank.png", model=model)
    assert blank["view"].shape == (100, 100)
    # Where the structure is, in a field that is empty elsewhere.
    field = np.full((500, 700), 100, np.uint16)
    field[330:490, 330:490] = blurred[:160, :160]
    iio.imwrite(tmp_path / "field.tif", field)
    (row,) = sort_here(tmp_path / "field.tif", model=model)
    assert row["view"].std() > 20


@pytest.mark.filterwarnings("error::UserWarning", "error::RuntimeWarning")
@pytest.mark.parametrize("count", [0, 1, 7, 40])
def test_the_picture_is_drawn_of_any_number_of_images(count, tmp_path):
    about = {"defocus_level": 4.0, "answered": True, "status": "ok", "threshold": 0.5, "flagged": True}
    about.update(series=0, time=0, channel=1)
    rows = [{"file": f"plate/$a_{i}.tif", "probability": 0.6 + i / 100, **about} for i in range(count)]
    rows.append({"file": "b.tif", "status": "unreadable", "answered": False})
    table = sorting_table(rows)
    views = {place: np.full((90, 160), 5 * place, np.uint8) for place in range(count)}
    picture = iio.imread(draw_sorting(table, views, tmp_path / "a.png"))
    shown = min(count, 30)
    rows_of_views = -(-shown // 6)
    assert picture.shape[0] == pytest.approx(130 * (3.1 + 2.25 * rows_of_views), abs=2)
