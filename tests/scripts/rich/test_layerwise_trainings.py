import collections
import shutil

import matplotlib.figure
import numpy as np
import pandas as pd
import pytest

from scripts.experiment import find
from scripts.publishing.curves import Curve
from scripts.publishing.publish import publish
from scripts.rich.backward_time import StepTime
from scripts.rich.draw_layerwise import STYLES
from scripts.rich.earlier_weights import TrainedBefore, WeightsFrom
from scripts.rich.layerwise import Layerwise
from scripts.rich.layerwise_costs import Draws, TrainingTime, costs
from scripts.rich.layerwise_variants import family_of, pre_trained, top_and_bottom
from scripts.rich.settings import adam, balanced, section_3
from scripts.running.files import read_csv
from scripts.running.runner import Options, folder_of, run
from scripts.running.training import changed
from train_by_reconnect import LayerwiseTraining

# 1,437 training images less 200 held out, of which the first 20 of each class are used: 4 steps of 50 an epoch. The
# network has 3 layers.
IMAGES = balanced("digits", limit=200, validation=200)
EVERYTHING = changed(
    section_3("Full, before", IMAGES, ("relu_net", {"units": 8, "depth": 2}), adam(0.01), 4, (Layerwise(),)),
    batch_size=50,
    steps_at_once=False,
)
# Seed 0: epoch 2 trains all layers.
SPARSE = changed(EVERYTHING, pre_trained(top_and_bottom(1, "all", 0.4), TrainedBefore(EVERYTHING)))


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """The folder of two finished runs, seed 0, and their summaries: all layers; and some, on the weights of these."""
    results = tmp_path_factory.mktemp("finished")
    folders = [folder_of("by_hand", "quick", training.label, 0, results) for training in (EVERYTHING, SPARSE)]
    options = Options(progress=False)
    return folders, [run(training, 0, f, options) for training, f in zip((EVERYTHING, SPARSE), folders, strict=True)]


def test_costs_by_hand():
    # 10 epochs of 79 steps, 1 of them full with 0.2 s of backward pass a step, 9 of the top with 0.02 s: 15.8 + 14.22
    # = 30.02 s, against 790 * 0.2 = 158 s: 0.19. Whole steps of 0.3 and 0.12 s: 23.7 + 85.32 = 109.02 of 237: 0.46.
    full, top = (0, 1, 2), (2,)
    times = {full: StepTime(backward=0.2, step=0.3), top: StepTime(backward=0.02, step=0.12)}
    found = costs([{full: 79}] + 9 * [{top: 79}], times, full)
    assert found["backward_seconds"] == pytest.approx(30.02)
    assert found["full_backward_seconds"] == pytest.approx(158)
    assert found["backward_ratio"] == pytest.approx(0.19)
    assert found["step_ratio"] == pytest.approx(0.46)
    assert found["backward_by_epoch"] == pytest.approx([15.8] + 9 * [1.58])
    assert [(each["layers"], each["steps"]) for each in found["sets"]] == [([0, 1, 2], 79), ([2], 711)]
    # The full set is measured also where it was never trained; sets within one epoch add up.
    found = costs([{top: 3, full: 1}, {top: 4}], times, full)
    assert found["backward_by_epoch"] == pytest.approx([0.26, 0.08])
    assert costs([{top: 4}], times, full)["backward_ratio"] == pytest.approx(0.1)


def test_training_time_by_hand():
    # Epoch 0 trains the top: steps of 50 s (with the compilation), 2, 4 and 3 s count as 3 + 2 + 4 + 3 = 12 s. Epoch 1
    # trains all layers: 70, 5, 5, 6 count as 5 + 5 + 5 + 6 = 21 s. In epoch 2, the top again, the first one counts too:
    # 1 + 2 + 2 + 9 = 14 s. What passes between the steps, here 100 s each time, does not.
    class Given(Draws):
        def layers(self, epoch, step):
            return (0, 1, 2) if epoch == 1 else (2,)

    times = [50, 2, 4, 3, 70, 5, 5, 6, 1, 2, 2, 9]
    clock = (reading for number, time in enumerate(times) for reading in (1000 * number, 1000 * number + time))
    callback = TrainingTime(Given(Layerwise(), 0, 3), lambda: next(clock))
    logged = []
    for epoch in range(3):
        logs = {}
        callback.on_epoch_begin(epoch)
        for step in range(4):
            callback.on_train_batch_begin(step)
            callback.on_train_batch_end(step)
        callback.on_epoch_end(epoch, logs)
        logged.append(logs["train_seconds"])
    assert logged == [12, 21, 14]


