import itertools

import keras
import numpy as np
import pytest

import models
from models import initialize_from

layers = keras.layers


def network(units=2, classes=2):
    """A 1x2 kernel from 1 to 2 channels, two dense layers: 2 -> units -> classes."""
    parts = [
        layers.Conv2D(2, (1, 2), name="conv"),
        layers.BatchNormalization(),
        layers.Flatten(),
        layers.Dense(units, name="hidden"),
        layers.Dense(classes, name="output"),
    ]
    return keras.Sequential([keras.Input((1, 2, 1)), *parts])


CONV = np.array([[[[1, 2]], [[3, 4]]]], "float32")  # (height 1, width 2, in 1, out 2)
HIDDEN = np.array([[1, 2], [3, 4]], "float32")  # (in, out)


def test_both_layouts_by_hand():
    # (height, width, in, out) = (1, 2, 1, 2) as (out, in, height, width) = (2, 1, 1, 2): to output 0 belong the weights
    # 1 and 3 of the two pixels, to output 1 the weights 2 and 4. The dense kernel is square, and fits either way: the
    # convolution tells which it is.
    as_other = np.array([[[[1, 3]]], [[[2, 4]]]], "float32")
    for conv, hidden in ((CONV, HIDDEN), (as_other, np.array([[1, 3], [2, 4]], "float32"))):
        model = network()
        arrays = {"c": conv, "cb": [5, 6], "h": hidden, "hb": np.array([7, 8]), "o": np.zeros((3, 5)), "ob": [1] * 3}
        assert initialize_from(model, arrays) == ["conv", "hidden"]
        np.testing.assert_array_equal(model.get_layer("conv").kernel, CONV)
        np.testing.assert_array_equal(model.get_layer("conv").bias, [5, 6])
        np.testing.assert_array_equal(model.get_layer("hidden").kernel, HIDDEN)
        np.testing.assert_array_equal(model.get_layer("hidden").bias, [7, 8])
        assert not model.get_layer("output").bias.numpy().any()


def test_normalizations_and_missing_biases_are_passed_over():
    model = network()
    others = {"gamma": np.full(2, 9), "mean": np.full(2, 9), "batches": np.array(9)}
    filled = initialize_from(model, {"c": CONV, "cb": np.ones(2), **others, "h": HIDDEN})
    assert filled == ["conv", "hidden"]
    np.testing.assert_array_equal(model.get_layer("conv").bias, [1, 1])
    np.testing.assert_array_equal(model.get_layer("hidden").bias, [0, 0])
    np.testing.assert_array_equal(model.layers[1].gamma, [1, 1])


def test_other_frameworks_flatten_channels_first():
    # An image of 1 x 2 pixels and 3 channels, flattened: 6 inputs. As (out, in) their order is another.
    parts = [layers.Conv2D(3, 1, name="conv"), layers.Flatten(), layers.Dense(4, name="hidden")]
    model = keras.Sequential([keras.Input((1, 2, 5)), *parts])
    assert initialize_from(model, {"c": np.ones((3, 5, 1, 1)), "h": np.ones((4, 6))}) == ["conv"]
    assert initialize_from(model, {"c": np.ones((1, 1, 5, 3)), "h": np.ones((6, 4))}) == ["conv", "hidden"]


@pytest.mark.parametrize("suffix", [".keras", ".h5", ".npz"])
@pytest.mark.filterwarnings("ignore:.*HDF5.*")
def test_files(tmp_path, suffix):
    source, path = network(classes=3), tmp_path / f"weights{suffix}"
    if suffix == ".npz":
        np.savez(path, *source.get_weights())
    else:
        source.save(path)
    model = network()
    assert initialize_from(model, path) == ["conv", "hidden"]
    for name in ("conv", "hidden"):
        np.testing.assert_array_equal(model.get_layer(name).kernel, source.get_layer(name).kernel)
    assert initialize_from(model, source) == ["conv", "hidden"]


def test_vgg11_takes_the_convolutions_of_imagenet_and_leaves_the_dense_layers():
    # The shapes of PyTorch's VGG-11, an eighth as wide.
    filters = [3, 8, 16, 32, 32, 64, 64, 64, 64]
    arrays = {}
    for number, (below, above) in enumerate(itertools.pairwise(filters)):
        arrays[f"features.{number}.weight"] = np.full((above, below, 3, 3), number, "float32")
        arrays[f"features.{number}.bias"] = np.full(above, number, "float32")
    for number, shape in enumerate(((512, 64 * 49), (512, 512), (1000, 512))):
        arrays |= {f"dense.{number}.weight": np.ones(shape), f"dense.{number}.bias": np.ones(shape[0])}
    model = models.vgg11(width=1 / 8)
    assert initialize_from(model, arrays) == [f"conv{number}" for number in range(1, 9)]
    assert (model.get_layer("conv8").kernel.numpy() == 7).all()


def test_a_nested_model_counts_in_its_place():
    inner = keras.Sequential([keras.Input((2,)), layers.Dense(3, name="a"), layers.Dense(2, name="b")])
    model = keras.Sequential([keras.Input((2,)), inner, layers.Dense(4, name="c")])
    arrays = {"a": np.ones((2, 3)), "b": np.full((3, 2), 2.0), "c": np.full((2, 4), 3.0)}
    assert initialize_from(model, arrays) == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("weights", "error", "said"),
    [
        ({"a": np.ones((7, 7))}, ValueError, r"kernels of \[\(7, 7\)\] for layers of \[\(1, 2, 1, 2\)"),
        (7, ValueError, "weights=7"),
        ("no.keras", FileNotFoundError, "no.keras"),
        ("broken.npz", ValueError, "cannot be read"),
        ("broken.h5", ValueError, "cannot be read"),
    ],
)
def test_errors(tmp_path, weights, error, said):
    for name in ("broken.npz", "broken.h5"):
        (tmp_path / name).write_bytes(b"nothing")
    if isinstance(weights, str):
        weights = tmp_path / weights
    with pytest.raises(error, match=said):
        initialize_from(network(), weights)
