"""What is done to the random weights before a training, and what watches it: each part of LaPerm's trainings."""

import numpy as np
import pytest
from hand_made_runs import declared

from scripts.laperm.fields import fields
from scripts.laperm.initial_weights import MakeDissimilar, ReducePrecision, ShareValue, ShuffledBestOf, Sparsify
from scripts.laperm.observers import InitialSimilarity, SnapshotsKept, SyncPeriodFollowsRate
from scripts.laperm.settings import laperm, observed_by, removed
from scripts.laperm.snapshots import load_snapshots
from scripts.publishing.publish import publish
from scripts.running.evaluation import random_images
from scripts.running.files import read_csv, read_json, write_json
from scripts.running.images import Images
from scripts.running.network import Network
from scripts.running.observers import BestEpochKept, ZerosKept, weight_vectors
from scripts.running.optimizer import INNER, Optimizer
from scripts.running.runner import Options, folder_of, run
from scripts.running.schedules import Drops
from scripts.running.training import Training, changed

QUIET = Options(progress=False)
# 1,437 training images less 200 held out, of which the first 100 are used: 2 steps of 50 an epoch.
TINY = Training("Adam", Images("digits", validation=200, limit=100), Network("f2"), epochs=2, batch_size=50)
LAPERM = changed(TINY, laperm(3, skip_bias=True), label="LaPerm")


def started(training, seed=0):
    """The weight vectors that a training starts with."""
    return weight_vectors(training.prepare(seed).model)


def test_few_values_and_other_scales():
    plain, binary, dissimilar = (
        started(changed(LAPERM, initial_weights=parts))
        for parts in ((), (ReducePrecision("binary"),), (MakeDissimilar(16.0),))
    )
    for before, few, scaled in zip(plain, binary, dissimilar, strict=True):
        np.testing.assert_array_equal(few > 0, before >= 0)
        assert len(np.unique(few)) == 2
        factors = scaled / before
        np.testing.assert_allclose(factors, factors[:, :1].repeat(factors.shape[1], 1), rtol=1e-5)
        assert factors.max() / factors.min() > 4


def test_zeros_and_one_value():
    # The first kernel has 64 weights a unit; its share is limited to 20 %, or not at all.
    limited, single = (
        started(changed(LAPERM, initial_weights=parts))
        for parts in ((Sparsify(0.5),), (Sparsify(0.5, "bernoulli", input_limit=None), ShareValue(0.25)))
    )
    assert [np.mean(kernel == 0) for kernel in limited] == pytest.approx([0.2, *[0.5] * (len(limited) - 1)], abs=1e-3)
    assert all({*np.unique(kernel)} == {0, 0.25} for kernel in single)
    assert np.mean(single[0] == 0) == pytest.approx(0.5, abs=0.05)


def test_initial_weights_have_the_distribution_of_their_name():
    # The hidden dense layer: variance 2 / fan_in for He, 2 / (fan_in + fan_out) for Glorot; the largest of a uniform
    # draw is the square root of 3 times its deviation.
    found = {}
    for name in ("he_uniform", "he_normal", "glorot_uniform", "glorot_normal"):
        kernel = started(changed(TINY, network=Network("mlp", initializer=name)), seed=4)[0]
        fan = kernel.shape[1] if name.startswith("he") else sum(kernel.shape)
        assert np.std(kernel) == pytest.approx(np.sqrt(2 / fan), rel=0.03)
        is_uniform = np.abs(kernel).max() <= np.sqrt(6 / fan)
        assert is_uniform == name.endswith("uniform")
        found[name] = kernel
    again = started(changed(TINY, network=Network("mlp", initializer="he_normal")), seed=4)[0]
    np.testing.assert_array_equal(again, found["he_normal"])


@pytest.mark.parametrize("name", INNER)
def test_inner_optimizers(name):
    alone, inside = (
        changed(TINY, optimizer=Optimizer(name, 0.25, around=around)).prepare(0).model.optimizer
        for around in (None, "laperm")
    )
    inner = inside.inner_optimizer
    assert type(alone) is type(inner)
    assert type(alone).__name__.lower() == {"momentum": "sgd", "nesterov": "sgd"}.get(name, name)
    assert getattr(inner, "momentum", 0) == (0.9 if name in ("momentum", "nesterov") else 0)
    assert float(inner.learning_rate) == float(alone.learning_rate) == 0.25


