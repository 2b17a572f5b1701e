import dataclasses
import math

import numpy as np
import pytest

from scripts.connectivities.settings import all_methods, training
from scripts.experiment import find
from scripts.publishing.results import Curve, publish
from scripts.running.files import read_csv
from scripts.running.runner import Options, folder_of, run
from train_by_reconnect import changed_fractions

QUIET = Options(progress=False)
# 1,437 training images less 200 held out, of which the first 300 are used: 12 steps of 25 an epoch.
TINY = training(
    "pruning",
    "free pruning",
    "lenet_300_100",
    3,
    dataset="digits",
    validation=200,
    train_limit=300,
    model_arguments={"width": 0.1},
)


def test_settings_are_those_of_table_a_2():
    rates = {
        ("lenet_300_100", "baseline"): 1e-3,
        ("conv2", "baseline"): 2e-4,
        ("conv4", "baseline"): 3e-4,
        ("conv6", "free pruning"): 3e-3,
        ("conv2", "minimal pruning"): 3e-3,
        ("conv4", "free flipping"): 5e-4,
        ("conv6", "minimal flipping"): 5e-4,
    }
    for (model, method), rate in rates.items():
        declared = training("a", method, model, 1)
        assert (declared.learning_rate, declared.batch_size, declared.validation) == (rate, 25, 5000)
        assert declared.dataset == ("mnist" if model == "lenet_300_100" else "cifar10")
        assert declared.model_arguments == ({} if model == "lenet_300_100" else {"plain": True})
    labels = [declared.label for declared in all_methods("conv2", 1)]
    assert len(set(labels)) == len(labels) == 15


def test_every_method_starts_from_the_same_kernels():
    baseline = dataclasses.replace(TINY, mode=None).prepare(3).model.get_weights()
    for mode in ("prune", "flip"):
        model = dataclasses.replace(TINY, mode=mode).prepare(3).model
        for layer, kernel in zip(model.layers[-3:], baseline, strict=True):
            np.testing.assert_array_equal(layer.kernels[0].numpy(), kernel)
            assert (layer.scores[0].numpy() > 0).all()


def test_pixel_scaling_and_weight_removal():
    usual, removed = TINY.prepare(0), dataclasses.replace(TINY, remove_weights=True).prepare(0)
    # Magnitudes sqrt(2/64), sqrt(2/30), sqrt(2/10) of 64-30-10-10, the digits having 64 pixels.
    scale = math.sqrt(2 / 64) * math.sqrt(2 / 30) * math.sqrt(2 / 10)
    np.testing.assert_allclose(removed.loaded.x_test, scale * usual.loaded.x_test, rtol=1e-5, atol=1e-7)
    assert all(set(np.unique(kernel)) == {-1, 1} for layer in removed.model.layers[-3:] for kernel in layer.kernels)
    expected = usual.model.predict(usual.loaded.x_test, verbose=0)
    np.testing.assert_allclose(removed.model.predict(removed.loaded.x_test, verbose=0), expected, rtol=1e-4, atol=1e-6)


def test_summary_and_rows(tmp_path):
    summary = run(TINY, 0, tmp_path, QUIET)
    rows = read_csv(tmp_path / "rows.csv")
    assert [row["epoch"] for row in rows] == [0, 1, 2]
    assert rows[-1]["changed"] == pytest.approx(summary["changed"])
    assert {"changed_dense1", "changed_output", "val_accuracy"} <= set(rows[0])
    assert summary["different_without_weights"] <= 1
    assert summary["train_images"] == 300


def test_test_accuracy_is_that_of_the_best_held_out_epoch(tmp_path):
    # A large rate, so that accuracy comes and goes.
    restless = dataclasses.replace(TINY, learning_rate=0.3, epochs=6)
    summary = run(restless, 0, tmp_path, QUIET)
    held_out = [row["val_accuracy"] for row in read_csv(tmp_path / "rows.csv")]
    best = held_out.index(max(held_out)) + 1
    shorter = run(dataclasses.replace(restless, epochs=best), 0, tmp_path / "shorter", QUIET)
    assert summary["test_accuracy_at_best"] == shorter["test_accuracy"]


def test_a_killed_run_resumes_and_ends_the_same(tmp_path, killed_before):
    whole = run(TINY, 0, tmp_path / "whole", QUIET)
    with killed_before(2):
        run(TINY, 0, tmp_path / "parts", QUIET)
    parts = run(TINY, 0, tmp_path / "parts", QUIET)
    assert (tmp_path / "parts/rows.csv").read_bytes() == (tmp_path / "whole/rows.csv").read_bytes()
    assert {**parts, "seconds": 0} == {**whole, "seconds": 0}


@pytest.mark.parametrize(
    "name",
    ["connectivities_c1", "connectivities_c2", "connectivities_fig3", "connectivities_fig4", "connectivities_peers"],
)
def test_experiments_run_and_are_published(tmp_path, name):
    experiment = find(name)
    chosen = experiment.trainings["quick"]
    if name == "connectivities_c1":
        chosen = chosen[::2]  # baseline, minimal pruning, minimal flipping
    elif name == "connectivities_c2":
        chosen = chosen[1:2]  # the others are as in connectivities_c1
    elif name == "connectivities_peers":
        chosen = chosen[4::2]  # one of each kind that is not in connectivities_c1
    for declared in chosen:
        run(declared, 0, folder_of(name, "quick", declared.label, 0, tmp_path), QUIET)
    table = publish(name, "quick", tmp_path, tmp_path)
    assert all(f"| {declared.label} | 1 |" in table for declared in chosen)
    for picture in (name, *experiment.more_pictures):
        assert (tmp_path / f"{picture}.png").stat().st_size > 10_000


def test_the_highest_mean_is_of_the_mean_curve():
    # Held-out means over two seeds: (0.5 + 0.7) / 2 = 0.6, then (0.9 + 0.5) / 2 = 0.7, then (0.6 + 0.6) / 2 = 0.6.
    def curve(seed, values, best):
        rows = [
            {"epoch": epoch, "step": epoch, "when": "epoch", "val_accuracy": value, "changed": 0.25}
            for epoch, value in enumerate(values)
        ]
        return Curve("baseline, He constant", seed, rows, {"test_accuracy_at_best": best, "test_accuracy": 0.5})

    table = find("connectivities_c1").table([curve(0, (0.5, 0.9, 0.6), 0.8), curve(1, (0.7, 0.5, 0.6), 0.6)])
    row = table.splitlines()[-1]
    assert row.startswith(
        "| baseline, He constant | 2 | 70.00 % (2) | 70.00 % | 60.00 % | 80.00 % | 50.00 % | - | 97.96 %"
    )


def test_free_and_minimal_differ_in_the_loss_only():
    free, minimal = (dataclasses.replace(TINY, objective=objective).prepare(0) for objective in ("free", "minimal"))
    assert changed_fractions(free.model)["all"] == changed_fractions(minimal.model)["all"] == 0
    x, y = free.loaded.x_test, free.loaded.y_test
    loss, with_penalty = (each.model.evaluate(x, y, verbose=0)[0] for each in (free, minimal))
    assert with_penalty == pytest.approx(loss - 1, abs=1e-5)  # all weights are kept: minus their fraction is -1
