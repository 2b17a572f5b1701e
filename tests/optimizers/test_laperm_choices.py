"""Which weights LaPerm permutes and when: its arguments, the layers it meets, and what is frozen."""

import keras
import numpy as np
import pytest
from backends import SLOW_TO_COMPILE, only_on

from train_by_reconnect import LaPerm
from train_by_reconnect.backend.rows import to_rows

layers = keras.layers
LOOSE = pytest.mark.filterwarnings("ignore:The layer that owns a variable")


def built(*stack, **arguments):
    """A model of these layers and its optimizer, built on it as `fit` would."""
    model = keras.Sequential([keras.Input((6, 6, 2)), *stack])
    optimizer = LaPerm(keras.optimizers.SGD(0.01), **arguments)
    model.compile(optimizer=optimizer, loss="mse")
    optimizer.build(model.trainable_variables)
    optimizer.recapture()
    return model, optimizer


def shake(model):
    """Give every trainable weight another value, all different."""
    rng = np.random.default_rng(7)
    for variable in model.trainable_variables:
        variable.assign(rng.normal(size=variable.shape))


def is_permuted(variable, initial, axes=(-1,)):
    """Whether each weight vector holds exactly its initial values."""
    rows = (np.sort(to_rows(value, axes, np), axis=1) for value in (variable.numpy(), initial))
    return np.array_equal(*rows)


def snapshot(model):
    return {variable.path: variable.numpy() for variable in model.trainable_variables}


def fit(model, steps=8, **arguments):
    rng = np.random.default_rng(1)
    shapes = ((2 * steps, *model.input_shape[1:]), (2 * steps, *model.output_shape[1:]))
    x, y = (rng.normal(size=shape).astype("float32") for shape in shapes)
    return model.fit(x, y, batch_size=2, shuffle=False, verbose=0, **arguments)


def test_neurons_counted_by_hand():
    # A depthwise convolution of 2 channels with multiplier 3 has 2 * 3 = 6 neurons with a window of 2 * 2 = 4 weights
    # each; the convolution above it has 5 neurons with 1 * 1 * 6 weights.
    model, optimizer = built(layers.DepthwiseConv2D(2, depth_multiplier=3), layers.Conv2D(5, 1))
    depthwise, conv = model.layers
    before = snapshot(model)
    shake(model)
    optimizer.synchronize()
    first, second = before[depthwise.kernel.path], before[conv.kernel.path]
    assert to_rows(first, (-2, -1), np).shape == (6, 4)
    assert to_rows(second, (-1,), np).shape == (5, 6)
    assert is_permuted(depthwise.kernel, first, (-2, -1))
    assert is_permuted(conv.kernel, second)


@pytest.mark.parametrize("skip_bias", [True, False])
def test_skip_bias(skip_bias):
    model, optimizer = built(layers.Dense(4, bias_initializer="normal"), skip_bias=skip_bias)
    bias = model.layers[0].bias
    before = bias.numpy()
    shake(model)
    shaken = bias.numpy()
    optimizer.synchronize()
    if skip_bias:
        np.testing.assert_array_equal(bias.numpy(), shaken)
    else:
        np.testing.assert_array_equal(np.sort(bias.numpy()), np.sort(before))
        np.testing.assert_array_equal(np.argsort(bias.numpy()), np.argsort(shaken))


