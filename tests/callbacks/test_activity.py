import keras
import numpy as np
import pytest
from backends import BACKEND
from hypothesis import given, settings
from hypothesis import strategies as st

from train_by_reconnect import ActivityMap, full_batch_gradient, most_active

layers = keras.layers
GENERATOR = np.random.default_rng(0)
X = GENERATOR.normal(size=(10, 4, 4, 1)).astype("float32")
Y = GENERATOR.integers(3, size=10)


def network(*parts, **compiled):
    parts = [keras.Input((4, 4, 1)), layers.Conv2D(2, 3), *parts, layers.Flatten(), layers.Dense(3)]
    model = keras.Sequential(parts)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(**{"optimizer": keras.optimizers.SGD(1.0), "loss": loss, **compiled})
    return model


def values_of(variables):
    return [np.array(variable) for variable in variables]


def step_of(model, x=X, y=Y):
    """The gradient of one batch as the train step has it: what gradient descent with a learning rate of 1 subtracts."""
    before = values_of(model.trainable_variables)
    model.train_on_batch(x, y)
    return [old - new for old, new in zip(before, values_of(model.trainable_variables), strict=True)]


def assert_close(gradients, expected, **tolerance):
    for gradient, other in zip(gradients, expected, strict=True):
        np.testing.assert_allclose(gradient, other, **{"rtol": 1e-4, "atol": 1e-6, **tolerance})


def test_two_epochs_by_hand():
    # One unit w1 x1 + w2 x2 + b with the target 0, examples (2, 0) and (0, 1), w = (1, 2), b = 0: errors 2 and 2.
    # The gradient, mean of 2 * error * (x1, x2, 1), is (4, 2, 4): with ties, w1 and b before w2.
    # A step of 0.25: w = (0, 1.5), b = -1, errors -1 and 0.5, the gradient (-2, 0.5, -0.5): w1; then w2, before b.
    # A step of 0.25 again: w = (0.5, 1.375), b = -0.875, errors 0.125 and 0.5, (0.25, 0.5, 0.625): b; then w2.
    # At the ends of the two epochs 34 % of three parameters (1.02) are w1 and b, 67 % (2.01) w1, w2 and b, w2.
    unit = layers.Dense(1, name="unit")
    model = keras.Sequential([keras.Input((2,)), unit])
    model.set_weights([np.array([[1.0], [2.0]]), np.array([0.0])])
    model.compile(optimizer=keras.optimizers.SGD(0.25), loss="mse")
    x, y = np.array([[2.0, 0.0], [0.0, 1.0]]), np.zeros((2, 1))
    first = full_batch_gradient(model, x, y, batch_size=1)
    assert [gradient.tolist() for gradient in first] == [[[4.0], [2.0]], [4.0]]
    assert [active.tolist() for active in most_active(first, 34)] == [[[True], [False]], [False]]
    activity = ActivityMap(x, y, percents=(34, 67), batch_size=1)
    model.fit(x, y, epochs=2, verbose=0, callbacks=[activity])
    assert [gradient.tolist() for gradient in activity.frequencies(34)] == [[[0.5], [0.0]], [0.5]]
    assert [counts.tolist() for counts in activity.counts[67]] == [[[1], [2]], [1]]
    # Of four active ones three are in the kernel, which has two parameters in two epochs.
    assert activity.shares(67) == {"unit": {"share": 1.0, "fraction": 4 / 6}}
    assert activity.shares(67, by="variable") == {
        "unit/kernel": {"share": 0.75, "fraction": 0.75},
        "unit/bias": {"share": 0.25, "fraction": 0.5},
    }


def test_a_component_of_zero_is_never_active():
    # The second input is always 0, so the gradient (2 * error * x1, 0, 2 * error) has two components other than 0.
    model = keras.Sequential([keras.Input((2,)), layers.Dense(1)])
    model.compile(optimizer="sgd", loss="mse")
    x, y = np.array([[2.0, 0.0]]), np.array([[9.0]])
    activity = ActivityMap(x, y, percents=(100,))
    model.fit(x, y, verbose=0, callbacks=[activity])
    assert [counts.tolist() for counts in activity.counts[100]] == [[[1], [0]], [1]]


