"""Every kind of connectivity layer under everything that Keras does with a layer: one table, one battery of checks.

The reference is a plain model whose kernels are multiplied by hand before each step, and whose gradients are multiplied
by the fixed kernels after it.
"""

import dataclasses
import functools

import h5py
import keras
import numpy as np
import pytest
from backends import FIT_MODES, fit_as, gradients_of, only_on, to_numpy
from keras import layers

from train_by_reconnect import Masked, Signed, SignedMask, changed_fractions, set_objective
from train_by_reconnect.layers.connectivity_layers import connectivity_layers

STEPS, BATCH, EPOCHS = 10, 4, 3
RATE, MOMENTUM = 0.05, 0.9
# A gradient of the convolution is a sum over 4 examples and 2 * 2 places of what are themselves sums of 18, 12 and 5
# products, normalized over a batch: in two orders, in a graph, eagerly, by XLA or around NumPy, they differ by about 64
# units in the last place of numbers of about 1. Momentum adds ten such steps up.
ROUNDING = STEPS * RATE / (1 - MOMENTUM) * 64 * 2.0**-24


@dataclasses.dataclass(frozen=True)
class Kind:
    """A layer, and in NumPy the factor of its kernel."""

    name: str
    layer: type
    arguments: tuple
    factor: object

    def __str__(self):
        return self.name

    def __call__(self, layer):
        return self.layer(layer, **dict(self.arguments))


KINDS = [
    Kind("Masked", Masked, (), lambda scores: np.float32(scores > 0)),
    Kind("rescaled", Masked, (("rescale", True),), lambda scores: np.float32(scores > 0) / np.mean(scores > 0)),
    Kind("Signed", Signed, (), lambda scores: np.where(scores > 0, 1, -1)),
    # 1/16 is exact, and narrow enough for some connections to be flipped within ten steps.
    Kind(
        "SignedMask",
        SignedMask,
        (("masked_range", 1 / 16),),
        lambda scores: np.float32(scores > 0) - np.float32(scores <= -1 / 16),
    ),
]


def table(of_masked_alone):
    """All kinds as parameters; those that differ from the first in their factor may be left for the slow tests.

    The rescaled one always is: its factor is that of `Masked` by a number.
    """
    usual = ("Masked",) if of_masked_alone else ("Masked", "Signed")
    slow = [[] if kind.name in usual else [pytest.mark.slow] for kind in KINDS]
    return [pytest.param(kind, id=str(kind), marks=marks) for kind, marks in zip(KINDS, slow, strict=True)]


@pytest.fixture(params=table(of_masked_alone=True))
def kind(request):
    """The masked layer; the others in the slow tests."""
    return request.param


every_kind = pytest.mark.parametrize("kind", table(of_masked_alone=False))


@functools.cache
def data():
    rng = np.random.default_rng(0)
    images = rng.normal(size=(STEPS * BATCH, 6, 5, 2)).astype("float32")
    return images, rng.normal(size=(STEPS * BATCH, 2)).astype("float32")


def stack(wrap=lambda layer: layer):
    return [
        wrap(layers.Conv2D(3, 3, strides=2, activation="relu", use_bias=False)),
        layers.Flatten(),
        wrap(layers.Dense(5, activation="tanh", use_bias=False)),
        layers.BatchNormalization(),
        wrap(layers.Dense(2, use_bias=False)),
    ]


def network(kind, objective="minimal"):
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input((6, 5, 2)), *stack(kind)])
    set_objective(model, objective, counts="kept" if kind.layer is Masked else "changed")
    return model


def descent():
    return keras.optimizers.SGD(RATE, momentum=MOMENTUM)


def trained(model, epochs=1, callbacks=(), optimizer=None, steps=STEPS, **compile_arguments):
    model.compile(optimizer=optimizer or descent(), loss="mse", **compile_arguments)
    return run(model, epochs, callbacks, steps)


def run(model, epochs=1, callbacks=(), steps=STEPS):
    x, y = (each[: steps * BATCH] for each in data())
    model.fit(x, y, batch_size=BATCH, shuffle=False, verbose=0, epochs=epochs, callbacks=list(callbacks))
    return model


