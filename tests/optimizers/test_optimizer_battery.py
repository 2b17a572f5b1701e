"""Every optimizer of ours around every inner one: one table of methods, and checks that each method must pass.

The reference is the inner optimizer alone, with the synchronization done in NumPy between two `train_on_batch`. What is
interrupted, saved, loaded or cloned must equal, to the bit, what is not.
"""

import copy
import dataclasses
import functools

import keras
import numpy as np
import pytest
from backends import BACKEND, SLOW_TO_COMPILE, gradients_of, only_on

from train_by_reconnect import LaPerm, Lookahead

K, STEPS, BATCH = 4, 10, 4  # ten steps end two steps after the second synchronization
EPOCHS = 3


def rounding(method, epochs=1, dtype="float32"):
    """How far two ways to compute the same training may be apart: in a graph, eagerly, by XLA, in NumPy between steps.

    A gradient is a sum over 4 examples of what are themselves sums of 6, 5 and 2 products, and of a tanh: in two orders
    they differ by about 24 units in the last place. A step is this times the rate, or at most ten times as much:
    momentum of 0.9 adds ten of them up, and Adam divides by the size of a gradient whose terms may be ten times larger.
    """
    steps, roundoff = epochs * STEPS, {"float32": 2.0**-24, "float16": 2.0**-11}[dtype]
    return steps * 10 * dict(method.settings)["learning_rate"] * 24 * roundoff


@dataclasses.dataclass(frozen=True)
class Method:
    """An optimizer of ours around an inner one."""

    wrapper: type
    inner: type
    settings: tuple

    def __str__(self):
        return f"{self.wrapper.__name__}-{self.inner.__name__}"

    def inner_optimizer(self, **more):
        return self.inner(**dict(self.settings), **more)

    def optimizer(self, **inner):
        # LaPerm's final synchronization would hide small differences; `test_end_of_fit` has it on.
        ours = {"final_sync": False} if self.wrapper is LaPerm else {}
        return self.wrapper(self.inner_optimizer(**inner), sync_period=K, **ours)

    def synchronized(self, weights, kept):
        """NumPy: the weights after a synchronization, and what to keep for the next."""
        if self.wrapper is Lookahead:
            slow = [s + np.float32(0.5) * (w - s) for w, s in zip(weights, kept, strict=True)]
            return slow, slow
        columns = (w.ndim == 2 and np.argsort(np.argsort(w, 0, kind="stable"), 0) for w in weights)
        ranked = zip(columns, weights, kept, strict=True)
        return [w if c is False else np.take_along_axis(np.sort(s, 0), c, 0) for c, w, s in ranked], kept


METHODS = [
    Method(wrapper, inner, settings)
    for wrapper in (LaPerm, Lookahead)
    for inner, settings in (
        (keras.optimizers.Adam, (("learning_rate", 0.02),)),
        (keras.optimizers.SGD, (("learning_rate", 0.05), ("momentum", 0.9))),
        (keras.optimizers.AdamW, (("learning_rate", 0.02), ("weight_decay", 0.1))),
    )
]


def table(of_adam_alone):
    """All methods as parameters; those around other optimizers than Adam may be left for the slow tests."""
    slow = [of_adam_alone and method.inner is not keras.optimizers.Adam for method in METHODS]
    marks = [[pytest.mark.slow] if is_slow else [] for is_slow in slow]
    return [pytest.param(method, id=str(method), marks=each) for method, each in zip(METHODS, marks, strict=True)]


@pytest.fixture(params=table(of_adam_alone=True))
def method(request):
    """Both of ours around Adam; the others in the slow tests."""
    return request.param


every_method = pytest.mark.parametrize("method", table(of_adam_alone=False))


@functools.cache
def data():
    rng = np.random.default_rng(0)
    return rng.normal(size=(STEPS * BATCH, 6)).astype("float32"), rng.normal(size=(STEPS * BATCH, 2)).astype("float32")


