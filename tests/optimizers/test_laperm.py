import keras
import numpy as np
import pytest
from backends import BACKEND, MODES, applying, errors_of_fit, only_on
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from train_by_reconnect import LaPerm
from train_by_reconnect.backend.rows import from_rows, to_rows

# Variables of no layer, whose axes LaPerm takes for those of a Dense layer.
pytestmark = pytest.mark.filterwarnings("ignore:The layer that owns a variable")

ERRORS = errors_of_fit()


def standing_still(**arguments):
    """LaPerm around an optimizer that moves nothing: the weights are those that the test assigns."""
    return LaPerm(keras.optimizers.SGD(0.0), **arguments)


def bits(array):
    """The bit patterns of floats, which tell -0.0 from 0.0."""
    return np.asarray(array, "float32").view("int32")


def permuted(now, initial, axes=(-1,)):
    """What a synchronization must give, straight from its definition."""
    rows, result = to_rows(initial, axes, np), to_rows(now, axes, np).copy()
    for row, into in zip(rows, result, strict=True):
        into[np.argsort(into, kind="stable")] = np.sort(row, kind="stable")
    return from_rows(result, now.shape, axes, np)


def test_solved_by_hand():
    # Two neurons of three inputs, SGD of 1.0, k = 2, both gradients (1, -1, 1) for the first and 0 for the second.
    # first   0.5 -1.0  2.0   step 1 -> -0.5  0.0  1.0   step 2 -> -1.5  1.0  0.0: lowest, highest, middle
    #         sorted -1.0 0.5 2.0, so the synchronization gives -1.0  2.0  0.5
    # second  0.0  0.0  1.0   stands still: the two equal weights keep their order
    kernel = keras.Variable([[0.5, 0.0], [-1.0, 0.0], [2.0, 1.0]])
    gradient = keras.ops.convert_to_tensor([[1.0, 0.0], [-1.0, 0.0], [1.0, 0.0]])
    optimizer = LaPerm(keras.optimizers.SGD(1.0), sync_period=2)
    optimizer.apply([gradient], [kernel])
    assert kernel.numpy().tolist() == [[-0.5, 0.0], [0.0, 0.0], [1.0, 1.0]]
    optimizer.apply([gradient], [kernel])
    assert kernel.numpy().tolist() == [[-1.0, 0.0], [2.0, 0.0], [0.5, 1.0]]
    assert (int(optimizer.iterations), optimizer.last_sync) == (2, 2)


# NumPy sorts on a CPU, and the backend elsewhere: on a GPU, and within XLA.
@pytest.mark.parametrize("host", [True, False])
@pytest.mark.parametrize("mode", MODES)
def test_original_code(mode, host, monkeypatch, fixtures_directory):
    if not host:
        monkeypatch.setattr(f"train_by_reconnect.backend.{BACKEND}.can_call_host", lambda *_: False)
    with np.load(fixtures_directory / "laperm_original_sync.npz") as file:
        recorded = {key: file[key] for key in file.files}
    cases = sorted({key.split("/")[0] for key in recorded})
    kernels = [keras.Variable(recorded[f"{case}/theta_0"], name=case) for case in cases]
    optimizer = standing_still(sync_period=1, skip_bias=False)
    optimizer.build(kernels)
    optimizer.recapture()
    for case, kernel in zip(cases, kernels, strict=True):
        kernel.assign(recorded[f"{case}/theta_t"])
    zeros = [keras.ops.zeros(kernel.shape) for kernel in kernels]
    applying(optimizer, kernels, mode)(zeros)
    assert len(cases) == 8
    for case, kernel in zip(cases, kernels, strict=True):
        np.testing.assert_array_equal(bits(kernel), bits(recorded[f"{case}/synchronized"]), err_msg=case)


# Few distinct values, so that ties are the rule, among them both zeros; and any finite float32.
VALUES = st.one_of(
    st.sampled_from([0.0, -0.0, 1.0, -1.0, 0.5]), st.floats(-(2.0**99), 2.0**99, width=32, allow_subnormal=False)
)


@st.composite
def kernels_and_axes(draw):
    shape = draw(npst.array_shapes(min_dims=2, max_dims=4, max_side=4))
    axes = draw(st.lists(st.integers(0, len(shape) - 1), unique=True, max_size=len(shape)))
    kernel = npst.arrays("float32", shape, elements=VALUES, fill=st.nothing())
    return draw(kernel), draw(kernel), tuple(axes), draw(st.integers(1, 4))


@settings(max_examples=10, deadline=None)
@given(kernels_and_axes())
def test_multiset_and_ranking(case):
    initial, moved, axes, k = case
    kernel = keras.Variable(initial)
    optimizer = standing_still(sync_period=k, unit_axes={".": axes})
    optimizer.build([kernel])
    optimizer.recapture()
    kernel.assign(moved)
    for _ in range(k - 1):
        optimizer.apply([keras.ops.zeros(kernel.shape)], [kernel])
    np.testing.assert_array_equal(kernel.numpy(), moved)
    optimizer.apply([keras.ops.zeros(kernel.shape)], [kernel])

    before, after = to_rows(moved, axes, np), to_rows(kernel.numpy(), axes, np)
    start = to_rows(initial, axes, np)
    np.testing.assert_array_equal(np.sort(bits(after), axis=1), np.sort(bits(start), axis=1))
    order = np.argsort(before, axis=1, kind="stable")
    assert (np.diff(np.take_along_axis(after, order, 1), axis=1) >= 0).all()
    np.testing.assert_array_equal(bits(kernel), bits(permuted(moved, initial, axes)))


