import keras
import numpy as np
import pytest
from backends import FLOAT64, MODES, compiled, gradients_by, gradients_of, to_numpy
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from keras import layers

from train_by_reconnect import Masked, PositiveUniform, Signed, SignedMask, backend

KINDS = {"Masked": Masked, "Signed": Signed, "SignedMask": SignedMask}
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
    # Masked at 0 and flipped at -0.25, the first connection is flipped in the third step only: there -(-2) - 3 = -1.
    cases = (Masked, [-1, -3, -3, -3, -5]), (Signed, [-1, -5, -1, -1, -5]), (SignedMask, [-1, -3, -1, -3, -5])
    for kind, expected in cases:
        layer = dense(kind, [[0.1], [0.1]], [[2], [-3]], **({"masked_range": 0.25} if kind is SignedMask else {}))
        outputs, changed = [], []
        for inputs in ([1.0, 1], [1, 1], [-1, 1], [-1, 1], [-1, 1]):
            (gradient,), y = gradients_of(lambda: layer(np.array([inputs], "float32"))[0, 0], layer.scores)  # noqa: B023
            outputs.append(float(to_numpy(y)))
            changed.append(to_numpy(layer.is_changed(layer.scores[0].value))[:, 0].tolist())
            layer.scores[0].assign_sub(0.1 * gradient)
        assert outputs == expected
        assert changed == [[False, False], [True, False], [True, False], [True, False], [False, False]]


@settings(deadline=None, max_examples=40)
@given(SCORES)
def test_mask_and_sign(scores):
    masked, signed, both = dense(Masked, scores), dense(Signed, scores), dense(SignedMask, scores, masked_range=0.5)
    mask, sign, factor = (to_numpy(each.factor(each.scores[0].value)) for each in (masked, signed, both))
    np.testing.assert_array_equal(mask, (scores > 0).astype("float32"))
    np.testing.assert_array_equal(sign, np.where(scores > 0, 1, -1).astype("float32"))
    np.testing.assert_array_equal(factor, np.where(scores > 0, 1, np.where(scores <= -0.5, -1, 0)).astype("float32"))
    for layer in (masked, signed, both):
        np.testing.assert_array_equal(layer.is_changed(layer.scores[0].value), scores <= 0)
        effective, factor = layer.effective_kernels()[0], layer.factor(layer.scores[0].value)
        np.testing.assert_array_equal(to_numpy(effective), to_numpy(factor))


@pytest.mark.parametrize("score", [0.0, -0.0])
def test_zero_is_below(kind, score):
    # Unlike 0 in the sign of mathematics, it flips where nothing is masked: no connection of `Signed` is ever absent.
    layer = dense(kind, [[score]], [[3]])
    assert float(to_numpy(layer(np.ones((1, 1))))[0, 0]) == {Masked: 0, Signed: -3, SignedMask: 0}[kind]
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
    (gradient,), _ = gradients_of(lambda: keras.ops.sum(layer(np.ones((1, 2)))), layer.scores)
    np.testing.assert_allclose(to_numpy(layer(np.ones((1, 2)))), [[2 / 0.75, 1 / 0.75]], rtol=1e-6)
    # No gradient passes through the fraction: that of each score is the kernel, 1, divided by it.
    np.testing.assert_allclose(gradient, np.full((2, 2), 1 / 0.75), rtol=1e-6)
    factor = to_numpy(layer.factor(layer.scores[0].value))
    np.testing.assert_allclose(factor, [[1 / 0.75, 1 / 0.75], [1 / 0.75, 0]], rtol=1e-6)


def test_rescale_of_nothing_is_nothing():
    layer = dense(Masked, -np.ones((2, 2)), rescale=True)
    assert to_numpy(layer(np.ones((1, 2)))).tolist() == [[0, 0]]


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
    assert SignedMask.from_config(SignedMask(layers.Dense(3), masked_range=2).get_config()).masked_range == 2


@pytest.mark.parametrize("masked_range", [0, -0.1, float("nan"), float("inf")])
def test_a_range_in_which_nothing_can_be(masked_range):
    with pytest.raises(
        ValueError, match=f"`masked_range` must be a number above 0. Received: .*{masked_range}.*`Signed`"
    ):
        SignedMask(layers.Dense(3), masked_range=masked_range)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", FLOAT64])
@pytest.mark.parametrize("mode", MODES)
def test_times_step(mode, dtype):
    # Large enough for the vector instructions and for several threads, and odd, so that some are left over.
    random = np.random.default_rng(0)
    # Numbers of up to 50, and 150, and their product of up to 7500: all exact, but for the last in bfloat16.
    kernel, scores = (keras.ops.cast(random.integers(-50, 51, (401, 333)), dtype) for _ in range(2))
    upstream = 3 * scores
    for below in (0.0, -1.0):

        def step(kernel, scores, below=below):
            def summed(kernel, scores):
                return keras.ops.sum(backend.times_step(kernel, scores, below) * upstream)

            return backend.times_step(kernel, scores, below), *gradients_by(summed, [kernel, scores])

        product, of_kernel, of_scores = map(to_numpy, compiled(step, mode)(kernel, scores))
        factor = np.where(to_numpy(scores) > 0, 1, below).astype(product.dtype)
        np.testing.assert_array_equal(product, to_numpy(kernel) * factor)
        np.testing.assert_array_equal(of_scores, to_numpy(upstream * kernel))
        assert not np.any(of_kernel)  # None, or zeros: a fixed kernel gets no gradient


@pytest.mark.parametrize("mode", MODES)
def test_fraction_above_zero(mode):
    def fraction(scores):
        gradients = gradients_by(lambda scores: 8 * backend.fraction_above_zero(scores), [scores])
        return backend.fraction_above_zero(scores), *gradients

    # Two of four are above 0; the gradient of each is 8 / 4.
    answer, gradient = compiled(fraction, mode)(keras.ops.array([[0.5, -1.0], [0.0, 2.0]]))
    assert float(to_numpy(answer)) == 0.5
    np.testing.assert_array_equal(gradient, [[2, 2], [2, 2]])


@pytest.mark.parametrize("mode", MODES)
def test_straight_through(mode):
    def through(scores):
        values, weights = keras.ops.array([5.0, 6.0]), keras.ops.array([3.0, 4.0])
        gradients = gradients_by(lambda s: keras.ops.sum(backend.straight_through(s, values) * weights), [scores])
        return backend.straight_through(scores, values), *gradients

    values, gradient = compiled(through, mode)(keras.ops.array([1.0, -2.0]))
    np.testing.assert_array_equal(values, [5, 6])
    np.testing.assert_array_equal(gradient, [3, 4])
