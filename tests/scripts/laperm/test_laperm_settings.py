"""What LaPerm's experiments declare: the paper's settings, and smaller sizes of them."""

import numpy as np
import pytest

from scripts.data.datasets import Dataset
from scripts.data.sources import SHAPES
from scripts.experiment import find, names, trainings_of
from scripts.laperm.fields import fields
from scripts.laperm.initial_weights import MakeDissimilar, ReducePrecision, ShuffledBestOf, Sparsify
from scripts.laperm.observers import InitialSimilarity, SyncPeriodFollowsRate
from scripts.laperm.settings import conv, observed_by, removed
from scripts.laperm.sizes import laptop_sync_period, sync_periods
from scripts.running.observers import BestEpochKept, Permutation, weight_vectors
from scripts.running.training import changed
from train_by_reconnect import KeepZeros

FIGURES = tuple(f"laperm_fig{number}" for number in (5, 6, 7, 8, 9, 15, 16))
ABLATIONS = tuple(
    name
    for name in names()
    if name.startswith("laperm_") and "_fig" not in name and {"laptop", "paper"} <= find(name).trainings.keys()
    if name != "laperm_gap"  # whose larger sizes have the smaller ones too
)


def of_paper(name):
    return {training.label: training for training in trainings_of(name, "paper")}


@pytest.mark.parametrize("name", [*FIGURES, *ABLATIONS])
def test_labels_differ_and_laptop_sizes_are_smaller(name):
    for size, trainings in find(name).trainings.items():
        labels = [training.label for training in trainings]
        assert len(set(labels)) == len(labels), size
        assert all(training.evaluation.train_images and training.part(Permutation) for training in trainings)
    laptop, paper = (find(name).trainings[size] for size in ("laptop", "paper"))
    assert max(t.epochs for t in laptop) < min(t.epochs for t in paper)
    assert all(t.network.arguments["width"] < 1 for t in laptop)
    assert all(t.network.arguments == {} and t.data.limit is None for t in paper)
    assert find(name).seeds["laptop"] == (0, 1, 2)


@pytest.mark.parametrize("name", FIGURES)
def test_settings_of_the_paper(name):
    epochs = {"conv7": 45, "conv2": 125, "conv4": 90 if name == "laperm_fig6" else 125, "conv13": 125, "resnet50": 200}
    for training in of_paper(name).values():
        network, data, optimizer = training.network.name, training.data, training.optimizer
        assert (training.epochs, training.batch_size) == (epochs[network], 50)
        assert (data.validation, training.evaluation.train_images) == (5000, 30_000)
        assert getattr(training.part(Sparsify), "input_limit", 0.2) == 0.2
        is_mnist = network == "conv7"
        assert (data.name, data.scaling) == (("mnist", "unit") if is_mnist else ("cifar10", "z_score"))
        angle, flip = (10, False) if is_mnist else (15, True)
        assert (data.augmentation.rotation, data.augmentation.horizontal_flip) == (angle, flip)
        if network == "resnet50":
            at = {79: 1, 80: 0.1, 119: 0.1, 120: 0.01, 160: 1e-3, 179: 1e-3, 180: 5e-4, 199: 5e-4}
        elif is_mnist:
            at = {0: 1, 1: 0.95, 44: 0.95**44}
        else:
            at = {0: 1, 9: 1, 10: 0.6, 19: 0.6, 20: 0.36, 89: 0.6**8}
        found = {epoch: optimizer.rate(epoch, training.epochs) for epoch in at}
        assert found == pytest.approx({epoch: 1e-3 * by for epoch, by in at.items()})


def of_figure(number, *wanted):
    """What all trainings of a figure at paper size have in some fields: a set, of what LaPerm has for k."""
    known = [fields(training) for training in trainings_of(f"laperm_fig{number}", "paper")]
    return {tuple(each[name] for name in wanted) if len(wanted) > 1 else each[wanted[0]] for each in known} - {None}