# From the weights of another run.


ADAM, SHUFFLED = (
    declared("laperm_fig5", **wanted) for wanted in ({"method": "Adam"}, {"method": "LaPerm", "start": "shuffled"})
)


@pytest.fixture(scope="module")
def fig5(tmp_path_factory, killed_before):
    """Two curves of Fig. 5 at quick size: Adam; and LaPerm from its weights, which is cut and goes on."""
    folder = tmp_path_factory.mktemp("results")
    folders = {t.label: folder_of("laperm_fig5", "quick", t.label, 3, folder) for t in (ADAM, SHUFFLED)}
    run(ADAM, 3, folders[ADAM.label], QUIET)
    with killed_before(2):
        run(SHUFFLED, 3, folders[SHUFFLED.label], QUIET)
    run(SHUFFLED, 3, folders[SHUFFLED.label], QUIET)
    return folders


def finished(training, folder):
    prepared = training.prepare(3, folder=folder)
    prepared.model.optimizer.build(prepared.model.trainable_variables)
    prepared.model.load_weights(folder / "final.weights.h5")
    return prepared


@pytest.mark.slow
def test_shuffled_weights_are_those_of_the_best_epoch(fig5):
    folder = fig5[SHUFFLED.label]
    start, best = (SHUFFLED.prepare(3, folder=folder) for _ in range(2))
    with np.load(fig5[ADAM.label] / "best.npz") as file:
        best.model.set_weights([file[f"arr_{number}"] for number in range(len(file.files))])
    end = finished(SHUFFLED, folder)
    for trained, first, final in zip(*(weight_vectors(p.model) for p in (best, start, end)), strict=True):
        np.testing.assert_array_equal(np.sort(trained, axis=1), np.sort(first, axis=1))
        assert (trained != first).any(axis=1).all()
        np.testing.assert_array_equal(np.sort(trained, axis=1), np.sort(final, axis=1))
    assert read_json(folder / "done.json")["is_permutation"]


@pytest.mark.parametrize(("training", "when"), [(ADAM, "epoch"), (SHUFFLED, "after")], ids=["Adam", "LaPerm"])
@pytest.mark.slow
def test_training_accuracy_is_that_of_the_same_images_evaluated(fig5, training, when):
    rows = read_csv(fig5[training.label] / "rows.csv")
    rows = rows[rows["when"] == when]
    assert rows[["val_accuracy", "train_accuracy"]].notna().all(axis=None)
    # 1,000 images are 20 steps of 50, in 4 epochs; LaPerm has k = 10.
    assert rows["step"].tolist() == list(range(20, 81, 20) if when == "epoch" else range(10, 81, 10))
    prepared = finished(training, fig5[training.label])
    x, y = random_images(prepared.loaded.x_train, prepared.loaded.y_train, 100, 3)
    expected = prepared.model.evaluate(x, y, verbose=0, return_dict=True)["accuracy"]
    assert rows["train_accuracy"].iloc[-1] == pytest.approx(expected)
    assert rows["train_accuracy"].nunique() > 1


@pytest.mark.slow
def test_initial_weights_are_published(fig5, tmp_path):
    table = publish("laperm_fig5", "quick", fig5[ADAM.label].parents[4], tmp_path)
    assert table.count("| 1 of 1 |") == table.count("| 0 of 1 |") == 1
    assert (tmp_path / "laperm_fig5.png").stat().st_size > 10_000


def test_a_start_that_is_not_there_says_what_to_do(tmp_path):
    kept = changed(TINY, observed_by(BestEpochKept()))
    shuffled = changed(LAPERM, initial_weights=(ShuffledBestOf(kept),), label="shuffled")
    folder = folder_of("x", "quick", "shuffled", 3, tmp_path)
    with pytest.raises(FileNotFoundError, match=r"'shuffled', which starts from 'Adam', seed 3.*Run it first"):
        shuffled.prepare(3, folder=folder)
    beside = folder_of("x", "quick", "Adam", 3, tmp_path)
    write_json(beside / "done.json", {})
    with pytest.raises(FileNotFoundError, match=r"best\.npz"):
        shuffled.prepare(3, folder=folder)
    with pytest.raises(ValueError, match=r"keeps its best epoch. Received: starts_from='Adam'.*Add BestEpochKept"):
        ShuffledBestOf(TINY)


