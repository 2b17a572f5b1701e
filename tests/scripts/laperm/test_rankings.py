"""Section 3: ranking distances, what is said of them, and how they are recorded."""

import numpy as np
import pytest

from scripts.experiment import trainings_of
from scripts.laperm.ranking_claims import CLAIMS
from scripts.laperm.ranking_tables import published_rows, traits_table
from scripts.laperm.ranking_traits import (
    LOSS,
    Record,
    autocorrelation,
    jumps,
    jumps_and_rises,
    load_record,
    rank_correlation,
)
from scripts.publishing.curves import Curve, collect
from scripts.publishing.publish import publish
from scripts.running.files import read_csv
from scripts.running.observers import weight_vectors
from scripts.running.runner import Options, folder_of, run
from scripts.running.training import changed

QUIET = Options(progress=False)


def record(distance, loss, rate, steps_per_epoch):
    distance = np.array(distance, float)
    percentiles = {name: np.array([[0.0]]) for name in ("step", "minimum", "p15", "p50", "p85", "maximum")}
    return Record(steps_per_epoch, distance, distance, distance, percentiles, np.array(loss), np.array(rate))


def test_autocorrelation_by_hand():
    # 1 2 3 6 has mean 3; centred -2 -1 0 3, squares sum to 14; products of neighbours 2 + 0 + 0 = 2.
    assert autocorrelation(np.array([1.0, 2.0, 3.0, 6.0]), 1) == pytest.approx(2 / 14)
    assert np.isnan(autocorrelation(np.ones(9), 1))
    assert np.isnan(autocorrelation(np.arange(4.0), 2))


def test_noise_and_trend_are_told_apart():
    noise = np.random.default_rng(0).standard_normal(1200)
    trend = np.convolve(noise, np.ones(200), "valid")
    assert abs(autocorrelation(noise, 1)) < 3 / np.sqrt(1200)
    assert autocorrelation(trend, 50) > 0.5


def test_rank_correlation_by_hand():
    # Ranks 0 1 2 3 and 1 0 2 3: 1 - 6 * (1 + 1) / (4 * 15) = 0.8.
    assert rank_correlation([1, 5, 6, 20], [0.2, 0.1, 0.3, 0.4]) == pytest.approx(0.8)
    # With a tie the two share the rank 0.5: ranks 0.5 0.5 2 and 0 1 2, covariance 1.5 / sqrt(1.5 * 2).
    assert rank_correlation([3, 3, 4], [1, 2, 3]) == pytest.approx(1.5 / 3**0.5)
    assert np.isnan(rank_correlation([1, 2], [1, 2]))
    assert np.isnan(rank_correlation([1, 1, 1], [1, 2, 3]))


def test_claims_by_hand(monkeypatch):
    # Of the three epochs of 120 steps the first is left out. A wave of 50 steps a period is like itself 50 steps later:
    # of n = 120 products 70 are left, about 0.58. Noise is not. L2 doubles the distances, in both seeds.
    wave, noise = 2 + np.sin(2 * np.pi * np.arange(360) / 50), np.random.default_rng(0).random(360) + 1
    made_up = {"SGD": noise, "Adam": wave, "Adam, L2": 2 * wave}

    def load(curve):
        return record(made_up[curve.label], [0.3, 0.2, 0.1], [1.0] * 3, 120)

    monkeypatch.setattr("scripts.laperm.ranking_claims.load_record", load)
    trainings = [training for training in trainings_of("laperm_fig3", "quick") if training.label in made_up]
    curves = [Curve(training, seed, None, {}) for training in trainings for seed in (0, 1)]
    said = [claim.text(curves).split(" Ours: ")[1] for claim in CLAIMS]
    assert said[0].endswith("Verdict: holds.")
    assert said[1:3] == [
        "+0.57. Verdict: holds.",
        "ranks changed in a step: 2.00 times; mean distance: 2.00 times. Verdict: holds.",
    ]
    assert said[3].endswith("Verdict: cannot tell.")  # the rate never drops, so no epoch counts
    assert CLAIMS[0].text([]).endswith("Ours: not run. Verdict: cannot tell.")


def test_jumps_by_hand():
    # Five epochs of 24 steps, in windows of 2; the rate falls after the first epoch and before the last. Epoch 3 has a
    # window of mean (5 + 3) / 2 = 4 where all else is 1. Epochs 1 and 4 are those of the drops.
    distance = np.ones(120)
    distance[74], distance[75] = 5, 3
    one = record(distance, [0.5, 0.4, 0.3, 0.7, 0.2], [0.1, 0.05, 0.05, 0.05, 0.01], 24)
    assert one.phases() == [range(0, 1), range(1, 4), range(4, 5)]
    epochs, sizes = jumps(one)
    assert epochs.tolist() == [2, 3]
    assert sizes.tolist() == [1, 4]
    # Over epoch 2 the loss falls by 0.1, over epoch 3 it rises by 0.4; after epoch 3 comes a drop, so it has no next.
    for ahead, expected in ((0, [[1, 4], [-0.1, 0.4]]), (1, [[1], [0.4]])):
        np.testing.assert_allclose(jumps_and_rises(one, ahead), expected)


