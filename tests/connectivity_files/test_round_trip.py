"""What is saved comes back to the bit: by hand, every method, every kind of value, every source of initial weights."""

import functools

import hypothesis
import hypothesis.extra.numpy as arrays
import hypothesis.strategies as st
import keras
import numpy as np
import pytest
from backends import to_numpy

from train_by_reconnect import (
    BernoulliMask,
    EdgePopup,
    InitialRule,
    LaPerm,
    Masked,
    connectivity_model,
    draw_initial_weights,
    load_connectivity,
    save_connectivity,
    sparsify,
    strip,
)
from train_by_reconnect.backend.rows import from_rows, to_rows
from train_by_reconnect.coding import default_codec
from train_by_reconnect.connectivity_files.blocks import (
    block_slices,
    bound_of_block,
    decode_block,
    encode_block,
    how_from,
)
from train_by_reconnect.connectivity_files.kernels import kernels_in
from train_by_reconnect.connectivity_files.reading import open_file
from train_by_reconnect.connectivity_files.rescaling import find_rescaling, rescaled
from train_by_reconnect.connectivity_files.sorted_vectors import decode_sorted, encode_sorted
from train_by_reconnect.connectivity_files.words import bits_of, numpy_dtype, order_words

FLOATS = ("float32", "float16", "bfloat16")


def assert_same_bits(one, other):
    """Two models hold the same weights, bit for bit, the sign of zeros too."""
    pairs = list(zip(one.weights, other.weights, strict=True))
    for first, second in pairs:
        first, second = to_numpy(first), to_numpy(second)
        assert first.dtype == second.dtype
        assert first.tobytes() == second.tobytes()
    assert pairs


def hows(path):
    return [entry.how for entry in open_file(path).description.kernels]


def dense(*units, inputs=4, **arguments):
    return keras.Sequential([keras.Input((inputs,)), *(keras.layers.Dense(n, **arguments) for n in units)])


def there_and_back(model, path, *args, **kwargs):
    save_connectivity(model, path, *args, **kwargs)
    return load_connectivity(path)


def trained(model, optimizer, inputs=(4,), outputs=2, steps=6):
    x = np.random.default_rng(0).normal(size=(4 * steps, *inputs)).astype("float32")
    y = np.random.default_rng(1).normal(size=(4 * steps, outputs)).astype("float32")
    model.compile(optimizer, "mse")
    model.fit(x, y, batch_size=4, verbose=0)
    return model


def test_by_hand(tmp_path):
    bits = bits_of(np.array([[0.3, 0.1, 0.1, 0.2]], "float32"))
    # Another order of the same values is a permutation, one with a zero in place of a weight a mask.
    assert how_from(bits, bits[:, ::-1]) == "permuted"
    assert how_from(bits, bits_of(np.array([[0.3, 0.0, 0.1, 0.2]], "float32"))) == "masked"
    assert how_from(bits, bits_of(np.array([[0.3, -0.1, 0.1, 0.2]], "float32"))) == "flipped"
    assert how_from(bits, bits) == "initial"
    assert how_from(bits, bits_of(np.array([[0.3, 0.1, 0.1, 0.25]], "float32"))) is None
    model = dense(1)
    model.layers[0].kernel.assign([[0.3], [0.1], [0.1], [0.2]])
    model.layers[0].bias.assign([7.0])
    loaded = there_and_back(model, tmp_path / "a.tbr", "stored")
    assert_same_bits(model, loaded)
    assert hows(tmp_path / "a.tbr") == ["permuted"]