class TestBatchNorm:
    # `keras.applications` names its layers like this; the original code looked for "batch_normalization" in names.
    NORMALIZATIONS = (layers.BatchNormalization, layers.LayerNormalization, layers.GroupNormalization)

    @pytest.mark.parametrize("name", ["bn1", "conv1_bn", "batch_normalization"])
    def test_recognised_by_the_layer(self, name):
        model, optimizer = built(layers.BatchNormalization(name=name), layers.Dense(2))
        norm = model.get_layer(name)
        shake(model)
        shaken = norm.gamma.numpy(), norm.beta.numpy()
        optimizer.synchronize()
        np.testing.assert_array_equal((norm.gamma.numpy(), norm.beta.numpy()), shaken)

    @pytest.mark.parametrize("kind", NORMALIZATIONS, ids=lambda kind: kind.__name__)
    def test_gamma_beta_reset(self, kind):
        arguments = {"groups": 2} if kind is layers.GroupNormalization else {}
        model, optimizer = built(kind(name="bn1", **arguments), layers.Dense(2), skip_batch_norm=False)
        norm, dense = model.layers
        for _ in range(2):
            shake(model)
            shaken = dense.bias.numpy()
            optimizer.synchronize()
            assert (norm.gamma.numpy() == 1).all()
            assert (norm.beta.numpy() == 0).all()
            np.testing.assert_array_equal(dense.bias.numpy(), shaken)  # a bias is not an offset of normalization

    def test_gamma_beta_reset_in_fit(self):
        class Resets(keras.callbacks.Callback):
            seen = 0

            def on_train_batch_end(self, batch, logs=None):
                norm, synchronized = self.model.get_layer("bn1"), optimizer.last_sync == int(optimizer.iterations)
                values = np.stack([norm.gamma.numpy(), norm.beta.numpy() + 1])
                assert bool((values == 1).all()) == synchronized
                self.seen += synchronized

        model, optimizer = built(
            layers.Conv2D(3, 3), layers.BatchNormalization(name="bn1"), skip_batch_norm=False, sync_period=3
        )
        resets = Resets()
        fit(model, callbacks=[resets])
        assert resets.seen == 2  # of 8 steps, the third and the sixth

    def test_dense_of_that_name_is_permuted(self):
        model, optimizer = built(layers.Dense(3, name="batch_normalization_x"))
        kernel = model.layers[0].kernel
        before = kernel.numpy()
        shake(model)
        optimizer.synchronize()
        assert is_permuted(kernel, before)


class TestUnitAxes:
    def synchronized(self, unit_axes):
        model, optimizer = built(layers.Dense(5, name="a"), layers.Dense(4, name="b"), unit_axes=unit_axes)
        before = snapshot(model)
        shake(model)
        shaken = snapshot(model)
        optimizer.synchronize()
        return model, before, shaken

    def test_override(self):
        model, before, _ = self.synchronized({"a/kernel": (0,)})
        kernels = [layer.kernel for layer in model.layers]
        first, second = (before[kernel.path] for kernel in kernels)
        assert is_permuted(kernels[0], first, (0,))
        assert not is_permuted(kernels[0], first)
        assert is_permuted(kernels[1], second)

    def test_none_leaves_alone(self):
        model, before, shaken = self.synchronized({"^.*a/kernel$": None})
        first, second = (layer.kernel for layer in model.layers)
        np.testing.assert_array_equal(first.numpy(), shaken[first.path])
        assert is_permuted(second, before[second.path])

    def test_no_such_variable(self):
        with pytest.raises(ValueError, match=r"`unit_axes` must name variables.*Received: 'c/kernel'.*a/kernel"):
            self.synchronized({"c/kernel": None})


@pytest.mark.parametrize("final_sync", [True, False])
def test_final_sync(final_sync):
    model, optimizer = built(layers.Flatten(), layers.Dense(3), sync_period=5, final_sync=final_sync)
    kernel = model.layers[-1].kernel
    before = kernel.numpy()
    fit(model, steps=8)
    assert is_permuted(kernel, before) == final_sync
    assert optimizer.last_sync == (8 if final_sync else 5)


@LOOSE
def test_final_sync_follows_the_moving_average():
    # At the end of `fit` the inner optimizer puts its averages in place, which are no permutation of anything.
    kernel = keras.Variable([[1.0], [2.0], [3.0]])
    optimizer = LaPerm(keras.optimizers.SGD(use_ema=True))
    optimizer.build([kernel])
    optimizer.recapture()
    optimizer.inner_optimizer._model_variables_moving_average[0].assign([[0.5], [-4.0], [0.25]])
    optimizer.finalize_variable_values([kernel])
    assert kernel.numpy().ravel().tolist() == [3.0, 1.0, 2.0]