def network(with_input=True):
    keras.utils.set_random_seed(1)
    stack = [keras.layers.Dense(5, activation="tanh"), keras.layers.Dense(2)]
    return keras.Sequential([keras.Input((6,)), *stack] if with_input else stack)


def trained(optimizer, model=None, fit=None, **compile_arguments):
    model = model or network()
    model.compile(optimizer=optimizer, loss="mse", **compile_arguments)
    return run(model, **(fit or {}))


def run(model, **arguments):
    x, y = data()
    settings = {"batch_size": BATCH, "shuffle": False, "verbose": 0} | arguments
    model.fit(settings.pop("x", x), settings.pop("y", y), **settings)
    return model


def reference(method, epochs=1, before_epoch=None, batches=None, **inner):
    """The model trained by the inner optimizer and NumPy, and its weights after each epoch."""
    model, after = network(), []
    optimizer = method.inner_optimizer(**inner)
    model.compile(optimizer=optimizer, loss="mse")
    kept, last = model.get_weights(), 0
    x, y = batches or data()
    for epoch in range(epochs):
        if before_epoch:
            optimizer.learning_rate = before_epoch(epoch)
        for start in range(0, len(x), BATCH):
            model.train_on_batch(x[start : start + BATCH], y[start : start + BATCH])
            steps = int(optimizer.iterations)
            if steps - last >= K:
                weights, kept = method.synchronized(model.get_weights(), kept)
                model.set_weights(weights)
                last = steps
        after.append(model.get_weights())
    return model, after


@functools.cache
def expected(method):
    """By the reference, the weights after each of three epochs."""
    return reference(method, EPOCHS)[1]


@functools.cache
def uninterrupted(method):
    """By `fit`, the weights after each of three epochs."""
    after = []
    look = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: after.append(model.get_weights()))
    model = network()
    trained(method.optimizer(), model, {"epochs": EPOCHS, "callbacks": [look]})
    return after


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """The folder with a model and its weights in files, for each method: saved two steps after a synchronization."""

    @functools.cache
    def save(method):
        folder = tmp_path_factory.mktemp(str(method))
        model = trained(method.optimizer())
        model.save(folder / "model.keras")
        model.save_weights(folder / "model.weights.h5")
        return folder, [variable.numpy() for variable in model.optimizer._variables]

    return save


def assert_same(model, weights, tolerance=0.0):
    weights = weights if isinstance(weights, list) else weights.get_weights()
    for ours, theirs in zip(model.get_weights(), weights, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=tolerance)


def test_reference_solved_by_hand():
    # Two columns: 3 1 2 is highest, lowest, middle, and equal numbers keep their order.
    #   initial 1 2 3 -> 3 1 2      initial 1 2 3 -> 1 2 3      half of the way from 1 2 3 to 3 1 2: 2 1.5 2.5
    now, initial = np.array([[3, 0], [1, 0], [2, 0]], "float32"), np.array([[1, 1], [2, 2], [3, 3]], "float32")
    assert METHODS[0].synchronized([now], [initial])[0][0].T.tolist() == [[3, 1, 2], [1, 2, 3]]
    assert METHODS[3].synchronized([now], [initial])[0][0][:, 0].tolist() == [2, 1.5, 2.5]


EAGER = pytest.param({"run_eagerly": True}, id="eager")
JIT = pytest.param({"jit_compile": True}, id="jit", marks=SLOW_TO_COMPILE)
SEVERAL = pytest.param(
    {"steps_per_execution": 7}, id="steps_per_execution", marks=only_on("tensorflow jax", "several steps in a call")
)


@every_method
def test_fit_without_input(method):
    # The harder case: while the first step is traced, the weights have no values yet.
    assert_same(trained(method.optimizer(), network(with_input=False)), expected(method)[0], rounding(method))


@pytest.mark.parametrize("how", [EAGER, JIT, SEVERAL])
def test_other_ways_to_fit_without_input(method, how):
    assert_same(trained(method.optimizer(), network(with_input=False), **how), expected(method)[0], rounding(method))


