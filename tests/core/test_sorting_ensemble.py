"""Sorting models of several networks: averaged, checked, trained together and cross-validated."""

from __future__ import annotations

import json

import numpy as np
import pytest
from sorting_pictures import discs, write_focused
from tiny_sorter import write_edge_sorter

from parfocal import flag_defocused
from parfocal.registry import ModelError
from parfocal.sorting import cross_validation
from parfocal.sorting.cross_validation import FoldScores, cross_validate_recipe
from parfocal.sorting.members import first_member, load_sorter
from parfocal.sorting.recipe import recipe_of, write_ensemble
from parfocal.sorting.training import train_sorter


def test_an_ensemble_averages_the_logits_of_its_networks_by_their_shares(tmp_path):
    folder = ensemble_folder(tmp_path)
    shares, picture = {"squares": 3.0, "whole": 1.0}, discs(1, 300).astype(np.float32) / 255
    told = [load_sorter(folder / name).probability(picture) for name in shares]
    logits = np.log(np.array(told) / (1 - np.array(told)))
    expected = 1 / (1 + np.exp(-(0.75 * logits[0] + 0.25 * logits[1])))
    assert load_sorter(folder).probability(picture) == pytest.approx(expected, rel=1e-6)
    assert abs(logits[0] - logits[1]) > 0.5
    assert flag_defocused(picture, model=str(folder), check_level=False).probability == pytest.approx(
        expected, rel=1e-5
    )
    assert first_member(folder) == folder / "squares"


def test_an_ensemble_whose_networks_were_exchanged_is_refused(tmp_path):
    folder = ensemble_folder(tmp_path)
    other = json.loads((folder / "squares" / "config.json").read_text())
    (folder / "whole" / "config.json").write_text(json.dumps(other))
    (folder / "whole" / "weights.onnx").write_bytes((folder / "squares" / "weights.onnx").read_bytes())
    with pytest.raises(ModelError, match="its networks are not those that config.json was written for"):
        load_sorter(folder)


@pytest.mark.parametrize("members", [{}, None, {"../elsewhere": 1.0}, {"squares": -1.0}, ["squares"]])
def test_an_ensemble_with_no_usable_list_of_networks_is_refused(members, tmp_path):
    folder = ensemble_folder(tmp_path)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "members": members}))
    with pytest.raises(ModelError, match="members must name folders in it with their shares"):
        load_sorter(folder)


def ensemble_folder(tmp_path):
    folder = tmp_path / "both"
    write_edge_sorter(folder / "squares", "default", parameters=2)
    write_edge_sorter(folder / "whole", "xue2021", parameters=3)
    return write_ensemble(folder, {"squares": 3.0, "whole": 1.0}, {"nuclei": (4, 5)})


@pytest.mark.current_python
def test_the_networks_of_an_ensemble_are_trained_in_one_run_and_training_can_go_on_from_it(tmp_path):
    write_focused(tmp_path / "images", 6)
    asked = {"synthetic": True, "exposures": 1, "epochs": 0.01}
    folder = train_sorter(str(tmp_path / "images"), str(tmp_path / "model"), "ensemble", **asked)
    configs = {name: json.loads((folder / name / "config.json").read_text()) for name in recipe_of("ensemble")}
    assert [config["architecture"] for config in configs.values()] == ["default", "default", "xue2021"]
    assert [config["training"]["seed"] for config in configs.values()] == [1, 2, 1]
    whole = json.loads((folder / "config.json").read_text())
    assert whole["parameters"] == sum(config["parameters"] for config in configs.values())
    assert "whole/card.md" in (folder / "card.md").read_text()
    flag = flag_defocused(discs(50, 200), model=str(folder), check_level=False)
    assert flag.answered and 0 < flag.probability < 1
    further = train_sorter(str(tmp_path / "images"), str(tmp_path / "further"), start_from=str(folder), **asked)
    assert json.loads((further / "config.json").read_text())["architecture"] == "default"


def test_the_paper_s_network_in_an_ensemble_has_passes_of_its_own_unless_others_are_asked_for():
    assert [own.epochs for own, _ in recipe_of("ensemble").values()] == [16, 16, 10.0]
    assert [own.epochs for own, _ in recipe_of("ensemble", epochs=2.0).values()] == [2.0, 2.0, 2.0]


def test_cross_validation_of_an_ensemble_averages_the_logits_of_each_example(monkeypatch):
    logits = {"squares": [2.0, -1.0], "squares_2": [1.0, -1.0], "whole": [-3.0, 8.0]}

    def judged(examples, settings, count, name):
        return FoldScores(name, 1 / (1 + np.exp(-np.array(logits[name]))), np.full(2, 0.5))

    monkeypatch.setattr(cross_validation, "cross_validate", judged)
    found = cross_validate_recipe(["a", "b"], recipe_of("ensemble"))
    assert found.name == "ensemble"
    assert np.log(found.score / (1 - found.score)) == pytest.approx([3 / 5, 4 / 5])
