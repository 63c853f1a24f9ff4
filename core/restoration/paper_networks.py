"""The networks of Xue et al. (2021): ResUNet, and U-Net with instance normalisation, both of valid convolutions."""

from __future__ import annotations

from typing import Any


def build_paper_network(tf: Any, residual: bool, channels: int, filters: tuple[int, ...]) -> Any:
    """Build one of the paper's networks, untrained: (n, y, x, channels) to (n, y - 184, x - 184, channels).

    Ronneberger et al. 2015 (doi:10.1007/978-3-319-24574-4_28) for the U-Net; Xue et al. 2021
    (doi:10.1016/j.bioactmat.2021.09.018), 4.4, for what differs. Sides must be 188 + 16 k, k 3 or more.

    Parameters
    ----------
    tf : module
        TensorFlow.
    residual : bool
        Residual blocks (ResUNet) instead of pairs of convolutions (U-Net).
    channels : int
        Colours in and out.
    filters : tuple of int
        Widths from the finest scale to the coarsest.
    """
    layers = tf.keras.layers
    block = _residual_block if residual else _plain_block
    x = inputs = tf.keras.Input((None, None, channels))
    skips = []
    for width in filters[:-1]:
        x = block(layers, x, width)
        skips.append(x)
        x = layers.MaxPooling2D(2)(x)
    x = block(layers, x, filters[-1])
    lost = 0
    for width, skip in zip(reversed(filters[:-1]), reversed(skips)):
        # The way down and up through the coarser scales used up so many pixels on each side of this scale.
        lost = 2 * (lost + 2)
        x = layers.Conv2DTranspose(width, 2, strides=2)(x)
        x = layers.Concatenate()([layers.Cropping2D(lost)(skip), x])
        x = block(layers, x, width)
        lost += 2
    outputs = layers.Conv2D(channels, 1)(x)
    return tf.keras.Model(inputs, outputs, name="xue2021" if residual else "unet")


def _residual_block(layers: Any, x: Any, width: int) -> Any:
    """Conv3x3(ReLU(IN(Conv3x3(ReLU(IN(x)))))) + Conv1x1(ReLU(IN(Crop(x)))), the paper's y1 + y2."""
    main = layers.Conv2D(width, 3)(_activated(layers, x))
    main = layers.Conv2D(width, 3)(_activated(layers, main))
    shortcut = layers.Conv2D(width, 1)(_activated(layers, layers.Cropping2D(2)(x)))
    return layers.Add()([main, shortcut])


def _activated(layers: Any, x: Any) -> Any:
    return layers.ReLU()(_instance_norm(layers, x))


def _plain_block(layers: Any, x: Any, width: int) -> Any:
    for _ in range(2):
        x = layers.ReLU()(_instance_norm(layers, layers.Conv2D(width, 3)(x)))
    return x


def _instance_norm(layers: Any, x: Any) -> Any:
    """Ulyanov et al. 2017 (arXiv:1607.08022): one group a channel."""
    return layers.GroupNormalization(groups=-1, epsilon=1e-5)(x)
