"""The sorting networks (Keras). TensorFlow is imported on first use: only training needs it."""

from __future__ import annotations

from typing import Any

ARCHITECTURES = ("default", "xue2021", "resnet50v2")
# Xue et al. 2021: crops of 536 px, resized to 134.
PAPER_CROP_PX, PAPER_INPUT_PX = 536, 134
# The default network looks at squares of this width, one every STRIDE_PX pixels, of the image at half its width.
FIELD_PX, STRIDE_PX = 49, 8
_WIDTHS = (16, 32, 48, 64, 64)


def build_network(architecture: str, seed: int = 0, input_px: int = PAPER_INPUT_PX) -> Any:
    """Build an untrained Keras model by name.

    `default` takes (n, y, x, 1), see `inputs.default_input`, and gives a map (n, y', x', 2): for every square of 49
    pixels, 8 apart, the evidence of defocus and the logarithm of its weight; `pooled_logit` sums them up.
    `xue2021` and `resnet50v2` take (n, 134, 134, 1), mean 0 and variance 1, and give the logarithms of two
    probabilities but for a constant (n, 2): sharp, defocused.

    Parameters
    ----------
    architecture : str
        `default` (88 thousand parameters), `xue2021` (the paper's SDCNN, 1.3 million) or `resnet50v2` (the paper's
        comparison, 24 million).
    seed : int
        Seed of the initial weights.
    input_px : int
        Side of what the paper's networks take, 67 at least.

    Raises
    ------
    ValueError
        Where the name is unknown.
    """
    builders = {"default": lambda keras, _: _default(keras), "xue2021": _xue2021, "resnet50v2": _resnet50v2}
    if architecture not in builders:
        raise ValueError(f"architecture must be one of {', '.join(ARCHITECTURES)}, got {architecture!r}")
    import tensorflow as tf

    tf.keras.utils.set_random_seed(seed)
    return builders[architecture](tf.keras, input_px)


def pooled_logit(maps: Any) -> Any:
    """Sum up maps (n, y, x, 2) of the default network: evidence weighted by the softmax of the weights, (n,)."""
    import tensorflow as tf

    shape = tf.shape(maps)
    flat = tf.reshape(maps, [shape[0], shape[1] * shape[2], 2])
    return tf.reduce_sum(flat[..., 0] * tf.nn.softmax(flat[..., 1], axis=1), axis=1)


def logits(network: Any, inputs: Any, training: bool) -> Any:
    """Logit of defocus for each input, (n,)."""
    found = network(inputs, training=training)
    return pooled_logit(found) if network.name == "default" else found[:, 1] - found[:, 0]


def _default(keras: Any) -> Any:
    """Unpadded convolutions, so that a tile's map is a part of the whole image's; no normalisation over a batch."""
    layers = keras.layers
    x = inputs = keras.Input((None, None, 1))
    for filters, width, stride in zip(_WIDTHS, (5, 3, 3, 3, 3), (2, 2, 2, 1, 1)):
        x = layers.Conv2D(filters, width, stride, activation="relu", kernel_initializer="he_normal")(x)
    x = layers.Conv2D(64, 1, activation="relu", kernel_initializer="he_normal")(x)
    return keras.Model(inputs, layers.Conv2D(2, 1)(x), name="default")


def _xue2021(keras: Any, input_px: int) -> Any:
    """The paper's SDCNN; widths and poolings are those of the code that accompanies it."""
    layers = keras.layers
    x = inputs = keras.Input((input_px, input_px, 1))
    for scale, filters in enumerate((64, 128, 256)):
        x = layers.MaxPooling2D(3)(x) if scale else x
        for _ in range(2):
            x = layers.Conv2D(filters, 3, activation="relu", kernel_initializer="he_normal")(x)
    x = layers.Dense(512, activation="relu")(layers.GlobalAveragePooling2D()(x))
    return keras.Model(inputs, layers.Dense(2)(x), name="xue2021")


def _resnet50v2(keras: Any, input_px: int) -> Any:
    """ResNet50V2 (He et al. 2016, doi:10.1007/978-3-319-46493-0_38) from scratch, on one channel."""
    base = keras.applications.ResNet50V2(
        weights=None, include_top=False, input_shape=(input_px, input_px, 1), pooling="avg"
    )
    return keras.Model(base.input, keras.layers.Dense(2)(base.output), name="resnet50v2")
