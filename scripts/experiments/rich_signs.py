"""ReLU-Nets on MNIST: how many weights keep the sign with which they start, and what free flipping does instead.

Claim: most weights keep their initial signs in an ordinary training, and those that change it do so near zero (Sakai
and Ichikawa 2026, "Sign lock-in: randomly initialized weight signs persist and bottleneck sub-bit model compression",
arXiv 2602.17063, of whose claims these are two, as its abstract has them).

Command: `python -m scripts run rich_signs --data DIR`; then `python -m scripts figure rich_signs`.

Everything else is ours: the ReLU-Nets of section 3 of the rich-regime paper, 100 units wide, on 10,000 images of MNIST
with Adam, batches of 128, 20 epochs. From two hidden layers, a rate of 0.001 and Glorot's initialization, each of
depth, rate and initial scale is changed alone; and at every depth the signs alone are trained (free flipping), the
magnitudes fixed.
"""

import functools

import pandas as pd

from scripts.connectivities.network import ConnectivityNetwork
from scripts.experiment import Experiment
from scripts.publishing.claims import Claim, Ours, Remark
from scripts.publishing.curves import by_training, ends
from scripts.publishing.figures import COLORS, draw_band, epoch_axis, legend_below, percent_axis
from scripts.publishing.headlines import Headline
from scripts.publishing.names import subject
from scripts.publishing.tables import frame_table, mean_min_max, percent
from scripts.publishing.verdicts import Stated
from scripts.rich.settings import adam, balanced, section_3
from scripts.rich.signs import ScaledKernels, SignsKept
from scripts.running.training import changed

_CENTER = {"depth": 2, "rate": 0.001, "scale": 1.0}
_OTHERS = {"depth": (1, 4, 8), "rate": (0.0001, 0.01), "scale": (0.25, 4.0)}
_MEANINGS = {"depth": "hidden layers", "rate": "learning rate", "scale": "initial weights, times Glorot's"}
_ORDINARY, _FLIPPING = "all weights trained", "free flipping"


def _training(images, epochs, *, depth, rate, scale, flipping=False):
    what = "free flipping, " if flipping else ""
    label = f"{what}d = {depth}, rate {rate:g}, scale {scale:g}"
    network = ("relu_net", {"units": 100, "depth": depth})
    ordinary = section_3(label, images, network, adam(rate), epochs, (SignsKept(),))
    if flipping:
        return changed(ordinary, network=ConnectivityNetwork(**vars(ordinary.network), mode="flip"))
    return changed(ordinary, initial_weights=(ScaledKernels(scale),) if scale != 1 else ())


def _trainings(images, epochs, others):
    make = functools.partial(_training, images, epochs)
    yield make(**_CENTER)
    for name, values in others.items():
        for value in values:
            yield make(**{**_CENTER, name: value})
    for depth in (_CENTER["depth"], *others.get("depth", ())):
        yield make(**{**_CENTER, "depth": depth}, flipping=True)


def _fields(training):
    scaled = training.part(ScaledKernels)
    return {
        "method": _FLIPPING if isinstance(training.network, ConnectivityNetwork) else _ORDINARY,
        "depth": training.network.arguments["depth"],
        "rate": training.optimizer.learning_rate,
        "scale": scaled.factor if scaled else 1.0,
    }


def _draw(figure, curves):
    figure.set_size_inches(12, 4.5)
    *panels, over_time = figure.subplots(1, 4, sharey=True)
    runs = ends(curves, _fields)
    colors = dict(zip((_ORDINARY, _FLIPPING), COLORS, strict=False))
    for axes, (name, meaning) in zip(panels, _MEANINGS.items(), strict=True):
        rest = {other: value for other, value in _CENTER.items() if other != name}
        chosen = runs[(runs[[*rest]] == pd.Series(rest)).all(axis=1)]
        for method, same in chosen.groupby("method", sort=False):
            if same[name].nunique() > 1:
                found = same.groupby(name)["signs_kept"].agg(["mean", "min", "max"])
                axes.plot(found.index, found["mean"], "o-", color=colors[method])
                axes.fill_between(
                    found.index, found["min"], found["max"], color=colors[method], alpha=0.15, linewidth=0
                )
        values = sorted(chosen[name].unique())
        axes.set(xlabel=meaning, xscale="log")
        axes.set_xticks(values, [f"{value:g}" for value in values])
        axes.minorticks_off()
    for same in by_training(curves).values():
        known = _fields(same[0].training)
        if {**known, **_CENTER} == known:
            draw_band(
                over_time, same, "signs_kept", "epoch", by="epoch", color=colors[known["method"]], label=known["method"]
            )
    epoch_axis(over_time)
    for axes in (*panels, over_time):
        percent_axis(axes)
    panels[0].set_ylabel("weights with their initial sign")
    legend_below(figure, over_time, 2)
    figure.suptitle(f"{subject(curves)}: signs that are kept, mean and range of the seeds", x=0.01, ha="left")


