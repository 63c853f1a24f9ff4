"""A real input of each network, made of an image by the preprocessing of its own command."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Callable, Optional

import numpy as np

from parfocal.registry import Model

# Sides of the middle of an image that an example is made of, at least.
_SIDE_PX = 128
_SEED = 2018
# Of the simulated nuclei, in focus and out of it by two levels of 2 um; an image of the user is taken to be so too.
_DEFOCUS_UM, _LEVEL = 4.0, 2.0
_PHOTONS, _BACKGROUND = 500.0, 0.1
# Coarser than for training, where the appearance of a bead takes seconds.
_COARSE = 4.0


def example_input(network: Model, image_yx: Optional[np.ndarray] = None) -> np.ndarray:
    """Make an input (1, ...), float32, of a network.

    Parameters
    ----------
    network : Model
    image_yx : ndarray, optional
        (y, x) at the pixel size of the model, of which the middle is taken; for beads one must lie there. By default an
        image is simulated, always the same.

    Raises
    ------
    ValueError
        Where the image is smaller than what the network sees.
    """
    task = network.config["task"]
    side = _side_px(network)
    if image_yx is None:
        image_yx = _bead(network, side) if task == "bead_distance" else _nuclei(side)
    if min(image_yx.shape) < side:
        height, width = image_yx.shape
        raise ValueError(f"the test image must be at least {side} x {side} px for this model, got {width} x {height}")
    y, x = ((length - side) // 2 for length in image_yx.shape)
    return np.ascontiguousarray(_MAKERS[task](network, image_yx[y : y + side, x : x + side]), np.float32)


def _side_px(network: Model) -> int:
    config = network.config
    if config["task"] == "bead_distance":
        return int(config["crop_px"])
    return int(config["training"]["crop_px"]) if config["architecture"] == "wei2018" else _SIDE_PX


def _nuclei(side_px: int) -> np.ndarray:
    from parfocal.focal_position.simulation import draw_sample
    from parfocal.focus_quality.synthesis import Camera, defocus_image

    rng = np.random.default_rng(_SEED)
    nuclei = draw_sample(rng, size_px=side_px).slabs_nyx.sum(axis=0)
    return Camera().expose(_PHOTONS * (defocus_image(nuclei, _DEFOCUS_UM) + _BACKGROUND), rng)


def _bead(network: Model, side_px: int) -> np.ndarray:
    """A bead as on the simulated instrument with the nearest pixels, brought to those of the model."""
    from parfocal.beads.distance.simulated import OPTICS, Variation, appearances, simulated_fields

    wanted = network.config["pixel_size_um"]
    optics = min(OPTICS.values(), key=lambda known: abs(math.log(known.preset.optics.pixel_size_um / wanted)))
    step = _COARSE * optics.preset.distance_step_um
    pixels = replace(optics.preset.optics, pixel_size_um=wanted)
    preset = replace(optics.preset, optics=pixels, distance_step_um=step)
    optics = replace(optics, preset=preset)
    margin = max(0, math.ceil((side_px - preset.crop_px) / 2))
    alone = Variation(stray_share=0.0, gradient=0.0, neighbour_share=0.0, centre_jitter_px=0.0)
    looks, rng = appearances(optics, 1, _SEED), np.random.default_rng(_SEED)
    quarter = np.array([0.75 * optics.range_um[0] + 0.25 * optics.range_um[1]])
    return simulated_fields(optics, looks, quarter, rng, alone, margin, np.ones(1)).crops_nyx[0]


def _focus_quality(network: Model, image_yx: np.ndarray) -> np.ndarray:
    from parfocal.focus_quality.network import PATCH_SIZE_PX
    from parfocal.focus_quality.patches import cut_patches, standardise
    from parfocal.images.lone_pixels import without_lone_pixels

    middle = [[(length - PATCH_SIZE_PX) // 2 for length in image_yx.shape]]
    patch = cut_patches(without_lone_pixels(image_yx)[0], np.array(middle))
    return (standardise(patch) if network.config.get("input") == "standardised" else patch)[..., None]


def _sorting(network: Model, image_yx: np.ndarray) -> np.ndarray:
    from parfocal.restoration.intensity import Intensity
    from parfocal.sorting.inputs import default_input, default_tiles, paper_inputs, without_hot_pixels

    image, _ = without_hot_pixels(image_yx)
    if network.config["architecture"] == "default":
        return default_tiles(default_input(image))[0][None, ..., None]
    return paper_inputs(Intensity.of(image).apply(image))[:1]


def _restoration(network: Model, image_yx: np.ndarray) -> np.ndarray:
    """What the network is given when it restores a plane that is one tile."""
    from parfocal.optics.optics import MODEL_OPTICS
    from parfocal.restoration.intensity import Intensity
    from parfocal.restoration.kernels import estimate_noise, noise_step
    from parfocal.restoration.tiles import restore_cross_faded, restore_tiled

    given: list[np.ndarray] = []

    def predict(batch: np.ndarray) -> np.ndarray:
        given.append(batch)
        return network.predict(batch)

    seen = Intensity.of(image_yx).apply(image_yx)
    if network.config["architecture"] == "default":
        restore_tiled(predict, seen, _LEVEL, noise_step(estimate_noise(seen)), MODEL_OPTICS)
    else:
        restore_cross_faded(predict, np.repeat(seen[..., None], network.config["channels"], axis=-1))
    return given[0]


def _focal_position(network: Model, image_yx: np.ndarray) -> np.ndarray:
    from parfocal.focal_position.inputs import default_input, paper_input, reduced

    config = network.config
    if config["architecture"] == "wei2018":
        seen = paper_input(image_yx, config["training"]["crop_px"], config["training"]["downsampling"])
    else:
        # Without a reduction of its own a model is at the scale of the optics that the simulated image has.
        seen = default_input(reduced(image_yx, config["zoom"] or 1.0))
    return seen[None, ..., None]


def _bead_distance(network: Model, image_yx: np.ndarray) -> np.ndarray:
    from parfocal.beads.distance.normalise import normalise

    config = network.config
    return normalise(image_yx[None], config["normalisation"], config["count_scale"])[..., None]


_MAKERS: dict[str, Callable[[Model, np.ndarray], np.ndarray]] = {
    "focus_quality": _focus_quality,
    "sorting": _sorting,
    "restoration": _restoration,
    "focal_position": _focal_position,
    "bead_distance": _bead_distance,
}
