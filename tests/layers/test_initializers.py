import keras
import numpy as np
import pytest
from backends import BACKEND, FLOAT64, to_numpy
from hypothesis import given, settings
from hypothesis import strategies as st

from train_by_reconnect import PositiveUniform, SignedConstant

INITIALIZERS = [SignedConstant(seed=3), SignedConstant(1.0, 0.3, seed=3), PositiveUniform(0.2, seed=3)]


def test_signed_he_by_hand():
    # 3 x 3 windows over 2 channels: fan_in 18, so sqrt(2 / 18) = 1/3. A dense layer of 8 inputs: sqrt(2 / 8) = 1/2.
    for shape, magnitude in (((3, 3, 2, 50), 1 / 3), ((8, 100), 1 / 2), ((2, 4, 100), 1 / 2), ((5,), 2**0.5)):
        weights = np.asarray(SignedConstant()(shape))
        assert weights.dtype == "float32"
        assert weights.shape == shape
        np.testing.assert_allclose(np.abs(weights), magnitude, rtol=1e-6)
    assert len(np.unique(weights)) == 2


def test_kernel_of_a_layer():
    layer = keras.layers.Conv2D(8, (3, 2), groups=2, kernel_initializer=SignedConstant())
    layer.build((None, 8, 8, 6))  # each filter sees 3 x 2 x 6 / 2 = 18 weights
    np.testing.assert_allclose(np.abs(layer.kernel.numpy()), 1 / 3, rtol=1e-6)


@pytest.mark.parametrize("magnitude", [1, 1.0, 0.25])
def test_magnitude(magnitude):
    assert set(np.unique(SignedConstant(magnitude)((20, 20)))) == {-magnitude, magnitude}


@pytest.mark.parametrize("positive", [0, 0.0001, 0.3, 0.5, 1])
def test_probability_of_a_positive_sign(positive):
    size = 250_000
    count = np.count_nonzero(SignedConstant(positive=positive, seed=0)((size,)) > 0)
    # Within four standard deviations of a binomial, which is none for 0 and 1.
    assert abs(count - positive * size) <= 4 * (size * positive * (1 - positive)) ** 0.5


# JAX has no float64 unless it is switched on.
DTYPES = ["float16", "bfloat16", "float32"] + ["float64"] * (BACKEND != "jax")


@settings(deadline=None, max_examples=20)
@given(st.floats(1e-6, 1e6), st.integers(0, 2**31 - 1), st.sampled_from(DTYPES))
def test_scores_are_never_zero(high, seed, dtype):
    high = min(max(high, 1e-3), 6e4) if dtype == "float16" else high  # its numbers are fewer
    values = to_numpy(PositiveUniform(high, seed=seed)((400, 25), dtype)).astype("float64")
    assert (values > 0).all()
    assert values.max() <= high * (1 + 2.0**-8)  # half a unit in the last place of bfloat16
    assert values.max() > 0.99 * high


def test_scores_are_uniform():
    values = np.sort(PositiveUniform(seed=0)((10_000,)))
    # The largest distance between the distributions, Kolmogorov's; 1.95 / sqrt(n) is passed once in a thousand draws.
    assert np.abs(values / 0.1 - np.arange(1, 10_001) / 10_000).max() < 0.0195


@pytest.mark.parametrize("initializer", INITIALIZERS, ids=lambda each: type(each).__name__)
def test_seeds(initializer):
    kind, config = type(initializer), initializer.get_config()
    np.testing.assert_array_equal(initializer((5, 4)), initializer((5, 4)))
    np.testing.assert_array_equal(kind.from_config(config)((5, 4)), initializer((5, 4)))
    unseeded = kind.from_config({**config, "seed": None})
    assert not np.array_equal(unseeded((50, 4)), initializer((50, 4)))
    assert not np.array_equal(unseeded.clone()((50, 4)), unseeded((50, 4)))
    generator = kind(seed=keras.random.SeedGenerator(1))
    assert not np.array_equal(generator((50, 4)), generator((50, 4)))
    keras.utils.set_random_seed(1)
    first = np.asarray(kind()((5, 4)))
    keras.utils.set_random_seed(1)
    np.testing.assert_array_equal(kind()((5, 4)), first)


@pytest.mark.parametrize("initializer", INITIALIZERS, ids=lambda each: type(each).__name__)
def test_round_trip(initializer):
    twin = keras.initializers.deserialize(keras.initializers.serialize(initializer))
    assert type(twin) is type(initializer)
    assert twin.get_config() == initializer.get_config()
    generator = type(initializer)(seed=keras.random.SeedGenerator(7))
    restored = keras.initializers.deserialize(keras.initializers.serialize(generator))
    np.testing.assert_array_equal(restored((5, 4)), type(initializer)(seed=keras.random.SeedGenerator(7))((5, 4)))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", FLOAT64])
@pytest.mark.parametrize("initializer", INITIALIZERS, ids=lambda each: type(each).__name__)
def test_dtype(initializer, dtype):
    assert keras.backend.standardize_dtype(initializer((3, 2), dtype=dtype).dtype) == dtype
    assert keras.backend.standardize_dtype(initializer((3, 2)).dtype) == "float32"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SignedConstant("glorot"), "`magnitude` must be.*Received: magnitude='glorot'"),
        (lambda: SignedConstant(0), "Received: magnitude=0"),
        (lambda: SignedConstant(-1.0), "Received: magnitude=-1.0"),
        (lambda: SignedConstant(float("nan")), "Received: magnitude=nan"),
        (lambda: SignedConstant(positive=1.5), "`positive` must be a probability.*Received: positive=1.5"),
        (lambda: SignedConstant(positive=float("nan")), "Received: positive=nan"),
        (lambda: PositiveUniform(0), "`high` must be.*Received: high=0"),
        (lambda: PositiveUniform(float("inf")), "Received: high=inf"),
    ],
)
def test_arguments(make, message):
    with pytest.raises(ValueError, match=message):
        make()
