"""The restoring networks (Keras). TensorFlow is imported on first use: only training needs it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from parfocal.restoration.squares import PIXELS, SQUARE_PX

ARCHITECTURES = ("default", "xue2021", "unet")
# Xue et al. 2021: tiles of 388 px, mirrored to 572 px, since the convolutions of a U-Net use up 92 px on each side.
PAPER_INPUT_PX, PAPER_OUTPUT_PX = 572, 388
_PAPER_SCALES = 5
# The default network sees squares of 4 x 4 pixels and halves them twice: its tiles must be multiples of this.
STRIDE_PX = 16
# Smallest logarithm of the scale of an error, of bright structures.
LOG_SCALE_FLOOR = -7.0
_WIDTHS = (48, 80, 128)


def build_network(architecture: str, channels: int = 1, seed: int = 0, first_filters: int = 64) -> Any:
    """Build an untrained Keras model by name.

    `default` takes the image and its Wiener bank (n, y, x, 6), sides multiples of 16, and gives (n, y, x, 2): the
    restored image and the logarithm of the scale of its error. `xue2021` and `unet` take (n, 572, 572, channels) and
    give the restored middle (n, 388, 388, channels).

    Parameters
    ----------
    architecture : str
        `default` (440 thousand parameters), `xue2021` (ResUNet) or `unet` (U-Net with instance normalisation, the
        paper's comparison).
    channels : int
        1 to 3, of `xue2021` and `unet`; the default network restores each channel alone.
    seed : int
        Seed of the initial weights.
    first_filters : int
        Width of `xue2021` and `unet` at the finest of five scales; each coarser one is twice as wide.

    Raises
    ------
    ValueError
        Where the name is unknown or the number of channels is out of range.
    """
    if architecture not in ARCHITECTURES:
        raise ValueError(f"architecture must be one of {', '.join(ARCHITECTURES)}, got {architecture!r}")
    largest = 1 if architecture == "default" else 3
    if not 1 <= channels <= largest:
        raise ValueError(f"channels must be in [1, {largest}] for {architecture}, got {channels}")
    import tensorflow as tf

    tf.keras.utils.set_random_seed(seed)
    if architecture == "default":
        from parfocal.restoration.kernels import N_PLANES

        return _default(tf, N_PLANES)
    from parfocal.restoration.paper_networks import build_paper_network

    filters = tuple(first_filters * 2**scale for scale in range(_PAPER_SCALES))
    return build_paper_network(tf, architecture == "xue2021", channels, filters)


def floored(log_scale: Any, softplus: Callable[[Any], Any]) -> Any:
    """Keep a logarithm of a scale above a floor, smoothly: one that vanishes where the error is 0 would end in NaN."""
    return LOG_SCALE_FLOOR + softplus(log_scale - LOG_SCALE_FLOOR)


def on_squares(network: Any) -> Callable[[Any], Any]:
    """Make a function of squares (see `squares`) of a default network, in the layout that convolutions run fastest in.

    It takes (n, 96, y, x) and gives (n, 32, y, x): squares of the restored image and of the logarithm of the scale of
    its error, not yet `floored`.
    """
    import tensorflow as tf

    n_planes = network.input_shape[-1]
    heads = [network.get_layer(name).output for name in ("weights", "correction", "log_scale")]
    inner = tf.keras.Model(network.get_layer("squares").output, heads)

    def run(squares: Any) -> Any:
        found = inner(tf.transpose(squares, [0, 2, 3, 1]), training=False)
        weights, correction, log_scale = (tf.transpose(head, [0, 3, 1, 2]) for head in found)
        shape = tf.shape(squares)
        products = tf.reshape(weights * squares, [shape[0], PIXELS, n_planes, shape[2], shape[3]])
        return tf.concat([tf.reduce_sum(products, axis=2) + correction, log_scale], axis=1)

    return run


def _default(tf: Any, n_planes: int) -> Any:
    """Weights of the planes of the bank and a correction, at every pixel, from three scales.

    restored = sum over planes of weight * plane + correction: the details come from the planes at full resolution, the
    convolutions only choose among them, and they work on squares of 4 x 4 pixels.
    """
    layers = tf.keras.layers

    def convolved(x: Any, filters: int, width: int = 3, strides: int = 1) -> Any:
        return layers.Conv2D(filters, width, strides, padding="same", activation="relu")(x)

    inputs = tf.keras.Input((None, None, n_planes))
    squares = layers.Lambda(lambda x: tf.nn.space_to_depth(x, SQUARE_PX), name="squares")(inputs)
    fine = convolved(convolved(squares, _WIDTHS[0], 1), _WIDTHS[0])
    middle = convolved(convolved(fine, _WIDTHS[1], strides=2), _WIDTHS[1])
    x = convolved(convolved(convolved(middle, _WIDTHS[2], strides=2), _WIDTHS[2]), _WIDTHS[2])
    for finer, filters in ((middle, _WIDTHS[1]), (fine, _WIDTHS[0])):
        x = layers.UpSampling2D(2)(convolved(x, filters, 1))
        x = layers.Add()([x, finer])
        x = convolved(convolved(x, filters), filters)
    # At the start the weights are those of the unchanged image and the correction is nothing.
    image_only = tf.keras.initializers.Constant([1.0 if i % n_planes == 0 else 0.0 for i in range(PIXELS * n_planes)])
    unchanged = {"kernel_initializer": "zeros", "bias_initializer": image_only}
    weights = layers.Conv2D(PIXELS * n_planes, 1, name="weights", **unchanged)(x)
    correction = layers.Conv2D(PIXELS, 1, kernel_initializer="zeros", name="correction")(x)
    # The scale of the error is learned beside the image, not at its cost.
    aside = layers.Lambda(tf.stop_gradient, name="aside")(x)
    small = tf.keras.initializers.Constant(-3.0)
    log_scale = layers.Conv2D(PIXELS, 1, bias_initializer=small, name="log_scale")(aside)

    def mixed(tensors: list[Any]) -> Any:
        weights, squares, correction, log_scale = tensors
        shape = tf.shape(weights)
        products = tf.reshape(weights * squares, [shape[0], shape[1], shape[2], PIXELS, n_planes])
        restored = tf.reduce_sum(products, axis=-1) + correction
        log_scale = floored(log_scale, tf.nn.softplus)
        return tf.concat([tf.nn.depth_to_space(plane, SQUARE_PX) for plane in (restored, log_scale)], axis=-1)

    outputs = layers.Lambda(mixed, name="mixed")([weights, squares, correction, log_scale])
    return tf.keras.Model(inputs, outputs, name="default")
