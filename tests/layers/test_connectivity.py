import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from keras import layers

from train_by_reconnect import Masked, PositiveUniform, Signed
from train_by_reconnect.backend.tensorflow_gradients import fraction_above_zero, straight_through, times_step

KINDS = {"Masked": Masked, "Signed": Signed}
# Zeros of both signs, the smallest numbers above and below, and the largest, beside ordinary ones.
SCORES = arrays.arrays(
    np.float32,
    st.tuples(st.integers(1, 4), st.integers(1, 4)),
    elements=st.one_of(
        st.sampled_from([0.0, -0.0, np.float32(2.0**-126), np.float32(-(2.0**-126)), np.float32(3e38)]),
        st.floats(-2, 2, width=32, allow_subnormal=False),
    ),
)


@pytest.fixture(params=KINDS)
def kind(request):
    return KINDS[request.param]


def dense(kind, scores, kernel=None, **arguments):
    """A dense layer with these scores, and a kernel of ones or of this."""
    scores = np.asarray(scores, "float32")
    layer = kind(layers.Dense(scores.shape[1], use_bias=False, kernel_initializer="ones"), **arguments)
    layer.build((None, scores.shape[0]))
    layer.scores[0].assign(scores)
    if kernel is not None:
        layer.kernels[0].assign(kernel)
    return layer


def test_training_by_hand():
    # Kernel (2, -3), scores (0.1, 0.1), input (1, 1), loss y, plain gradient descent with rate 0.1.
    # The gradient of the scores is (1, 1) x (2, -3) whatever they are: each step subtracts (0.2, -0.3). From the third
    # step on the input is (-1, 1), the gradient (-2, -3), and the first score rises until its connection is back:
    #   scores    (0.1, 0.1)   (-0.1, 0.4)   (-0.3, 0.7)   (-0.1, 1.0)   (0.1, 1.3)
    #   masked y  2 - 3        0 - 3         0 - 3         0 - 3         -2 - 3
    #   signed y  2 - 3        -2 - 3        2 - 3         2 - 3         -2 - 3
    for kind, expected in ((Masked, [-1, -3, -3, -3, -5]), (Signed, [-1, -5, -1, -1, -5])):
        layer = dense(kind, [[0.1], [0.1]], [[2], [-3]])
        outputs, changed = [], []
        for inputs in ([1.0, 1], [1, 1], [-1, 1], [-1, 1], [-1, 1]):
            with tf.GradientTape() as tape:
                y = layer(np.array([inputs], "float32"))
            outputs.append(float(y[0, 0]))
            changed.append(layer.is_changed(layer.scores[0].value).numpy()[:, 0].tolist())
            (gradient,) = tape.gradient(y, [layer.scores[0].value])
            layer.scores[0].assign_sub(0.1 * gradient)
        assert outputs == expected
        assert changed == [[False, False], [True, False], [True, False], [True, False], [False, False]]


@settings(deadline=None, max_examples=40)
@given(SCORES)
def test_mask_and_sign(scores):
    masked, signed = dense(Masked, scores), dense(Signed, scores)
    mask, sign = masked.factor(masked.scores[0].value).numpy(), signed.factor(signed.scores[0].value).numpy()
    np.testing.assert_array_equal(mask, (scores > 0).astype("float32"))
    np.testing.assert_array_equal(sign, np.where(scores > 0, 1, -1).astype("float32"))
    for layer in (masked, signed):
        np.testing.assert_array_equal(layer.is_changed(layer.scores[0].value), scores <= 0)
        np.testing.assert_array_equal(layer.effective_kernels()[0], layer.factor(layer.scores[0].value))


@pytest.mark.parametrize("score", [0.0, -0.0])
def test_zero_is_below(kind, score):
    # Unlike 0 in the sign of mathematics, it flips: no connection of a signed layer is ever absent.
    layer = dense(kind, [[score]], [[3]])
    assert float(layer(np.ones((1, 1)))[0, 0]) == {Masked: 0, Signed: -3}[kind]
    assert bool(layer.is_changed(layer.scores[0].value))


def test_scores_start_above_zero(kind):
    layer = kind(layers.Dense(100))
    layer.build((None, 100))
    scores = layer.scores[0].numpy()
    assert ((scores > 0) & (scores <= 0.1)).all()
    assert scores.std() == pytest.approx(0.1 / 12**0.5, rel=0.05)
    assert not np.array_equal(scores, kind(layers.Dense(100)).score_initializer((100, 100)))