@pytest.mark.parametrize(
    "changes",
    [{"initial_weights": (Sparsify(0.5),)}, {"network": {"initializer": "he_normal"}}],
    ids=["zeros", "initializer"],
)
def test_another_start_would_be_lost(changes):
    shuffled = ShuffledBestOf(changed(TINY, observed_by(BestEpochKept())))
    training = changed(LAPERM, changes)
    with pytest.raises(ValueError, match=r"are those of another training. Received: initializer=.*put .* first"):
        changed(training, initial_weights=(*training.initial_weights, shuffled)).prepare(0)


# What watches.


@pytest.mark.slow
def test_zeros_are_kept_through_a_resume(tmp_path, killed_before):
    training = changed(TINY, removed(50), observed_by(ZerosKept()), optimizer={"around": "lookahead"})
    with killed_before(1):
        run(training, 0, tmp_path, QUIET)
    run(training, 0, tmp_path, QUIET)
    prepared = training.prepare(0)
    start = weight_vectors(prepared.model)
    prepared.model.optimizer.build(prepared.model.trainable_variables)
    prepared.model.load_weights(tmp_path / "final.weights.h5")
    for before, after in zip(start, weight_vectors(prepared.model), strict=True):
        np.testing.assert_array_equal(before == 0, after == 0)
        assert (before != after).any()


@pytest.mark.parametrize(
    ("observer", "said"),
    [(ZerosKept(), r"which permutes them, zeros too"), (BestEpochKept(), r"LaPerm has accuracies after synchron")],
    ids=["zeros", "best epoch"],
)
def test_laperm_refuses_what_it_cannot_keep(observer, said, tmp_path):
    with pytest.raises(ValueError, match=said):
        run(changed(LAPERM, observed_by(observer)), 0, tmp_path, QUIET)


def test_sync_period_follows_the_rate(tmp_path):
    # 2 steps an epoch, and the rate is halved from epoch 2 on. k = 3 in epochs 0 and 1, 6 from epoch 2 on:
    # synchronizations after steps 3, 9 and the last, 12.
    halved = {"schedule": Drops({2: 2})}
    run(changed(LAPERM, observed_by(SyncPeriodFollowsRate()), epochs=6, optimizer=halved), 0, tmp_path, QUIET)
    rows = read_csv(tmp_path / "rows.csv")
    assert rows.loc[rows["when"] == "after", "step"].tolist() == [3, 9, 12]
    assert rows.loc[rows["when"] == "epoch", "sync_period"].tolist() == [3, 3, 6, 6, 6, 6]


def test_similarity_is_that_of_the_start():
    scaled, plain = (
        changed(LAPERM, observed_by(InitialSimilarity()), initial_weights=parts).prepare(0)
        for parts in ((MakeDissimilar(64.0),), ())
    )
    for variable in plain.model.trainable_variables:
        variable.assign(0 * variable)
    assert 0 < scaled.summary()["initial_similarity"] < 0.8 < plain.summary()["initial_similarity"] <= 1


@pytest.mark.slow
def test_snapshots_survive_a_cut(tmp_path, killed_before):
    # 8 steps: multiples of 3, and the end. A restart at step 4 is no reason for one. All are after synchronizations.
    training = changed(LAPERM, observed_by(SnapshotsKept("dense2", every=3)), epochs=4)
    with killed_before(2):
        run(training, 0, tmp_path, QUIET)
    before = load_snapshots(tmp_path / "snapshots.npz")
    run(training, 0, tmp_path, QUIET)
    steps, rows = load_snapshots(tmp_path / "snapshots.npz")
    assert (before[0], steps) == ([0, 3], [0, 3, 6, 8])
    np.testing.assert_array_equal(rows[:2], before[1])
    initial = weight_vectors(training.prepare(0, folder=tmp_path).model)[1]
    np.testing.assert_array_equal(rows[0], initial)
    for later in rows[1:]:
        np.testing.assert_array_equal(np.sort(later), np.sort(initial))
        assert (later != initial).any()


def test_fields_of_layer_wise_sparsity():
    assert fields(changed(LAPERM, initial_weights=(Sparsify((0.9, 0.5)),)))["p"] == (90, 50)
