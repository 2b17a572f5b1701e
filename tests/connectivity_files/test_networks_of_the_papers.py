"""Every network of the papers comes back to the bit, permuted, masked and flipped."""

import keras
import numpy as np
import pytest

import models
from train_by_reconnect import connectivity_model, draw_initial_weights, load_connectivity, save_connectivity, strip
from train_by_reconnect.backend.rows import from_rows, to_rows
from train_by_reconnect.connectivity_files.kernels import kernels_in
from train_by_reconnect.layers.connectivity_layers import connectivity_layers

WITH_WIDTH = [
    *(models.conv2, models.conv4, models.conv6, models.conv7, models.conv13),
    *(models.resnet50, models.lenet_300_100, models.resnet18, models.vgg5, models.vgg11),
]
ALL = [*WITH_WIDTH, models.f1, models.f2, models.mlp, models.relu_net, models.conv_net]


def permute(model, seed=0):
    """Give every weight vector another order."""
    rng = np.random.default_rng(seed)
    for kernel in kernels_in(model):
        rows = rng.permuted(to_rows(keras.ops.convert_to_numpy(kernel.variable), kernel.axes, np), axis=1)
        kernel.variable.assign(from_rows(rows, kernel.variable.shape, kernel.axes, np))


def check(model, expected, path, *args):
    save_connectivity(model, path, *args)
    loaded = load_connectivity(path)
    for one, other in zip(loaded.weights, expected.weights, strict=True):
        one, other = keras.ops.convert_to_numpy(one), keras.ops.convert_to_numpy(other)
        assert one.tobytes() == other.tobytes()


@pytest.mark.parametrize("build", [models.f2, models.conv7])
def test_permuted(build, tmp_path):
    model = build(width=1 / 8) if build in WITH_WIDTH else build()
    draw_initial_weights(model, "he_uniform", seed=1)
    permute(model)
    check(model, model, tmp_path / "a.tbr")


@pytest.mark.slow
@pytest.mark.parametrize("build", ALL)
def test_at_full_size_with_every_method(build, tmp_path):
    model = build()
    rule = draw_initial_weights(model, "he_uniform", seed=1, sparsity=0.3)
    for mode in ("prune", "flip"):
        trained = connectivity_model(model, mode, seed=0)
        for layer in connectivity_layers(trained):
            for scores in layer.scores:
                scores.assign(scores - 0.02)  # of scores uniform in (0, 0.1] a fifth falls below 0
        check(trained, strip(trained), tmp_path / "a.tbr", rule)
    permute(model)
    check(model, model, tmp_path / "a.tbr")
    check(model, model, tmp_path / "a.tbr", "stored")