def test_the_kernels_of_a_layer_draw_their_own_scores(kind):
    layer = kind(layers.SeparableConv1D(3, 1))
    layer.build((None, 5, 3))
    assert not np.array_equal(layer.scores[0].numpy().ravel(), layer.scores[1].numpy().ravel()[:3])


def test_rescale_by_hand():
    # Three of four connections are kept, so what they give is divided by 3/4: 2 / 0.75 and 1 / 0.75.
    layer = dense(Masked, [[1, 1], [1, -1]], rescale=True)
    with tf.GradientTape() as tape:
        outputs = layer(np.ones((1, 2)))
        loss = outputs[0, 0] + outputs[0, 1]
    np.testing.assert_allclose(outputs, [[2 / 0.75, 1 / 0.75]], rtol=1e-6)
    # No gradient passes through the fraction: that of each score is the kernel, 1, divided by it.
    np.testing.assert_allclose(tape.gradient(loss, layer.scores[0].value), np.full((2, 2), 1 / 0.75), rtol=1e-6)
    np.testing.assert_allclose(layer.factor(layer.scores[0].value), [[1 / 0.75, 1 / 0.75], [1 / 0.75, 0]], rtol=1e-6)


def test_rescale_of_nothing_is_nothing():
    layer = dense(Masked, -np.ones((2, 2)), rescale=True)
    assert layer(np.ones((1, 2))).numpy().tolist() == [[0, 0]]


def test_score_initializer(kind):
    layer = kind(layers.Dense(3), score_initializer=PositiveUniform(2.0, seed=1))
    layer.build((None, 4))
    np.testing.assert_array_equal(layer.scores[0].numpy(), PositiveUniform(2.0, seed=1)((4, 3)))
    negative = kind(layers.Dense(3), score_initializer=keras.initializers.Constant(-1.0))
    negative.build((None, 4))
    assert (negative.scores[0].numpy() == -1).all()


def test_config(kind):
    layer = kind(layers.Dense(3, activation="relu"), train_bias=True, score_initializer="ones", name="mine")
    twin = keras.layers.deserialize(keras.layers.serialize(layer))
    assert type(twin) is kind
    assert twin.get_config() == layer.get_config()
    assert (twin.name, twin.train_bias, twin.layer.units) == ("mine", True, 3)
    assert Masked.from_config(Masked(layers.Dense(3), rescale=True).get_config()).rescale is True


def compiled(function, how):
    return function if how == "eager" else tf.function(function, jit_compile=how == "jit")


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
@pytest.mark.parametrize("how", ["eager", "graph", "jit"])
def test_times_step(how, dtype):
    # Large enough for the vector instructions and for several threads, and odd, so that some are left over.
    random = np.random.default_rng(0)
    kernel, scores = (tf.cast(random.integers(-50, 51, (401, 333)), dtype) for _ in range(2))
    for below in (0.0, -1.0):

        def step(kernel, scores, below=below):
            with tf.GradientTape() as tape:
                tape.watch([kernel, scores])
                product = times_step(kernel, scores, below)
            return product, *tape.gradient(product, [kernel, scores], output_gradients=3 * scores)

        product, of_kernel, of_scores = compiled(step, how)(kernel, scores)
        np.testing.assert_array_equal(
            product, kernel * np.where(np.asarray(scores) > 0, 1, below).astype(kernel.dtype.as_numpy_dtype)
        )
        np.testing.assert_array_equal(of_scores, 3 * scores * kernel)
        assert of_kernel is None


@pytest.mark.parametrize("how", ["eager", "graph", "jit"])
def test_fraction_above_zero(how):
    def fraction(scores):
        with tf.GradientTape() as tape:
            tape.watch(scores)
            answer = fraction_above_zero(scores)
            loss = 8 * answer
        return answer, tape.gradient(loss, scores)

    # Two of four are above 0; the gradient of each is 8 / 4.
    answer, gradient = compiled(fraction, how)(tf.constant([[0.5, -1.0], [0.0, 2.0]]))
    assert float(answer) == 0.5
    assert gradient.numpy().tolist() == [[2, 2], [2, 2]]


def test_straight_through():
    scores = tf.Variable([1.0, -2.0])
    with tf.GradientTape() as tape:
        values = straight_through(scores, tf.constant([5.0, 6.0]))
        loss = values * tf.constant([3.0, 4.0])
    assert values.numpy().tolist() == [5, 6]
    assert tape.gradient(loss, scores).numpy().tolist() == [3, 4]
