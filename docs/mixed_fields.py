"""Draw a tilted field and one with two layers: patches over the image, and the level they tell against the true one.

`python docs/mixed_fields.py` writes `docs/figures/mixed-fields.png` and prints how many patches are within one level.
The fields are real cells (examples/plate/images, CC0, of a source that no model was trained on), defocused more and
more from left to right, or two of them one over the other, the second one out of focus.
"""

from __future__ import annotations

from pathlib import Path

import imageio.v3 as iio
import numpy as np
from matplotlib.figure import Figure

from parfocal import measure_image_focus
from parfocal.focus_quality.result import FocusPatches
from parfocal.focus_quality.synthesis import Camera, defocus_levels
from parfocal.report.overlay import draw_overlay

ROOT = Path(__file__).parents[1]
SECOND_LAYER = 7


def field(name: str) -> np.ndarray:
    """Read a real field, background 0 and bright structures 1."""
    pixels = iio.imread(ROOT / "examples" / "plate" / "images" / f"AS_09047_050428030001_{name}d2.TIF").astype(
        np.float32
    )
    low, high = np.percentile(pixels, [0.5, 99.9])
    return np.clip((pixels - low) / (high - low), 0, None)


def exposed(clean_yx: np.ndarray) -> np.ndarray:
    """Expose with 1000 photoelectrons at the bright structures."""
    return Camera().expose(1000 * clean_yx + 50, np.random.default_rng(0))


def tilted(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Image whose level grows from 0 on the left to 10 on the right, and that level at each pixel."""
    levels = defocus_levels(field(name))
    level = np.broadcast_to(np.linspace(0, 10, levels.shape[2]), levels.shape[1:])
    below, share = np.floor(level).astype(int), level % 1
    above = np.minimum(below + 1, 10)
    rows, columns = np.indices(level.shape)
    clean = (1 - share) * levels[below, rows, columns] + share * levels[above, rows, columns]
    return exposed(clean), level


def two_layers(sharp: str, other: str) -> np.ndarray:
    """Image of a sharp layer on the left two thirds, and of a defocused one on the right two thirds."""
    near, far = (defocus_levels(field(name))[level] for name, level in ((sharp, 0), (other, SECOND_LAYER)))
    x = np.linspace(0, 3, near.shape[1])
    return exposed(near * (x < 2) + far * (x > 1))


def true_levels(level_yx: np.ndarray, patches: FocusPatches) -> np.ndarray:
    """Mean true level within each patch."""
    size = round(patches.size_px)
    return np.array([level_yx[y : y + size, x : x + size].mean() for y, x in patches.corners_yx.astype(int)])


def main() -> None:
    """Measure and draw both."""
    image, level = tilted("O01f00")
    both = two_layers("O02f00", "O03f00")
    (plane,) = measure_image_focus(image).planes
    (mixed,) = measure_image_focus(both).planes
    sure = plane.patches.certainty > 0.15
    true, told = true_levels(level, plane.patches)[sure], plane.patches.defocus_level[sure]
    figure = Figure(figsize=(13, 4.4), layout="constrained")
    left, middle, right = figure.subplots(1, 3)
    left.imshow(draw_overlay(image, plane.patches))
    left.set(title="tilted: level 0 on the left, 10 on the right", xticks=[], yticks=[])
    middle.plot([0, 10], [0, 10], color="0.7")
    middle.scatter(true, told, s=14, color="tab:blue")
    middle.set(xlabel="true level of the patch", ylabel="level told", title="its patches", xlim=(-0.5, 10.5))
    right.imshow(draw_overlay(both, mixed.patches))
    right.set(title=f"sharp layer, both, and layer at level {SECOND_LAYER}", xticks=[], yticks=[])
    figure.savefig(ROOT / "docs" / "figures" / "mixed-fields.png", dpi=100)
    print(f"{np.mean(np.abs(true - told) <= 1):.2f} of {len(true)} patches within one level")
    print(f"two layers: {mixed.estimate.reason or mixed.estimate.defocus_level}")


if __name__ == "__main__":
    main()
