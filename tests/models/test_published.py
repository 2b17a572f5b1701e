import functools
import shutil

import h5py
import keras
import numpy as np
import pytest

import models
from models.published import PUBLISHED, load_published


def with_kernel(model):
    return [layer for layer in model.layers if hasattr(layer, "kernel")]


@pytest.fixture(scope="module")
def mnist(data_directory):
    with np.load(data_directory / "mnist.npz") as data:
        return data["x_test"][..., None].astype("float32") / 255, data["y_test"]


@pytest.fixture(scope="module")
def cifar10(cifar10_directory):
    with np.load(cifar10_directory / "cifar10.npz") as data:
        mean = data["x_train"].mean(axis=0) / 255
        return (data["x_test"] / 255 - mean).astype("float32"), data["y_test"]


# One of each for all tests that only look at it.
published = functools.cache(load_published)


def right_answers(model, images, labels):
    """The fewest and the most right answers: where the label and another class are equal up to rounding, either is."""
    outputs = model.predict(images, batch_size=1000, verbose=0)
    row = np.arange(len(labels))
    of_label = outputs[row, labels]
    outputs[row, labels] = 0
    best_other = outputs.max(axis=1)
    # Sums of some hundred products, in two orders, differ by about as many units in the last place.
    margin = 128 * 2.0**-24 * best_other
    return np.sum(of_label > best_other + margin), np.sum(of_label > best_other - margin)


@pytest.mark.parametrize(
    ("name", "expected"), [("F1", 0.8546), ("F2", 0.7068), pytest.param("Conv7", 0.9972, marks=pytest.mark.slow)]
)
def test_accuracy_on_all_test_images_of_mnist(name, expected, pretrained_directory, mnist):
    assert PUBLISHED[name].scaling == "unit"
    fewest, most = right_answers(published(name, pretrained_directory), *mnist)
    assert fewest <= round(10_000 * expected) <= most < fewest + 10


@pytest.mark.parametrize(
    ("name", "expected"),
    [("resnet50", 0.938), ("resnet50_30", 0.927), ("resnet50_50", 0.917), ("resnet50_70", 0.917)],
)
@pytest.mark.slow
def test_accuracy_on_1000_test_images_of_cifar10(name, expected, pretrained_directory, cifar10):
    assert PUBLISHED[name].scaling == "pixel_mean"
    fewest, most = right_answers(published(name, pretrained_directory), *cifar10)
    assert fewest <= round(1_000 * expected) <= most < fewest + 10


@pytest.mark.parametrize("name", ["Conv7", "resnet50"])
def test_weights_are_those_of_a_he_uniform_draw(name, pretrained_directory):
    for layer in with_kernel(published(name, pretrained_directory)):
        kernel = layer.kernel.numpy()
        limit = np.sqrt(6 / np.prod(kernel.shape[:-1]))
        assert kernel.max() <= limit * (1 + 1e-6)
        assert kernel.min() >= -limit * (1 + 1e-6)
        assert np.ptp(kernel) > 0.97 * 2 * limit
        assert kernel.std() == pytest.approx(limit / np.sqrt(3), rel=0.05)


@pytest.mark.parametrize(("name", "value", "sparsities"), [("F1", 0.08, [0.4]), ("F2", 0.03, [14 / 15, 6 / 7, 2 / 3])])
def test_weights_of_the_weight_agnostic_networks(name, value, sparsities, pretrained_directory):
    for layer, sparsity in zip(with_kernel(published(name, pretrained_directory)), sparsities, strict=True):
        kernel = layer.kernel.numpy()
        assert set(np.unique(kernel)) == {np.float32(0), np.float32(value)}
        assert np.mean(kernel == 0) == pytest.approx(sparsity, abs=0.02)


@pytest.mark.parametrize(("name", "sparsity"), [("resnet50_30", 0.3), ("resnet50_50", 0.5), ("resnet50_70", 0.7)])
def test_sparsity_of_the_pruned_networks(name, sparsity, pretrained_directory):
    first, *others = with_kernel(published(name, pretrained_directory))
    assert np.mean(first.kernel.numpy() == 0) == pytest.approx(0.2, abs=0.04)  # "only up to 20%", A.5.4
    zeros = np.concatenate([layer.kernel.numpy().ravel() == 0 for layer in others])
    assert zeros.mean() == pytest.approx(sparsity, abs=0.02)


def test_table():
    assert list(PUBLISHED) == ["F1", "F2", "Conv7", "resnet50", "resnet50_30", "resnet50_50", "resnet50_70"]
    assert {published.scaling for published in PUBLISHED.values()} == {"unit", "pixel_mean"}
    assert all(0 < published.paper_accuracy < 1 for published in PUBLISHED.values())
    assert "70.68 %" in PUBLISHED["F2"].note
    with pytest.raises(AttributeError):
        PUBLISHED["F1"].file = "other.h5"