def test_two_fits_keep_the_first_initial_weights():
    model, optimizer = built(layers.Flatten(), layers.Dense(3), sync_period=5, final_sync=False)
    kernel = model.layers[-1].kernel
    before = kernel.numpy()
    fit(model, steps=8)
    fit(model, steps=2)
    assert is_permuted(kernel, before)
    assert (int(optimizer.iterations), optimizer.last_sync) == (10, 10)


def test_recapture():
    # The step that `fit` has compiled must see the new values too, and not a copy of the old ones.
    model, optimizer = built(layers.Flatten(), layers.Dense(3), sync_period=4)
    kernel = model.layers[-1].kernel
    fit(model, steps=6)
    chosen = np.random.default_rng(5).normal(size=kernel.shape).astype("float32")
    kernel.assign(chosen)
    optimizer.recapture()
    assert optimizer.last_sync == 6
    step, optimizer.final_sync = model.train_function, False
    fit(model, steps=4)
    assert model.train_function is step
    assert optimizer.last_sync == 10
    assert is_permuted(kernel, chosen)


def test_follows_the_model_it_is_given():
    for seed in (1, 2):  # the original kept the sorted weights of the first model for good
        keras.utils.set_random_seed(seed)
        model, _ = built(layers.Flatten(), layers.Dense(3), sync_period=4)
        before = model.layers[-1].kernel.numpy()
        fit(model)
        assert is_permuted(model.layers[-1].kernel, before)


class TestFrozen:
    def test_never_trainable(self):
        model, optimizer = built(layers.Dense(4, trainable=False), layers.BatchNormalization(trainable=False))
        assert model.trainable_variables == []
        model, optimizer = built(layers.Flatten(), layers.Dense(4, trainable=False, name="frozen"), layers.Dense(3))
        before = model.get_layer("frozen").kernel.numpy()
        fit(model)
        np.testing.assert_array_equal(model.get_layer("frozen").kernel.numpy(), before)
        assert optimizer.last_sync == 8

    @only_on("tensorflow torch", "on JAX Keras refuses an optimizer that was built for other variables")
    def test_frozen_after_some_steps(self):
        model, optimizer = built(
            layers.Flatten(), layers.Dense(4, name="frozen"), layers.Dense(3, name="free"), sync_period=5
        )
        frozen, free = model.get_layer("frozen"), model.get_layer("free")
        before = snapshot(model)
        optimizer.final_sync = False
        fit(model, steps=3)
        moved = frozen.kernel.numpy()
        assert not is_permuted(frozen.kernel, before[frozen.kernel.path])
        frozen.trainable = False
        model.compile(optimizer=optimizer, loss="mse")
        fit(model, steps=7)
        np.testing.assert_array_equal(frozen.kernel.numpy(), moved)
        assert is_permuted(free.kernel, before[free.kernel.path])
        frozen.trainable = True
        model.compile(optimizer=optimizer, loss="mse")
        fit(model, steps=5)
        assert is_permuted(frozen.kernel, before[frozen.kernel.path])

    def test_moving_statistics(self):
        model, optimizer = built(layers.BatchNormalization(), layers.Dense(2), skip_batch_norm=False)
        norm = model.layers[0]
        fit(model)
        mean = norm.moving_mean.numpy()
        assert (mean != 0).all()
        optimizer.synchronize()
        np.testing.assert_array_equal(norm.moving_mean.numpy(), mean)


