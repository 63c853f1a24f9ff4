"""Figures of an evaluation on numbers worked by hand, and rows that are kept."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from parfocal.sorting.evaluation import left_out_tables
from parfocal.sorting.evaluation.runs import KeptRows

NAN = float("nan")


def exposures(**columns):
    """Rows of four sharp and four defocused exposures in two halves."""
    found = {
        "source": "a",
        "image": list("ppqqrrss"),
        "level": [0.0, 5.0] * 4,
        "defocused": [False, True] * 4,
        "threshold": 0.5,
        "status": "ok",
        "half": [0, 0, 0, 0, 1, 1, 1, 1],
        **columns,
    }
    return pd.DataFrame(found)


def test_figures_of_the_sorter_alone_on_numbers_worked_by_hand():
    found = left_out_tables.alone(exposures(probability=[0.1, 0.9, 0.6, 0.8, 0.2, 0.4, NAN, 0.7]))
    assert (found["images"], found["exposures"]) == (4, 8)
    # Of 16 pairs those with the missing sharp one (4) and 0.6 above 0.4 are ranked wrongly.
    assert found["AUC"] == pytest.approx(11 / 16)
    assert found["accuracy"] == pytest.approx(5 / 8)
    assert (found["sharp flagged"], found["defocused flagged"]) == (0.25, 0.75)


def test_figures_of_the_command_are_over_what_it_answered():
    status = ["ok", "ok", "disagreement", "ok", "ok", "blank", "ok", "ok"]
    answer = [0.1, 0.9, NAN, 0.8, 0.7, NAN, 0.2, 0.3]
    found = left_out_tables.command(exposures(answer=answer, status=status))
    assert (found["sharp answered"], found["defocused answered"], found["contradicted"]) == (0.75, 0.75, 0.125)
    assert found["accuracy"] == pytest.approx(4 / 6)
    assert found["AUC"] == pytest.approx(8 / 9)
    assert (found["sharp flagged"], found["defocused flagged"]) == pytest.approx((1 / 3, 2 / 3))


def test_a_threshold_comes_from_sharp_images_of_the_other_half_alone():
    found = left_out_tables.own_threshold(exposures(answer=[0.1, 0.9, 0.3, 0.6, 0.2, 0.25, 0.7, 0.8]))
    # Half 0 gives 0.3: of the other 0.7 is a false alarm, 0.25 is missed. Half 1 gives 0.7: only 0.9 is above it.
    assert found["thresholds"] == "0.300, 0.700"
    assert (found["sharp exposures"], found["promised"]) == (4, pytest.approx(1 / 3))
    assert (found["sharp flagged"], found["defocused flagged"]) == (0.25, 0.5)


def test_no_answer_at_all_leaves_figures_missing():
    part = exposures(answer=NAN, status="blank")
    own, command = left_out_tables.own_threshold(part), left_out_tables.command(part)
    assert np.isnan([own["promised"], own["sharp flagged"], command["accuracy"], command["AUC"]]).all()
    assert (own["sharp exposures"], command["sharp answered"]) == (0, 0.0)


def test_rows_are_kept_by_all_that_they_depend_on(tmp_path):
    calls = []

    def make():
        calls.append(1)
        return [{"AUC": 0.3, "name": "a"}, {"AUC": NAN, "name": "b"}]

    for seed in (1, 1, 2):
        rows = KeptRows(tmp_path / "kept.csv").rows({"seed": seed, "epochs": None}, make)
        assert rows["AUC"].iloc[0] == pytest.approx(0.3, rel=1e-12)
        assert np.isnan(rows["AUC"].iloc[1])
        assert list(rows["name"]) == ["a", "b"]
    assert len(calls) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["kept.csv"]
