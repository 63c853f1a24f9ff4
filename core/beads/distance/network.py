"""The bead distance networks (Keras). TensorFlow is imported on first use: only training needs it."""

from __future__ import annotations

from functools import partial
from typing import Any

ARCHITECTURES = ("chalfoun2024", "default")


def build_network(
    architecture: str, crop_px: int = 64, scale_um: float = 1.0, seed: int = 0, weight_decay: float = 0.0
) -> Any:
    """Build an untrained Keras model by name.

    It takes crops (batch, crop_px, crop_px, 1), float32, and gives the signed distance of the image plane from the
    reference focal plane (batch, 1), um, positive above.

    Parameters
    ----------
    architecture : str
        `chalfoun2024` (ResNet-18 of He et al. 2015 on gray crops, 11 million parameters) or `default` (a slim residual
        network, 190 thousand).
    crop_px : int
        Width of a crop, pixels, 32 or more; both networks end in a mean over the crop.
    scale_um : float
        What an output of 1 inside the network means, um; about the half width of the trained range.
    seed : int
        Seed of the initial weights.
    weight_decay : float
        Factor of half the sum of squared weights of convolutions and dense layers, added to the loss.

    Raises
    ------
    ValueError
        Where the name is unknown, or the crop or the scale is too small.
    """
    builders = {"chalfoun2024": _resnet18, "default": _default}
    if architecture not in builders:
        raise ValueError(f"architecture must be one of {sorted(builders)}, got {architecture!r}")
    if crop_px < 32 or not scale_um > 0:
        raise ValueError(f"crop_px must be 32 or more and scale_um above 0, got {crop_px} and {scale_um}")
    import tensorflow as tf

    tf.keras.utils.set_random_seed(seed)
    layers = _Layers(tf.keras, weight_decay)
    inputs = tf.keras.Input((crop_px, crop_px, 1))
    pooled = layers.GlobalAveragePooling2D()(builders[architecture](layers, inputs))
    if architecture == "default":
        pooled = layers.Dense(64, activation="relu")(pooled)
    outputs = layers.Rescaling(scale_um)(layers.Dense(1)(pooled))
    return tf.keras.Model(inputs, outputs, name=architecture)


class _Layers:
    """The layers of Keras, those with weights under the same regularisation."""

    def __init__(self, keras: Any, weight_decay: float) -> None:
        self._layers = keras.layers
        self._regularizer = keras.regularizers.L2(weight_decay / 2) if weight_decay else None

    def __getattr__(self, name: str) -> Any:
        made = getattr(self._layers, name)
        return partial(made, kernel_regularizer=self._regularizer) if name in ("Conv2D", "Dense") else made


def _resnet18(layers: Any, x: Any) -> Any:
    """The 17 convolutions of ResNet-18 (He et al. 2015, table 1): two residual blocks at each of four widths."""
    x = layers.ReLU()(_convolve(layers, x, 64, 7, 2))
    x = layers.MaxPooling2D(3, strides=2, padding="same")(x)
    for filters, stride in ((64, 1), (128, 2), (256, 2), (512, 2)):
        x = _residual(layers, x, filters, stride)
        x = _residual(layers, x, filters, 1)
    return x


def _default(layers: Any, x: Any) -> Any:
    """One wide strided convolution, then a residual block at each of three widths, on large crops one halving more."""
    first = 1 if x.shape[1] < 96 else 2
    x = layers.ReLU()(_convolve(layers, x, 24, 8, 4))
    for filters, stride in ((24, first), (48, 2), (96, 2)):
        x = _residual(layers, x, filters, stride)
    return x


def _residual(layers: Any, x: Any, filters: int, stride: int) -> Any:
    """Two 3 x 3 convolutions beside a shortcut, which is a 1 x 1 convolution where the shape changes."""
    new = layers.ReLU()(_convolve(layers, x, filters, 3, stride))
    new = _convolve(layers, new, filters, 3, 1)
    same = stride == 1 and x.shape[-1] == filters
    return layers.ReLU()(layers.Add()([new, x if same else _convolve(layers, x, filters, 1, stride)]))


def _convolve(layers: Any, x: Any, filters: int, width: int, stride: int) -> Any:
    x = layers.Conv2D(filters, width, strides=stride, padding="same", use_bias=False)(x)
    return layers.BatchNormalization(momentum=0.98)(x)
