"""The figures of section 4: accuracy after re-initialization by percentage, and initial against trained by width."""

from scripts.publishing.figures import COLORS
from scripts.publishing.names import subject
from scripts.rich.movement_tables import networks

# A width has its colour in every figure.
_WIDTH_COLORS = {
    **{10: COLORS[0], 20: COLORS[4], 100: COLORS[1], 1000: COLORS[2]},
    **{5000: COLORS[5], 10_000: COLORS[3], 100_000: COLORS[6]},
}
_TITLES = {
    "active": r"the most active $\gamma$ % put back",
    "lazy": r"all but the most active $\varepsilon$ % put back",
}
_SYMBOLS = {"active": r"$\gamma$ (%)", "lazy": r"$\varepsilon$ (%)"}
_TICKS = (0, 0.01, 0.1, 1, 10, 100)
_LIMITS = {"log": (-0.002, 125), "linear": (-2, 102)}
_BAR = 0.42  # the width of one, where networks are 1 apart


def drawing_curves(rows, rate):
    """A function that draws the curves of one learning rate: active re-initialization on the left, lazy on the right.

    Args:
        rows: tuple of pairs, one for each row of the picture: the depth, and `"log"` or `"linear"` for its axis.
        rate: float.

    Returns:
        Function of a `Figure` of matplotlib and a list of `Curve`.
    """

    def draw(figure, curves):
        figure.set_size_inches(9, 3 * len(rows) + 0.8)
        found = [network for network in networks(curves) if network.rate == rate]
        depths = {depth for depth, _ in rows}
        all_axes = figure.subplots(len(rows), 2, sharey=True, squeeze=False)
        for pair, (depth, scale) in zip(all_axes, rows, strict=True):
            for axes, which in zip(pair, _TITLES, strict=True):
                for network in found:
                    if network.depth == depth:
                        _draw_band(axes, getattr(network, which), network.width)
                if scale == "log":
                    axes.set_xscale("symlog", linthresh=_TICKS[1], linscale=0.5)
                    axes.set_xticks(_TICKS, [f"{tick:g}" for tick in _TICKS])
                    axes.minorticks_off()
                axes.set(xlabel=_SYMBOLS[which], xlim=_LIMITS[scale], ylim=(0, 1))
                axes.grid(alpha=0.3)
            pair[0].set_ylabel(f"test accuracy, d = {depth}" if len(depths) > 1 else "test accuracy")
        for axes, text in zip(all_axes[0], _TITLES.values(), strict=True):
            axes.set_title(text, loc="left", fontsize="medium")
        shown = {line.get_color(): line for axes in all_axes[:, 0] for line in axes.lines}
        in_order = [shown[color] for color in _WIDTH_COLORS.values() if color in shown]
        figure.legend(handles=in_order, loc="outside lower center", ncols=7, frameon=False, columnspacing=1.2)
        figure.suptitle(f"{subject(curves)}, Adam at {rate:g}: mean and range over the seeds", x=0.01, ha="left")

    return draw


def _draw_band(axes, accuracies, width):
    x, color = accuracies.index, _WIDTH_COLORS[width]
    axes.plot(x, accuracies["mean"], "o-", ms=3, color=color, label=f"w = {width:,}")
    axes.fill_between(x, accuracies["min"], accuracies["max"], color=color, alpha=0.15, linewidth=0)


def drawing_bars():
    """A function that draws initial and trained accuracy by width: one row for each depth, one column for each rate.

    Returns:
        Function of a `Figure` of matplotlib and a list of `Curve`.
    """

    def draw(figure, curves):
        found = networks(curves)
        depths = list(dict.fromkeys(network.depth for network in found))
        rates = list(dict.fromkeys(network.rate for network in found))
        figure.set_size_inches(9, 2.7 * len(depths) + 1)
        all_axes = figure.subplots(len(depths), len(rates), sharey=True, squeeze=False)
        for depth, row in zip(depths, all_axes, strict=True):
            for rate, axes in zip(rates, row, strict=True):
                _draw_bars(axes, [n for n in found if (n.depth, n.rate) == (depth, rate)])
                axes.set_title(f"d = {depth}, Adam at {rate:g}", loc="left", fontsize="medium")
            row[0].set_ylabel("test accuracy")
        handles, labels = all_axes[0, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), frameon=False)
        figure.suptitle(f"{subject(curves)}: mean and range over the seeds", x=0.01, ha="left")

    return draw


def _draw_bars(axes, found):
    for name, side, color in (("initial", -1, COLORS[0]), ("trained", 1, COLORS[4])):
        x = [position + side * _BAR / 2 for position in range(len(found))]
        values = [getattr(network, name) for network in found]
        means = [each.mean() for each in values]
        ranges = [[abs(extreme(v) - mean) for v, mean in zip(values, means, strict=True)] for extreme in (min, max)]
        axes.bar(x, means, _BAR, color=color, label=name)
        axes.errorbar(x, means, ranges, fmt="none", ecolor="black", elinewidth=1)
        for position, mean, above in zip(x, means, ranges[1], strict=True):
            place = (position, mean + above)
            axes.annotate(f"{100 * mean:.1f}", place, (0, 2), textcoords="offset points", ha="center", size="small")
    axes.set_xticks(range(len(found)), [f"{network.width:,}" for network in found])
    axes.set(xlabel="width w", ylim=(0, 1.12))
