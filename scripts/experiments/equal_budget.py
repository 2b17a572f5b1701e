"""MNIST, Fashion-MNIST and CIFAR-10 at an equal budget: Adam, AdamW, LaPerm and masks, each at its best rate.

Review 2 of the LaPerm paper asks whether learning rates were chosen by validation, as a fair comparison needs. Here
each method sees equally many training examples in equally many steps, and has the best of the same four rates.

Command: `python -m scripts run equal_budget --data DIR`; then `python -m scripts figure equal_budget`.

The rate is the one that ends highest on held-out images, in the mean of three seeds; the test set is looked at once,
with the last weights. All rates fall to 0 as a cosine. Batches of 50; LeNet on MNIST and Fashion-MNIST with all
images, Conv4 on CIFAR-10 a quarter as wide and without dropout. Weights are He uniform. LaPerm is around Adam, and k is
the steps of an epoch; LeNet's biases start as 0, and each synchronization makes them 0 again. AdamW has Keras' weight
decay of 0.004. Masks are the free pruning of He constant weights by Adam, whose biases stay as they are and whose batch
normalization is trained. Seconds count what the machine did besides. The laptop size has 15 epochs of MNIST and
Fashion-MNIST, and 12 of 5,000 images of CIFAR-10; the overnight size has 30, and 20 of 45,000 images.
"""

import dataclasses

import pandas as pd

from scripts.connectivities.network import ConnectivityNetwork
from scripts.connectivities.observers import ChangedConnections
from scripts.experiment import Experiment
from scripts.laperm.settings import conv, laperm
from scripts.publishing.claims import Claim, in_points
from scripts.publishing.curves import ends
from scripts.publishing.figures import COLORS, legend_below, percent_axis
from scripts.publishing.names import data_name, network_name
from scripts.publishing.tables import frame_table, mean_min_max, percent, points
from scripts.publishing.verdicts import as_good, no_worse
from scripts.running.evaluation import Evaluation
from scripts.running.images import Images
from scripts.running.network import Network
from scripts.running.observers import Permutation
from scripts.running.optimizer import Optimizer
from scripts.running.schedules import Cosine
from scripts.running.training import Training, changed

_RATES = (0.0003, 0.001, 0.003, 0.01)
_MASKS = "masks"
_METHODS = ("Adam", "AdamW", "LaPerm", _MASKS)


def _trainings(images, network, epochs, steps, rates=_RATES):
    """All methods at all rates, on epochs of so many steps."""
    adam = Training(
        "Adam",
        images,
        Network(*network, initializer="he_uniform"),
        epochs=epochs,
        batch_size=50,
        optimizer=Optimizer(schedule=Cosine()),
        evaluation=Evaluation(every=steps),
        steps_at_once=True,
    )
    masked = ConnectivityNetwork(*network, "signed_he_constant", {"positive": 0.5})
    changes = {
        "Adam": {},
        "AdamW": {"optimizer": {"name": "adamw"}},
        "LaPerm": {**laperm(steps), "observers": (Permutation(),)},
        _MASKS: {"network": masked, "observers": (ChangedConnections(),)},
    }
    for method, change in changes.items():
        for rate in rates:
            label = f"{data_name(images)}, {method}, rate {rate:g}"
            yield changed(adam, change, {"optimizer": {"learning_rate": rate}}, label=label)


def _lenet(name, epochs):
    return _trainings(Images(name, validation=5000), ("lenet_300_100", {}), epochs, 1100)


def _conv4(epochs, steps, **fewer):
    images = dataclasses.replace(conv("", "conv4", epochs).data, **fewer)
    return _trainings(images, ("conv4", {"width": 0.25, "dropout": 0.0}), epochs, steps)


def _quick():
    # 1,250 training images are 25 steps.
    images = Images("digits", validation=187)
    return _trainings(images, ("lenet_300_100", {"width": 0.2}), 2, 25, _RATES[1::2])


def _fields(training):
    is_masked = isinstance(training.network, ConnectivityNetwork)
    alone = "AdamW" if training.optimizer.name == "adamw" else "Adam"
    return {
        "data": data_name(training.data),
        "network": network_name(training.network),
        "method": _MASKS if is_masked else "LaPerm" if training.optimizer.around else alone,
        "rate": training.optimizer.learning_rate,
        "examples": training.epochs,
    }


def _runs(curves):
    """What every run ended with, on held-out images too, and how many examples it has seen."""
    runs = ends(curves, _fields).assign(held_out=[curve.final("val_accuracy") for curve in curves])
    return runs.assign(examples=runs["examples"] * runs["train_images"])


def _at_best_rate(runs):
    """The runs of each method at the rate that ends highest on held-out images; all of its seeds must have ended."""
    found = []
    for _, same in runs.groupby(["data", "method"], sort=False):
        means = same.groupby("rate")["held_out"].agg(["mean", "count"])
        whole = means[means["count"] == means["count"].max()]
        found.append(same[same["rate"] == whole["mean"].idxmax()])
    return pd.concat(found)