@pytest.mark.parametrize("mode", MODES)
def test_ties_in_every_dtype(mode):
    rng = np.random.default_rng(3)
    initial, moved = rng.integers(-2, 3, (2, 60, 8)) / 2
    wide = [] if BACKEND == "jax" else ["float64"]  # which JAX has only where it is told to
    kernels = [keras.Variable(initial, dtype=dtype) for dtype in ("float32", "float16", "bfloat16", *wide)]
    optimizer = standing_still(sync_period=1)
    optimizer.build(kernels)
    optimizer.recapture()
    for kernel in kernels:
        kernel.assign(np.where(moved == 0, rng.choice([0.0, -0.0], moved.shape), moved))
    zeros = [keras.ops.zeros(kernel.shape, kernel.dtype) for kernel in kernels]
    applying(optimizer, kernels, mode)(zeros)
    for kernel in kernels:
        values = keras.ops.convert_to_numpy(kernel).astype("float64")
        np.testing.assert_array_equal(values, permuted(moved, initial), err_msg=kernel.dtype)


class TestDivergence:
    """The third of eight batches is not finite, and k is 5: the next synchronization must tell."""

    def fit(self, bad=np.nan, sync_period=5, **compile_arguments):
        self.model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name="lost")])
        self.optimizer = LaPerm(keras.optimizers.SGD(0.1), sync_period=sync_period)
        self.model.compile(optimizer=self.optimizer, loss="mse", **compile_arguments)
        y = np.ones((16, 2), "float32")
        y[4:6] = bad
        self.model.fit(np.ones((16, 3), "float32"), y, batch_size=2, shuffle=False, verbose=0)

    def told_at(self):
        assert not np.isfinite(self.model.get_layer("lost").kernel.numpy()).any()
        return int(self.optimizer.iterations)

    @pytest.mark.parametrize("bad", [np.nan, np.inf])
    def test_stops_an_eager_fit(self, bad):
        with pytest.raises(ERRORS, match=r"lost/kernel holds a NaN.*Lower the learning rate"):
            self.fit(bad, run_eagerly=True)
        assert self.told_at() == (4 if BACKEND == "jax" else 5)  # whose steps are whole or not there

    @only_on("tensorflow", "a graph that can raise")
    @pytest.mark.parametrize(
        ("compile_arguments", "bad"), [({}, np.nan), ({"steps_per_execution": 8}, np.nan), ({}, np.inf)], ids=str
    )
    def test_stops_fit(self, compile_arguments, bad):
        with pytest.raises(ERRORS, match=r"lost/kernel holds a NaN.*Lower the learning rate"):
            self.fit(bad, **compile_arguments)
        assert self.told_at() == 5

    @only_on("tensorflow", "a graph that can raise")
    def test_stops_fit_on_other_devices(self, monkeypatch):
        monkeypatch.setattr("train_by_reconnect.backend.tensorflow.can_call_host", lambda: False)
        with pytest.raises(ERRORS, match=r"lost/kernel holds a NaN.*Lower the learning rate"):
            self.fit()
        assert self.told_at() == 5

    @only_on("tensorflow jax", "a step compiled by XLA")
    def test_under_xla_the_end_of_fit_tells(self):
        # Nothing can be raised inside XLA: the weights stay as they are until then.
        with pytest.raises(ValueError, match=r"lost/kernel holds a NaN.*Lower the learning rate"):
            self.fit(jit_compile=True)
        assert self.told_at() == 8
        with pytest.raises(ValueError, match="lost/kernel"):
            self.optimizer.synchronize()

    def test_before_the_first_synchronization(self):
        with pytest.raises(ERRORS, match="lost/kernel holds a NaN"):
            self.fit(sync_period=1000)
        assert self.told_at() == 8


@pytest.mark.parametrize("bad", [np.nan, -np.nan, np.inf, -np.inf])
def test_divergence_at_the_final_synchronization(bad):
    kernel = keras.Variable(np.ones((3, 2)), name="kernel")
    optimizer = standing_still()
    optimizer.build([kernel])
    optimizer.recapture()
    kernel.assign([[1.0, 1.0], [1.0, bad], [1.0, 1.0]])
    with pytest.raises(ERRORS, match="kernel holds a NaN"):
        optimizer.finalize_variable_values([kernel])
    np.testing.assert_array_equal(kernel.numpy()[1, 1], bad)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_initial_weights_must_be_finite(bad):
    kernel = keras.Variable([[1.0, bad]], name="kernel")
    with pytest.raises(ValueError, match=r"finite initial weights. Received: kernel with .* Initialize it again"):
        standing_still().apply([keras.ops.zeros((1, 2))], [kernel])