def test_trained_by_laperm_from_the_seed(tmp_path):
    layers = [
        keras.layers.Conv2D(4, 3, activation="relu"),
        keras.layers.BatchNormalization(),
        keras.layers.Flatten(),
        keras.layers.Dropout(0.5),
        keras.layers.Dense(2),
    ]
    model = keras.Sequential([keras.Input((6, 5, 3)), *layers])
    draw_initial_weights(model, "he_uniform", seed=1, sparsity=0.3)
    trained(model, LaPerm(keras.optimizers.Adam(0.01), sync_period=2), (6, 5, 3))
    loaded = there_and_back(model, tmp_path / "a.tbr")
    assert_same_bits(model, loaded)
    assert hows(tmp_path / "a.tbr") == ["permuted"] * 2
    x = np.random.default_rng(2).normal(size=(3, 6, 5, 3)).astype("float32")
    # The same computation on the same machine; up to 72 products a sum, rounded to 2**-24 of numbers below 8.
    np.testing.assert_allclose(model.predict(x, verbose=0), loaded.predict(x, verbose=0), atol=72 * 8 * 2.0**-24)
    # The loaded model knows its rule, goes on in training, and is saved again without being told.
    trained(loaded, LaPerm(keras.optimizers.Adam(0.01), sync_period=2), (6, 5, 3))
    assert_same_bits(loaded, there_and_back(loaded, tmp_path / "b.tbr"))


METHODS = {
    "masked": functools.partial(connectivity_model, mode="prune"),
    "masked, minimal": functools.partial(connectivity_model, mode="prune", objective="minimal"),
    "flipped": functools.partial(connectivity_model, mode="flip"),
    "signed mask": functools.partial(connectivity_model, mode="prune_and_flip"),
    "edge-popup": functools.partial(connectivity_model, mode=EdgePopup),
    "bernoulli": functools.partial(connectivity_model, mode=BernoulliMask),
    "rescaled": functools.partial(connectivity_model, mode=functools.partial(Masked, rescale=True)),
    "bernoulli, rescaled": functools.partial(connectivity_model, mode=functools.partial(BernoulliMask, rescale=True)),
}


@pytest.mark.parametrize("rule", ["he_uniform", "signed_constant"])
@pytest.mark.parametrize("method", METHODS)
def test_every_method_of_connectivity_training(method, rule, tmp_path):
    plain = dense(30, 2, inputs=20)
    initial = draw_initial_weights(plain, rule, seed=3)
    model = METHODS[method](plain, seed=0)
    trained(model, keras.optimizers.Adam(0.1), (20,))
    if "bernoulli" in method:  # whose masks are drawn anew each time
        model = strip(model)
    loaded = there_and_back(model, tmp_path / "a.tbr", initial)
    assert_same_bits(model if "bernoulli" in method else strip(model), loaded)
    kind = {"fl": "flipped", "re": "rescaled", "si": "signed_mask"}.get(
        method[:2], "rescaled" if "rescaled" in method else "masked"
    )
    assert set(hows(tmp_path / "a.tbr")) <= {kind, "initial"}


def test_signed_masks_by_hand():
    # Of 1, 2, 3, 4 the second is masked and the last flipped: 0101 with the first bit lowest is 10, after the number of
    # ones, in nine bytes; of these two the second is flipped: 10 in binary is 2.
    initial = bits_of(np.array([[1, 2, 3, 4]], "float32"))
    rows = bits_of(np.array([[1, 0, 3, -4]], "float32"))
    assert how_from(initial, rows) == "signed_mask"
    coded = encode_block("signed_mask", initial, rows, "packed")
    assert coded == bytes([9, *[0] * 7, 2, *[0] * 7, 10, 1, *[0] * 7, 2])
    np.testing.assert_array_equal(decode_block("signed_mask", initial, coded, "packed"), rows)
    # Two of four, and one of two: 4 + 2 bits.
    assert bound_of_block("signed_mask", initial, rows) == 6


def test_scores_change_after_saving_leaves_the_file_alone(tmp_path):
    model = keras.Sequential([keras.Input((4,)), Masked(keras.layers.Dense(2))])
    draw_initial_weights(model)
    model.layers[0].scores[0].assign(np.array([[1, -1], [1, 1], [-1, 1], [1, 1.0]]))
    expected = strip(model)
    save_connectivity(model, tmp_path / "a.tbr")
    model.layers[0].scores[0].assign(np.ones((4, 2)))
    assert_same_bits(expected, load_connectivity(tmp_path / "a.tbr"))