def test_a_loss_that_follows_the_jumps_is_foretold():
    sizes = np.random.default_rng(0).uniform(1, 9, 12)
    distance = np.ones((12, 24))
    distance[:, 5] = sizes  # one window of two steps in each epoch has the mean (1 + size) / 2
    loss = np.cumsum([0, *sizes[:-1]])  # the rise over an epoch is the jump of the one before
    one = record(distance.ravel(), loss, [1, *[0.5] * 11], 24)
    assert rank_correlation(*jumps_and_rises(one, 1)) == pytest.approx(1)
    assert rank_correlation(*jumps_and_rises(one, 0)) < 0.9


def test_the_papers_settings():
    trainings = trainings_of("laperm_fig3", "paper")
    for training in trainings:
        network, data, optimizer = training.network, training.data, training.optimizer
        assert (training.epochs, training.batch_size, network.name, data.name) == (30, 50, "mlp", "mnist")
        found = [optimizer.rate(epoch, 30) for epoch in (0, 9, 10, 19, 20, 29)]
        expected = (0.1, 0.05, 0.01) if optimizer.name == "sgd" else (1e-3, 5e-4, 1e-4)
        assert found == pytest.approx([rate for rate in expected for _ in range(2)])
    arguments = {training.label: training.network.arguments for training in trainings}
    assert arguments == {"SGD": {}, "Adam": {}, "Adam, dropout": {"dropout": (0.4, 0.3)}, "Adam, L2": {"l2": 2e-4}}


def on_digits(number):
    """One of the four settings of the quick size, on other images."""
    return changed(trainings_of("laperm_fig3", "quick")[number], {"data": {"name": "digits", "limit": 600}})


def test_the_first_matrix_starts_the_same_in_all_settings():
    kernels = [weight_vectors(on_digits(number).prepare(3).model)[0] for number in range(4)]
    for kernel in kernels[1:]:
        np.testing.assert_array_equal(kernel, kernels[0])


@pytest.fixture(scope="module")
def published(tmp_path_factory, redeclare):
    folder = tmp_path_factory.mktemp("results")
    for number in (0, 2):  # SGD, and Adam with dropout: two are enough
        training, place = on_digits(number), folder_of("laperm_fig3", "quick", on_digits(number).label, 0, folder)
        run(training, 0, place, QUIET)
        redeclare(place, trainings_of("laperm_fig3", "quick")[number])
    publish("laperm_fig3", "quick", folder, folder)
    return folder


@pytest.mark.slow
def test_everything_is_published(published):
    for picture in ("laperm_fig3.png", "laperm_fig13.png"):
        assert (published / picture).stat().st_size > 10_000
    text = (published / "laperm_fig3.md").read_text()
    assert text.count("| SGD |") == 5  # three learning rates, the end, and the jumps
    rows = read_csv(published / "laperm_fig3.csv")
    curves = collect("laperm_fig3", "quick", published)
    # 600 images are 12 steps of 50 an epoch, so a window is a step: 36 of them and the start, in two settings.
    assert len(rows) == len(published_rows(curves)) == 2 * 37
    recorded = load_record(curves[0])
    first = rows.iloc[1]
    assert first["distance"] == first["distance_low"] == float(f"{recorded.distance[0]:.5g}")
    of_first = rows[:37]
    assert of_first.loc[of_first[LOSS].notna(), "step"].tolist() == [12, 24, 36]
    assert rows["p15_low"].notna()[0]
    assert len(traits_table(curves).splitlines()) == (2 + 6) + 1 + (2 + 2) + 1 + (2 + 2)


@pytest.mark.slow
def test_a_killed_run_records_the_same(published, tmp_path, killed_before):
    training = on_digits(2)
    with killed_before(2):
        run(training, 0, tmp_path, QUIET)
    assert len(read_csv(tmp_path / "ranking_distance.csv")) == 24
    run(training, 0, tmp_path, QUIET)
    whole = folder_of("laperm_fig3", "quick", training.label, 0, published)
    for name in ("ranking_distance.csv", "weight_percentiles.csv", "rows.csv"):
        assert (tmp_path / name).read_bytes() == (whole / name).read_bytes()
