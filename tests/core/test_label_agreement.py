"""Agreement of repeats and persons, and suspected mislabels."""

from __future__ import annotations

import numpy as np
import pytest
from labelling import answer_all, write_images

from parfocal.labels.agreement import cohen_kappa, summary_lines
from parfocal.labels.command import label_images
from parfocal.labels.rows import LabelRow
from parfocal.labels.suspects import Suspect, suspected_mislabels, write_suspects
from parfocal.labels.table import labels_of_folder, read_labels

HEADER = "file,label,plane,channel,labelled_at,person,shown,occasion\n"


@pytest.fixture
def folder(tmp_path):
    write_images(tmp_path / "images", [f"{number:02d}.png" for number in range(20)])
    return tmp_path / "images"


def test_kappa_is_that_of_an_example_worked_by_hand():
    # 20 + 15 of 50 agree: 0.7; by chance 0.5 * 0.6 + 0.5 * 0.4 = 0.5; (0.7 - 0.5) / (1 - 0.5) = 0.4.
    first = ["sharp"] * 25 + ["defocused"] * 25
    second = ["sharp"] * 20 + ["defocused"] * 5 + ["sharp"] * 10 + ["defocused"] * 15
    assert cohen_kappa(first, second) == pytest.approx(0.4, abs=1e-12)
    assert cohen_kappa(first, first) == 1.0
    assert np.isnan(cohen_kappa([], []))
    assert np.isnan(cohen_kappa(["sharp"] * 3, ["sharp"] * 3))


def test_agreement_is_told_of_repeats_and_between_persons_and_second_looks_do_not_count():
    rows = [
        LabelRow("a", "sharp", person="ada"),
        LabelRow("b", "defocused", person="ada"),
        LabelRow("s", "plane", 3, person="ada"),
        LabelRow("a", "sharp", person="ada", shown=2, occasion="repeat"),
        LabelRow("b", "sharp", person="ada", shown=2, occasion="repeat"),
        LabelRow("s", "plane", 5, person="ada", shown=2, occasion="repeat"),
        LabelRow("a", "unusable", person="ada", shown=3, occasion="suspect"),
        LabelRow("a", "sharp", person="bob"),
        LabelRow("b", "defocused", person="bob"),
        LabelRow("c", "sharp", person="bob"),
    ]
    assert summary_lines(rows) == [
        "4 images have a label: 2 sharp, 1 defocused, 0 unusable, 1 with a sharp plane",
        "images shown twice to ada: 2, 50% equal, Cohen's kappa 0.00",
        "stacks shown twice to ada: 1, 0% the same plane, median distance 2 planes",
        "images labelled by ada and by bob: 2, 100% equal, Cohen's kappa 1.00",
    ]


def test_suspects_are_those_that_the_model_puts_into_the_other_class_as_surely_as_its_own():
    files = ["a", "b", "c", "d", "e", "f", "g", "h"]
    labels = ["sharp", "sharp", "sharp", "defocused", "defocused", "defocused", "unusable", "sharp"]
    probabilities = [0.1, 0.75, 0.97, 0.9, 0.8, 0.05, 0.9, float("nan")]
    # Mean confidence: defocused (0.9 + 0.8 + 0.05) / 3 = 0.583, sharp (0.9 + 0.25 + 0.03) / 3 = 0.393.
    found = suspected_mislabels(files, labels, probabilities)
    assert found == (
        Suspect("c", "sharp", 0.97),
        Suspect("f", "defocused", 0.05),
        Suspect("b", "sharp", 0.75),
    )
    # A model that is sure of the defocused ones has to be as sure before it doubts a sharp one.
    sure = suspected_mislabels(["a", "b", "d", "e"], ["sharp", "sharp", "defocused", "defocused"], [0, 0.75, 0.9, 0.8])
    assert sure == ()
    assert suspected_mislabels(["a"], ["sharp"], [0.99]) == ()
    with pytest.raises(ValueError, match="of one length, got 1, 1 and 2"):
        suspected_mislabels(["a"], ["sharp"], [0.1, 0.2])
    with pytest.raises(ValueError, match=r"in \[0, 1\], got 1.5"):
        suspected_mislabels(["a"], ["sharp"], [1.5])


def test_suspects_alone_are_shown_again_and_once_only(folder, tmp_path):
    answer_all(label_images(str(folder), repeat_share=0), "sharp")
    suspects = tmp_path / "suspects.csv"
    write_suspects(suspects, [Suspect("03.png", "sharp", 0.9), Suspect(str(folder / "05.png"), "sharp", 0.8)])
    session = label_images(str(folder), suspects=str(suspects))
    assert session.view().total == 2
    session.answer(session.view().number, "defocused")
    assert len(answer_all(label_images(str(folder), suspects=str(suspects)), "defocused")) == 1
    last = read_labels(folder / "labels.csv")[20:]
    assert sorted(row.file for row in last) == ["03.png", "05.png"]
    assert {(row.shown, row.occasion) for row in last} == {(2, "suspect")}
    assert sum(image.label == "defocused" for image in labels_of_folder(folder)) == 2
    write_suspects(suspects, [Suspect("gone.png", "sharp", 0.9)])
    session = label_images(str(folder), suspects=str(suspects))
    assert session.view() is None
    assert "but it is not in" in session.unreadable["gone.png"]
    suspects.write_text("name\nx\n")
    with pytest.raises(ValueError, match="must have the column file, has name"):
        label_images(str(folder), suspects=str(suspects))


def test_a_folder_that_is_not_there_or_holds_no_image_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="no such folder"):
        label_images(str(tmp_path / "nowhere"))
    with pytest.raises(FileNotFoundError, match="no image below"):
        label_images(str(tmp_path))
    with pytest.raises(ValueError, match=r"repeat_share must be in \[0.0, 1.0\]"):
        label_images(str(tmp_path), repeat_share=1.5)