def _table(curves):
    lines = []
    for label, same in ends(curves).groupby("label", sort=False):
        mean, least, most = mean_min_max(same["signs_kept"])
        lines.append(
            {
                "training": label,
                "seeds": len(same),
                "signs kept: mean": mean,
                "min": least,
                "max": most,
                "first layer": percent(same["signs_kept_first"].mean()),
                "last layer": percent(same["signs_kept_last"].mean()),
                "initial size of the flipped": f"{same['smallness_of_flipped'].mean():.2f}",
                "test accuracy": percent(same["test_accuracy"].mean()),
            }
        )
    said = (
        "The initial size of the flipped is the mean initial magnitude of the weights whose sign has changed, as a "
        "multiple of that of all weights, both in units of the root mean square of their kernel."
    )
    return f"{frame_table(pd.DataFrame(lines, dtype=object))}\n\n{said}"


def _of_ordinary(metric, text):
    """A function that gives a number of every training of all weights, one value a seed."""

    def measure(curves):
        runs = ends(curves, _fields)
        ordinary = runs[runs["method"] == _ORDINARY].dropna(subset=[metric])
        return {
            label: Ours(tuple(same[metric]), text(same[metric].mean()))
            for label, same in ordinary.groupby("label", sort=False)
        }

    return measure


def _signs_kept(curves):
    """The means over the seeds of usual training, of the depths with the fewest and with the most."""
    runs = ends(curves, _fields)
    alike = runs[(runs["rate"] == _CENTER["rate"]) & (runs["scale"] == _CENTER["scale"])]
    means = alike[alike["method"] == _ORDINARY].groupby("depth")["signs_kept"].mean()
    return f"{100 * means.min():.2f} to {percent(means.max())}"


def _flipping(curves):
    """The signs kept and the test accuracy of free flipping beside those of ordinary training, at each depth."""
    runs = ends(curves, _fields)
    alike = runs[(runs["rate"] == _CENTER["rate"]) & (runs["scale"] == _CENTER["scale"])]
    means = alike.groupby(["depth", "method"])[["signs_kept", "test_accuracy"]].mean()
    said = []
    for depth in sorted(alike["depth"].unique()):
        if {(depth, _FLIPPING), (depth, _ORDINARY)} <= set(means.index):
            (signs, accuracy), (others, other) = means.loc[(depth, _FLIPPING)], means.loc[(depth, _ORDINARY)]
            said.append(
                f"{depth} hidden: {percent(signs)} against {percent(others)} of the signs, "
                f"test accuracy {percent(accuracy)} against {percent(other)}"
            )
    return "; ".join(said)


EXPERIMENT = Experiment(
    claim="Most weights keep the signs with which they start; those that change them start near zero.",
    trainings={
        "quick": tuple(_trainings(balanced("digits", limit=1000, validation=200), 2, {"depth": (1,), "scale": (4.0,)})),
        "laptop": tuple(_trainings(balanced("mnist"), 20, _OTHERS)),
    },
    seeds={"quick": (0,), "laptop": (0, 1, 2)},
    draw=_draw,
    table=_table,
    headlines=(Headline("MNIST, ReLU-Nets of 1 to 8 hidden layers: weights that keep their signs", _signs_kept),),
    claims=(
        Claim(
            "Most weights keep their initial signs (the fraction that does).",
            _of_ordinary("signs_kept", percent),
            Stated(low=0.5, origin=0.5),
        ),
        Claim(
            "Signs change near zero (initial size of the weights whose sign has changed, of all weights 1).",
            _of_ordinary("smallness_of_flipped", "{:.2f}".format),
            Stated(high=1.0, origin=1.0),
        ),
        Remark("Free flipping, where no weight has to pass zero, keeps fewer.", _flipping),
    ),
)
