"""The focal-position networks (Keras). TensorFlow is imported on first use: only training needs it."""

from __future__ import annotations

from typing import Any

import numpy as np

ARCHITECTURES = ("default", "wei2018")
# The default network looks at squares of this width, one every STRIDE_PX pixels.
FIELD_PX, STRIDE_PX = 96, 16
FEATURES = 48
_WIDTHS = (24, 48, 64, 64, 64)


def build_network(architecture: str, bins: int, seed: int = 0, input_px: int = 250) -> Any:
    """Build an untrained Keras model by name.

    `default` takes (n, y, x, 1), background 0 and bright structures 1, and gives a map (n, y', x', bins + 1 + 48): for
    every square of 96 pixels, 16 apart, the logits of the bins, the logarithm of its weight, and the features that they
    were computed from; `pooled` sums it up. `wei2018` takes (n, input_px, input_px, 1) and gives logits (n, bins).

    Parameters
    ----------
    architecture : str
        `default` (0.12 million parameters with 41 bins) or `wei2018` (Wei and Roberts 2018,
        doi:10.1038/s41598-018-25458-w: 6.8 million with 41 bins and inputs of 250 pixels, crops of 1000 at a fourth of
        their size).
    bins : int
    seed : int
        Of the initial weights.
    input_px : int
        Side of what `wei2018` takes, at least 25.

    Raises
    ------
    ValueError
        Where the name is unknown.
    """
    if architecture not in ARCHITECTURES:
        raise ValueError(f"architecture must be one of {', '.join(ARCHITECTURES)}, got {architecture!r}")
    import tensorflow as tf

    tf.keras.utils.set_random_seed(seed)
    return _default(tf.keras, bins) if architecture == "default" else _wei2018(tf.keras, bins, input_px)


def pooled_tensor(maps: Any, bins: int) -> Any:
    """Distributions (n, bins) of the outputs of either network, for training."""
    import tensorflow as tf

    if len(maps.shape) == 2:
        return tf.nn.softmax(maps)
    shape = tf.shape(maps)
    flat = tf.reshape(maps, [shape[0], shape[1] * shape[2], bins + 1 + FEATURES])
    weight = tf.nn.softmax(flat[..., bins], axis=1)
    return tf.reduce_sum(weight[..., None] * tf.nn.softmax(flat[..., :bins]), axis=1)


def pooled(maps: np.ndarray, bins: int) -> tuple[np.ndarray, np.ndarray]:
    """Sum up outputs of the default network: distributions (n, bins) and features (n, 48).

    Both are means over the squares, weighted by the network itself. The distribution is a mixture: squares that show
    structures at different distances leave a peak each, where a product of them would lie between.
    """
    flat = maps.reshape(len(maps), -1, maps.shape[-1]).astype(np.float64)
    weight = _softmax(flat[..., bins])[..., None]
    distribution = (weight * _softmax(flat[..., :bins])).sum(axis=1)
    return distribution, (weight * flat[..., bins + 1 :]).sum(axis=1)


def softmax(logits: np.ndarray) -> np.ndarray:
    """Distributions of the logits (n, bins) of `wei2018`."""
    return _softmax(logits.astype(np.float64))


def _softmax(values: np.ndarray) -> np.ndarray:
    powers = np.exp(values - values.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True))


def _default(keras: Any, bins: int) -> Any:
    """Unpadded convolutions, so that a part's map is a part of the whole image's; no normalisation over a batch."""
    layers = keras.layers
    x = inputs = keras.Input((None, None, 1))
    for filters, width, stride in zip(_WIDTHS, (8, 3, 3, 3, 3), (4, 2, 2, 1, 1)):
        x = layers.Conv2D(filters, width, stride, activation="relu", kernel_initializer="he_normal")(x)
    x = layers.Conv2D(FEATURES, 1, activation="relu", kernel_initializer="he_normal")(x)
    return keras.Model(inputs, layers.Concatenate()([layers.Conv2D(bins + 1, 1)(x), x]), name="default")


def _wei2018(keras: Any, bins: int, input_px: int) -> Any:
    """The paper's network: weights from a normal distribution truncated at two deviations of 0.1, biases of 0.1."""
    layers = keras.layers
    start = {
        "kernel_initializer": keras.initializers.TruncatedNormal(0.0, 0.1),
        "bias_initializer": keras.initializers.Constant(0.1),
    }
    x = inputs = keras.Input((input_px, input_px, 1))
    for filters in (32, 64):
        x = layers.Conv2D(filters, 10, padding="same", activation="relu", **start)(x)
        x = layers.MaxPooling2D(5)(x)
    x = layers.Dense(1024, activation="relu", **start)(layers.Flatten()(x))
    return keras.Model(inputs, layers.Dense(bins, **start)(layers.Dropout(0.5)(x)), name="wei2018")
