"""How many signs are kept: by hand on a network of known weights, in runs, and in the claims."""

import keras
import numpy as np
import pandas as pd
import pytest

from scripts.experiment import find, trainings_of
from scripts.publishing.claims import claims_beside_ours
from scripts.publishing.curves import Curve
from scripts.publishing.publish import publish
from scripts.rich.signs import ScaledKernels, SignsKept
from scripts.running.files import read_csv
from scripts.running.runner import Options, folder_of, run
from train_by_reconnect import Signed

NAME = "rich_signs"
CENTER, *_, SCALED, FLIPPING, _ = trainings_of(NAME, "quick")


class Model:
    """What a part and an observer need of a prepared training."""

    def __init__(self, model):
        self.model = model


def two_layers(wrap=lambda layer: layer):
    sizes = (2, 1)
    stack = [wrap(keras.layers.Dense(units, use_bias=False, name=f"of_{units}")) for units in sizes]
    return keras.Sequential([keras.Input((2,)), *stack])


def test_by_hand():
    # Of four weights and two, one and one change their signs: 4 of 6 are kept, 3 of 4 and 1 of 2. In units of the root
    # mean squares, sqrt((1 + 4 + 16 + 4) / 4) = 2.5 and sqrt((1 + 49) / 2) = 5, the sizes are 0.4, 0.8, 1.6, 0.8, 0.2
    # and 1.4, on average 5.2 / 6; the flipped ones are 0.4 and 0.2, on average 0.3.
    model = two_layers()
    model.set_weights([np.array([[1.0, 2.0], [-4.0, -2.0]]), np.array([[-1.0], [7.0]])])
    observation = SignsKept().observe(Model(model))
    assert observation.summary()["signs_kept"] == 1
    assert observation.summary()["smallness_of_flipped"] is None
    model.set_weights([np.array([[-9.0, 0.1], [-1.0, -8.0]]), np.array([[2.0], [1.0]])])
    assert observation.summary() == {
        "signs_kept": pytest.approx(4 / 6),
        "signs_kept_first": 0.75,
        "signs_kept_last": 0.5,
        "smallness_of_flipped": pytest.approx(0.3 / (5.2 / 6), rel=1e-6),
    }
    (monitor,), logs = observation.callbacks, {}
    monitor.set_model(model)
    monitor.on_epoch_end(0, logs)
    assert logs == {"signs_kept": pytest.approx(4 / 6)}


def test_effective_signs_of_fixed_kernels():
    model = two_layers(Signed)
    observation = SignsKept().observe(Model(model))
    model.layers[0].scores[0].assign([[-1.0, 1.0], [1.0, 1.0]])
    assert observation.summary()["signs_kept"] == pytest.approx(5 / 6)


def test_scaled():
    model = two_layers()
    before = model.get_weights()
    ScaledKernels(4.0).apply(Model(model))
    for ours, kernel in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(ours, 4 * kernel)  # a power of two is exact


def test_claims_by_hand():
    def curve(training, seed, kept, smallness, accuracy):
        values = {"signs_kept": kept, "smallness_of_flipped": smallness, "test_accuracy": accuracy}
        return Curve(training, seed, pd.DataFrame(), {**values, "signs_kept_first": kept, "signs_kept_last": kept})

    # 90 % and 94 % are above a half in every seed, 0.2 below 1; where nothing has changed its sign there is no size.
    curves = [
        curve(CENTER, 0, 0.9, 0.2, 0.8),
        curve(CENTER, 1, 0.94, 0.2, 0.9),
        curve(SCALED, 0, 1.0, None, 0.3),
        curve(SCALED, 1, 1.0, None, 0.3),
        curve(FLIPPING, 0, 0.7, 1.0, 0.75),
    ]
    kept, small, flipping = claims_beside_ours(find(NAME).claims, curves).splitlines()[2:5]
    assert f"Ours: {CENTER.label}: 92.00 %; {SCALED.label}: 100.00 %. Verdict: holds." in kept
    assert f"Ours: {CENTER.label}: 0.20. Verdict: holds." in small
    assert "2 hidden: 70.00 % against 92.00 % of the signs, test accuracy 75.00 % against 85.00 %." in flipping
    assert f"| {CENTER.label} | 2 | 92.00 % | 90.00 % | 94.00 % |" in find(NAME).table(curves)


@pytest.mark.slow
def test_signs_run_and_are_published(tmp_path):
    for training in (CENTER, FLIPPING):
        folder = folder_of(NAME, "quick", training.label, 0, tmp_path)
        summary = run(training, 0, folder, Options(progress=False))
        kept = read_csv(folder / "rows.csv")["signs_kept"]
        assert len(kept) == 2
        assert kept.iloc[-1] == pytest.approx(summary["signs_kept"])
        assert 0.5 < summary["signs_kept"] < 1
    publish(NAME, "quick", tmp_path, tmp_path)
    assert (tmp_path / f"{NAME}.png").stat().st_size > 10_000


def test_a_run_that_goes_on_has_the_same_initial_signs():
    first, again = (CENTER.prepare(0) for _ in range(2))
    for ours, theirs in zip(first.model.get_weights(), again.model.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