@LOOSE
class TestResetInnerState:
    GRADIENT = keras.ops.ones((2, 1))

    def steps(self, inner, count, **arguments):
        """What each step takes from the first of two weights, whose order never changes."""
        kernel = keras.Variable([[0.0], [9.0]])
        optimizer = LaPerm(inner, sync_period=2, reset_inner_state=True, **arguments)
        taken = []
        for step in range(1, count + 1):
            before = float(kernel.numpy()[0, 0])
            optimizer.sync_in_step = False  # to look at the step before what it has moved goes back
            optimizer.apply([self.GRADIENT], [kernel])
            taken.append(before - float(kernel.numpy()[0, 0]))
            if step % 2 == 0:
                optimizer.synchronize()
        return taken, optimizer

    def test_solved_by_hand(self):
        # SGD of 1.0 with momentum 0.5 and gradients of 1: the steps are 1, 1 + 0.5, 1.75, 1.875. Forgetting the
        # momentum after every second one gives 1, 1.5, 1, 1.5.
        taken, optimizer = self.steps(keras.optimizers.SGD(1.0, momentum=0.5), 4)
        assert taken == [1.0, 1.5, 1.0, 1.5]
        assert (int(optimizer.iterations), int(optimizer.inner_optimizer.iterations)) == (4, 0)

    def test_bias_correction_starts_anew(self):
        # Adam's first steps have the size of its rate; without the correction that of the third would be sqrt(10).
        taken, _ = self.steps(keras.optimizers.Adam(0.5), 4)
        np.testing.assert_allclose(taken, 0.5, rtol=1e-4)

    @pytest.mark.parametrize("inner", ["adagrad", "nadam"])
    def test_first_values_other_than_zero(self, inner):
        # Adagrad's sums of squares start at 0.1, a product of Nadam's at 1.
        taken, _ = self.steps(keras.optimizers.get(inner), 4)
        assert taken[:2] == taken[2:]

    @pytest.mark.parametrize(
        "compile_arguments",
        [pytest.param({"jit_compile": True}, marks=SLOW_TO_COMPILE), {"run_eagerly": True}, {}],
        ids=str,
    )
    def test_fit(self, compile_arguments):
        model = keras.Sequential([keras.Input((3,)), layers.Dense(2)])
        optimizer = LaPerm(keras.optimizers.Adam(0.1), sync_period=3, final_sync=False, reset_inner_state=True)
        model.compile(optimizer, loss="mse", **compile_arguments)
        fit(model, steps=7)
        assert (int(optimizer.iterations), optimizer.last_sync, int(optimizer.inner_optimizer.iterations)) == (7, 6, 1)

    def test_mixed_precision(self):
        keras.config.set_dtype_policy("mixed_float16")
        model = keras.Sequential([keras.Input((3,)), layers.Dense(2)])
        optimizer = LaPerm(keras.optimizers.Adam(0.1), sync_period=3, final_sync=False, reset_inner_state=True)
        model.compile(optimizer, loss="mse")
        fit(model, steps=8)
        # Steps skipped for overflow count nowhere; the inner optimizer counts those since the last synchronization.
        assert optimizer.last_sync >= 3
        assert int(optimizer.inner_optimizer.iterations) == int(optimizer.iterations) - optimizer.last_sync

    def test_saved_and_resumed(self, tmp_path):
        def train(model, first, count):
            rng = np.random.default_rng(0)
            x, y = rng.normal(size=(8, 4, 3)), rng.normal(size=(8, 4, 2))
            for step in range(first, first + count):
                model.train_on_batch(x[step], y[step])
            return model

        model = keras.Sequential([keras.Input((3,)), layers.Dense(2)])
        optimizer = LaPerm(keras.optimizers.Adam(0.1), sync_period=3, final_sync=False, reset_inner_state=True)
        model.compile(optimizer, loss="mse")
        train(model, 0, 4).save(tmp_path / "half.keras")
        resumed = train(keras.saving.load_model(tmp_path / "half.keras"), 4, 4)
        for there, here in zip(resumed.get_weights(), train(model, 4, 4).get_weights(), strict=True):
            np.testing.assert_array_equal(there, here)
        assert int(resumed.optimizer.iterations) == 8

    def test_schedule_that_counts_steps(self):
        schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.9)
        with pytest.raises(ValueError, match=r"LearningRateSchedule.*Received: learning_rate=.*Set the rate by"):
            LaPerm(keras.optimizers.Adam(schedule), reset_inner_state=True)
