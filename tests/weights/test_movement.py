import itertools

import keras
import numpy as np
import pytest
from backends import to_numpy
from hypothesis import given, settings
from hypothesis import strategies as st

from train_by_reconnect.callbacks.activity import most_active
from train_by_reconnect.weights.flat_parameters import count_of
from train_by_reconnect.weights.movement import Movement, trainable_values

layers = keras.layers


def values_of(model):
    return [value.tolist() for value in trainable_values(model)]


def flat(arrays):
    return np.concatenate([np.ravel(array) for array in arrays])


def assign(model, values):
    for variable, value in zip(model.trainable_variables, values, strict=True):
        variable.assign(value)


def test_six_parameters_by_hand():
    # A layer of two inputs and one unit, then one of two units with a common bias. Initial and trained value, distance:
    #   kernel  a  1 -> 4    3        bias  c  0 -> 2       2        kernel  e  -1 -> 1    2
    #           b  2 -> 1.5  0.5    kernel  d  5 -> 0       5          bias  f  0.25 -> 0  0.25
    # Sorted: d (5), a (3), c (2, before e, being listed first), e (2), b (0.5), f (0.25).
    model = keras.Sequential([keras.Input((2,)), layers.Dense(1), Pair()])
    initial = [[[1.0], [2.0]], [0.0], [[5.0, -1.0]], [0.25]]
    trained = [[[4.0], [1.5]], [2.0], [[0.0, 1.0]], [0.0]]
    assign(model, trained)
    movement = Movement(model, [np.array(value) for value in initial])
    assert [distance.tolist() for distance in movement.distances] == [[[3.0], [0.5]], [2.0], [[5.0, 2.0]], [0.25]]
    expected = {
        0: trained,
        16: [[[4.0], [1.5]], [2.0], [[5.0, 1.0]], [0.0]],  # 0.96 of a parameter is 1: d
        25: [[[1.0], [1.5]], [2.0], [[5.0, 1.0]], [0.0]],  # 1.5 is rounded to the even 2: d, a
        50: [[[1.0], [1.5]], [0.0], [[5.0, 1.0]], [0.0]],  # d, a, c
        100: initial,
    }
    for percent, weights in expected.items():
        movement.reinitialize_active(percent)
        assert values_of(model) == weights
    movement.reinitialize_lazy(50)
    assert values_of(model) == [[[4.0], [2.0]], [2.0], [[0.0, -1.0]], [0.25]]
    movement.reinitialize_lazy(0)
    assert values_of(model) == initial
    movement.reinitialize_lazy(100)
    assert values_of(model) == trained


class Pair(layers.Layer):
    """A kernel (1, 2) and a bias that both units have in common."""

    def build(self, input_shape):
        self.kernel = self.add_weight(shape=(1, 2), name="kernel")
        self.bias = self.add_weight(shape=(1,), name="bias")

    def call(self, inputs):
        return inputs @ self.kernel + self.bias


class Parameters(layers.Layer):
    """Variables of any shapes, and no computation: what re-initialization works on."""

    def __init__(self, shapes):
        super().__init__()
        for shape in shapes:
            self.add_weight(shape=shape)
        self.built = True


@settings(deadline=None, max_examples=40)
@given(
    shapes=st.lists(st.lists(st.integers(1, 4), max_size=3).map(tuple), min_size=1, max_size=4),
    percent=st.one_of(st.sampled_from([0, 100]), st.floats(0, 100)),
    values=st.integers(1, 50),
    seed=st.integers(0, 1000),
)
def test_exactly_k_parameters_are_put_back(shapes, percent, values, seed):
    # Initial weights are integers and trained ones are integers and a half, so none is both; few values, many ties.
    generator = np.random.default_rng(seed)
    initial = [generator.integers(values, size=shape).astype("float32") for shape in shapes]
    trained = [generator.integers(values, size=shape).astype("float32") + np.float32(0.5) for shape in shapes]
    model = Parameters(shapes)
    assign(model, trained)
    movement = Movement(model, initial)
    distances = flat(trained) - flat(initial)
    size, k = distances.size, count_of(percent, distances.size)
    assert abs(k - percent / 100 * size) <= 0.5 + 1e-9

    active = flat(movement.active(percent))
    assert np.count_nonzero(active) == k
    by_hand = sorted(range(size), key=lambda index: (-abs(distances[index]), index))[:k]
    assert np.flatnonzero(active).tolist() == sorted(by_hand)
    np.testing.assert_array_equal(flat(most_active(movement.distances, percent)), active)

    movement.reinitialize_active(percent)
    after_active = flat(trainable_values(model))
    np.testing.assert_array_equal(after_active[active], flat(initial)[active])
    np.testing.assert_array_equal(after_active[~active], flat(trained)[~active])
    movement.reinitialize_lazy(percent)  # the other one at every parameter, and not of the network as it is now
    after_lazy = flat(trainable_values(model))
    np.testing.assert_array_equal(after_active + after_lazy, flat(initial) + flat(trained))
    assert not np.any(after_active == after_lazy)
    movement.restore()
    np.testing.assert_array_equal(flat(trainable_values(model)), flat(trained))


def test_more_percent_is_a_larger_set():
    model = Parameters([(7, 11)])
    movement = Movement(model, [np.zeros((7, 11))])
    sets = [movement.active(percent)[0] for percent in (0.1, 1, 10, 10.5, 50, 99)]
    assert all(np.all(larger[smaller]) for smaller, larger in itertools.pairwise(sets))
    assert [np.count_nonzero(each) for each in sets] == [0, 1, 8, 8, 38, 76]