def test_curves_of_the_paper():
    assert of_figure(5, "k") == {20}
    assert find("laperm_fig5").seeds["paper"] == (0, 1, 2, 3, 4)
    assert of_figure(5, "method", "start") == {
        *(("LaPerm", start) for start in ("he_uniform", "he_normal", "glorot_uniform", "glorot_normal", "shuffled")),
        *(("Adam", "he_normal"), ("Lookahead", "he_normal")),
    }
    fig5 = of_paper("laperm_fig5")
    assert fig5["LaPerm, weights of Adam, shuffled"].part(ShuffledBestOf).starts_from == fig5["Adam"]
    assert fig5["Adam"].part(BestEpochKept)
    all_k = [1, 5, 10, 20, 50, 100, 200, 500, 1000, 2000]
    # 45,000 images are 900 steps of 50, and 90 epochs of them 81,000.
    assert of_figure(6, "method", "k", "p", "frozen") == {
        *(("LaPerm", k, p, False) for k in all_k for p in (0, 50)),
        *(("LaPerm", 81_000, 0, False), ("Adam", None, 50, True)),
    }
    assert of_figure(7, "k") == {1000}
    assert of_figure(7, "network", "method") == {
        (network, method) for network in ("Conv2", "Conv4", "Conv13") for method in ("Adam", "Lookahead", "LaPerm")
    }
    assert of_figure(8, "k", "p") == {(None, 0), *((k, p) for k in (250, 400, 800) for p in (0, 30, 50, 70))}
    assert of_figure(9, "network") == {"Conv7", "Conv2", "Conv4", "Conv13", "ResNet50"}
    assert of_figure(9, "k", "p") == {(k, p) for k in (200, 500, 1000) for p in range(0, 100, 10)}
    assert of_figure(15, "network", "k") == {("Conv4", 1000), ("Conv4", 2000)}
    arguments = [training.optimizer.arguments for training in trainings_of("laperm_fig16", "paper")]
    usual = {"sync_period": 800, "skip_bias": True}
    assert arguments == [usual, {**usual, "skip_batch_norm": False}]
    assert find("laperm_fig16").seeds["paper"] == (0, 1, 2)


def overnight(number, *wanted):
    known = [fields(training) for training in trainings_of(f"laperm_fig{number}", "overnight")]
    return [tuple(each[name] for name in wanted) for each in known]


def test_what_runs_overnight():
    # All images, and the drops at the paper's fractions: 25 / 90 of 10, 20, 30 are 2.8, 5.6 and 8.3.
    assert overnight(6, "method", "k", "p", "frozen") == [
        *(("Adam", None, 0, False), ("Lookahead", None, 0, False)),
        *(("LaPerm", k, 0, False) for k in (1, 20, 100, 1000, 2000)),
        *(("LaPerm", 1000, p, False) for p in (50, 70)),
        ("Adam", None, 50, True),
    ]
    resnets = [(None, 0), *((k, 0) for k in (250, 400, 800)), *((k, p) for p in (50, 70) for k in (400, 800))]
    assert overnight(8, "k", "p") == resnets
    assert overnight(16, "k", "norm_reset") == [(800, False), (800, True)]
    for number, network, epochs in ((6, {"width": 0.5}, 25), (8, {"blocks": 3}, 20), (16, {"blocks": 3}, 20)):
        assert find(f"laperm_fig{number}").seeds["overnight"] == (0, 1)
        for training in trainings_of(f"laperm_fig{number}", "overnight"):
            assert (training.epochs, training.network.arguments) == (epochs, network)
            data = training.data
            assert (data.limit, data.validation, data.augmentation.rotation) == (None, 5000, 15)
    # One curve of Fig. 16 is one of Fig. 8, and need not run again.
    (shared,) = (t for t in trainings_of("laperm_fig8", "overnight") if t.label == "LaPerm, p = 0 %, k = 800")
    assert changed(shared, label="LaPerm") == trainings_of("laperm_fig16", "overnight")[0]
    schedule = trainings_of("laperm_fig6", "overnight")[0].optimizer.schedule
    assert list(schedule.divisors) == [3, 6, 8, 11, 14, 17, 19, 22]


