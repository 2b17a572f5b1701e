import keras
import numpy as np
import pytest
from backends import FLOAT64
from keras import layers

from train_by_reconnect import KernelReport, make_dissimilar, share_value, shuffle_weight_vectors, sparsify
from train_by_reconnect.backend.rows import to_rows


def dense(*units, inputs=10, **arguments):
    return keras.Sequential([keras.Input((inputs,)), *(layers.Dense(size, **arguments) for size in units)])


def mixed(**arguments):
    """Kernels of several kinds, with biases and normalization between them, none of which is all zero."""
    model = keras.Sequential(
        [
            keras.Input((8, 8, 4)),
            layers.Conv2D(6, 3, name="conv", **arguments),
            layers.BatchNormalization(**arguments),
            layers.DepthwiseConv2D(3, depth_multiplier=2, name="depthwise", **arguments),
            layers.Conv2DTranspose(5, 2, name="transposed", **arguments),
            layers.LayerNormalization(**arguments),
            layers.Flatten(),
            layers.Dense(7, name="dense", **arguments),
        ]
    )
    random = np.random.default_rng(0)
    model.set_weights([random.normal(size=weight.shape) for weight in model.weights])
    return model


AXES = {"conv": (-1,), "depthwise": (-2, -1), "transposed": (-2,), "dense": (-1,)}


def values(model):
    """Float64 copies of the kernels by layer, and of all other weights."""
    kernels = {name: model.get_layer(name).kernel for name in AXES}
    others = [weight for weight in model.weights if not any(weight is kernel for kernel in kernels.values())]
    return (
        {name: kernel.numpy().astype("float64") for name, kernel in kernels.items()},
        [weight.numpy().astype("float64") for weight in others],
    )


CHANGES = {
    "sparsify": lambda model, seed=0: sparsify(model, 0.4, seed=seed),
    "bernoulli": lambda model, seed=0: sparsify(model, 0.4, method="bernoulli", seed=seed),
    "share_value": lambda model: share_value(model, 0.5),
    "shuffle": lambda model, seed=0: shuffle_weight_vectors(model, seed=seed),
    "make_dissimilar": lambda model, seed=0: make_dissimilar(model, seed=seed),
}
SEEDED = [name for name in CHANGES if name != "share_value"]


def test_sparsify_solved_by_hand():
    # 10 * 5 = 50 weights: the first kernel is capped at 0.2, so 10 zeros
    # 5 * 4 = 20 weights: 0.9 of them are 18 zeros
    # 4 * 3 = 12 weights: 0.9 of them are 10.8, rounded to 11 zeros
    model = dense(5, 4, 3)
    reports = sparsify(model, 0.9, seed=0)
    assert [(report.size, report.zeros) for report in reports] == [(50, 10), (20, 18), (12, 11)]
    assert [int((kernel == 0).sum()) for kernel in model.get_weights()[::2]] == [10, 18, 11]
    assert [report.sparsity for report in reports] == [0.2, 0.9, 11 / 12]
    assert [report.path for report in reports] == [layer.kernel.path for layer in model.layers]


@pytest.mark.parametrize("input_limit", [None, 0.2, 0.7, 1.0])
def test_input_limit(input_limit):
    reports = sparsify(dense(5, 4), 0.6, input_limit=input_limit, seed=0)
    limited = 0.6 if input_limit is None else min(0.6, input_limit)
    assert [report.zeros for report in reports] == [round(50 * limited), 12]


def test_a_list_of_rates_is_taken_as_it_is():
    reports = sparsify(dense(5, 4, 3), [0.8, 0.0, 1.0], seed=0)
    assert [report.zeros for report in reports] == [40, 0, 12]
    assert [report.zeros for report in sparsify(dense(5, 4), np.array([0.5, 0.25], "float32"), seed=0)] == [25, 5]


@pytest.mark.parametrize(("rate", "zeros"), [(0, 0), (1, 10_000), (0.29, 2900), (0.57, 5700), (1e-5, 0)])
def test_exact_rates(rate, zeros):
    assert sparsify(dense(100, inputs=100), rate, input_limit=None, seed=0)[0].zeros == zeros


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_bernoulli_within_five_sigma(rate):
    size = 200 * 100
    [report] = sparsify(dense(100, inputs=200), [rate], method="bernoulli", seed=0)
    assert abs(report.zeros - rate * size) < 5 * np.sqrt(size * rate * (1 - rate))
    assert report.zeros != round(rate * size)  # each weight by itself, so the count is not exact