@functools.cache
def expected(kind, steps=STEPS):
    """The scores, and the parameters of batch normalization, after so many steps."""
    ours = network(kind)
    fixed = [layer.kernels[0].numpy() for layer in connectivity_layers(ours)]
    scores = [keras.Variable(layer.scores[0].numpy()) for layer in connectivity_layers(ours)]
    plain = keras.Sequential([keras.Input((6, 5, 2)), *stack()])
    kernels = [layer.kernel for layer in plain.layers if hasattr(layer, "kernel")]
    normalization = [plain.layers[3].gamma, plain.layers[3].beta]
    optimizer = descent()
    x, y = (each[: steps * BATCH] for each in data())
    total = sum(kernel.size for kernel in fixed)
    for start in range(0, len(x), BATCH):
        factors = [kind.factor(score.numpy()) for score in scores]
        for kernel, values, factor in zip(kernels, fixed, factors, strict=True):
            kernel.assign(values * factor)

        def loss(start=start):
            outputs = plain(x[start : start + BATCH], training=True)
            return keras.ops.mean(keras.ops.square(keras.ops.subtract(outputs, y[start : start + BATCH])))

        gradients = [to_numpy(each) for each in gradients_of(loss, [*kernels, *normalization])[0]]
        # By the rule d (w f) / dt = w, or w over the fraction kept, and eq. (4): every score has -1 / total.
        slopes = [values * np.abs(factor).max() for values, factor in zip(fixed, factors, strict=True)]
        of_scores = [gradient * slope - 1 / total for gradient, slope in zip(gradients, slopes, strict=False)]
        descents = [keras.ops.convert_to_tensor(each, "float32") for each in [*of_scores, *gradients[3:]]]
        optimizer.apply(descents, [*scores, *normalization])
    return [variable.numpy() for variable in [*scores, *normalization]]


def learned(model):
    scores = [layer.scores[0].numpy() for layer in connectivity_layers(model)]
    return [*scores, model.layers[3].gamma.numpy(), model.layers[3].beta.numpy()]


def assert_close(ours, theirs, tolerance):
    for each, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(each, other, rtol=0, atol=tolerance)


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    """Train a kind for three epochs: a folder with the model after each, and all weights after the last."""

    @functools.cache
    def train(kind):
        folder = tmp_path_factory.mktemp(str(kind))
        model = trained(network(kind), EPOCHS, [keras.callbacks.ModelCheckpoint(folder / "{epoch}.keras")])
        return folder, model.get_weights()

    return train


def assert_fit(kind, **how):
    model = network(kind)
    initial = [layer.kernels[0].numpy() for layer in connectivity_layers(model)]
    trained(model, **how)
    assert_close(learned(model), expected(kind), ROUNDING)
    assert 0 < changed_fractions(model)["all"] < 1
    for layer, kernel in zip(connectivity_layers(model), initial, strict=True):
        assert layer.kernels[0].numpy().tobytes() == kernel.tobytes()


@every_kind
@pytest.mark.parametrize("mode", FIT_MODES)
def test_fit(kind, mode):
    assert_fit(kind, **fit_as(mode))


@only_on("tensorflow jax", "Keras takes one step at a time on PyTorch")
def test_several_steps_at_once(kind):
    assert_fit(kind, steps_per_execution=7)


def test_fit_without_input(kind):
    # While the first step is traced, neither kernels nor scores have values yet.
    keras.utils.set_random_seed(1)
    model = trained(keras.Sequential(stack(kind)))
    assert_close(learned(model), learned(trained(network(kind, "free"))), ROUNDING)