def test_initial_weights_of_other_files(tmp_path):
    model = dense(30, 2, inputs=20)
    model.save(tmp_path / "initial.keras")
    save_connectivity(model, tmp_path / "initial.tbr", "stored")
    trained(model, LaPerm(keras.optimizers.Adam(0.01), sync_period=2), (20,))
    for name in ("initial.keras", "initial.tbr"):
        assert_same_bits(model, there_and_back(model, tmp_path / "a.tbr", tmp_path / name))
        (tmp_path / "moved").mkdir(exist_ok=True)
        moved = (tmp_path / name).rename(tmp_path / "moved" / name)
        assert_same_bits(model, load_connectivity(tmp_path / "a.tbr", reference=moved))


def test_stored_values_profit_from_ties(tmp_path):
    model = dense(50, inputs=400, use_bias=False)
    sizes = {}
    for sparsity in (0.0, 0.9):
        sparsify(model, sparsity, input_limit=None, seed=0)
        assert_same_bits(model, there_and_back(model, tmp_path / "a.tbr", "stored"))
        sizes[sparsity] = (tmp_path / "a.tbr").stat().st_size
    assert sizes[0.9] < sizes[0.0] / (4 if default_codec() == "range" else 3)  # packed: a bit for each that is equal


@pytest.mark.parametrize("dtype", FLOATS)
def test_every_dtype(dtype, tmp_path):
    model = dense(30, 2, inputs=20, dtype=dtype)
    draw_initial_weights(model, "he_uniform", seed=1, sparsity=0.5)
    rng = np.random.default_rng(0)
    model.layers[0].kernel.assign(rng.permuted(to_numpy(model.layers[0].kernel), axis=0))
    assert_same_bits(model, there_and_back(model, tmp_path / "a.tbr"))
    assert_same_bits(model, there_and_back(model, tmp_path / "b.tbr", "stored"))


def test_layers_whose_weight_vectors_lie_otherwise(tmp_path):
    inputs = keras.Input((8, 8, 4))
    x = keras.layers.SeparableConv2D(6, 3)(inputs)
    x = keras.layers.DepthwiseConv2D(3, depth_multiplier=2)(x)
    x = keras.layers.Conv2DTranspose(5, 2)(x)
    x = keras.layers.Reshape((25, 5))(x)
    x = keras.layers.MultiHeadAttention(2, 3)(x, x)
    x = keras.layers.LSTM(4)(x)
    model = keras.Model(inputs, keras.layers.Dense(2)(x))
    draw_initial_weights(model, "glorot_uniform", seed=1)
    rng = np.random.default_rng(0)
    for kernel in kernels_in(model):
        rows = rng.permuted(to_rows(to_numpy(kernel.variable), kernel.axes, np), axis=1)
        kernel.variable.assign(from_rows(rows, kernel.variable.shape, kernel.axes, np))
    assert_same_bits(model, there_and_back(model, tmp_path / "a.tbr"))
    assert hows(tmp_path / "a.tbr") == ["permuted"] * 11


def test_axes_that_laperm_was_told_and_kernels_trained_otherwise(tmp_path):
    model = dense(6, 5, 2)
    names = [layer.name for layer in model.layers]
    draw_initial_weights(model, seed=4)
    axes = {f"{names[0]}/kernel": (0,), f"{names[1]}/kernel": None}
    trained(model, LaPerm(keras.optimizers.Adam(0.3), sync_period=2, unit_axes=axes))
    assert_same_bits(model, there_and_back(model, tmp_path / "a.tbr"))
    assert hows(tmp_path / "a.tbr") == ["permuted", "array", "permuted"]
    last = model.layers[2].kernel
    last.assign(to_numpy(last) + 1)
    assert_same_bits(model, there_and_back(model, tmp_path / "a.tbr", arrays=[f"{names[2]}/kernel"]))
    assert hows(tmp_path / "a.tbr") == ["permuted", "array", "array"]