@pytest.mark.parametrize("rate", [0.0, 1.0])
def test_bernoulli_at_the_ends(rate):
    [report] = sparsify(dense(5), [rate], method="bernoulli", seed=0)
    assert report.sparsity == rate


@pytest.mark.parametrize("method", ["exact", "bernoulli"])
def test_zeros_fall_everywhere_alike(method):
    # 100 x 100 weights with rate 1/2: each row and each column holds 50 +- 5 zeros, and none is 5 sigma away.
    model = dense(100, inputs=100)
    sparsify(model, [0.5], method=method, seed=0)
    zeros = model.get_weights()[0] == 0
    for axis in (0, 1):
        counts = zeros.sum(axis=axis)
        assert abs(counts - 50).max() < 25
        assert 3 < counts.std() < 7


def test_sparsify_keeps_the_other_weights():
    model = mixed()
    before, _ = values(model)
    sparsify(model, 0.4, seed=0)
    for name, after in values(model)[0].items():
        assert ((after == 0) | (after == before[name])).all()


@pytest.mark.parametrize("name", CHANGES)
def test_only_kernels_change(name):
    model = mixed()
    kernels, others = values(model)
    CHANGES[name](model)
    new_kernels, new_others = values(model)
    for before, after in zip(others, new_others, strict=True):
        np.testing.assert_array_equal(before, after)
    for key, kernel in kernels.items():
        assert (kernel != new_kernels[key]).any(), key


@pytest.mark.parametrize("name", [name for name in CHANGES if name != "make_dissimilar"])
def test_reports_are_right(name):
    model = mixed()
    sparsify(model, [0.3] * 4, seed=5)
    reports = CHANGES[name](model)
    kernels, _ = values(model)
    expected = [KernelReport(f"{key}/kernel", kernel.size, int((kernel == 0).sum())) for key, kernel in kernels.items()]
    assert [(r.path.split("/", 1)[-1], r.size, r.zeros) for r in reports] == [
        (e.path, e.size, e.zeros) for e in expected
    ]
    assert all(type(report.zeros) is int for report in reports)


@pytest.mark.parametrize("name", SEEDED)
def test_seeds(name):
    models = [mixed() for _ in range(3)]
    for model, seed in zip(models, (3, 3, 4), strict=True):
        CHANGES[name](model, seed=seed)
    same, again, other = (values(model)[0] for model in models)
    for key in AXES:
        np.testing.assert_array_equal(same[key], again[key])
        assert (same[key] != other[key]).any()


@pytest.mark.parametrize("name", SEEDED)
def test_without_a_seed_each_call_differs(name):
    models = [mixed() for _ in range(2)]
    for model in models:
        CHANGES[name](model, seed=None)
    first, second = (values(model)[0]["dense"] for model in models)
    assert (first != second).any()


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", FLOAT64])
@pytest.mark.parametrize("name", CHANGES)
def test_dtypes(name, dtype):
    model = mixed(dtype=dtype)
    before, _ = values(model)
    CHANGES[name](model)
    after, _ = values(model)
    assert {keras.backend.standardize_dtype(layer.kernel.dtype) for layer in map(model.get_layer, AXES)} == {dtype}
    for key, axes in AXES.items():
        assert (before[key] != after[key]).any()
        assert np.isfinite(after[key]).all()
        if name == "shuffle":
            np.testing.assert_array_equal(*(np.sort(to_rows(v[key], axes, np), axis=1) for v in (before, after)))


@pytest.mark.parametrize("sparsity", [-0.1, 1.1, 90, float("nan"), [0.5, 2.0]])
def test_sparsity_outside_0_to_1(sparsity):
    with pytest.raises(ValueError, match=r"fraction of zeros, from 0 to 1. Received: sparsity=.*Write 0.9 for 90 %"):
        sparsify(dense(5, 4), sparsity)
    with pytest.raises(ValueError, match="Received: sparsity="):
        sparsify(dense(5), sparsity)


@pytest.mark.parametrize("sparsity", [[0.5], [0.5] * 3, []])
def test_a_list_of_the_wrong_length(sparsity):
    with pytest.raises(ValueError, match=r"one for each of the 2 kernels. Received: sparsity=\["):
        sparsify(dense(5, 4), sparsity)


