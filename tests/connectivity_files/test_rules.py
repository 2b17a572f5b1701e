"""The rules for initial weights: numbers worked out by another implementation, and Keras' limits."""

import hashlib
import math

import keras
import numpy as np
import pytest
from backends import to_numpy

from train_by_reconnect import InitialRule, connectivity_model, draw_initial_weights, strip
from train_by_reconnect.connectivity_files import random_words


def philox(counter, key):
    """Philox4x64 with 10 rounds, from the paper (Salmon et al. 2011, section 3.3), in Python's own integers."""
    mask, (c0, c1, c2, c3), (k0, k1) = 2**64 - 1, counter, key
    for _ in range(10):
        high0, low0 = divmod(0xD2E7470EE14C6C93 * c0, 2**64)
        high1, low1 = divmod(0xCA5A826395121157 * c2, 2**64)
        c0, c1, c2, c3 = high1 ^ c1 ^ k0, low1, high0 ^ c3 ^ k1, low0
        k0, k1 = (k0 + 0x9E3779B97F4A7C15) & mask, (k1 + 0xBB67AE8584CAA73B) & mask
    return [c0, c1, c2, c3]


def test_the_reference_gives_the_published_answers():
    # kat_vectors of Random123, philox4x64 with 10 rounds: all zeros, and all ones.
    zeros = [0x16554D9ECA36314C, 0xDB20FE9D672D0FDC, 0xD7E772CEE186176B, 0x7E68B68AEC7BA23B]
    assert philox([0] * 4, [0] * 2) == zeros
    ones = [0x87B092C3013FE90B, 0x438C3C67BE8D0224, 0x9CC7D7C69CD777B6, 0xA09CAEBF594F0BA0]
    assert philox([2**64 - 1] * 4, [2**64 - 1] * 2) == ones


@pytest.mark.parametrize(("seed", "stream"), [(0, 0), (7, 3), (2**64 - 1, 5 | random_words.ZEROS)])
def test_the_words_are_those_of_counters_from_one_on(seed, stream):
    expected = [word for count in (1, 2, 3) for word in philox([count, 0, 0, 0], [seed, stream])]
    found = np.concatenate([part for _, part in random_words.words(seed, stream, 11)])
    assert found.tolist() == expected[:11]


def test_he_uniform_by_hand():
    # fan_in 3, so the limit is sqrt(6 / 3); a weight is limit * ((2 u + 1) / 2**24 - 1), u the highest 24 bits.
    limit = np.float32(math.sqrt(2))
    upper = [word >> 40 for word in philox([1, 0, 0, 0], [5, 1])][:3]
    expected = [float(limit * np.float32((2 * u + 1) / 2**24 - 1)) for u in upper]
    assert InitialRule("he_uniform", seed=5).kernel((3, 1), 1).ravel().tolist() == expected


@pytest.mark.parametrize("name", ["glorot_uniform", "he_uniform", "lecun_uniform"])
@pytest.mark.parametrize("shape", [(300, 40), (3, 3, 8, 16), (5, 4, 4)])
def test_limits_are_those_of_keras(name, shape):
    found = np.abs(InitialRule(name).kernel(shape, 0)).max()
    of_keras = np.abs(to_numpy(keras.initializers.get(name)(shape))).max()
    # Of n draws the largest is beyond the fraction 1 - 16 / n of the limit but for a probability of e^-16.
    size = math.prod(shape)
    assert found == pytest.approx(of_keras, rel=min(0.5, 16 / size) * 1.2)


def test_weights_look_uniform_and_independent():
    one, other = (InitialRule("he_uniform", seed=3).kernel((200, 100), number) for number in (0, 1))
    limit = math.sqrt(6 / 200)
    assert np.abs(one).max() <= np.float32(limit)
    # The mean of 20,000 has a standard deviation of limit / sqrt(3 * 20,000), a correlation one of 1 / sqrt(20,000).
    assert abs(one.mean()) < 6 * limit / math.sqrt(60_000)
    assert abs(np.corrcoef(one.ravel(), other.ravel())[0, 1]) < 6 / math.sqrt(20_000)
    assert np.histogram(one, 10, (-limit, limit))[0] == pytest.approx(2000, abs=6 * math.sqrt(2000))


