"""The focus quality networks (Keras). TensorFlow is imported on first use: only training needs it."""

from __future__ import annotations

from typing import Any

PATCH_SIZE_PX = 84
N_LEVELS = 11
# Width of the paper's fully connected layer, which has nearly all of its 29 million parameters.
YANG2018_UNITS = 1024
# What each network wants to see: the camera's counts, or patches of mean 0 and variance 1, so that gain and offset drop
# out before it.
INPUTS = {"yang2018": "counts", "default": "standardised"}


def build_network(architecture: str, seed: int = 0) -> Any:
    """Build an untrained Keras model by name.

    It takes patches (batch, 84, 84, 1), float32, as `INPUTS` says, and gives probabilities (batch, 11).

    Parameters
    ----------
    architecture : str
        `yang2018` (the paper's, 29 million parameters) or `default` (the small one that ships).
    seed : int
        Seed of the initial weights.

    Raises
    ------
    ValueError
        Where the name is unknown.
    """
    builders = {"yang2018": _yang2018, "default": _default}
    if architecture not in builders:
        raise ValueError(f"architecture must be one of {sorted(builders)}, got {architecture!r}")
    import tensorflow as tf

    tf.keras.utils.set_random_seed(seed)
    return builders[architecture](tf.keras)


def ranked_probability_score(y_true: Any, y_pred: Any) -> Any:
    """Ranked probability score (Murphy 1971, J. Appl. Meteorol. 10:155) of each row, 0 best, 10 worst.

    The squared difference of the two cumulative distributions, summed over the levels. `y_true` may be any
    distribution: a patch without content carries the uniform one.
    """
    import tensorflow as tf

    difference = tf.cumsum(y_pred, axis=-1) - tf.cumsum(tf.cast(y_true, y_pred.dtype), axis=-1)
    return tf.reduce_sum(tf.square(difference), axis=-1)


def _yang2018(keras: Any) -> Any:
    """Yang et al. 2018, figure 2a. Its input is the 16-bit count; the paper names no scale, here it is 1/1000."""
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((PATCH_SIZE_PX, PATCH_SIZE_PX, 1)),
            layers.Rescaling(1.0 / 1000.0),
            layers.Conv2D(32, 5, padding="same", activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(64, 5, padding="same", activation="relu"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dense(YANG2018_UNITS, activation="relu"),
            layers.Dropout(0.5),
            layers.Dense(N_LEVELS, activation="softmax"),
        ],
        name="yang2018",
    )


def _default(keras: Any) -> Any:
    """Four strided convolutions over a patch of zero mean and unit variance, then mean and maximum over the patch."""
    layers = keras.layers
    x = inputs = keras.Input((PATCH_SIZE_PX, PATCH_SIZE_PX, 1))
    for filters, width in ((24, 6), (48, 3), (64, 3), (96, 3)):
        x = layers.Conv2D(filters, width, strides=2, use_bias=False)(x)
        x = layers.BatchNormalization(momentum=0.99)(x)
        x = layers.ReLU()(x)
    pooled = [layers.GlobalAveragePooling2D()(x), layers.GlobalMaxPooling2D()(x)]
    x = layers.Concatenate()(pooled)
    x = layers.Dense(64, activation="relu")(x)
    outputs = layers.Dense(N_LEVELS, activation="softmax")(x)
    return keras.Model(inputs, outputs, name="default")