@every_kind
@pytest.mark.parametrize(
    ("policy", "steps"),
    # With 8 bits some connections are lost a step earlier or later, and from there the training goes another way.
    [("mixed_float16", STEPS), pytest.param("mixed_bfloat16", 2, marks=pytest.mark.slow)],
)
def test_mixed_precision(kind, policy, steps, monkeypatch):
    reference, seen = expected(kind, steps), []
    convolution = layers.Conv2D.convolution_op

    def watch(self, inputs, kernel):
        seen.append(tuple(keras.backend.standardize_dtype(each.dtype) for each in (inputs, kernel)))
        return convolution(self, inputs, kernel)

    monkeypatch.setattr(layers.Conv2D, "convolution_op", watch)
    keras.config.set_dtype_policy(policy)
    optimizer = descent()
    if policy == "mixed_float16":  # at the scale that it starts with by default, the first steps would be skipped
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer, initial_scale=256)
    model = network(kind)
    before = learned(model)
    model = trained(model, optimizer=optimizer, steps=steps)
    half = policy.removeprefix("mixed_")
    assert set(seen) == {(half, half)}
    assert keras.backend.standardize_dtype(model(data()[0][:2]).dtype) == half
    # Half precision adds noise to the gradients, and yet the scores go where they went without it.
    for ours, theirs, start in zip(learned(model), reference, before, strict=True):
        assert np.corrcoef((ours - start).ravel(), (theirs - start).ravel())[0, 1] > 0.99
    for layer in connectivity_layers(model):
        assert layer.scores[0].dtype == layer.kernels[0].dtype == "float32"
        (effective,) = layer.effective_kernels()
        assert keras.backend.standardize_dtype(effective.dtype) == "float32"
        mask = kind.factor(layer.scores[0].numpy())
        np.testing.assert_allclose(to_numpy(effective), layer.kernels[0].numpy() * mask, rtol=1e-6)
        # What is masked is exactly 0, and what is not is exactly the kernel, also after the cast.
        exact = keras.ops.cast(layer.kernels[0].value, half) * keras.ops.cast(np.sign(mask), half)
        if kind.name != "rescaled":
            np.testing.assert_array_equal(to_numpy(keras.ops.cast(effective, half)), to_numpy(exact))


@every_kind
def test_save_load_and_go_on(kind, uninterrupted):
    folder, weights = uninterrupted(kind)
    loaded = run(keras.saving.load_model(folder / "2.keras"))
    last = keras.saving.load_model(folder / "3.keras")
    for model in (loaded, last):
        for ours, theirs in zip(model.get_weights(), weights, strict=True):
            np.testing.assert_array_equal(ours, theirs)
    np.testing.assert_array_equal(to_numpy(loaded(data()[0])), to_numpy(last(data()[0])))


class KilledError(Exception):
    pass


class Kill(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 2:
            raise KilledError


def test_backup_and_restore(kind, uninterrupted, tmp_path):
    backup = functools.partial(keras.callbacks.BackupAndRestore, tmp_path / "backup")
    with pytest.raises(KilledError):
        trained(network(kind), EPOCHS, [backup(), Kill()])
    # A new process draws other kernels: they too are restored.
    other = network(kind)
    for layer in connectivity_layers(other):
        layer.kernels[0].assign(np.ones(layer.kernels[0].shape))
    resumed = trained(other, EPOCHS, [backup()])
    for ours, theirs in zip(resumed.get_weights(), uninterrupted(kind)[1], strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_clone(kind):
    model = network(kind)
    twin = keras.models.clone_model(model)
    assert twin.get_config() == model.get_config()
    assert not np.array_equal(twin.layers[0].scores[0].numpy(), model.layers[0].scores[0].numpy())
    twin.set_weights(model.get_weights())
    # With the objective, which is in the configuration.
    assert_close(learned(trained(twin, run_eagerly=True)), expected(kind), ROUNDING)


def test_one_score_for_each_weight_and_no_second_kernel(kind, tmp_path):
    model = keras.Sequential([keras.Input((6, 5, 2)), kind(layers.SeparableConv2D(3, 3, use_bias=False))])
    kernels, scores = model.layers[0].kernels, model.layers[0].scores
    assert [score.shape for score in scores] == [kernel.shape for kernel in kernels] == [(3, 3, 2, 1), (1, 1, 2, 3)]
    assert {id(variable) for variable in model.variables} == {id(variable) for variable in [*kernels, *scores]}
    sizes = []
    model.save_weights(tmp_path / "model.weights.h5")
    with h5py.File(tmp_path / "model.weights.h5") as file:
        file.visititems(lambda name, item: sizes.append(getattr(item, "size", 0)))
    assert sum(sizes) == 2 * (18 + 6)
    optimizer = keras.optimizers.Adam()
    optimizer.build(model.trainable_variables)
    assert sum(np.prod(v.shape) for v in optimizer.variables if len(v.shape)) == 2 * (18 + 6)  # two moments of a score
