"""Trainings of masks and signs: from what they start, what is watched, and what is known at the end."""

import math

import numpy as np
import pytest

from scripts.connectivities.network import ConnectivityNetwork, SignedMaskNetwork
from scripts.connectivities.observers import RemovedConnections
from scripts.connectivities.settings import DIGITS, pruned_half_way, training
from scripts.running.files import read_csv, records
from scripts.running.runner import Options, run
from scripts.running.schedules import Drops
from scripts.running.task import Classification
from scripts.running.training import changed
from train_by_reconnect import changed_fractions

QUIET = Options(progress=False)
LENET = "lenet_300_100"
# 1,437 training images less 200 held out, of which the first 300 are used: 12 steps of 25 an epoch.
SMALL = (DIGITS, {"data": {"limit": 300}})
TINY = training("pruning", "free pruning", LENET, 3, *SMALL, width=0.1)
# Pruned before the third of four epochs; the rate of the last one spoils everything.
PRUNED = pruned_half_way(
    changed(
        training("dense", "baseline", LENET, 4, *SMALL, width=0.1),
        optimizer={"learning_rate": 0.01, "schedule": Drops({3: 1e-5})},
    ),
    "magnitude 75 %",
    0.75,
)


@pytest.fixture(scope="module")
def pruned(tmp_path_factory):
    """The folder and the summary of a run of `PRUNED`."""
    folder = tmp_path_factory.mktemp("pruned")
    return folder, run(PRUNED, 0, folder, QUIET)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"mode": "prun"}, "`mode` must be one of .*Received: mode='prun'. Did you mean 'prune'"),
        ({"objective": "minmal"}, "Received: objective='minmal'. Did you mean 'minimal'"),
        ({"average": "layers"}, "Received: average='layers'. Did you mean 'layer'"),
        ({"mode": "edge_popup"}, "`sparsity` is what edge-popup must know.*Received: sparsity=None"),
        ({"sparsity": 0.5}, "Received: sparsity=0.5, mode='prune'"),
        ({"mode": "flip", "rescale": True}, "`rescale` is for mode 'prune'. Received: rescale=True, mode='flip'"),
        ({"mode": "bernoulli", "objective": "minimal"}, "`objective` is for mode 'prune' or 'flip'"),
        ({"average": "layer"}, "`average` is for a minimal objective. Received: average='layer'.*Leave it out"),
    ],
)
def test_what_nothing_has_or_would_be_ignored_is_refused(settings, said):
    with pytest.raises(ValueError, match=said):
        ConnectivityNetwork(LENET, **settings)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"mode": "prune"}, "`mode` must be one of 'prune_and_flip'. Received: mode='prune'"),
        ({"masked_at_start": 0.0}, r"Received: masked_at_start=0.0. Write 0.9"),
        ({"masked_at_start": 1.5}, r"Received: masked_at_start=1.5"),
    ],
)
def test_of_masks_with_signs_too(settings, said):
    with pytest.raises(ValueError, match=said):
        SignedMaskNetwork(LENET, **settings)


def test_masks_with_signs_start_as_declared():
    # A range of 0.4 of which 2 / 7 of the scores are: they reach over 0.4 / (2 / 7) = 1.4, from -0.9 to 0.5, and the
    # others are 5 / 14 on either side.
    network = SignedMaskNetwork(LENET, {"width": 0.1}, masked_range=0.4, masked_at_start=2 / 7)
    declared = training("a", "free pruning", LENET, 1, *SMALL, {"network": network})
    prepared = declared.prepare(0)
    scores = np.concatenate([variable.numpy().ravel() for variable in prepared.model.trainable_variables])
    # Of n = 2,270 weights a fraction p has a standard deviation of sqrt(p (1 - p) / n), at most 0.0105; five of them.
    for found, expected in (
        (np.mean((scores <= 0) & (scores > -0.4)), 2 / 7),
        (np.mean(scores > 0), 5 / 14),
        (np.mean(scores <= -0.4), 5 / 14),
    ):
        assert found == pytest.approx(expected, abs=0.0525)
    assert -0.9 <= scores.min() < scores.max() <= 0.5
    removed = RemovedConnections().observe(prepared).summary()["removed"]
    assert removed == np.mean((scores <= 0) & (scores > -0.4))
    assert changed_fractions(prepared.model)["all"] == pytest.approx(np.mean(scores <= 0))


def test_every_method_starts_from_the_same_kernels():
    baseline = training("a", "baseline", LENET, 1, *SMALL, width=0.1).prepare(3).model.get_weights()
    for mode in ("prune", "flip"):
        model = changed(TINY, network={"mode": mode}).prepare(3).model
        for layer, kernel in zip(model.layers[-3:], baseline, strict=True):
            np.testing.assert_array_equal(layer.kernels[0].numpy(), kernel)
            assert (layer.scores[0].numpy() > 0).all()