def test_the_bits_never_change():
    # Recorded once: what is drawn here must be drawn by every later version, on every machine.
    rules = [
        InitialRule("glorot_uniform", 1),
        InitialRule("he_uniform", 2, sparsity=0.3),
        InitialRule("lecun_uniform", 3),
        InitialRule("signed_constant", 4, positive=0.3),
        InitialRule("positive_uniform", 5, magnitude=0.7),
    ]
    found = [hashlib.sha256(rule.kernel((3, 3, 5, 7), 2).tobytes()).hexdigest()[:12] for rule in rules]
    assert found == ["7b9a52853d07", "d1bcd274d959", "8050773ac779", "722f53cb8e5b", "e6558c5f766c"]


def test_signed_constant_and_sparsity():
    rule = InitialRule("signed_constant", seed=1, sparsity=(0.25, 0.5), positive=0.9)
    first, second = rule.kernel((8, 100), 0), rule.kernel((50, 4), 1)
    assert (first == 0).sum() == 200
    assert (second == 0).sum() == 100
    assert set(np.unique(np.abs(first)).tolist()) == {0.0, 0.5}  # sqrt(2 / 8)
    # Of 600 signs 540 are expected positive, with a standard deviation of sqrt(600 * 0.09) = 7.3.
    assert abs((first > 0).sum() - 540) < 6 * 7.4
    with pytest.raises(ValueError, match="a network with more than 2 kernels"):
        rule.kernel((2, 2), 2)


def test_equal_words_count_from_the_first(monkeypatch):
    monkeypatch.setattr(random_words, "words", lambda *_: [(slice(0, 5), np.array([7, 3, 3, 9, 3], np.uint64))])
    assert random_words.lowest(0, 0, 5, 2).tolist() == [False, True, True, False, False]


def test_it_draws_the_kernels_alone_and_whatever_is_around_them():
    def network():
        layers = [keras.layers.Dense(5, name="a"), keras.layers.BatchNormalization(), keras.layers.Dense(2, name="b")]
        return keras.Sequential([keras.Input((4,)), *layers])

    plain = network()
    plain.layers[0].bias.assign([9.0] * 5)
    rule = draw_initial_weights(plain, "lecun_uniform", seed=8)
    assert to_numpy(plain.layers[0].bias).tolist() == [9.0] * 5
    for number, name in enumerate("ab"):
        kernel = plain.get_layer(name).kernel
        np.testing.assert_array_equal(to_numpy(kernel), rule.kernel(kernel.shape, number))
    masked = connectivity_model(network(), "prune", seed=0)
    draw_initial_weights(masked, "lecun_uniform", seed=8)
    for one, other in zip(strip(masked).weights[:1], plain.weights[:1], strict=True):
        np.testing.assert_array_equal(to_numpy(one), to_numpy(other))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_low_precision_is_float32_rounded(dtype):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, dtype=dtype)])
    rule = draw_initial_weights(model, seed=2)
    found = to_numpy(model.layers[0].kernel)
    assert found.dtype.name == dtype
    np.testing.assert_array_equal(found, rule.kernel((4, 3), 0).astype(found.dtype))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"rule": "he_normal"}, "`rule` must be one of .*Received: rule='he_normal'"),
        ({"seed": -1}, "`seed` must be an integer"),
        ({"seed": True}, "`seed` must be an integer"),
        ({"seed": 2**64}, "`seed` must be an integer"),
        ({"sparsity": 1.5}, "`sparsity` must be a fraction"),
        ({"sparsity": (0.5, -1)}, "`sparsity` must be a fraction"),
        ({"positive": float("nan")}, "`positive` must be a fraction"),
        ({"magnitude": 0.0}, "`magnitude` must be"),
        ({"magnitude": float("inf")}, "`magnitude` must be"),
    ],
)
def test_what_is_no_rule_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        InitialRule(**arguments)


def test_models_without_kernels_are_refused():
    with pytest.raises(ValueError, match="must have a kernel"):
        draw_initial_weights(keras.Sequential([keras.Input((4,)), keras.layers.ReLU()]))
    with pytest.raises(ValueError, match="must be built"):
        draw_initial_weights(keras.Sequential([keras.layers.Dense(3)]))
