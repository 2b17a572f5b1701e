"""Where the active parameters are, as the paper draws it: a rectangle for each weight matrix."""

from scripts.publishing.names import subject
from scripts.publishing.tables import percent
from scripts.rich.activity_tables import by_rate
from scripts.rich.settings import USUAL_RATE
from train_by_reconnect import plot


def drawing(rate=USUAL_RATE):
    """A function that draws how often the parameters of each layer were active.

    A row for each alpha; the weight matrices from bottom to top, of one network beside the other.

    Args:
        rate: float, the learning rate of the trainings to draw. Defaults to the usual one, which the title leaves out.

    Returns:
        Function of a `Figure` of matplotlib and a list of `Curve`.
    """
    setting = "" if rate == USUAL_RATE else f", learning rate {rate}"

    def draw(figure, curves):
        networks = by_rate(curves).get(rate, [])
        layers = max((len(network.sizes) for network in networks), default=1)
        inches = [*len(networks) * [1.2 * layers], 1.4]
        figure.set_size_inches(sum(inches), 5.6)
        figure.suptitle(
            f"{subject(curves)}{setting}: how often parameters were among the most active $\\alpha$ %, beside an even "
            "spread.\nAbove a weight matrix: its layer's share of the active parameters.\n"
            "Inputs go downwards, outputs to the right; the kernels of a convolution are tiles of 3 by 3.",
            x=0.01,
            ha="left",
            fontsize=10,
        )
        parts = figure.subfigures(1, len(inches), width_ratios=inches, squeeze=False)[0]
        for part, network in zip(parts, networks, strict=False):
            part.suptitle(network.name, fontsize=11, fontweight="bold")
            _draw_network(part, network)
        if networks:
            image = parts[0].axes[0].images[0]
            plot.name_times(parts[-1].colorbar(image, cax=parts[-1].add_axes((0.05, 0.15, 0.15, 0.65))))

    return draw


def _draw_network(part, network):
    """A row of matrices for each alpha, and the sizes of the layers under the last."""
    frequencies, percents, layers = network.frequencies(), sorted(network.percents), network.sizes.index
    all_axes = part.subplots(len(percents), len(layers), squeeze=False)
    for row, alpha in zip(all_axes, percents, strict=True):
        active = network.active(alpha)
        too_few = f"\n(only {percent(active)} not 0)" if active < 0.99 * alpha / 100 else ""
        row[0].set_ylabel(rf"$\alpha$ = {alpha} %{too_few}", fontsize=9)
        for axes, layer in zip(row, layers, strict=True):
            plot.activity(frequencies[f"{alpha}/{layer}/kernel"], alpha, axes, bar=False)
            axes.set_title(f"{layer}: {100 * network.shares.loc[(alpha, layer), 'mean']:.1f} %", fontsize=8)
    for axes, layer in zip(all_axes[-1], layers, strict=True):
        axes.set_xlabel(f"{network.parameters[layer]:,}\nparameters", fontsize=7)
