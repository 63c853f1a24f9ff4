"""Nuclei counted and outlined by CellProfiler on sharp, blurred and restored images."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "core"))
from tiny_restorer import write_untrained_restorer

from parfocal.restoration.evaluation import evaluate_restoration
from parfocal.restoration.evaluation.cellprofiler_nuclei import diameter_range, nuclei_of
from parfocal.restoration.evaluation.outlines import agreement


def domes(centres, radius, shape=(160, 200)):
    """Nuclei that are brightest in their middle, with noise."""
    y, x = np.indices(shape)
    picture = np.random.default_rng(3).normal(0.05, 0.003, shape)
    for cy, cx in centres:
        away = np.hypot(y - cy, x - cx) / radius
        picture += np.where(away < 1, 0.2 + 0.3 * np.sqrt(np.maximum(0, 1 - away**2)), 0)
    return picture.astype(np.float32)


def test_nuclei_are_counted_and_outlined():
    centres = [(30, 30), (30, 100), (90, 60), (120, 150)]
    labels = nuclei_of(domes(centres, 12), (13, 45))
    assert labels.max() == 4
    assert all(labels[y, x] > 0 for y, x in centres)
    assert (labels > 0).sum() == pytest.approx(4 * np.pi * 12**2, rel=0.1)
    assert agreement(labels, labels).f1 == 1.0


def test_objects_outside_the_diameters_are_left_out():
    assert nuclei_of(domes([(40, 40), (100, 120)], 12), (30, 60)).max() == 0


@pytest.mark.parametrize(("radius", "diameters"), [(6, (9, 30)), (14, (20, 65)), (30, (45, 150))])
def test_the_range_follows_the_nuclei(radius, diameters):
    assert diameter_range(domes([(40, 40), (100, 120)], radius)) == diameters


def test_the_settings_are_those_of_a_new_module():
    from cellprofiler.modules.identifyprimaryobjects import IdentifyPrimaryObjects

    module = IdentifyPrimaryObjects()
    assert module.basic
    assert module.exclude_border_objects.value


def test_the_report_says_plainly_whether_restored_images_are_better(cells_yx, tmp_path):
    import imageio.v3 as iio

    (tmp_path / "images").mkdir()
    for i in range(2):
        iio.imwrite(tmp_path / "images" / f"field{i}.png", cells_yx[:, i * 20 : i * 20 + 220])
    model = write_untrained_restorer(tmp_path / "untrained")
    output = str(tmp_path / "report")
    done = evaluate_restoration(str(tmp_path / "images"), output, part="nuclei", model=model, levels="6", crop_px=110)
    rows = done.scores.set_index("method")
    assert set(rows.index) == {"sharp", "blurred", "untrained", "richardson_lucy"}
    assert rows.loc["sharp", "nuclei_sharp"] > 3
    assert rows.loc["sharp", "f1"] == 1.0
    assert rows.loc["blurred", "overlap"] < 1.0
    assert rows.loc["untrained", "outcome"] == "restored"
    text = (done.output / "report.md").read_text()
    assert "improved on average" in text
    assert "| count error at level |" in text
    assert (done.output / "nuclei.png").exists()
