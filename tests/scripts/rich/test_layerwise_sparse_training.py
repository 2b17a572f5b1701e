import collections
import dataclasses

import numpy as np
import pytest

from scripts.experiment import find
from scripts.publishing.results import Curve, publish
from scripts.rich.backward_time import StepTime
from scripts.rich.draw_layerwise import family_has_a_style
from scripts.rich.layerwise_costs import Draws, TrainingTime, costs
from scripts.rich.layerwise_training import LayerwiseSparseTraining
from scripts.rich.layerwise_variants import pre_trained, top_and_bottom
from scripts.running.files import read_csv, read_json, write_json
from scripts.running.runner import Options, folder_of, run
from train_by_reconnect import LayerwiseTraining

QUIET = Options(progress=False)
# 1,437 training images less 200 held out, of which the first 20 of each class are used: 4 steps of 50 an epoch. The
# network has 3 layers.
SETTINGS = {
    "model": "relu_net",
    "dataset": "digits",
    "epochs": 4,
    "learning_rate": 0.01,
    "batch_size": 50,
    "train_limit": 200,
    "validation": 200,
    "model_arguments": {"units": 8, "depth": 2},
}
FULL = LayerwiseSparseTraining(label="full", **SETTINGS)
SPARSE = LayerwiseSparseTraining(**SETTINGS, **top_and_bottom(1, "all", 0.4))  # seed 0: epoch 2 trains all layers


def without_times(summary):
    timed = ("seconds", "ratio", "by_epoch")
    left = {name: value for name, value in summary.items() if not name.endswith(timed)}
    return {**left, "sets": [(each["layers"], each["steps"]) for each in summary["sets"]]}


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
    callback = TrainingTime(Given(SPARSE, 0, 3, 4), lambda: next(clock))
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
    training = LayerwiseSparseTraining(**{**SETTINGS, "label": "a", "per": per, "scheme": "RandomUniform"})
    model = training.prepare(3).model
    model.compile("sgd", "mse", run_eagerly=True)
    callback = LayerwiseTraining(training.make_scheme(), per, seed=3)
    model.fit(np.zeros((8, 8, 8, 1)), np.zeros((8, 10)), batch_size=2, epochs=4, verbose=0, callbacks=[callback])
    by_epoch = Draws(training, 3, 3, 4).by_epoch()
    expected = [[sum(n for s, n in each.items() if i in s) / 4 for i in range(3)] for each in by_epoch]
    assert [entry["trained"] for entry in callback.history] == expected
    assert len(set(map(tuple, expected))) > 1
    everything = Draws(FULL, 3, 3, 4)
    assert everything.by_epoch() == 4 * [collections.Counter({(0, 1, 2): 4})]


def test_a_killed_run_resumes_and_ends_the_same(tmp_path, killed_before):
    # It starts from earlier weights, which it must not take again.
    started = dataclasses.replace(SPARSE, starts_from="weights.npz")
    np.savez(tmp_path / "weights.npz", *FULL.prepare(5).model.get_weights())
    options = dataclasses.replace(QUIET, data=str(tmp_path))
    whole = run(started, 0, tmp_path / "whole", options)
    with killed_before(2):
        run(started, 0, tmp_path / "parts", options)
    parts = run(started, 0, tmp_path / "parts", options)
    assert without_times(parts) == without_times(whole)
    of_parts, of_whole = (read_csv(tmp_path / name / "rows.csv") for name in ("parts", "whole"))
    assert [{**row, "train_seconds": 0} for row in of_parts] == [{**row, "train_seconds": 0} for row in of_whole]
    # What was trained, and that the seconds are those of all epochs.
    assert [row["trained_layers"] for row in of_parts] == [1, 1, 3, 1]
    assert without_times(parts)["sets"] == [([0, 1, 2], 4), ([2], 12)]
    assert parts["train_seconds"] == pytest.approx(sum(row["train_seconds"] for row in of_parts))
    assert parts["backward_seconds"] == pytest.approx(sum(parts["backward_by_epoch"]))
    # The weights that are kept are those that were evaluated, not those of the measurement after it.
    prepared = SPARSE.prepare(0)
    prepared.model.optimizer.build(prepared.model.trainable_variables)
    prepared.model.load_weights(tmp_path / "parts/final.weights.h5")
    assert prepared.evaluate_test()["accuracy"] == parts["test_accuracy"]


