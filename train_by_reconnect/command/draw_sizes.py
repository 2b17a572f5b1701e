"""A picture of where the bits of a connectivity file are."""

import matplotlib.figure
import numpy as np

from train_by_reconnect.connectivity_files.sizes import FileSizes

_COLORS = {
    "permuted": "#0072B2",
    "masked": "#009E73",
    "zeroed": "#009E73",
    "rescaled": "#009E73",
    "flipped": "#E69F00",
    "signed_mask": "#E69F00",
    "initial": "#999999",
    "array": "#CC79A7",
}
_SECTIONS = (("CONN", "connectivity"), ("VALS", "sorted vectors"), ("ARRS", "no kernels"), ("ARCH", "architecture"))
_MOST = 60


def draw_sizes(sizes: FileSizes, name: str) -> matplotlib.figure.Figure:
    """Draw the bits a weight of each kernel beside the bound, the bytes of each, and those of the sections.

    Args:
        sizes: `FileSizes`.
        name: str, of the file.

    Returns:
        A `Figure` of matplotlib.
    """
    parts = [part for part in sizes.parts if part.entry.axes is not None]
    shown = parts[:_MOST]
    height = max(2.6, 0.24 * len(shown) + 1.6)
    figure = matplotlib.figure.Figure(figsize=(10, height), layout="constrained")
    bits, kernel_bytes, sections = figure.subplots(1, 3, width_ratios=(3, 3, 1.6))
    places = np.arange(len(shown))
    colors = [_COLORS[part.entry.how] for part in shown]
    per_weight = [8 * part.bytes / max(part.entry.size, 1) for part in shown]
    bits.barh(places, per_weight, color=colors)
    bound = [part.bound / max(part.entry.size, 1) for part in shown]
    bits.plot(bound, places, "k|", markersize=9, label="bound")
    bits.set(xlabel="bits a weight", yticks=places)
    bits.set_yticklabels([f"{part.entry.path} ({part.entry.how})" for part in shown], fontsize=7)
    # Beside the bars: the mark in the legend would be taken for a bound.
    bits.legend(fontsize=7, frameon=False, loc="lower right", bbox_to_anchor=(1, 1))
    kernel_bytes.barh(places, [part.bytes / 1000 for part in shown], color=colors)
    kernel_bytes.set(xlabel="kB of connectivity", yticks=[])
    for axes in (bits, kernel_bytes):
        axes.invert_yaxis()
    bottom = 0.0
    rest = sizes.total - sum(sizes.sections[tag] for tag, _ in _SECTIONS)
    for label, size in [*((label, sizes.sections[tag]) for tag, label in _SECTIONS), ("the rest", rest)]:
        sections.bar([0], [size / 1000], bottom=bottom, label=f"{label}: {size / 1000:,.1f}")
        bottom += size / 1000
    sections.set(xticks=[], ylabel="kB of the file")
    sections.set_xlim(-0.5, 0.5)
    sections.legend(fontsize=6.5, frameon=False, loc="upper center", bbox_to_anchor=(0.5, -0.02))
    for axes in (bits, kernel_bytes, sections):
        axes.spines[["top", "right"]].set_visible(False)
    left_out = f"; the first {_MOST} of {len(parts)} kernels" if len(parts) > _MOST else ""
    figure.suptitle(f"Where the bits of {name} are, {sizes.total / 1000:,.1f} kB{left_out}", fontsize=10)
    return figure