@pytest.mark.parametrize("per", ["epoch", "step"])
def test_draws_are_those_of_the_callback(per):
    layerwise = Layerwise("RandomUniform", per=per)
    model = EVERYTHING.network.build(EVERYTHING.data.load(None), 3)
    model.compile("sgd", "mse", run_eagerly=True)
    callback = LayerwiseTraining(layerwise.make_scheme(), per, seed=3)
    model.fit(np.zeros((8, 8, 8, 1)), np.zeros((8, 10)), batch_size=2, epochs=4, verbose=0, callbacks=[callback])
    by_epoch = Draws(layerwise, 3, 3).by_epoch(epochs=4, steps=4)
    expected = [[sum(n for s, n in each.items() if i in s) / 4 for i in range(3)] for each in by_epoch]
    assert [list(entry["trained"].values()) for entry in callback.history] == expected
    assert len(set(map(tuple, expected))) > 1
    assert Draws(Layerwise(), 3, 3).by_epoch(4, 4) == 4 * [collections.Counter({(0, 1, 2): 4})]


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        ({"scheme": "TopAndBotom"}, "Did you mean 'TopAndBottom'"),
        ({"scheme": "LaPerm"}, "`scheme` must be one of"),
        ({"scheme": "MiddleOnly", "per": "batch"}, "`per` must be one of 'epoch', 'step'"),
        ({"scheme": "TopAndBottom", "arguments": {"top": -1}}, "Received: top=-1"),
        ({"arguments": {"top": 1}}, "`arguments` are for a scheme"),
    ],
)
def test_schemes_are_refused_where_they_are_declared(declared, message):
    with pytest.raises(ValueError, match=message):
        Layerwise(**declared)


def test_several_steps_at_once_are_refused():
    with pytest.raises(ValueError, match="steps_at_once=True"):
        changed(EVERYTHING, steps_at_once=True).prepare(0)


def test_a_run_says_what_was_trained_and_what_it_cost(finished):
    (everything, sparse), (_, summary) = finished
    rows = read_csv(sparse / "rows.csv")
    assert rows["trained_layers"].tolist() == [1, 1, 3, 1]
    assert "trained_layers" not in read_csv(everything / "rows.csv")
    assert [(each["layers"], each["steps"]) for each in summary["sets"]] == [([0, 1, 2], 4), ([2], 12)]
    assert summary["train_seconds"] == pytest.approx(rows["train_seconds"].sum())
    assert summary["backward_seconds"] == pytest.approx(sum(summary["backward_by_epoch"]))
    # The weights that are kept are those that were evaluated, not those of the measurement after it.
    prepared = EVERYTHING.prepare(0)
    prepared.model.optimizer.build(prepared.model.trainable_variables)
    prepared.model.load_weights(sparse / "final.weights.h5")
    assert prepared.evaluate_test()["accuracy"] == summary["test_accuracy"]


def test_starts_from_another_training_of_the_experiment(finished):
    (everything, sparse), _ = finished
    started = SPARSE.prepare(0, folder=sparse).model
    trained = EVERYTHING.network.build(EVERYTHING.data.load(None), 5)
    trained.load_weights(everything / "final.weights.h5")
    assert all(map(np.array_equal, started.get_weights(), trained.get_weights()))
    assert int(started.optimizer.iterations) == 0  # the state of its optimizer is not taken over
    with pytest.raises(FileNotFoundError, match="'Full, before', seed 3"):
        SPARSE.prepare(3, folder=sparse.parent / "seed_3")


def test_starts_from_a_file(tmp_path):
    started = changed(EVERYTHING, initial_weights=(WeightsFrom("weights.npz"),))
    with pytest.raises(FileNotFoundError, match=r"file='weights.npz', folder=None"):
        started.prepare(0)
    weights = EVERYTHING.network.build(EVERYTHING.data.load(None), 5).get_weights()
    np.savez(tmp_path / "weights.npz", *weights)
    assert all(map(np.array_equal, started.prepare(0, tmp_path).model.get_weights(), weights))
    with pytest.raises(ValueError, match=r"\.npz, \.keras, \.h5. Received: file='weights.pt'"):
        WeightsFrom("weights.pt")


