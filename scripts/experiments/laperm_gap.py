"""Conv4 on CIFAR-10: how far LaPerm ends below Adam, against the width of the network and the steps of the training.

Claim: the larger the network, the better LaPerm compares with Adam (Qiu and Suda 2020, section 5.2, where the networks
are Conv2, Conv4 and Conv13). Here the network is one, of several widths, and the training longer or shorter, so that
one sees where, if anywhere, what holds at the paper's size begins to hold.

Command: `python -m scripts run laperm_gap --data DIR`; then `python -m scripts figure laperm_gap`.

Settings of `laperm_fig6`, whose runs of the same trainings are taken over: He uniform, batch 50, the rate multiplied by
0.6 at the same fractions of all epochs. The laptop size has an eighth, a quarter and half of the width, without
dropout, 7,000 images, 18 epochs, and k is an epoch's 140 steps. The overnight size has these too, and the two wider
ones with dropout, all images, 25 epochs and k = 1000; the paper size has all of these, and the whole width for 90
epochs. The quick size is a small Conv2 on digits.
"""

import numpy as np
import pandas as pd

from scripts.experiment import Experiment
from scripts.laperm.runs import by_seed
from scripts.laperm.settings import ADAM, conv, laperm
from scripts.laperm.sizes import LAPTOP_STEPS, QUICK, laptop
from scripts.laperm.tables import table
from scripts.publishing.claims import Claim, in_points
from scripts.publishing.curves import by_training
from scripts.publishing.figures import COLORS, legend_below
from scripts.publishing.names import subject
from scripts.publishing.verdicts import ABOVE, no_worse

_EARLY = 1 / 3  # of all steps


def _pair(setting, sync_period, epochs, *size):
    """Adam and LaPerm, evaluated as in `laperm_fig6`, so that they are the same runs."""
    changes = {
        "Adam": (ADAM,),
        f"k = {sync_period}": (laperm(sync_period), {"evaluation": {"before": True, "compare": True}}),
    }
    return [
        conv(f"{setting}, {name}", "conv4", epochs, *size, *change, paper_epochs=90) for name, change in changes.items()
    ]


def _quick():
    of_width = {f"width {w:g}": {"network": {"arguments": {"width": w, "dropout": 0.0}}} for w in (1 / 16, 1 / 8)}
    return [t for setting, width in of_width.items() for t in _pair(setting, 10, 4, QUICK, width)]


def _on_laptop():
    widths = (1 / 8, 1 / 4, 1 / 2)
    sizes = {f"width {w:g}, 18 epochs of 7,000 images": laptop(width=w, dropout=0.0) for w in widths}
    return [t for setting, size in sizes.items() for t in _pair(setting, LAPTOP_STEPS, 18, size)]


def _overnight():
    of_width = {
        w: {"network": {"arguments": {"width": w}}, "evaluation": {"train_images": 5000}} for w in (1 / 4, 1 / 2)
    }
    long = [t for w, size in of_width.items() for t in _pair(f"width {w:g}, 25 epochs of all images", 1000, 25, size)]
    return _on_laptop() + long


def _fields(training):
    """What tells one pair from another: the width, and how long it is trained on how many images."""
    images = f"{training.data.limit:,}" if training.data.limit else "all"
    length = f"{training.epochs} epochs of {images} images"
    return {"width": training.network.arguments.get("width", 1), "length": length}


def _pairs(curves):
    """The runs of LaPerm and of Adam: dict from length and width to two lists of `Curve`, where both are there."""
    found = {}
    for same in by_training(curves).values():
        known = _fields(same[0].training)
        runs = found.setdefault((known["length"], known["width"]), {})
        runs[same[0].training.optimizer.around] = same
    return {key: (runs["laperm"], runs[None]) for key, runs in found.items() if runs.keys() == {"laperm", None}}


def _gap(ours, adam):
    """LaPerm's held-out accuracy minus Adam's, at each synchronization: Series of floats by steps."""
    of_ours, of_adam = (curve.values("val_accuracy") for curve in (ours, adam))
    of_adam = np.interp(of_ours.index, of_adam.index, of_adam, left=np.nan)  # which is known after epochs only
    return (of_ours - of_adam).dropna()


def _gaps(curves):
    """The gap of each pair and seed: dict from length and width to a dict from the seed to a Series, as of `_gap`."""
    found = {}
    for key, (ours, adam) in _pairs(curves).items():
        others = {curve.seed: curve for curve in adam}
        found[key] = {curve.seed: _gap(curve, others[curve.seed]) for curve in ours if curve.seed in others}
    return found


