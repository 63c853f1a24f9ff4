"""Results as they go between processes: the same classes, types and bits on the other side, and nothing else."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path

import numpy as np
import pytest

from parfocal.beads.measure import measure_bead_focal_plane
from parfocal.focus_quality.measure import measure_image_focus
from parfocal.restoration.restore import restore_defocus
from parfocal.sorting.flag import flag_defocused
from parfocal.worker.codec import decode, encode
from parfocal.worker.exchange import ArrayReader, ArrayWriter, SharedFile

BEADS = Path(__file__).parents[1] / "data" / "beads" / "fluorescent_beads_acq1.tif"


@pytest.fixture
def there(tmp_path):
    """Send a value to another process and take it there."""

    def send(value):
        with ArrayWriter(tmp_path / "memory") as writer:
            told = json.dumps(encode(value, writer.put), allow_nan=False)
        return decode(json.loads(told), ArrayReader(tmp_path / "memory").take)

    return send


def assert_same(found, sent):
    """The same to the last bit, types and all."""
    assert type(found) is type(sent)
    if is_dataclass(sent):
        for part in fields(sent):
            assert_same(getattr(found, part.name), getattr(sent, part.name))
    elif isinstance(sent, dict):
        assert list(found) == list(sent)
        for name in sent:
            assert_same(found[name], sent[name])
    elif isinstance(sent, (list, tuple)):
        assert len(found) == len(sent)
        for one, other in zip(found, sent):
            assert_same(one, other)
    elif isinstance(sent, (np.ndarray, np.generic)):
        assert (found.dtype, found.shape, found.tobytes()) == (sent.dtype, sent.shape, sent.tobytes())
    else:
        assert found == sent or (found != found and sent != sent)


def test_values_of_every_kind_come_out_as_they_went_in(there):
    infinite = [float("nan"), float("inf"), -float("inf"), 0.1 + 0.2, -0.0, 5e-324]
    plain = [None, True, 7, 2**70, "\u00b5m \U0001f52c\n", *infinite, Path("a/b"), (), [], {}, {3: (1, [2.0])}]
    arrays = [
        np.int64(3),
        np.arange(6, dtype=">i2").reshape(2, 3).T,
        np.empty((0, 4)),
        np.array(True),
        np.float32(0.1),
        np.array([["a", "\u00b5"]]),
    ]
    assert_same(there([*plain, *arrays]), [*plain, *arrays])


def test_arrays_of_a_result_can_be_written_to(there):
    array = there(np.zeros(3))
    array[0] = 1
    assert array[0] == 1


def test_results_of_the_commands_come_out_whole(there, nuclei):
    nuclei = nuclei[:168, :168]
    labels = (nuclei > 60).astype(np.int32)
    assert_same(
        *twice(there, measure_image_focus(np.stack([nuclei, nuclei]), labels_yx=labels, classical_metrics=True))
    )
    assert_same(*twice(there, measure_image_focus(np.full((200, 200), 7, np.uint8))))
    assert_same(*twice(there, flag_defocused(nuclei)))
    level = {"method": "richardson_lucy", "iterations": 2, "defocus_level": 3.0, "check_focus": False}
    assert_same(*twice(there, restore_defocus(nuclei, **level)))


def test_beads_come_out_with_curves_widths_and_features(there):
    import tifffile

    stack = tifffile.imread(BEADS)
    optics = {"pixel_size_um": 1.3668, "bead_diameter_um": 15.0, "z_step_um": 5.0, "contrast": "fluorescence"}
    result = measure_bead_focal_plane(stack, **optics)
    assert result.beads
    assert result.features is not None
    assert_same(*twice(there, result))


def twice(there, result):
    return there(result), result


@dataclass(frozen=True)
class Foreign:
    value: int = 1


@dataclass
class Loose:
    value: int = 1


Loose.__module__ = "parfocal.loose"


@pytest.mark.parametrize("value", [object(), Foreign(), Loose(), {1, 2}, 1j, len, Foreign])
def test_what_is_none_of_these_does_not_go_over(value, there):
    with pytest.raises(TypeError, match="does not go between processes"):
        there(value)


def test_arrays_of_objects_do_not_go_over(there):
    with pytest.raises(TypeError, match="arrays of object do not go between processes"):
        there(np.array([object()]))


@pytest.mark.parametrize(
    ("told", "match"),
    [
        ({"class": "subprocess:Popen", "fields": {"dict": []}}, "no class of Parfocal: subprocess:Popen"),
        ({"class": "parfocal.registry:Model", "fields": {"dict": []}}, "no frozen dataclass of Parfocal"),
        ({"class": "parfocal.registry:json.loads", "fields": {"dict": []}}, "no frozen dataclass of Parfocal"),
        ({"class": "parfocal.sorting.result:PlaneFlag", "fields": {"dict": [["p", 1]]}}, "versions differ"),
        ({"pickle": "gASV"}, "no value that goes between processes"),
        ({"array": {"dtype": "O", "shape": [1], "at": 0}}, "arrays of object do not go between processes"),
    ],
)
def test_nothing_else_is_made_of_what_comes(told, match, tmp_path):
    (tmp_path / "memory").write_bytes(bytes(64))
    with pytest.raises(ValueError, match=match):
        decode(told, ArrayReader(tmp_path / "memory").take)


def test_the_file_to_share_is_empty_and_for_this_user_alone():
    shared = SharedFile()
    try:
        assert shared.path.stat().st_size == 0
        assert shared.path.stat().st_mode & 0o077 == 0
    finally:
        shared.close()
    assert not shared.path.exists()