def test_a_list_of_percentages_in_one_pass():
    model = Parameters([(2, 5)])
    initial = [np.zeros((2, 5))]
    assign(model, [np.arange(1.0, 11).reshape(2, 5)])
    movement = Movement(model, initial)
    # The sum 55 of 1 to 10 without 10, without 10 to 6, without all.
    assert movement.evaluate_active([0, 10, 50, 100], total) == [55, 45, 15, 0]
    assert movement.evaluate_lazy(iter([100, 50, 10, 0]), total) == [55, 40, 10, 0]
    assert total(model) == 55

    def fail(model):
        seen.append(total(model))
        raise KeyError("stopped")

    for evaluate in (movement.evaluate_active, movement.evaluate_lazy):
        seen = []
        with pytest.raises(KeyError, match="stopped"):
            evaluate([50, 100], fail)
        assert seen in ([15], [40])
        assert total(model) == 55
    with pytest.raises(ValueError, match="from 0 to 100"):
        movement.evaluate_active([10, 101], total)
    assert total(model) == 55


def total(model):
    return sum(value.sum() for value in trainable_values(model))


class Subclassed(keras.Model):
    def __init__(self, dtype):
        super().__init__(dtype=dtype)
        self.parts = stack(dtype)

    def call(self, inputs):
        for part in self.parts:
            inputs = part(inputs)
        return inputs


def stack(dtype):
    parts = [layers.Conv2D(2, 3, use_bias=False), layers.BatchNormalization(), layers.Flatten(), layers.Dense(2)]
    return [type(part).from_config({**part.get_config(), "dtype": dtype}) for part in parts]


@pytest.mark.parametrize("dtype", ["float32", "mixed_float16", "bfloat16"])
@pytest.mark.parametrize("kind", ["functional", "subclassed"])
def test_of_any_model(kind, dtype):
    if kind == "functional":
        model = keras.Sequential([keras.Input((4, 4, 1)), *stack(dtype)])
    else:
        model = Subclassed(dtype)
        model(np.zeros((1, 4, 4, 1), "float32"))
    initial = trainable_values(model)
    assert [value.shape for value in initial] == [(3, 3, 1, 2), (2,), (2,), (8, 2), (2,)]
    generator = np.random.default_rng(0)
    for variable in model.variables:  # a training, which moves the moving statistics as well
        if "float" in variable.dtype:
            variable.assign_add(generator.normal(size=variable.shape).astype("float32"))
    statistics = [np.array(v) for v in model.non_trainable_variables]
    x = np.ones((2, 4, 4, 1), "float32")
    trained = to_numpy(model(x))
    movement = Movement(model, initial)
    outputs = movement.evaluate_active([0, 20, 100], lambda model: to_numpy(model(x)))
    assert np.array_equal(outputs[0], trained)
    assert not np.array_equal(outputs[1], trained)
    assert np.array_equal(to_numpy(model(x)), trained)
    movement.reinitialize_active(100)
    assert all(map(np.array_equal, trainable_values(model), initial))
    assert all(map(np.array_equal, [np.array(v) for v in model.non_trainable_variables], statistics))


def test_the_training_goes_on():
    model = keras.Sequential([keras.Input((3,)), layers.Dense(2), layers.Dense(1)])
    model.compile(optimizer="adam", loss="mse")
    initial = trainable_values(model)
    x, y = np.random.default_rng(0).normal(size=(8, 3)).astype("float32"), np.ones((8, 1))
    model.fit(x, y, batch_size=8, epochs=3, verbose=0)
    slots = [np.array(variable) for variable in model.optimizer.variables]
    losses = Movement(model, initial).evaluate_active([0, 100], lambda model: model.evaluate(x, y, verbose=0))
    assert losses[0] < losses[1]
    assert all(map(np.array_equal, slots, [np.array(variable) for variable in model.optimizer.variables]))


def test_frozen_layers_take_no_part():
    model = keras.Sequential([keras.Input((1,)), layers.Dense(1), layers.Dense(1)])
    model.layers[0].trainable = False
    initial = trainable_values(model)
    assign(model, [value + 1 for value in initial])
    frozen = [np.array(variable) for variable in model.layers[0].variables]
    movement = Movement(model, initial)
    assert len(movement.distances) == 2
    movement.reinitialize_active(100)
    assert all(map(np.array_equal, frozen, [np.array(variable) for variable in model.layers[0].variables]))


def test_bad_input():
    model = Parameters([(2,), ()])
    initial = trainable_values(model)
    for wrong in (initial[:1], initial[::-1], [*initial, initial[0]]):
        with pytest.raises(ValueError, match=r"must be of the shapes .* Received: .*for variables of \[\(2,\), \(\)\]"):
            Movement(model, wrong)
    for percent in (-1, 100.5, float("nan")):
        with pytest.raises(ValueError, match=r"must be from 0 to 100. Received: percent="):
            Movement(model, initial).reinitialize_lazy(percent)
    model.trainable_variables[1].assign(np.inf)
    with pytest.raises(ValueError, match=f"finite weights.* Received: .* in {model.trainable_variables[1].path}"):
        Movement(model, initial)
    with pytest.raises(ValueError, match="must be built"):
        trainable_values(keras.Sequential([layers.Dense(1)]))