def _draw(figure, curves):
    figure.set_size_inches(11, 4.8)
    by_width, by_steps = figure.subplots(1, 2, sharey=True)
    gaps = _gaps(curves)
    lengths, widths = ([*dict.fromkeys(key[place] for key in gaps)] for place in (0, 1))
    for length, style in zip(lengths, ("-o", "--s", ":D"), strict=False):
        means = {}
        for number, width in enumerate(sorted(widths)):
            gap = pd.DataFrame(gaps.get((length, width), {}))
            if gap.empty:
                continue
            color, last = COLORS[number], gap.iloc[-1]
            means[width] = last.mean()
            by_width.vlines(width, last.min(), last.max(), color=color)
            by_width.plot(width, last.mean(), style[-1], color=color)
            line = {"color": color, "label": f"width {width:g}, {length}"}
            by_steps.plot(gap.index, gap.mean(axis=1), style[:-1], **line)
            by_steps.fill_between(gap.index, gap.min(axis=1), gap.max(axis=1), color=color, alpha=0.15, linewidth=0)
        by_width.plot(means.keys(), means.values(), style[:-1], color="0.6", zorder=0, label=length)
    for axes, name in ((by_width, "width, the paper's = 1"), (by_steps, "steps")):
        axes.axhline(0, color="0.3", linewidth=0.8)
        axes.set(xscale="log", xlabel=name)
        axes.yaxis.set_major_formatter(lambda gap, _: f"{100 * gap:+.3g}")
        axes.grid(alpha=0.3)
    by_width.set_xticks(sorted(widths), [f"{width:g}" for width in sorted(widths)], minor=False)
    by_width.minorticks_off()
    by_width.set_ylabel("held-out accuracy, LaPerm minus Adam, points")
    by_width.set_title("at the end", loc="left", fontsize=10)
    by_steps.set_title("along the way, right after synchronizations", loc="left", fontsize=10)
    legend_below(figure, (by_width, by_steps), 2)
    figure.suptitle(f"{subject(curves)}: mean and range of the seeds", x=0.01, ha="left")


def _ends(curves):
    """Test accuracies, LaPerm's minus Adam's: data frame with a row for each length and width, a column a seed."""
    return pd.DataFrame({key: by_seed(ours) - by_seed(adam) for key, (ours, adam) in _pairs(curves).items()}).T


def _at_the_end(curves):
    ends = _ends(curves)
    return in_points(ends.set_axis([f"width {width:g}, {length}" for length, width in ends.index]))


def _growth(curves):
    """The gap of the widest network minus that of the narrowest."""
    ends, found = _ends(curves), {}
    for length, same in ends.groupby(level=0, sort=False) if len(ends) else ():
        widths = sorted(width for _, width in same.index)
        if len(widths) > 1:
            name = f"{length}, width {widths[-1]:g} minus {widths[0]:g}"
            found[name] = same.loc[(length, widths[-1])] - same.loc[(length, widths[0])]
    return in_points(pd.DataFrame(found).T)


def _catching_up(curves):
    """The gap at the end minus that after a third of the steps."""
    found = {}
    for (length, width), gaps in _gaps(curves).items():
        each = {seed: gap.iloc[-1] - gap[gap.index >= _EARLY * gap.index[-1]].iloc[0] for seed, gap in gaps.items()}
        found[f"width {width:g}, {length}"] = pd.Series(each, dtype=float)
    return in_points(pd.DataFrame(found).T)


EXPERIMENT = Experiment(
    claim="The larger the network, the better LaPerm compares with Adam.",
    trainings={
        "quick": _quick(),
        "laptop": _on_laptop(),
        "overnight": _overnight(),
        "paper": [*_overnight(), *_pair("width 1, 90 epochs of all images", 1000, 90)],
    },
    seeds={"quick": (0,), "laptop": (0, 1, 2), "overnight": (0, 1, 2), "paper": (0, 1, 2)},
    draw=_draw,
    table=table({}),
    claims=(
        Claim("The larger the network, the better LaPerm compares with Adam (LaPerm minus Adam).", _growth, ABOVE),
        Claim("LaPerm is no worse than Adam (minus Adam).", _at_the_end, no_worse(), in_paper=False),
        Claim(
            "In the course of a training it catches up with Adam (held-out images, the gap at the end minus that after "
            "a third of the steps).",
            _catching_up,
            ABOVE,
            in_paper=False,
        ),
    ),
)