def test_schedules_and_sync_periods_scale_alike():
    assert list(conv("a", "conv4", 25).optimizer.schedule.divisors) == list(range(2, 25, 2))
    assert len(conv("a", "conv4", 15).optimizer.schedule.divisors) == 12
    assert [laptop_sync_period(k) for k in (1, 1000, 2000)] == [1, 140, 280]
    assert sync_periods("quick", (200, 1000)) == [10, 20]


def rate(learning_rate):
    return {"optimizer": {"learning_rate": learning_rate}}


def start(*parts):
    return {"initial_weights": parts}


@pytest.mark.parametrize(
    ("name", "label", "changes"),
    [
        (
            "laperm_inner_optimizers",
            "SGD with momentum, k = 1000",
            [{"optimizer": {"name": "momentum", "learning_rate": 0.01}}],
        ),
        ("laperm_low_precision", "4 bits, k = 1000", [start(ReducePrecision(4))]),
        ("laperm_low_precision", "0 and c at rate 0.01, k = 1000", [start(ReducePrecision("binary")), rate(0.01)]),
        ("laperm_rate", "p = 50 %, k = 1000", [removed(50), rate(0.01)]),
        ("laperm_dissimilar", "LaPerm, spread = 16", [start(MakeDissimilar(16.0)), observed_by(InitialSimilarity())]),
        ("laperm_synchronization", "state kept, k = 1000", []),
        ("laperm_synchronization", "tied to the rate, k = 1000 at first", [observed_by(SyncPeriodFollowsRate())]),
    ],
)
def test_only_one_thing_changes(name, label, changes):
    usual = changed(of_paper("laperm_fig6")["k = 1000"], {"evaluation": {"before": False, "compare": False}})
    assert of_paper(name)[label] == changed(usual, *changes, label=label)


# What a step is not made otherwise by.
_NUMBERS = ("k", "rate", "start", "p", "spread", "tied")


def first_steps():
    """Of every experiment the last training of each network, but for those that an earlier one is like."""
    seen, chosen = [], []
    for name in (*FIGURES, *ABLATIONS):
        for network in dict.fromkeys(training.network.name for training in trainings_of(name, "paper")):
            training = [t for t in trainings_of(name, "paper") if t.network.name == network][-1]
            known = {name: value for name, value in fields(training).items() if name not in _NUMBERS}
            like = {**known, "images": type(training.data), "arguments": training.network.arguments}
            if like not in seen:
                chosen.append(pytest.param(training, id=f"{name}-{network}"))
            seen.append(like)
    return chosen


@pytest.mark.slow
@pytest.mark.parametrize("declared", first_steps())
def test_paper_sizes_train_for_two_steps(monkeypatch, declared):
    # Of all but the number of images it is the paper's size: network, batch, optimizer, augmentation.
    shape, random = SHAPES[declared.data.name], np.random.default_rng(0)
    images, labels = random.random((100, *shape), "float32"), random.integers(0, 10, 100).astype("int32")
    given = Dataset(declared.data.name, 10, *3 * (images, labels))
    monkeypatch.setattr("scripts.running.images.load", lambda *arguments, **named: given)
    if declared.part(ShuffledBestOf):
        declared = changed(declared, start())
    prepared = changed(declared, {"evaluation": {"train_images": 100}}).prepare(0)
    model, before = prepared.model, weight_vectors(prepared.model)
    if declared.part(Sparsify):
        sparsity = declared.part(Sparsify).sparsity
        expected = [min(sparsity, 0.2), *[sparsity] * (len(before) - 1)]
        assert [float(np.mean(kernel == 0)) for kernel in before] == pytest.approx(expected, abs=2e-3)
    model.run_eagerly = True  # to compile a step would take longer than to take two
    watching = [callback for callback in prepared.callbacks if isinstance(callback, KeepZeros)]
    model.fit(prepared.batches(0), steps_per_epoch=2, epochs=1, shuffle=False, verbose=0, callbacks=watching)
    assert int(model.optimizer.iterations) == 2
    assert any((new != old).any() for new, old in zip(weight_vectors(model), before, strict=True))
    known = fields(declared)
    same = all(
        np.array_equal(np.sort(new), np.sort(old)) for new, old in zip(weight_vectors(model), before, strict=True)
    )
    assert same == (known["method"] == "LaPerm" and not known["output_free"])
