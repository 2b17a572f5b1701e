"""What is set on the wrapper reaches the inner optimizer or is refused; what the objects say of themselves."""

import keras
import numpy as np
import pytest
from backends import BACKEND, MODES, applying

from train_by_reconnect import LaPerm, Lookahead

OPTIMIZERS = pytest.mark.parametrize("wrapper", [LaPerm, Lookahead])


def dense(shape=(3, 1)):
    layer = keras.layers.Dense(shape[1], use_bias=False)
    layer.build((None, shape[0]))
    return layer


@OPTIMIZERS
class TestForwarded:
    @pytest.mark.parametrize(
        ("name", "value"), [("weight_decay", 0.1), ("clipnorm", 1.0), ("clipvalue", 1.0), ("global_clipnorm", 1.0)]
    )
    def test_settings(self, wrapper, name, value):
        optimizer = wrapper("adam")
        setattr(optimizer, name, value)
        assert getattr(optimizer, name) == getattr(optimizer.inner_optimizer, name) == value

    def test_clipping_solved_by_hand(self, wrapper):
        # The gradient 3, 0, 4 of norm 5 clipped to 1, at rate 1: a step of 0.6, 0, 0.8.
        layer, optimizer = dense(), wrapper(keras.optimizers.SGD(1.0))
        optimizer.clipnorm = 1.0
        before = layer.kernel.numpy()
        optimizer.apply([np.float32([[3], [0], [4]])], [layer.kernel])
        np.testing.assert_allclose((before - layer.kernel.numpy()).ravel(), [0.6, 0.0, 0.8], atol=1e-6)

    def test_moving_averages(self, wrapper):
        layer, optimizer = dense(), wrapper("sgd")
        optimizer.use_ema = True
        optimizer.build([layer.kernel])
        assert optimizer.use_ema
        assert len(optimizer.inner_optimizer._model_variables_moving_average) == 1
        assert len({id(each) for each in optimizer.variables}) == len(optimizer.variables)

    def test_exclude_from_weight_decay(self, wrapper):
        # A rate and decay of 0.5 take a quarter of what decays, and there is no gradient.
        layers = [dense(), dense()]
        optimizer = wrapper(keras.optimizers.SGD(0.5, weight_decay=0.5))
        optimizer.exclude_from_weight_decay([layers[0].kernel])
        before = [layer.kernel.numpy() for layer in layers]
        optimizer.apply([keras.ops.zeros((3, 1))] * 2, [layer.kernel for layer in layers])
        np.testing.assert_array_equal(layers[0].kernel.numpy(), before[0])
        np.testing.assert_allclose(layers[1].kernel.numpy(), 0.75 * before[1], rtol=1e-6)

    def test_accumulation_is_refused(self, wrapper):
        optimizer = wrapper("adam")
        message = r"does not work with gradient accumulation. Received: gradient_accumulation_steps=4"
        with pytest.raises(ValueError, match=message):
            optimizer.gradient_accumulation_steps = 4
        optimizer.inner_optimizer.gradient_accumulation_steps = 4
        with pytest.raises(ValueError, match=message):
            optimizer.build([dense().kernel])

    def test_around_itself(self, wrapper):
        name = wrapper.__name__
        with pytest.raises(
            ValueError, match=rf"{name} around {name} .*Received: inner_optimizer={name}\(<Adam.*Pass its"
        ):
            wrapper(wrapper("adam"))


def test_repr():
    # The inner optimizers have names of their own: Keras numbers those that it gives.
    adam, sgd = keras.optimizers.Adam(name="ada"), keras.optimizers.SGD(name="sgd")
    assert repr(LaPerm(adam, sync_period=20)) == "LaPerm(<Adam 'ada'>, sync_period=20)"
    assert repr(LaPerm(sgd, None, skip_bias=False, unit_axes={"a": None})) == (
        "LaPerm(<SGD 'sgd'>, sync_period=None, skip_bias=False, unit_axes={'a': None})"
    )
    assert repr(LaPerm(Lookahead(sgd))) == (
        "LaPerm(Lookahead(<SGD 'sgd'>, sync_period=6, slow_step_size=0.5), sync_period=1000)"
    )


