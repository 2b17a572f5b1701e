"""Random numbers, changed images and batches under TensorFlow: all inside one `tf.data` pipeline."""

import math

import tensorflow as tf

from scripts.data.affine import affine as moved

__all__ = ["as_float32", "batches", "moved", "uniform"]


def as_float32(values):
    """A tensor."""
    return tf.cast(values, "float32")


def uniform(rows, count, seed):
    """Numbers from -1 to 1, from two integers alone: a list of tensors of shape `(count,)`, float32."""
    return tf.unstack(tf.random.stateless_uniform((rows, count), seed, minval=-1.0, alg="philox"))


def batches(x, y, batch_size, augmentation, *, seed, shuffle, first_epoch):
    """As `scripts.data.batches.pipeline`: an endless `tf.data.Dataset`."""
    with tf.device("CPU:0"):
        x, y = tf.convert_to_tensor(x), tf.convert_to_tensor(y)
    count = x.shape[0]
    steps = math.ceil(count / batch_size)
    batch_shape = [None if count % batch_size else batch_size]

    def numbered_indices(epoch):
        order = tf.range(count)
        if shuffle:
            # Steps are 0, 1, 2, ...: the epochs take the negative numbers, so that no two draws share a seed.
            order = tf.random.experimental.stateless_shuffle(order, [seed, -1 - epoch], alg="philox")

        def batch_indices(position):
            indices = order[position * batch_size : (position + 1) * batch_size]
            return epoch * steps + position, tf.ensure_shape(indices, batch_shape)

        return tf.data.Dataset.range(steps).map(batch_indices)

    def batch(step, indices):
        examples = tf.cast(tf.gather(x, indices), "float32")
        if augmentation is not None:
            examples = augmentation(examples, [seed, step])
        return examples, tf.gather(y, indices)

    return (
        tf.data.Dataset.counter(first_epoch)
        .flat_map(numbered_indices)
        .map(batch, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
        .prefetch(tf.data.AUTOTUNE)
    )