def write(path, layers, root=""):
    """Write a file as Keras 2 would: {layer name: arrays}; `root` is "model_weights" for a whole model."""
    with h5py.File(path, "w") as file:
        group = file.create_group(root) if root else file
        group.attrs["layer_names"] = [name.encode() for name in layers]
        for name, arrays in layers.items():
            names = [f"{name}/weight_{index}:0" for index in range(len(arrays))]
            layer = group.create_group(name)
            layer.attrs["weight_names"] = [weight.encode() for weight in names]
            for weight, array in zip(names, arrays, strict=True):
                layer[weight] = array


@pytest.mark.parametrize("root", ["", "model_weights"])
def test_matched_by_order_and_not_by_name(root, tmp_path):
    kernels = [np.full(shape, index, "float32") for index, shape in enumerate([(784, 128), (128, 64), (64, 10)])]
    layers = {
        "flatten_7": [],
        "dense_10": [kernels[0], np.zeros(128)],
        "dense_9": [kernels[1], np.zeros(64)],
        "dense_8": [kernels[2]],
    }
    write(tmp_path / "F2.h5", layers, root)
    loaded = load_published("F2", str(tmp_path)).get_weights()
    assert [weight.flat[0] for weight in loaded] == [0, 1, 2]


def test_unknown_name(tmp_path):
    with pytest.raises(ValueError, match=r"must be one of F1, F2, Conv7, .* Received: name=VGG"):
        load_published("VGG", tmp_path)


def test_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"must hold the file F1.h5. Received: directory=.* Download"):
        load_published("F1", tmp_path)


@pytest.mark.parametrize("name", ["F1", "Conv7", "resnet50"])
def test_truncated_file(name, tmp_path, pretrained_directory):
    file = PUBLISHED[name].file
    whole = (pretrained_directory / file).read_bytes()
    (tmp_path / file).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(OSError, match=rf"whole HDF5 file .* Received: .*{file}, .* Download the file again"):
        load_published(name, tmp_path)


def test_file_that_is_not_hdf5(tmp_path):
    (tmp_path / "F1.h5").write_text("<html>not found</html>")
    with pytest.raises(OSError, match=r"whole HDF5 file .* Received: "):
        load_published("F1", tmp_path)


def test_file_whose_listed_weights_are_missing(tmp_path):
    write(tmp_path / "F1.h5", {"dense": [np.zeros((784, 10))]})
    with h5py.File(tmp_path / "F1.h5", "a") as file:
        del file["dense/dense"]
    with pytest.raises(OSError, match=r"whole HDF5 file .* Received: "):
        load_published("F1", tmp_path)


def test_hdf5_file_that_is_not_from_keras_2(tmp_path):
    models.f1().save_weights(tmp_path / "F1.weights.h5")
    (tmp_path / "F1.weights.h5").rename(tmp_path / "F1.h5")
    with pytest.raises(ValueError, match=r"`layer_names`. Received: .*F1.h5"):
        load_published("F1", tmp_path)


def test_bias_that_would_be_lost(tmp_path):
    bias = np.zeros(10)
    bias[3] = -0.5
    write(tmp_path / "F1.h5", {"dense": [np.zeros((784, 10)), bias]})
    with pytest.raises(ValueError, match=r"bias must be all zero, .* Received: a bias of up to 0.5 in layer dense"):
        load_published("F1", tmp_path)


def test_file_of_another_network(tmp_path, pretrained_directory):
    shutil.copyfile(pretrained_directory / "F2.h5", tmp_path / "F1.h5")
    with pytest.raises(ValueError, match=r"F1 must have 1 layers with weights. Received: 3 such layers"):
        load_published("F1", tmp_path)


def test_wrong_shapes(tmp_path):
    for shapes in [[(784, 11)], [(10, 784)], [(784, 10), (11,)], [(784, 10), (10,), (10,)]]:
        write(tmp_path / "F1.h5", {"dense": [np.zeros(shape) for shape in shapes]})
        with pytest.raises(ValueError, match=r"layer output must have the shapes \[\(784, 10\)\]. Received: "):
            load_published("F1", tmp_path)


def test_a_network_with_biases_needs_them(tmp_path):
    layers = [layer for layer in models.conv7().layers if layer.weights]
    write(tmp_path / "Conv7.h5", {layer.name: layer.get_weights()[:1] for layer in layers})
    with pytest.raises(ValueError, match=r"layer conv1 must have the shapes \[\(3, 3, 1, 32\), \(32,\)\]. Received: "):
        load_published("Conv7", tmp_path)


def test_loaded_model_can_be_trained_further(pretrained_directory, mnist):
    model = load_published("F1", pretrained_directory)
    model.compile(keras.optimizers.Adam(), "sparse_categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(*mnist, batch_size=1000, epochs=1, verbose=0).history
    assert history["accuracy"][0] > 0.8