def test_finished_runs_are_published(finished, redeclare, tmp_path):
    # Two runs stand for all of the experiment's: what they wrote is the same whatever was trained.
    experiment = find("rich_table1")
    trainings = experiment.trainings["quick"]
    for training in trainings:
        done = finished[0][training.part(Layerwise).scheme is not None]
        redeclare(shutil.copytree(done, folder_of("rich_table1", "quick", training.label, 0, tmp_path)), training)
    table = publish("rich_table1", "quick", tmp_path, tmp_path)
    assert all(f"| {training.label} | 1 |" in table for training in trainings)
    for picture in ("rich_table1", *experiment.more_pictures):
        assert (tmp_path / f"{picture}.png").stat().st_size > 10_000


def test_the_pre_training_sees_other_images():
    laptop = {declared.label: declared for declared in find("rich_table1").trainings["laptop"]}
    before, after = laptop["pre-training"], laptop["full, pre-trained"]
    assert after.part(TrainedBefore).starts_from == before
    assert (before.data.skip, after.data.skip) == (after.data.limit, 0)
    assert list(laptop).index("pre-training") < list(laptop).index("full, pre-trained")
    quick = {declared.label: declared for declared in find("rich_table1").trainings["quick"]}
    seen, other = (quick[label].data.load(None).x_train for label in ("full", "pre-training"))
    assert len(seen) == len(other) == 200
    assert not {image.tobytes() for image in seen} & {image.tobytes() for image in other}


@pytest.mark.parametrize(("name", "epochs", "images"), [("rich_fig7", 100, 10_000), ("rich_table1", 180, None)])
def test_paper_sizes(name, epochs, images):
    declared = find(name).trainings["paper"]
    labels = [training.label for training in declared]
    assert len(set(labels)) == len(labels)
    for training in declared:
        assert (training.epochs, training.batch_size, training.data.limit) == (epochs, 128, images)
        counted = {"batch_norm": True, "inner_kernel_size": 3} if "counted network" in training.label else {}
        assert (training.network.arguments, training.network.initializer) == (counted, "glorot_normal")
        assert training.optimizer.name == ("adam" if name == "rich_fig7" else "nesterov")
        assert getattr(training.optimizer.schedule, "every", None) == (None if name == "rich_fig7" else 30)
        assert family_of(training) in STYLES
        layerwise = training.part(Layerwise)
        assert (layerwise.per, training.steps_at_once) == ("epoch", False)
        if layerwise.scheme:
            assert layerwise.make_scheme().draw(np.random.default_rng(0), 11)
    assert {"top 4 + all bottoms, rho = 0.5", "middle only", "random-beta"} <= set(labels)


def test_overnight_has_both_readings_of_a_layer():
    # VGG-5 has 2, 2, 3 and 3 convolutions and 2 dense layers. Of stages the top one are the 2 dense layers and the
    # bottom one the first 2 convolutions; of two each, 2 + 3 and 2 + 2.
    overnight, paper = ({t.label: t for t in find("rich_fig7").trainings[size]} for size in ("overnight", "paper"))
    assert {"top 1 + bottom 1", "top 2 + bottom 2", "top 5 + bottom 4", "middle only", "random-beta"} <= set(overnight)
    assert all(paper[label] == declared for label, declared in overnight.items() if label in paper)
    assert [label for label in overnight if label not in paper] == ["top 5 + bottom 4"]
    assert next(iter(overnight)) == "full"
    assert find("rich_fig7").seeds["overnight"] == (0, 1)


def curve_of(name, label, seed=0, accuracy=0.6, seconds=30, ratio=1.0, size="laptop"):
    """A run of an experiment, made up."""
    (training,) = (declared for declared in find(name).trainings[size] if declared.label == label)
    times = {"train_seconds": seconds, "backward_ratio": ratio, "step_ratio": 0.5}
    return Curve(training, seed, pd.DataFrame(), {"test_accuracy": accuracy, **times})