def test_pixel_scaling_and_weight_removal():
    usual, removed = TINY.prepare(0), changed(TINY, network={"remove_weights": True}).prepare(0)
    # Magnitudes sqrt(2/64), sqrt(2/30), sqrt(2/10) of 64-30-10-10, the digits having 64 pixels.
    scale = math.sqrt(2 / 64) * math.sqrt(2 / 30) * math.sqrt(2 / 10)
    for part in ("x_train", "x_val", "x_test"):
        expected = scale * getattr(usual.loaded, part)
        np.testing.assert_allclose(getattr(removed.loaded, part), expected, rtol=1e-5, atol=1e-7)
    assert all(set(np.unique(kernel)) == {-1, 1} for layer in removed.model.layers[-3:] for kernel in layer.kernels)
    expected = usual.model.predict(usual.loaded.x_test, verbose=0)
    np.testing.assert_allclose(removed.model.predict(removed.loaded.x_test, verbose=0), expected, rtol=1e-4, atol=1e-6)


def test_free_and_minimal_differ_in_the_loss_only():
    free, minimal = (changed(TINY, network={"objective": objective}).prepare(0) for objective in ("free", "minimal"))
    assert changed_fractions(free.model)["all"] == changed_fractions(minimal.model)["all"] == 0
    x, y = free.loaded.x_test, free.loaded.y_test
    loss, with_penalty = (each.model.evaluate(x, y, verbose=0)[0] for each in (free, minimal))
    assert with_penalty == pytest.approx(loss - 1, abs=1e-5)  # all weights are kept: minus their fraction is -1


def test_magnitude_pruning_by_hand(pruned):
    # 75 % of 64 x 30, 30 x 10 and 10 x 10 weights, from the third epoch on.
    folder, summary = pruned
    assert read_csv(folder / "rows.csv")["changed"].tolist() == [0, 0, 0.75, 0.75]
    assert summary["changed"] == 0.75
    with np.load(folder / "best.npz") as best:
        assert sum(np.sum(kernel == 0) for kernel in best.values()) == 0.75 * (64 * 30 + 30 * 10 + 10 * 10)


def test_test_accuracy_is_that_of_the_best_held_out_epoch(pruned):
    folder, summary = pruned
    held_out = read_csv(folder / "rows.csv")["val_accuracy"]
    assert held_out[1] > held_out[2] > held_out[3]  # the second is not pruned and does not count
    prepared = PRUNED.prepare(0)
    with np.load(folder / "best.npz") as best:
        prepared.model.set_weights([best[f"arr_{number}"] for number in range(len(best.files))])
    found = prepared.model.evaluate(*prepared.validation_data, batch_size=1000, verbose=0, return_dict=True)
    assert found["accuracy"] == pytest.approx(held_out[2])
    assert prepared.evaluate_test()["accuracy"] == summary["test_accuracy_at_best"]
    assert summary["test_accuracy_at_best"] != summary["test_accuracy"]


@pytest.mark.slow
def test_a_killed_run_resumes_and_ends_the_same(pruned, tmp_path, killed_before):
    folder, whole = pruned
    with killed_before(3):
        run(PRUNED, 0, tmp_path, QUIET)
    parts = run(PRUNED, 0, tmp_path, QUIET)
    assert (tmp_path / "rows.csv").read_bytes() == (folder / "rows.csv").read_bytes()
    assert {**parts, "seconds": 0} == {**whole, "seconds": 0}


@pytest.mark.parametrize(
    "network",
    [
        {},
        pytest.param({"mode": "edge_popup", "sparsity": 0.5}, marks=pytest.mark.slow),
        pytest.param({"mode": "bernoulli"}, marks=pytest.mark.slow),
    ],
)
def test_what_is_known_of_masks(network, tmp_path):
    declared = training("a", "free pruning", LENET, 1, *SMALL, {"network": network}, width=0.1)
    summary = run(declared, 0, tmp_path, QUIET)
    (row,) = records(read_csv(tmp_path / "rows.csv"))
    assert row["changed"] == pytest.approx(summary["changed"])
    assert {"changed_dense1", "changed_output", "val_accuracy"} <= set(row)
    if network != {"mode": "bernoulli"}:  # another mask is drawn
        assert summary["test_accuracy_at_best"] == summary["test_accuracy"]
    if "sparsity" in network:
        assert summary["changed"] == 0.5
    if not network:
        assert summary["different_without_weights"] <= 1


def test_a_random_mask_is_evaluated_several_times():
    declared = changed(TINY, network={"mode": "bernoulli"}, task=Classification(evaluations=3))
    prepared, again = declared.prepare(0), declared.prepare(0)
    x, y = again.loaded.x_test, again.loaded.y_test
    losses = [again.model.evaluate(x, y, batch_size=1000, verbose=0)[0] for _ in range(3)]
    assert prepared.evaluate_test()["loss"] == pytest.approx(np.mean(losses))
    assert len(set(losses)) == 3
