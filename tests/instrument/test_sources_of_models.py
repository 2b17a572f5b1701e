"""The tensors of a Keras model: every variable is listed, as a profile or with its reason."""

import keras
import numpy as np

from train_by_reconnect.instrument.sources import open_source


def small_model():
    return keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            keras.layers.Conv2D(4, 3, name="conv"),
            keras.layers.BatchNormalization(name="norm"),
            keras.layers.Flatten(),
            keras.layers.Dense(2, name="top"),
        ],
        name="small",
    )


def test_every_variable_is_listed_once_with_axes_or_a_reason():
    source = open_source(small_model())
    assert (source.title, source.kind) == ("small", "Keras model")
    # 2 of conv, 4 of norm, 2 of top
    assert [tensor.name for tensor in source.tensors] == [
        *("small/conv/kernel", "small/conv/bias", "small/norm/gamma", "small/norm/beta"),
        *("small/norm/moving_mean", "small/norm/moving_variance", "small/top/kernel", "small/top/bias"),
    ]
    assert [tensor.name for tensor in source.profiled] == ["small/conv/kernel", "small/top/kernel"]
    conv, top = source.profiled
    assert (conv.units, conv.size, top.units, top.size) == (4, 27, 2, 144)  # 3 * 3 * 3 and 6 * 6 * 4
    assert all(tensor.skipped and tensor.unit_axes is None for tensor in source.tensors if tensor not in (conv, top))


def test_reads_the_current_weights():
    model = small_model()
    tensor = open_source(model).profiled[-1]
    kernel = model.get_layer("top").kernel
    kernel.assign(np.arange(288, dtype="float32").reshape(144, 2))
    np.testing.assert_array_equal(tensor.read(), kernel.numpy())