class TestResetInnerState:
    def test_schedule_set_later(self):
        schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.9)
        message = r"`reset_inner_state` restarts.*LearningRateSchedule.*Received: learning_rate=.*Set the rate by"
        optimizer = LaPerm("sgd", reset_inner_state=True)
        with pytest.raises(ValueError, match=message):
            optimizer.learning_rate = schedule
        optimizer.inner_optimizer.learning_rate = schedule
        with pytest.raises(ValueError, match=message):
            optimizer.build([dense().kernel])

    def test_of_a_trained_optimizer(self):
        # Momentum 0.5 after gradients of 1 is (1) 0.1, (2) 0.15; a synchronization must make it 0, not 0.1 again.
        layer = dense()
        inner = keras.optimizers.SGD(0.1, momentum=0.5)
        inner.apply([keras.ops.ones((3, 1))], [layer.kernel])
        optimizer = LaPerm(inner, sync_period=1, reset_inner_state=True)
        optimizer.apply([keras.ops.ones((3, 1))], [layer.kernel])
        state = [variable.numpy() for variable in inner.variables if variable.name != "learning_rate"]
        assert all((np.asarray(value) == 0).all() for value in state)
        assert int(optimizer.iterations) == 1

    @pytest.mark.parametrize("inner", [keras.optimizers.ScheduleFreeAdamW(), Lookahead("sgd")], ids=["copy", "slow"])
    def test_state_that_starts_from_the_weights(self, inner):
        optimizer = LaPerm(inner, reset_inner_state=True)
        with pytest.raises(
            ValueError, match=r"without a trace of the weights. Received: inner_optimizer=.*Use e.g. Adam"
        ):
            optimizer.build([dense().kernel])


class TestTheOnlySynchronization:
    """Fits of 100 steps: 20 is the smallest k that is advised, and 2 the smallest number of synchronizations."""

    def fit(self, optimizer, steps=100, times=1):
        model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
        model.compile(optimizer, loss="mse")
        x = np.ones((steps, 1), "float32")
        for _ in range(times):
            model.fit(x, x, batch_size=1, verbose=0)

    def test_warns_once(self):
        message = (
            r"every 1000 steps. Received: a `fit` of 100 steps, so with 1 .*Set e.g. sync_period=20, for 5 of them"
        )
        with pytest.warns(UserWarning, match=message) as found:
            self.fit(LaPerm("adam"), times=2)
        assert sum("LaPerm" in str(each.message) for each in found) == 1

    def test_fine(self):
        # Errors, as warnings are in these tests: there was another one, none is wanted, or the training is too short.
        self.fit(LaPerm("adam", sync_period=100))
        self.fit(LaPerm("adam", sync_period=None))
        self.fit(LaPerm("adam", final_sync=False))
        self.fit(LaPerm("adam"), steps=39)


@pytest.mark.parametrize("host", [True, pytest.param(False, marks=pytest.mark.slow)])
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16", *([] if BACKEND == "jax" else ["float64"])])
def test_subnormal_numbers_are_ranked(mode, host, dtype, monkeypatch):
    # Four numbers below the smallest normal one, and both zeros, which tie: 3, -1, 2, -0.0, 1, 0.0 times the tiny one.
    if not host:
        monkeypatch.setattr(f"train_by_reconnect.backend.{BACKEND}.can_call_host", lambda *_: False)
    tiny = {"float32": 1e-44, "float64": 1e-320, "float16": 1.2e-7, "bfloat16": 2e-40}[dtype]
    moved = keras.ops.convert_to_tensor(np.array([[3], [-1], [2], [-0.0], [1], [0.0]]) * tiny, dtype)
    layer = keras.layers.Dense(1, use_bias=False, dtype=dtype)
    layer.build((None, 6))
    layer.kernel.assign(np.arange(6.0)[:, np.newaxis])
    optimizer = LaPerm(keras.optimizers.SGD(0.0), sync_period=1)
    optimizer.build([layer.kernel])
    optimizer.recapture()
    # Without the step of SGD: less 0 times a gradient, a subnormal number may already be 0.
    optimizer.inner_optimizer.apply = lambda *_: optimizer.iterations.assign_add(1)
    layer.kernel.assign(moved)
    applying(optimizer, [layer.kernel], mode)([keras.ops.zeros((6, 1), dtype)])
    assert keras.ops.convert_to_numpy(layer.kernel).ravel().astype(float).tolist() == [5, 0, 4, 1, 3, 2]


@pytest.mark.parametrize("eagerly", [False, True])
def test_divergence_in_one_sentence(eagerly):
    # In a graph TensorFlow says first where the step was defined; what comes after that is ours, and one line.
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name="lost")])
    model.compile(LaPerm(keras.optimizers.SGD(0.1), sync_period=2), loss="mse", run_eagerly=eagerly)
    with pytest.raises(ValueError if eagerly else Exception, match="lost/kernel holds a NaN") as error:
        model.fit(np.ones((8, 3)), np.full((8, 2), np.nan), batch_size=2, verbose=0)
    sentence = "the training has diverged. Lower the learning rate of the inner optimizer or clip its gradients."
    lines = str(error.value).splitlines()
    assert sentence in lines[0 if eagerly else -2 if "node" in lines[-1] else -1]
    assert str(error.value).count(sentence) == 1
