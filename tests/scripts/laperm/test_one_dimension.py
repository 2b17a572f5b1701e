"""Functions of one variable: their points, the network, what is permuted in it, and the slopes of the table."""

import numpy as np
import pandas as pd
import pytest

from scripts.experiment import find, trainings_of
from scripts.experiments.laperm_universal import slopes
from scripts.laperm.one_dimension import INITIAL, FunctionValues, OneHiddenLayer
from scripts.publishing.claims import claims_beside_ours
from scripts.publishing.curves import Curve
from scripts.publishing.publish import publish
from scripts.running.runner import Options, folder_of, run
from scripts.running.training import changed

NAME = "laperm_universal"
PERMUTED = trainings_of(NAME, "quick")[0]
FREE = next(training for training in trainings_of(NAME, "quick") if training.optimizer.around is None)


@pytest.mark.parametrize(
    ("name", "values"),
    # -sin(2 pi x) and (5 x^3 - 3 x) / 2 at -1, -1/3 and 1: sin(2 pi / 3) = 0.866; (-5/27 + 1) / 2 = 11/27.
    [("sine", [0, 0.8660254, 0]), ("legendre_3", [-1, 11 / 27, 1])],
)
def test_values_by_hand(name, values):
    loaded = FunctionValues(name, points=50, validation=10).load(None)
    assert (len(loaded.x_train), len(loaded.x_val), len(loaded.x_test)) == (50, 10, 400)
    # 399 steps of 2 / 399: -1/3 is the 133rd point after the first. Values of about 1 are rounded to 2^-24.
    np.testing.assert_allclose(loaded.x_test[[0, 133, 399], 0], [-1, -1 / 3, 1], rtol=0, atol=2.0**-23)
    np.testing.assert_allclose(loaded.y_test[[0, 133, 399], 0], values, rtol=0, atol=2.0**-22)
    assert abs(loaded.x_train).max() <= 1


def test_network_by_hand():
    # Pairs at the biases -1 and 1. At x = 0.5 the neurons are ReLU(0.5 - 1) = 0, ReLU(0.5 + 1) = 1.5,
    # ReLU(-0.5 - 1) = 0 and ReLU(-0.5 + 1) = 0.5. With coefficients 1, 2, 3, 4 the sum is 3 + 2 = 5.
    model = OneHiddenLayer(2).build(None, seed=0)
    model.get_layer("coefficients").set_weights([np.array([[1.0], [2.0], [3.0], [4.0]])])
    assert model.predict(np.array([[0.5]]), verbose=0).item() == 5
    assert [variable.name for variable in model.trainable_variables] == ["kernel", "kernel", "bias"]


@pytest.mark.parametrize("initial", INITIAL)
def test_initial_weights(initial):
    drawn = [OneHiddenLayer(50, initial).build(None, seed).get_weights() for seed in (0, 0, 1)]
    (weights, biases, coefficients, *scale), again, other = drawn
    assert weights.ravel().tolist() == [1] * 50 + [-1] * 50
    assert [each.item() for each in scale] == [1, 0]
    np.testing.assert_array_equal(coefficients, again[2])
    assert (coefficients != other[2]).any()
    # A difference of numbers up to 1, each rounded to 2^-24.
    assert np.allclose(np.diff(biases[:50]), 2 / 49, rtol=0, atol=2.0**-23) == (initial == "equidistant")
    assert np.array_equal(biases[:50], biases[50:]) == (initial != "uniform")
    assert np.array_equal(coefficients[:50], -coefficients[50:]) == (initial == "pairwise")
    # The variance of uniform numbers is 1/3: of 100 draws the sample's is within half of it.
    assert coefficients.var() == pytest.approx(1 / 3, rel=0.5)


def test_only_the_coefficients_are_permuted():
    model = PERMUTED.prepare(0).model
    model.optimizer.build(model.trainable_variables)
    permuted = [layout.path.split("/")[-2:] for layout in model.optimizer.describe() if layout.unit_axes is not None]
    assert permuted == [["coefficients", "kernel"]]


def test_slopes_by_hand():
    # The error 1 / n has the slope -1, one that stays the slope 0; a single width has none.
    rows = [(0, 10, 0.1), (0, 20, 0.05), (0, 40, 0.025), (1, 10, 0.3), (1, 40, 0.3), (2, 10, 0.1)]
    found = slopes(pd.DataFrame(rows, columns=["seed", "n", "test_error"]), "test_error")
    assert found == pytest.approx([-1, 0], abs=1e-12)


def test_claims_by_hand():
    # The root mean square error falls from 0.4 to 0.2 where n doubles, a slope of -1, and twice -1/2 is too much; the
    # largest as 2 ** -0.5. Other weights are twice as bad at one width and as good at the other: sqrt(2) times.
    def curve(initial, n, seed, error, largest):
        training = changed(PERMUTED, {"network": {"pairs": n, "initial": initial}}, label=f"{initial} {n}")
        summary = {"test_error": error, "test_largest_error": largest, "is_permutation": True}
        return Curve(training, seed, pd.DataFrame(), summary)

    curves = [
        *(curve("equidistant", 10, seed, 0.4, 0.8) for seed in (0, 1)),
        *(curve("equidistant", 20, seed, 0.2, 0.8 * 2**-0.5) for seed in (0, 1)),
        *(curve("uniform", 10, seed, 0.8, 0.8) for seed in (0, 1)),
        *(curve("uniform", 20, seed, 0.2, 0.8) for seed in (0, 1)),
    ]
    first, second, third = claims_beside_ours(find(NAME).claims, curves).splitlines()[2:5]
    assert "Ours: -sin(2 pi x), equidistant: -1.00. Verdict: in direction only" in first
    assert "Ours: -sin(2 pi x), equidistant: -0.50. Verdict: holds" in second
    assert third.endswith("Ours: -sin(2 pi x), uniform random: 1.41.")
    row = "| -sin(2 pi x) | equidistant | 2 | 0.4000 (0.800) | 0.2000 (0.566) | -1.00 | -0.50 | 4 of 4 |"
    assert row in find(NAME).table(curves)


@pytest.mark.slow
def test_universal_runs_and_is_published(tmp_path):
    for training, is_permutation in ((PERMUTED, True), (FREE, False)):
        summary = run(training, 0, folder_of(NAME, "quick", training.label, 0, tmp_path), Options(progress=False))
        assert summary["is_permutation"] == is_permutation
        assert summary["test_error"] <= summary["test_largest_error"]
    assert "| -sin(2 pi x) | equidistant | 1 |" in publish(NAME, "quick", tmp_path, tmp_path)
    assert (tmp_path / f"{NAME}.png").stat().st_size > 10_000


def test_a_function_that_there_is_not():
    with pytest.raises(ValueError, match="`name` must be one of 'sine', 'legendre_3'"):
        FunctionValues("cosine")
    with pytest.raises(ValueError, match="`initial` must be one of"):
        OneHiddenLayer(3, "constant")
