"""Labelling through the worker: the session is core's, the host passes on keys and shows pictures."""

from __future__ import annotations

import imageio.v3 as iio
import numpy as np
import pytest

from parfocal.labels.pictures import grey_picture
from parfocal.labels.table import read_labels


@pytest.fixture
def folder(nuclei, tmp_path):
    for turns in range(2):
        iio.imwrite(tmp_path / f"n{turns}.png", np.rot90(nuclei, turns))
    return tmp_path


def begin(host, folder):
    task, _ = host.ask("label_begin", arguments={"folder": str(folder), "repeat_share": "0", "person": "ada"})
    assert task.error is None, task.error
    return task.outputs


def press(host, key):
    return host.ask("label_press", key=key)[0].outputs


def test_keys_answer_take_back_and_end_and_the_picture_is_that_of_every_front(host, folder, nuclei):
    first = begin(host, folder)
    assert first["held_keys"] == ["ArrowUp", "ArrowDown"]
    assert first["texts"][0] == f"1 of 2   {first['file']}"
    _, after = host.ask("label_picture", arrays={"picture": np.zeros((first["height"], first["width"]), np.uint8)})
    np.testing.assert_array_equal(after["picture"], grey_picture(iio.imread(folder / first["file"]), 0.7))
    second = press(host, "s")
    assert second["file"] != first["file"]
    assert press(host, "z")["file"] == first["file"]
    assert press(host, "d")["number"] == second["number"]
    last = press(host, "u")
    assert (last["number"], last["height"]) == (None, 0)
    assert last["lines"][0].startswith("Every image has been shown.")
    lines = host.ask("label_end")[0].outputs["lines"]
    assert lines[0] == "Every image that can be read has an answer or was shown."
    assert lines[-1] == f"labels in {folder / 'labels.csv'}"
    assert [row.label for row in read_labels(folder / "labels.csv")] == ["sharp", "withdrawn", "defocused", "unusable"]


def test_a_picture_of_another_size_and_keys_without_a_session_are_told(host, folder):
    begin(host, folder)
    wrong = {"picture": np.zeros((3, 4), np.uint8)}
    assert "picture must be uint8 of shape (256, 256), got uint8 of shape (3, 4)" in host.error(
        "label_picture", arrays=wrong
    )
    host.ask("label_end")
    assert host.error("label_press", key="s") == "no session of labelling has begun: begin one"
    assert "Folder of images must be given" in host.error("label_begin")
    assert "no such folder: /nowhere" in host.error("label_begin", arguments={"folder": "/nowhere"})
    assert "task must be one of hello" in host.error("label_dance")