@every_method
def test_fit_with_input(method):
    for epochs, (ours, theirs) in enumerate(zip(uninterrupted(method), expected(method), strict=True), start=1):
        for each, other in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(each, other, rtol=0, atol=rounding(method, epochs))


@pytest.mark.parametrize("how", [EAGER, JIT, SEVERAL])
def test_other_ways_to_fit_with_input(method, how):
    assert_same(trained(method.optimizer(), **how), expected(method)[0], rounding(method))


def test_end_of_fit(method):
    optimizer = method.optimizer()
    optimizer.final_sync = True
    model = trained(optimizer)
    if method.wrapper is LaPerm:
        for kernel, initial in zip(model.get_weights()[::2], network().get_weights()[::2], strict=True):
            np.testing.assert_array_equal(np.sort(kernel, 0), np.sort(initial, 0))
    assert optimizer.last_sync == (STEPS if method.wrapper is LaPerm else 8)


def test_learning_rate_callbacks(method):
    def schedule(epoch, rate=None):
        return [0.03, 0.01, 0.02][epoch]

    callback = keras.callbacks.LearningRateScheduler(schedule)
    model = trained(method.optimizer(), fit={"epochs": EPOCHS, "callbacks": [callback]})
    assert_same(model, reference(method, EPOCHS, schedule)[0], rounding(method, EPOCHS))
    plateau = keras.callbacks.ReduceLROnPlateau("loss", factor=0.5, patience=1, min_delta=1e9)
    run(model, epochs=3, callbacks=[plateau])  # the first epoch counts as an improvement, the other two do not
    assert float(model.optimizer.inner_optimizer.learning_rate) == pytest.approx(0.02 / 4)


def test_clipping_and_moving_average(method):
    inner = {"clipnorm": 0.1, "use_ema": True, "ema_momentum": 0.8}
    x, y = data()
    swap = keras.callbacks.SwapEMAWeights()
    losses = keras.callbacks.History()
    fit = {"callbacks": [swap, losses], "validation_data": (x, y)}
    model = trained(method.optimizer(**inner), fit=fit)
    alone, _ = reference(method, **inner)
    alone.optimizer.finalize_variable_values(alone.trainable_variables)
    assert losses.history["val_loss"][0] == pytest.approx(alone.evaluate(x, y, verbose=0), rel=1e-5)
    assert_same(model, alone, rounding(method))  # the callback swaps by adding and subtracting


def test_mixed_precision(method):
    # Two of ten batches overflow: eight steps are completed, and the second synchronization comes with the last batch.
    x, y = data()
    y = y.copy()
    y[[9, 22]] = 1e30
    keras.config.set_dtype_policy("mixed_float16")
    model = trained(method.optimizer(), fit={"y": y})
    assert isinstance(model.optimizer, keras.optimizers.LossScaleOptimizer)
    ours = model.optimizer.inner_optimizer
    assert (int(ours.iterations), ours.last_sync) == (8, 8)
    assert_same(model, reference(method, batches=(x, y))[0], rounding(method, dtype="float16"))


class KilledError(Exception):
    pass


