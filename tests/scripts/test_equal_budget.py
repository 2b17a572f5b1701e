"""The comparison at an equal budget: what is declared, and which rate is each method's best."""

import matplotlib.figure
import pandas as pd
import pytest

from scripts.connectivities.network import ConnectivityNetwork
from scripts.experiment import find
from scripts.publishing.claims import claims_beside_ours
from scripts.publishing.curves import Curve
from scripts.publishing.publish import publish
from scripts.running.runner import Options, folder_of, run

NAME = "equal_budget"


def test_methods_differ_in_nothing_but_the_method_and_the_rate():
    for size, images in (("laptop", ("MNIST", "Fashion-MNIST", "CIFAR-10")), ("overnight", ("MNIST", "CIFAR-10"))):
        declared = {training.label: training for training in find(NAME).trainings[size]}
        assert len(declared) == 48  # 3 data sets, 4 methods, 4 rates
        for name in images:
            same = [training for label, training in declared.items() if label.startswith(f"{name}, ")]
            assert len(same) == 16
            assert len({(t.epochs, t.batch_size, t.data, t.network.name, t.optimizer.schedule) for t in same}) == 1
            # k is an epoch's steps, where 55,000 and 45,000 are 60,000 and 50,000 less what is held out.
            (k,) = {t.optimizer.sync_period for t in same} - {None}
            left = {"MNIST": 55_000, "Fashion-MNIST": 55_000, "CIFAR-10": 45_000}[name]
            assert 50 * k == (same[0].data.limit or left)
    assert find(NAME).seeds == {"quick": (0,), "laptop": (0, 1, 2), "overnight": (0, 1, 2)}


def finished(label, seed, held_out, test, seconds=10.0):
    """A run of the laptop size, made up: 5,000 training images, of which CIFAR-10 is seen 12 times."""
    (training,) = (declared for declared in find(NAME).trainings["laptop"] if declared.label == label)
    summary = {"test_accuracy": test, "test_images": 1000, "train_images": 5000, "seconds": seconds}
    if isinstance(training.network, ConnectivityNetwork):
        summary["changed"] = 0.25
    rows = pd.DataFrame({"epoch": [0], "step": [100], "when": ["epoch"], "val_accuracy": [held_out]})
    return Curve(training, seed, rows, summary)


# Adam is best at 0.001, with 70 % in the mean of held-out images, though at 0.003 one of the seeds is better, and the
# test set. LaPerm at 0.01 has ended with one seed alone, which does not count.
CURVES = [
    *(finished("CIFAR-10, Adam, rate 0.001", seed, 0.7, 0.6 + seed / 50) for seed in (0, 1)),
    *(finished("CIFAR-10, Adam, rate 0.003", seed, 0.72 - seed / 10, 0.9, 30) for seed in (0, 1)),
    *(finished("CIFAR-10, LaPerm, rate 0.003", seed, 0.6, 0.58, 40) for seed in (0, 1)),
    finished("CIFAR-10, LaPerm, rate 0.01", 0, 0.8, 0.7, 40),
    *(finished("CIFAR-10, masks, rate 0.003", seed, 0.6, 0.605 + seed / 50) for seed in (0, 1)),
]


def test_each_has_its_best_rate():
    # 60,000 examples each. Test accuracies: 60 and 62 %, 58 %, 60.5 and 62.5 %. Adam takes 20 seconds, LaPerm 40.
    lines = find(NAME).table(CURVES).splitlines()[2:5]
    assert lines == [
        "| Conv4, CIFAR-10 | Adam | 60,000 | 0.001 | 2 | 61.00 % | 60.00 % | 62.00 % | +0.00 | 20 | 1.00 | - |",
        "| Conv4, CIFAR-10 | LaPerm | 60,000 | 0.003 | 2 | 58.00 % | 58.00 % | 58.00 % | -3.00 | 40 | 2.00 | - |",
        "| Conv4, CIFAR-10 | masks | 60,000 | 0.003 | 2 | 61.50 % | 60.50 % | 62.50 % | +0.50 | 10 | 0.50 | 25.00 % |",
    ]
    said = claims_beside_ours(find(NAME).claims, CURVES)
    assert said.startswith("What is asked here, and our answers, of mean test accuracies")
    assert (
        "- Asked here: LaPerm is no worse than Adam (minus Adam). Ours: CIFAR-10: -3.00 points. Verdict: does not hold."
        in said
    )
    assert "than Adam (minus Adam). Ours: CIFAR-10: +0.50 points. Verdict: holds." in said
    assert "(AdamW minus Adam). Ours: not run. Verdict: cannot tell." in said


def test_the_chosen_rates_are_marked():
    figure = matplotlib.figure.Figure()
    find(NAME).draw(figure, CURVES)
    (axes,) = figure.axes
    assert axes.get_title("left") == "Conv4 on CIFAR-10"
    rings = [line for line in axes.lines if line.get_fillstyle() == "none" and len(line.get_xdata())]
    assert [(line.get_xdata()[0], line.get_ydata()[0]) for line in rings] == [(0.001, 0.7), (0.003, 0.6), (0.003, 0.6)]


@pytest.mark.slow
def test_it_runs_and_is_published(tmp_path):
    for declared in find(NAME).trainings["quick"]:
        run(declared, 0, folder_of(NAME, "quick", declared.label, 0, tmp_path), Options(progress=False))
    table = publish(NAME, "quick", tmp_path, tmp_path)
    assert all(f"| LeNet, digits | {method} | 2,500 |" in table for method in ("Adam", "AdamW", "LaPerm", "masks"))
    assert (tmp_path / f"{NAME}.png").stat().st_size > 10_000