def _draw(figure, curves):
    runs = _runs(curves)
    best = _at_best_rate(runs)
    names = list(runs["data"].unique())
    figure.set_size_inches(max(4 * len(names) + 1, 7), 4.5)
    for axes, name in zip(figure.subplots(1, len(names), squeeze=False)[0], names, strict=True):
        of_data = runs[runs["data"] == name]
        for color, marker, method in zip(COLORS, "os^D", _METHODS, strict=False):
            same = of_data[of_data["method"] == method]
            found = same.groupby("rate")["held_out"].agg(["mean", "min", "max"])
            axes.plot(found.index, found["mean"], marker=marker, markersize=4, color=color, label=method)
            axes.fill_between(found.index, found["min"], found["max"], color=color, alpha=0.15, linewidth=0)
            chosen = best[(best["data"] == name) & (best["method"] == method)].groupby("rate")["held_out"].mean()
            axes.plot(chosen.index, chosen, marker, markersize=11, color=color, fillstyle="none")
        axes.set(xscale="log", xlabel="learning rate, of the first epoch")
        axes.set_title(f"{of_data['network'].iloc[0]} on {name}", loc="left")
        axes.grid(alpha=0.3)
        percent_axis(axes)
    figure.axes[0].set_ylabel("held-out accuracy at the end")
    legend_below(figure, figure.axes[0], len(_METHODS))
    figure.suptitle("Mean and range of the seeds; ringed: the best rate", x=0.01, ha="left")


def _table(curves):
    runs, lines = _runs(curves), []
    best = _at_best_rate(runs)
    seconds = runs.groupby(["data", "method"])["seconds"].mean()
    for (data, method), same in best.groupby(["data", "method"], sort=False):
        mean, least, most = mean_min_max(same["test_accuracy"])
        adam = best[(best["data"] == data) & (best["method"] == "Adam")]["test_accuracy"]
        lines.append(
            {
                "network, data": f"{same['network'].iloc[0]}, {data}",
                "method": method,
                "examples seen": f"{same['examples'].iloc[0]:,}",
                "best rate": f"{same['rate'].iloc[0]:g}",
                "seeds": len(same),
                "test accuracy: mean": mean,
                "min": least,
                "max": most,
                "minus Adam": points(same["test_accuracy"].mean() - adam.mean()) if len(adam) else None,
                "seconds": f"{seconds[data, method]:.0f}",
                "times Adam's": f"{seconds[data, method] / seconds[data, 'Adam']:.2f}" if len(adam) else None,
                "removed": percent(same["changed"].mean()) if method == _MASKS else None,
            }
        )
    tried = ", ".join(f"{rate:g}" for rate in sorted(runs["rate"].unique()))
    said = (
        f"Each method has the best of the rates {tried} on held-out images, in the mean of the seeds. Accuracies are "
        "those of the last weights, LaPerm's after the last synchronization. Seconds are means over all rates, "
        "evaluations included, and whatever else the machine did."
    )
    return f"{frame_table(pd.DataFrame(lines, dtype=object))}\n\n{said}"


def _asked(sentence, method, stated):
    """A claim of no paper on the differences of test accuracies to Adam's, seed by seed, on each data set."""

    def measure(curves):
        best = _at_best_rate(_runs(curves))
        values = best.pivot_table(index=["data", "method"], columns="seed", values="test_accuracy", sort=False)
        names = [data for data in best["data"].unique() if {(data, method), (data, "Adam")} <= set(values.index)]
        return in_points(pd.DataFrame({n: values.loc[n, method] - values.loc[n, "Adam"] for n in names}).T)

    return Claim(sentence, measure, stated, in_paper=False)


EXPERIMENT = Experiment(
    claim="How does permuting or masking random weights compare with Adam and AdamW, for equally many examples and at "
    "the best rate of each?",
    in_paper=False,
    trainings={
        "quick": tuple(_quick()),
        "laptop": (*_lenet("mnist", 15), *_lenet("fashion_mnist", 15), *_conv4(12, 100, validation=2000, limit=5000)),
        "overnight": (*_lenet("mnist", 30), *_lenet("fashion_mnist", 30), *_conv4(20, 900)),
    },
    seeds={"quick": (0,), "laptop": (0, 1, 2), "overnight": (0, 1, 2)},
    draw=_draw,
    table=_table,
    claims=(
        _asked("LaPerm is no worse than Adam (minus Adam).", "LaPerm", no_worse()),
        _asked("Masks of fixed random weights are no worse than Adam (minus Adam).", _MASKS, no_worse()),
        _asked("Weight decay makes no difference to Adam (AdamW minus Adam).", "AdamW", as_good()),
    ),
)