@settings(deadline=None, max_examples=40)
@given(
    shapes=st.lists(st.lists(st.integers(1, 4), max_size=3).map(tuple), min_size=1, max_size=4),
    percent=st.one_of(st.sampled_from([0, 100]), st.floats(0, 100)),
    values=st.integers(0, 40),
    seed=st.integers(0, 1000),
)
def test_exact_counts_of_the_largest_first_of_equal_ones(shapes, percent, values, seed):
    generator = np.random.default_rng(seed)
    gradients = [generator.integers(-values, values + 1, size=shape).astype("float32") for shape in shapes]
    flat = np.concatenate([gradient.ravel() for gradient in gradients])
    active = most_active(gradients, percent)
    assert [each.shape for each in active] == shapes
    expected = np.argsort(-np.abs(flat), kind="stable")[: round(percent * flat.size / 100)]
    found = np.flatnonzero(np.concatenate([each.ravel() for each in active]))
    assert found.tolist() == sorted(expected.tolist())


def test_of_uneven_batches_is_that_of_the_train_step():
    regularized = layers.Conv2D(2, 1, kernel_regularizer=keras.regularizers.L2(1.0))
    model = network(regularized, layers.Activation("relu", activity_regularizer=keras.regularizers.L1(0.1)))
    gradients = full_batch_gradient(model, X, Y, batch_size=3)  # 3, 3, 3 and 1
    assert [gradient.dtype for gradient in gradients] == ["float32"] * 6
    # Twice the kernel comes from the regularizer: more than rounding, so it is in it, once.
    assert np.abs(2 * regularized.kernel.numpy()).min() > 1e-3
    assert_close(gradients, step_of(model))


def test_batch_normalization_and_dropout():
    model = network(layers.BatchNormalization(), layers.Dropout(0.5))
    rows = [slice(0, 4), slice(4, 8), slice(8, 10)]
    model.train_on_batch(X, Y)  # so that the moving statistics are not those of the start
    state = values_of(model.variables)  # with the seed of the dropout
    in_inference = full_batch_gradient(model, X, Y, batch_size=4)
    parts = [full_batch_gradient(model, X[part], Y[part]) for part in rows]
    mean = [0.4 * a + 0.4 * b + 0.2 * c for a, b, c in zip(*parts, strict=True)]
    assert_close(in_inference, mean)
    as_trained = full_batch_gradient(model, X, Y, training=True)
    assert all(map(np.array_equal, state, values_of(model.variables)))
    step = step_of(model)  # its dropout is the draw that was next
    assert_close(as_trained, step)
    assert np.abs(in_inference[0] - step[0]).max() > 1e-3


class TwoHeads(keras.Model):
    """Subclassed, without an argument `training`; a dict of inputs, two targets, an embedding and a loss of its own."""

    def __init__(self):
        super().__init__()
        self.embedding, self.first, self.second = layers.Embedding(5, 2), layers.Dense(1), layers.Dense(2)
        self.unused = self.add_weight(shape=(2,), name="unused")

    def call(self, inputs):
        x = keras.ops.concatenate([self.embedding(inputs["word"]), inputs["value"]], axis=-1)
        self.add_loss(keras.ops.mean(x**2))
        return {"first": self.first(x), "second": self.second(x)}


@pytest.mark.filterwarnings("ignore:Gradients do not exist")  # Keras, of the unused variable
def test_subclassed_model_with_several_inputs_and_targets():
    x = {"word": np.array([0, 1, 1, 4, 2]), "value": GENERATOR.normal(size=(5, 1)).astype("float32")}
    y = {"first": np.ones((5, 1)), "second": np.zeros((5, 2))}
    model = TwoHeads()
    model(x)
    model.compile(optimizer=keras.optimizers.SGD(1.0), loss={"first": "mse", "second": "mae"})
    gradients = full_batch_gradient(model, x, y, batch_size=2)
    names = [variable.path.split("/", 1)[1] for variable in model.trainable_variables]
    by_name = dict(zip(names, gradients, strict=True))
    assert by_name["unused"].tolist() == [0, 0]
    assert by_name["embedding/embeddings"][3].tolist() == [0, 0]  # a word that no example has
    assert_close(gradients, step_of(model, x, y))
    model.optimizer.learning_rate = 0.0
    activity = ActivityMap(x, y, percents=(100,))
    model.fit(x, y, verbose=0, callbacks=[activity])
    assert list(activity.shares(100)) == [model.name, "embedding", "dense", "dense_1"]


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision_is_near_the_gradient_of_float32(policy):
    exact = network(layers.BatchNormalization())
    keras.config.set_dtype_policy(policy)
    model = network(layers.BatchNormalization(), optimizer="sgd")  # for float16 with a loss scale, which is not in it
    model.set_weights(exact.get_weights())
    gradients = full_batch_gradient(model, X, Y, batch_size=4)
    assert {gradient.dtype.name for gradient in gradients} == {"float32"}
    assert_close(gradients, full_batch_gradient(exact, X, Y), rtol=0.05, atol=0.02)