class Kill(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 2:
            raise KilledError


def test_backup_and_restore(method, tmp_path):
    backup = functools.partial(keras.callbacks.BackupAndRestore, tmp_path / "backup")
    with pytest.raises(KilledError):
        trained(method.optimizer(), fit={"epochs": EPOCHS, "callbacks": [backup(), Kill()]})
    resumed = trained(method.optimizer(), fit={"epochs": EPOCHS, "callbacks": [backup()]})
    assert_same(resumed, uninterrupted(method)[-1])


def test_save_and_load(method, saved):
    resumed = keras.saving.load_model(saved(method)[0] / "model.keras")
    assert resumed.optimizer.last_sync == 8
    assert_same(run(resumed), uninterrupted(method)[1])


def test_save_and_load_weights(method, saved):
    built = network()
    built.compile(optimizer=method.optimizer(), loss="mse")
    built.optimizer.build(built.trainable_variables)
    built.load_weights(saved(method)[0] / "model.weights.h5")
    assert_same(run(built), uninterrupted(method)[1])


@pytest.mark.filterwarnings("ignore:Skipping variable loading for optimizer")  # of the inner one, as in plain Keras
def test_load_weights_before_building(method, saved):
    # As in plain Keras the optimizer starts anew, from the weights of the file, and says so.
    file = saved(method)[0] / "model.weights.h5"
    model, plain = network(), network()
    for each, optimizer in ((model, method.optimizer()), (plain, "sgd")):
        each.compile(optimizer=optimizer, loss="mse")
    with pytest.warns(UserWarning, match=r"is not loaded. Received: .*built=False.*Call `optimizer.build"):
        model.load_weights(file)
    plain.load_weights(file)
    assert_same(run(model), trained(method.optimizer(), plain))


@pytest.mark.filterwarnings("ignore:Skipping variable loading for optimizer")
@pytest.mark.parametrize("built", [True, False])
def test_load_what_was_never_trained(method, built, tmp_path):
    untrained = network()
    untrained.compile(optimizer=method.optimizer(), loss="mse")
    untrained.save_weights(tmp_path / "m.weights.h5")
    model = network()
    model.compile(optimizer=method.optimizer(), loss="mse")
    if built:
        model.optimizer.build(model.trainable_variables)
    model.load_weights(tmp_path / "m.weights.h5")
    assert_same(run(model), uninterrupted(method)[0])


def clones(optimizer):
    yield type(optimizer).from_config(optimizer.get_config())
    yield keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(optimizer))
    yield copy.deepcopy(optimizer)


@pytest.mark.parametrize("clone", range(3), ids=["from_config", "deserialize", "deepcopy"])
def test_clones(method, clone):
    optimizer = method.optimizer()
    twin = list(clones(optimizer))[clone]
    assert twin.get_config() == optimizer.get_config()
    assert_same(trained(twin, run_eagerly=True), expected(method)[0], rounding(method))
    assert not optimizer.built


class OwnStep(keras.Model):
    """A model with a training step of its own."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def call(self, x, training=None):
        return self.inner(x, training=training)

    def train_step(self, *arguments):
        if BACKEND == "jax":
            return self._train_step_of_jax(*arguments)
        (batch,) = arguments
        x, y = batch
        variables = self.trainable_variables
        gradients, loss = gradients_of(lambda: self.compute_loss(y=y, y_pred=self(x, training=True)), variables)
        self.optimizer.apply_gradients(zip(gradients, variables, strict=True))
        return {"loss": loss}

    def _train_step_of_jax(self, state, batch):
        import jax

        trained, fixed, of_optimizer, metrics = state
        x, y = batch

        def loss_of(trained):
            y_pred, updated = self.stateless_call(trained, fixed, x, training=True)
            return keras.ops.mean(keras.losses.mean_squared_error(y, y_pred)), updated

        (loss, fixed), gradients = jax.value_and_grad(loss_of, has_aux=True)(trained)
        trained, of_optimizer = self.optimizer.stateless_apply(of_optimizer, gradients, trained)
        return {"loss": loss}, (trained, fixed, of_optimizer, metrics)


def test_own_train_step(method):
    assert_same(trained(method.optimizer(), OwnStep(network())), expected(method)[0], rounding(method))


def test_own_loop(method):
    model, optimizer, (x, y) = network(), method.optimizer(), data()
    for start in range(0, len(x), BATCH):
        batch = slice(start, start + BATCH)
        gradients, _ = gradients_of(
            lambda batch=batch: keras.ops.mean(keras.losses.mean_squared_error(y[batch], model(x[batch]))),
            model.trainable_variables,
        )
        optimizer.apply(gradients, model.trainable_variables)
    assert_same(model, expected(method)[0], rounding(method))