def test_unknown_method():
    model = dense(5)
    before = model.get_weights()[0]
    with pytest.raises(ValueError, match=r'must be "exact" or "bernoulli". Received: method=\'uniform\''):
        sparsify(model, 0.5, method="uniform")
    np.testing.assert_array_equal(model.get_weights()[0], before)


@pytest.mark.parametrize("input_limit", [-0.1, 20, float("nan")])
def test_input_limit_outside_0_to_1(input_limit):
    with pytest.raises(ValueError, match=r"`input_limit` .*from 0 to 1.* Received: input_limit="):
        sparsify(dense(5, 4), 0.5, input_limit=input_limit)


def test_a_model_without_kernels():
    model = keras.Sequential([keras.Input((4,)), layers.BatchNormalization()], name="bare")
    for change in CHANGES.values():
        with pytest.raises(ValueError, match=r"must have a trainable kernel.*'bare', with 4 variables but no kernel"):
            change(model)


@pytest.mark.parametrize("name", CHANGES)
def test_a_model_that_is_not_built(name):
    with pytest.raises(ValueError, match=r"must be built.*Received: .*built=False.*`keras.Input`"):
        CHANGES[name](keras.Sequential([layers.Dense(3)]))


def test_share_value_solved_by_hand():
    model = dense(2, inputs=3)
    model.layers[0].kernel.assign([[0.5, 0.0], [-0.0, -2.0], [1.0, 0.0]])
    assert share_value(model, 0.25) == [KernelReport(model.layers[0].kernel.path, size=6, zeros=3)]
    assert model.get_weights()[0].tolist() == [[0.25, 0.0], [0.0, 0.25], [0.25, 0.0]]


def test_shuffle_keeps_every_weight_vector():
    model = mixed()
    before, _ = values(model)
    shuffle_weight_vectors(model, seed=0)
    after, _ = values(model)
    for key, axes in AXES.items():
        old, new = to_rows(before[key], axes, np), to_rows(after[key], axes, np)
        np.testing.assert_array_equal(np.sort(old, axis=1), np.sort(new, axis=1))
        assert (old != new).any(axis=1).all(), key  # no vector of 9 weights or more is likely to stay
    # Each vector has a permutation of its own.
    old, new = (to_rows(kernels["dense"], (-1,), np) for kernels in (before, after))
    places = [tuple(np.searchsorted(np.sort(row), shuffled)) for row, shuffled in zip(old, new, strict=True)]
    assert len(set(places)) == len(places)


def rms(kernel):
    return np.sqrt(np.mean(np.square(kernel)))


@pytest.mark.parametrize("spread", [1.5, 4.0, 100])
def test_make_dissimilar(spread):
    model = mixed()
    before, _ = values(model)
    factors = make_dissimilar(model, spread, seed=0)
    after, _ = values(model)
    assert [path.split("/")[-2] for path in factors] == list(AXES)
    for (key, axes), factor in zip(AXES.items(), factors.values(), strict=True):
        assert rms(after[key]) == pytest.approx(rms(before[key]), rel=1e-6)
        old, new = to_rows(before[key], axes, np), to_rows(after[key], axes, np)
        assert factor.shape == (len(old),)
        np.testing.assert_allclose(new, old * factor[:, np.newaxis], rtol=1e-6)
        assert factor.max() / factor.min() <= spread**2
        assert (factor > 0).all()
        assert factor.max() / factor.min() > spread  # they are spread out indeed


def test_a_spread_of_1_changes_nothing():
    model = mixed()
    before = model.get_weights()
    factors = make_dissimilar(model, 1, seed=0)
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    assert all((factor == 1).all() for factor in factors.values())


def test_make_dissimilar_of_zeros_and_of_one_zero_vector():
    model = dense(3, 2, kernel_initializer="zeros")
    make_dissimilar(model, seed=0)
    assert not any(weight.any() for weight in model.get_weights())
    kernel = np.ones((10, 3))
    kernel[:, 1] = 0
    model.layers[0].kernel.assign(kernel)
    make_dissimilar(model, seed=0)
    after = model.layers[0].kernel.numpy()
    assert not after[:, 1].any()
    assert rms(after) == pytest.approx(rms(kernel), rel=1e-6)


@pytest.mark.parametrize("spread", [0.5, 0, -4, float("nan"), float("inf")])
def test_wrong_spread(spread):
    with pytest.raises(ValueError, match=r"`spread` must be .*at least 1. Received: spread="):
        make_dissimilar(dense(3), spread)