def test_the_callback_changes_nothing_and_is_traced_once():
    traces = []

    class Traced(layers.Layer):
        def call(self, inputs):
            traces.append(len(inputs.shape))
            return inputs

    states = []
    for callback in (None, ActivityMap(X, Y, percents=(0, 10, 100), batch_size=4)):
        keras.utils.set_random_seed(0)
        model = network(Traced(), layers.BatchNormalization(), layers.Dropout(0.5), optimizer="adam", metrics=["acc"])
        traces.clear()
        callbacks = [callback] if callback else []
        history = model.fit(X, Y, batch_size=5, epochs=3, verbose=0, callbacks=callbacks, validation_data=(X, Y))
        states.append((history.history, values_of(model.variables), len(traces)))
    (plain_history, plain_values, plain_traces), (history, values, count) = states
    assert history == plain_history
    assert all(map(np.array_equal, values, plain_values))
    # For three epochs of batches of 4, 4 and 2: JAX traces for each size, and PyTorch runs all.
    assert count == plain_traces + {"tensorflow": 1, "jax": 2, "torch": 9}[BACKEND]

    assert callback.epochs == 3
    sizes = [18 + 2, 2 + 2, 24 + 3]
    assert [sum(int(c.sum()) for c in callback.counts[percent]) for percent in (0, 10, 100)] == [0, 3 * 5, 3 * 51]
    assert all(np.all(frequency == 1) for frequency in callback.frequencies(100))
    shares = callback.shares(100)
    assert list(shares) == [layer.name for layer in model.layers if layer.trainable_variables]
    assert [of_layer["share"] for of_layer in shares.values()] == [size / 51 for size in sizes]
    assert [of_layer["fraction"] for of_layer in callback.shares(0).values()] == [0, 0, 0]
    assert sum(of_layer["share"] for of_layer in callback.shares(10).values()) == pytest.approx(1)
    assert sum(of["share"] for of in callback.shares(10, by="variable").values()) == pytest.approx(1)

    model.fit(X, Y, epochs=1, verbose=0, callbacks=[callback])  # goes on
    assert callback.epochs == 4
    assert sum(int(c.sum()) for c in callback.counts[10]) == 4 * 5
    model.layers[0].trainable = False
    model.compile(optimizer="sgd", loss=model.loss)
    model.fit(X, Y, epochs=1, verbose=0, callbacks=[callback])  # other variables: anew
    assert callback.epochs == 1
    assert len(callback.counts[10]) == 4


def test_bad_input():
    model = network()
    with pytest.raises(ValueError, match=r"`batch_size` must be at least 1. Received: batch_size=0"):
        full_batch_gradient(model, X, Y, batch_size=0)
    for x, y in ((X, Y[:9]), (X[:0], Y[:0]), (X, 3)):
        with pytest.raises(ValueError, match=r"same number of examples, at least 1. Received: arrays with"):
            full_batch_gradient(model, x, y)
    with pytest.raises(ValueError, match="must be compiled"):
        full_batch_gradient(keras.Sequential([keras.Input((1,)), layers.Dense(1)]), X, Y)
    with pytest.raises(ValueError, match="must be built"):
        full_batch_gradient(keras.Sequential([layers.Dense(1)]), X, Y)
    with pytest.raises(ValueError, match=r"must be finite. Received: .* gradients\[1\]"):
        most_active([np.zeros(2), np.array(np.nan)], 1)
    with pytest.raises(ValueError, match=r"from 0 to 100. Received: percent=-1"):
        ActivityMap(X, Y, percents=(1, -1))
    activity = ActivityMap(X, Y)
    for percent in (10, 20):
        with pytest.raises(ValueError, match=rf"Received: percent={percent}, with percents=\(1, 10, 30\) and epochs=0"):
            activity.frequencies(percent)
    with pytest.raises(ValueError, match=r"Received: by='unit'"):
        activity.shares(10, by="unit")
