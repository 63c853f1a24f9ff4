"""Examples to train sorters from: synthetic exposures and labelled images."""

from __future__ import annotations

import imageio.v3 as iio
import numpy as np
import pytest
import tifffile
from scipy.ndimage import gaussian_filter
from sorting_pictures import discs, write_focused

from parfocal.labels.table import labels_of_folder
from parfocal.sorting.examples import labelled_examples, synthetic_examples
from parfocal.training.images import TrainingImage


@pytest.fixture(scope="module")
def focused(tmp_path_factory):
    folder = write_focused(tmp_path_factory.mktemp("focused") / "a", 2)
    return [TrainingImage(path, "a", "", path.stem) for path in sorted(folder.iterdir())]


def test_synthetic_examples_are_the_same_for_the_same_seed(focused):
    one, again, other = (synthetic_examples(focused, 2, seed, between=True) for seed in (1, 1, 2))
    assert len(one) == 2 * 2 * 3
    for a, b in zip(one, again):
        assert (a.level, a.target, a.name) == (b.level, b.target, b.name)
        np.testing.assert_array_equal(a.pixels, b.pixels)
    assert not any(np.array_equal(a.pixels, b.pixels) for a, b in zip(one, other))
    # Those of one image do not depend on how many there are.
    np.testing.assert_array_equal(synthetic_examples(focused, 1, 1)[0].pixels, one[0].pixels)


def test_synthetic_examples_have_the_levels_and_targets_of_their_class(focused):
    examples = synthetic_examples(focused, 12, 1, between=True)
    levels = np.array([example.level for example in examples])
    between = np.array([example.between for example in examples])
    assert np.mean(between) == pytest.approx(1 / 3)
    assert set(levels[~between]) & {0.0, 0.25, 0.5}
    assert ((levels <= 0.5) | (levels >= 3.0))[~between].all()
    assert ((levels > 0.5) & (levels < 3.0))[between].all()
    assert levels.max() <= 10.0
    assert not any(example.between for example in synthetic_examples(focused, 4, 1))
    for example in examples:
        assert example.target == pytest.approx(min(max((example.level - 1.0) / 2, 0), 1))
        assert example.defocused == (example.target >= 0.5)


def test_synthetic_defocus_blurs_and_keeps_the_scale(focused):
    sharp, defocused = ([e for e in synthetic_examples(focused, 6, 1) if e.defocused is kind] for kind in (False, True))

    def steepness(example):
        seen = gaussian_filter(example.pixels.astype(float), 1)
        return np.abs(np.diff(seen)).max() / np.ptp(seen)

    # Noise adds to the steepness of both; in the middle of them it is small.
    assert np.median(list(map(steepness, defocused))) < 0.6 * np.median(list(map(steepness, sharp)))
    medians = [np.percentile(example.pixels.astype(float), 99.5) for example in sharp]
    assert min(medians) > 0.6 and max(medians) < 2.2


def label_rows(folder, *rows):
    (folder / "labels.csv").write_text("\n".join(["file,label,plane,channel", *rows]) + "\n")
    return labelled_examples(labels_of_folder(folder), folder)


def test_of_a_stack_the_marked_plane_is_sharp_and_planes_far_from_it_are_defocused(tmp_path):
    stack = np.stack([discs(z) for z in range(16)])
    tifffile.imwrite(tmp_path / "s.tif", stack)
    examples, refused = label_rows(tmp_path, "s.tif,plane,5,")
    assert not refused
    assert [example.defocused for example in examples] == [True, True, False] + [True] * 7
    np.testing.assert_allclose(
        examples[2].pixels, labelled_examples_of(stack[5], tmp_path / "one")[0].pixels, rtol=0, atol=1e-3
    )
    assert {example.name for example in examples} == {"s.tif"}


def labelled_examples_of(image, folder):
    folder.mkdir()
    iio.imwrite(folder / "a.png", image)
    return label_rows(folder, "a.png,sharp,,")[0]


def test_the_channel_of_the_label_is_read(tmp_path):
    channels = np.stack([discs(1), discs(2)])
    tifffile.imwrite(tmp_path / "c.ome.tif", channels, ome=True, metadata={"axes": "CYX"})
    for channel in (0, 1):
        (example,), refused = label_rows(tmp_path, f"c.ome.tif,sharp,,{channel}")
        (expected,) = labelled_examples_of(channels[channel], tmp_path / str(channel))
        np.testing.assert_array_equal(example.pixels, expected.pixels)
    assert label_rows(tmp_path, "c.ome.tif,sharp,,2")[1] == ["c.ome.tif: cannot be read: the file has no channel 2"]


def test_stacks_whose_sharp_plane_is_not_known_are_refused(tmp_path):
    tifffile.imwrite(tmp_path / "s.tif", np.stack([discs(z) for z in range(5)]))
    for row, reason in (("sharp,", "which of its 5 planes is sharp"), ("plane,7", r"plane 7 (from 0) is marked")):
        examples, (line,) = label_rows(tmp_path, f"s.tif,{row},")
        assert not examples and reason in line
    assert [example.defocused for example in label_rows(tmp_path, "s.tif,defocused,,")[0]] == [True] * 5


def test_a_hot_pixel_of_a_labelled_image_is_left_out_as_in_use(tmp_path):
    image = discs(1).astype(np.uint16)
    hot = image.copy()
    hot[30, 40] = 65535
    for name, pixels in (("clean", image), ("hot", hot)):
        (tmp_path / name).mkdir()
        tifffile.imwrite(tmp_path / name / "a.tif", pixels)
    (clean,), (found,) = (label_rows(tmp_path / name, "a.tif,sharp,,")[0] for name in ("clean", "hot"))
    difference = np.abs(found.pixels.astype(float) - clean.pixels)
    difference[30, 40] = 0
    assert difference.max() < 0.01
    assert found.pixels[30, 40] < 2