def test_normalization_computes_with_what_was_loaded(tmp_path):
    normalization = keras.layers.Normalization()
    normalization.adapt(np.array([[1.0, 2.0], [3.0, 10.0]]))
    model = keras.Sequential([keras.Input((2,)), normalization, keras.layers.Dense(3)])
    draw_initial_weights(model)
    loaded = there_and_back(model, tmp_path / "a.tbr")
    x = np.array([[1.0, 2.0]], "float32")
    # (1 - 2) / 1 and (2 - 6) / 4, by the two codes for one thing that are the same on one machine.
    np.testing.assert_allclose(to_numpy(loaded.layers[0](x)), [[-1.0, -1.0]], atol=1e-6)


@keras.saving.register_keras_serializable("test_round_trip")
class Own(keras.Model):
    """A model with a `call` of its own."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.first, self.second = keras.layers.Dense(units), keras.layers.Dense(2)

    def build(self, input_shape):
        self.first.build(input_shape)
        self.second.build((*input_shape[:-1], self.units))
        self.built = True

    def call(self, inputs):
        return self.second(self.first(inputs))

    def get_config(self):
        return {**super().get_config(), "units": self.units}


def test_subclassed_and_nested_models_and_shared_layers(tmp_path):
    own = Own(3)
    own.build((None, 4))
    draw_initial_weights(own, seed=2)
    assert_same_bits(own, there_and_back(own, tmp_path / "a.tbr"))
    shared, inputs = keras.layers.Dense(4), keras.Input((4,))
    inner = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    nested = keras.Model(inputs, inner(shared(shared(inputs))))
    draw_initial_weights(nested, seed=2)
    assert_same_bits(nested, there_and_back(nested, tmp_path / "a.tbr"))


def test_kernels_without_weights_or_of_one(tmp_path):
    model = keras.Sequential([keras.Input((0,)), keras.layers.Dense(3), keras.layers.Dense(1), keras.layers.Dense(1)])
    draw_initial_weights(model)
    assert_same_bits(model, there_and_back(model, tmp_path / "a.tbr"))
    assert_same_bits(model, there_and_back(model, tmp_path / "a.tbr", "stored"))


def test_strange_values_keep_their_bits(tmp_path):
    model = dense(1, inputs=7)
    values = np.array([0.0, -0.0, np.nan, -np.inf, np.inf, 1e-45, -1e-45], "float32")
    model.layers[0].kernel.assign(values[:, None])
    stored = to_numpy(model.layers[0].kernel).copy()
    assert_same_bits(model, there_and_back(model, tmp_path / "a.tbr", "stored"))
    model.layers[0].kernel.assign(stored[::-1])
    save_connectivity(model, tmp_path / "b.tbr", tmp_path / "a.tbr")
    assert_same_bits(model, load_connectivity(tmp_path / "b.tbr"))


def values_of(dtype):
    few = st.sampled_from([0.0, -0.0, 0.5, -0.5, 1.0])
    every = st.floats(-1e4, 1e4, width=16)
    return (
        st.one_of(st.just(few), st.just(every), st.just(st.just(0.25)))
        .flatmap(
            lambda elements: arrays.arrays(
                "float32", arrays.array_shapes(min_dims=2, max_dims=2, max_side=12), elements=elements
            )
        )
        .map(lambda rows: rows.astype(numpy_dtype(dtype)))
    )


@hypothesis.settings(max_examples=60, deadline=None)
@hypothesis.given(
    st.data(),
    st.sampled_from([*FLOATS, "float64"]),
    st.integers(0, 2**32 - 1),
    st.sampled_from(sorted({"packed", default_codec()})),
)
def test_blocks_of_any_values(data, dtype, seed, codec):
    rows = data.draw(values_of(dtype))
    rng = np.random.default_rng(seed)
    initial, permuted = bits_of(rows), bits_of(rng.permuted(rows, axis=1))
    flipped = np.where(
        rng.random(rows.shape) < 0.3, initial ^ np.array(1 << (8 * rows.itemsize - 1), initial.dtype), initial
    )
    masked = bits_of(np.where(rng.random(rows.shape) < 0.3, rows * np.zeros((), rows.dtype), rows).astype(rows.dtype))
    for now in (permuted, flipped, masked):
        how = how_from(initial, now)
        if how != "initial":
            found = decode_block(how, initial, encode_block(how, initial, now, codec), codec)
            np.testing.assert_array_equal(found, now)
    in_order = np.sort(order_words(initial), axis=1)
    found = decode_sorted(encode_sorted(in_order, codec), in_order.shape, in_order.dtype, codec)
    np.testing.assert_array_equal(found, in_order)


@hypothesis.settings(max_examples=15, deadline=None)
@hypothesis.given(st.data(), st.sampled_from(FLOATS), st.integers(0, 2**32 - 1))
def test_models_of_any_values(tmp_path_factory, data, dtype, seed):
    rows = data.draw(values_of(dtype))
    model = keras.Sequential([keras.Input((rows.shape[1],)), keras.layers.Dense(rows.shape[0], dtype=dtype)])
    model.layers[0].kernel.assign(rows.T)
    folder = tmp_path_factory.mktemp("any")
    save_connectivity(model, folder / "initial.tbr", "stored")
    assert_same_bits(model, load_connectivity(folder / "initial.tbr"))
    model.layers[0].kernel.assign(np.random.default_rng(seed).permuted(rows, axis=1).T)
    save_connectivity(model, folder / "later.tbr", folder / "initial.tbr")
    assert_same_bits(model, load_connectivity(folder / "later.tbr"))


def test_every_codec(tmp_path):
    model = dense(30, 20, inputs=200)
    draw_initial_weights(model, sparsity=0.5)
    kernel = model.layers[0].kernel
    kernel.assign(np.random.default_rng(0).permuted(to_numpy(kernel), axis=0))
    sizes = {}
    for codec in ("packed", default_codec()):
        assert_same_bits(model, there_and_back(model, tmp_path / "a.tbr", codec=codec))
        assert open_file(tmp_path / "a.tbr").description.codec == codec
        sizes[codec] = (tmp_path / "a.tbr").stat().st_size
    assert sizes[default_codec()] <= sizes["packed"]
    with pytest.raises(ValueError, match="`codec` must be"):
        save_connectivity(model, tmp_path / "b.tbr", codec="zip")
    assert not (tmp_path / "b.tbr").exists()


def test_large_kernels_are_cut_into_blocks(tmp_path, monkeypatch):
    monkeypatch.setattr("train_by_reconnect.connectivity_files.blocks.AT_ONCE", 100)
    model = dense(50, inputs=30)
    draw_initial_weights(model)
    kernel = model.layers[0].kernel
    kernel.assign(np.random.default_rng(0).permuted(to_numpy(kernel), axis=0))
    assert_same_bits(model, there_and_back(model, tmp_path / "a.tbr"))
    # 100 // 30 = 3 weight vectors a block, so 17 for 50.
    assert len(open_file(tmp_path / "a.tbr").description.kernels[0].blocks) == 17
    assert [place.stop for place in block_slices((50, 30))][-2:] == [48, 50]
    assert list(block_slices((3, 0))) == []


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("divides", [True, False])
def test_factors_are_found(dtype, divides):
    initial = np.random.default_rng(0).normal(size=200).astype(numpy_dtype(dtype))
    kernel = rescaled(initial, 0.37, divides)
    kernel[::3] = 0
    factor, how = find_rescaling(initial, kernel)
    np.testing.assert_array_equal(rescaled(initial, factor, how)[kernel != 0], kernel[kernel != 0])
    assert find_rescaling(initial, np.sin(initial.astype("float32")).astype(initial.dtype)) is None


def test_rules_are_no_permutation_of_other_seeds(tmp_path):
    model = dense(3)
    draw_initial_weights(model, seed=1)
    with pytest.raises(ValueError, match="Every kernel must hold its initial weights"):
        save_connectivity(model, tmp_path / "a.tbr", InitialRule(seed=2))
    assert not list(tmp_path.iterdir())
    assert to_rows(to_numpy(model.layers[0].kernel), (-1,), np).shape == (3, 4)
