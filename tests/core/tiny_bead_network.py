"""A bead distance network for tests, whose runs take seconds to start."""


def tiny_network(architecture, crop_px, scale_um, seed, weight_decay):
    """A network of two layers in place of the real ones, whose runs take seconds to start."""
    import tensorflow as tf

    tf.keras.utils.set_random_seed(seed)
    layers = tf.keras.layers
    inputs = tf.keras.Input((crop_px, crop_px, 1))
    seen = layers.BatchNormalization()(layers.Conv2D(8, 9, strides=4, activation="relu")(inputs))
    outputs = layers.Dense(1)(layers.GlobalAveragePooling2D()(seen))
    return tf.keras.Model(inputs, layers.Rescaling(scale_um)(outputs), name=architecture)