def test_table_stands_beside_the_papers():
    # Full: 60 % and 70 %, mean 65 %; the other: 63 %, so 2 points less, in 30 of 40 seconds.
    label = "top 4 + all bottoms, rho = 0.2, pre-trained"
    runs = [("full", 0, 0.6, 30, 1), ("full", 1, 0.7, 50, 1), (label, 0, 0.63, 30, 0.25)]
    lines = find("rich_table1").table([curve_of("rich_table1", *each, size="paper") for each in runs]).splitlines()
    assert lines[2].startswith("| full | 2 | 65.00 % | 60.00 % | 70.00 % | +0.00 | 1.000 |")
    assert lines[3] == (
        f"| {label} | 1 | 63.00 % | 63.00 % | 63.00 % | -2.00 | 0.250 | 0.500 | 30.0 | 0.75 | 90.59 % (-0.22) | 0.32 |"
    )
    # Without the full training there is nothing to compare with, though another one trains all layers too.
    lines = find("rich_table1").table([curve_of("rich_table1", "full, pre-trained")]).splitlines()
    assert lines[2].startswith("| full, pre-trained | 1 | 60.00 % | 60.00 % | 60.00 % | - |")


def test_claims_by_hand():
    # Full 95 and 97 %; others 94 and 96, 90 and 80, and 95 and 96 at a seventh of the time, where 0.1 to 0.75 agree.
    name, similar = "rich_fig7", "top 1 + all bottoms, rho = 0.1"
    ends = {"full": (0.95, 0.97), "top 1 + bottom 1": (0.94, 0.96), "top 4": (0.9, 0.8), similar: (0.95, 0.96)}
    curves = [
        curve_of(name, label, seed, accuracy, 1, 0.14) for label, of in ends.items() for seed, accuracy in enumerate(of)
    ]
    said = [claim.text(curves).split(" Ours: ")[1] for claim in find(name).claims]
    assert said == [
        "top 1 + bottom 1: -1.00 points. Verdict: holds.",
        "top 4: -11.00 points. Verdict: does not hold.",
        "not run. Verdict: cannot tell.",
        f"{similar}: -0.50 points. Verdict: holds.",
        f"{similar}: 0.14. Verdict: holds.",
    ]
    # Of the paper's 11.01 points 3 are lost, and its 0.18 is twice ours.
    curves = [
        curve_of("rich_table1", label, seed, accuracy, 1, 0.08)
        for label, of in {"full": (0.6, 0.7), similar: (0.57, 0.67)}.items()
        for seed, accuracy in enumerate(of)
    ]
    accuracy, cost = (claim.text(curves) for claim in find("rich_table1").claims)
    assert accuracy.endswith(f"Ours: {similar}: -3.00 points. Verdict: in direction only.")
    assert cost.endswith(f"Ours: {similar}: 0.08. Verdict: in direction only.")


def test_pictures_compare_what_differs_in_nothing_else():
    all_bottoms = "top 1 + all bottoms, rho = 0.3"
    others = ("full, rate 0.1", "full, 40 epochs", "full, counted network")
    experiment = find("rich_fig7")
    curves = [curve_of("rich_fig7", label) for label in ("full", "top 1 + bottom 1", all_bottoms, *others)]
    scatter, bars = matplotlib.figure.Figure(), matplotlib.figure.Figure()
    experiment.more_pictures["rich_fig9a"](scatter, curves)
    assert [text.get_text() for text in scatter.axes[0].texts] == ["", "1+1", "0.3"]
    said = [text.get_text() for text in scatter.legends[0].get_texts()]
    assert said == ["full", "top k + bottom q", "top 1 + all bottoms"]
    experiment.draw(bars, curves)
    # A study is a row of two panels: with the layers alone three bars, then one for each rate, length and network.
    assert [len(axes.patches) for axes in bars.axes] == [3, 3, 1, 1, 1, 1, 1, 1]
    assert [axes.get_title(loc="left") for axes in bars.axes[::2]] == [
        *("as in the paper, but for the size", "rate 0.1", "40 epochs", "counted network")
    ]
    assert len({bar.get_facecolor() for bar in bars.axes[0].patches}) == 3
    # What only prepares others is in the table, and in no picture.
    labels = ("full", "pre-training", "full, pre-trained")
    bars = matplotlib.figure.Figure()
    find("rich_table1").draw(bars, [curve_of("rich_table1", label) for label in labels])
    names = [[label.get_text() for label in axes.get_yticklabels()] for axes in bars.axes[::2]]
    assert names == [["full"], ["full"]]