def test_starts_from_another_training_of_the_experiment(tmp_path):
    variant = {"label": "top 1", "scheme": "TopAndBottom", "scheme_arguments": {"top": 1}}
    training = LayerwiseSparseTraining(**{**SETTINGS, **pre_trained(variant, "Before, all layers")})
    folder = tmp_path / "top_1" / "seed_3"
    prepared = training.prepare(3)
    with pytest.raises(FileNotFoundError, match="'Before, all layers', seed 3"):
        prepared.callbacks(folder)
    before = tmp_path / "before_all_layers" / "seed_3"
    source = FULL.prepare(7).model
    source.fit(np.zeros((4, 8, 8, 1)), np.zeros(4), verbose=0)  # the optimizer has a state, which is not taken over
    before.mkdir(parents=True)
    source.save_weights(before / "final.weights.h5")
    write_json(before / "done.json", {})
    prepared.callbacks(folder)
    assert all(map(np.array_equal, source.get_weights(), prepared.model.get_weights()))
    assert int(prepared.model.optimizer.iterations) == 0


def test_starts_from_a_file_that_is_not_there(tmp_path):
    prepared = dataclasses.replace(FULL, starts_from="vgg11_imagenet.npz").prepare(0)
    with pytest.raises(FileNotFoundError, match=r"starts_from='vgg11_imagenet.npz', folder=None"):
        prepared.callbacks(tmp_path / "full" / "seed_0")


@pytest.mark.parametrize("name", ["rich_fig7", "rich_table1"])
def test_experiments_run_and_are_published(tmp_path, name):
    experiment = find(name)
    full, *others = experiment.trainings["quick"]
    chosen = [full] if name == "rich_fig7" else others  # what is left out is as in the other experiment
    for declared in chosen:
        run(declared, 0, folder_of(name, "quick", declared.label, 0, tmp_path), QUIET)
    table = publish(name, "quick", tmp_path, tmp_path)
    assert all(f"| {declared.label} | 1 |" in table for declared in chosen)
    for picture in (name, *experiment.more_pictures):
        assert (tmp_path / f"{picture}.png").stat().st_size > 10_000
    if name == "rich_table1":
        runs = tmp_path / "runs/rich_table1/quick"
        images = [read_json(path)["train_images"] for path in runs.glob("*/seed_0/done.json")]
        assert images == 3 * [200]


def test_the_pre_training_sees_other_images():
    laptop = {declared.label: declared for declared in find("rich_table1").trainings["laptop"]}
    before, after = laptop["pre-training"], laptop["full, pre-trained"]
    assert after.starts_from == "pre-training"
    assert (before.train_skip, after.train_skip) == (after.train_limit, 0)
    assert list(laptop).index("pre-training") < list(laptop).index("full, pre-trained")
    quick = {declared.label: declared for declared in find("rich_table1").trainings["quick"]}
    seen, other = (quick[label].prepare(0).loaded.x_train for label in ("full", "pre-training"))
    assert not {image.tobytes() for image in seen} & {image.tobytes() for image in other}


@pytest.mark.parametrize(("name", "epochs", "images"), [("rich_fig7", 100, 10_000), ("rich_table1", 180, None)])
def test_paper_sizes(name, epochs, images):
    declared = find(name).trainings["paper"]
    labels = [training.label for training in declared]
    assert len(set(labels)) == len(labels)
    for training in declared:
        assert (training.epochs, training.batch_size, training.train_limit) == (epochs, 128, images)
        counted = {"batch_norm": True, "inner_kernel_size": 3} if "counted network" in training.label else {}
        assert (training.per, training.model_arguments, training.initializer) == ("epoch", counted, "glorot_normal")
        assert (training.optimizer, training.halve_every) == (
            ("adam", None) if name == "rich_fig7" else ("nesterov", 30)
        )
        assert family_has_a_style(training.label)
        if training.scheme:
            assert training.make_scheme().draw(np.random.default_rng(0), 11)
    assert {"top 4 + all bottoms, rho = 0.5", "middle only", "random-beta"} <= set(labels)


def test_table_stands_beside_the_papers():
    # Full: 60 % and 70 %, mean 65 %; the other: 63 %, so 2 points less, in 30 of 40 seconds.
    def curve(label, seed, accuracy, seconds, ratio):
        times = {"train_seconds": seconds, "backward_ratio": ratio, "step_ratio": 0.5}
        return Curve(label, seed, [], {"test_accuracy": accuracy, **times})

    label = "top 4 + all bottoms, rho = 0.2, pre-trained"
    curves = [curve("full", 0, 0.6, 30, 1), curve("full", 1, 0.7, 50, 1), curve(label, 0, 0.63, 30, 0.25)]
    lines = find("rich_table1").table(curves).splitlines()
    assert lines[2].startswith("| full | 2 | 65.00 % | 60.00 % | 70.00 % | +0.00 | 1.000 |")
    assert lines[3] == (
        f"| {label} | 1 | 63.00 % | 63.00 % | 63.00 % | -2.00 | 0.250 | 0.500 | 30.0 | 0.75 | 90.59 % (-0.22) | 0.32 |"
    )
