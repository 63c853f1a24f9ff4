"""Cross-validation of sorters, and the splits into folds and validation."""

from __future__ import annotations

import csv
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import tifffile
from sorting_pictures import blur, discs, shown, write_labelled

from parfocal.labels.command import label_images
from parfocal.labels.rows import COLUMNS
from parfocal.labels.table import labels_of_folder
from parfocal.sorting import cross_validation, training
from parfocal.sorting.cross_validation import FoldScores, cross_validate
from parfocal.sorting.examples import folds
from parfocal.sorting.inputs import default_input
from parfocal.sorting.settings import training_settings
from parfocal.sorting.training import train_sorter

pytestmark = pytest.mark.current_python

# Passes that are one step.
ONE_STEP = 0.01


def test_cross_validation_lists_suspects_that_label_images_shows(tmp_path, monkeypatch):
    images = write_labelled(tmp_path / "images", 10)
    (images / "sharp" / "wrong.png").write_bytes((images / "defocused" / "d3.png").read_bytes())
    stack = np.stack([discs(1) if z == 0 else blur(discs(z)) for z in range(6)])
    tifffile.imwrite(images / "stack.tif", stack)
    rows = [f"{p.relative_to(images).as_posix()},{p.parent.name},,0,,,1,first" for p in sorted(images.rglob("*.png"))]
    rows.append("stack.tif,plane,5,0,,,1,first")
    (images / "labels.csv").write_text("\n".join([",".join(COLUMNS), *rows]) + "\n")

    def judged(examples, settings, count, start=None):
        """Somebody who knows: what shows no fine structure is defocused."""
        rough = [float(np.abs(np.diff(default_input(example.pixels))).max()) for example in examples]
        return FoldScores("default", 1 / (1 + np.exp(60 * (np.array(rough) - 0.35))), np.full(len(rough), 0.5))

    monkeypatch.setattr(training, "cross_validate_recipe", judged)
    folder = train_sorter(str(images), str(tmp_path / "model"), epochs=ONE_STEP)
    suspects = [row["file"] for row in csv.DictReader((folder / "suspects.csv").open())]
    assert sorted(suspects) == ["sharp/wrong.png", "stack.tif"]
    assert "Labels that look wrong: 2 (`suspects.csv`)" in (folder / "card.md").read_text()
    session = label_images(str(images), suspects=str(folder / "suspects.csv"))
    seen = set()
    while (view := session.view()) is not None:
        seen.add(view.file)
        session.answer(
            view.number, "plane" if view.file == "stack.tif" else "defocused", 0 if "stack" in view.file else None
        )
    session.pictures.close()
    assert seen == set(suspects)
    assert not session.unreadable
    labels = {image.path.name: image for image in labels_of_folder(images)}
    assert (labels["wrong.png"].label, labels["stack.tif"].plane) == ("defocused", 0)


def test_cross_validation_trains_on_the_other_fields_and_judges_each_image_once(monkeypatch, tmp_path):
    examples = shown(20, field=lambda i: str(i // 4))
    fits = []

    def fitted(run, title):
        fits.append(run)
        return "network", []

    monkeypatch.setattr(cross_validation, "run_fit", fitted)
    told = {example.name: i / 20 for i, example in enumerate(examples)}
    monkeypatch.setattr(
        cross_validation, "probabilities", lambda network, held: np.array([told[example.name] for example in held])
    )
    settings = replace(training_settings("default"), keep_best=True)
    found = cross_validate(examples, settings, 5, cache=tmp_path)
    np.testing.assert_allclose(found.score, np.arange(20) / 20)
    assert len(fits) == 5 and not any(run.settings.keep_best for run in fits)
    for run in fits:
        assert not {e.field for e in run.train} & {e.field for e in run.validation}
        assert len(run.train) + len(run.validation) == 20
    again = cross_validate(examples, settings, 5, cache=tmp_path)
    assert len(fits) == 5
    np.testing.assert_array_equal(again.score, found.score)


def test_one_class_in_a_single_field_cannot_be_cross_validated(tmp_path):
    examples = shown(24, field=lambda i: "one" if i % 2 else str(i))
    said = training._cross_validated(examples, training_settings("default"), None, 5, tmp_path)
    assert "Not cross-validated: that takes 10 images and two fields of each class" in said
    assert "Not cross-validated" in training._cross_validated(
        shown(24), training_settings("default"), None, 0, tmp_path
    )


def test_one_fold_is_really_trained_and_judged(tmp_path):
    settings = training_settings("default", epochs=ONE_STEP)
    score = cross_validate(shown(4), settings, 2, cache=tmp_path).score
    assert np.isfinite(score).all() and len(set(score)) == 4


def test_validation_is_of_other_fields_where_there_are_enough():
    many = shown(40, field=lambda i: str(i // 2))
    train, held = training._split(many)
    assert not {e.field for e in train} & {e.field for e in held}
    assert {e.defocused for e in held} == {True, False}
    assert "of other fields" in training._validated(train, held)
    few = shown(4, field=lambda i: "one")
    assert "figures mean nothing" in training._validated(*training._split(few))


def test_folds_never_split_a_field_and_are_even_within_each_source():
    examples = shown(60, field=lambda i: str(i // 3)) + shown(14, field=lambda i: str(i // 2), source="b")
    fold = folds(examples, 5)
    by_field = {}
    for example, number in zip(examples, fold):
        by_field.setdefault((example.source, example.field), set()).add(int(number))
    assert all(len(numbers) == 1 for numbers in by_field.values())
    for source, fields in (("a", 20), ("b", 7)):
        counts = Counter(next(iter(numbers)) for (s, _), numbers in by_field.items() if s == source)
        assert sum(counts.values()) == fields
        assert max(counts.values()) - min(counts.values()) <= 1
    # They depend on names alone: neither on the order nor on what else is there.
    np.testing.assert_array_equal(folds(examples[::-1], 5), fold[::-1])
    np.testing.assert_array_equal(folds(examples[:60], 5), fold[:60])
