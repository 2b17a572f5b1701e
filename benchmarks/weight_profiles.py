"""What the weight profiles of a large network cost, and how much faster they are drawn than every single point.

`python benchmarks/weight_profiles.py` prints two tables; `--write` puts them into `benchmarks/weight_profiles.md` too.

- (a) The pictures of all of VGG16 (138 million random weights, 103 million of them in one matrix), in a process of its
    own: the seconds of each part, and the peak of the process's memory with Python, TensorFlow and the network in it.
- (b) One matrix: our panel, to which every weight counts, against `plt.plot(np.sort(kernel, axis=0))`, which draws a
    line for each weight vector. Each begins with the kernel and ends with a PNG of the same size. The two take turns;
    the ratio is the median of the ratios of each round.
"""

import argparse
import io
import json
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

import keras
import matplotlib
import matplotlib.figure
import numpy as np

from benchmarks.outcome import finish
from scripts.profiles.draw_matrix import draw_pair
from scripts.profiles.networks import load_network
from scripts.publishing.tables import markdown_table
from train_by_reconnect import weight_profiles
from train_by_reconnect.instrument.draw_sheets import draw_envelope, draw_sheets, envelope

MATRICES = ((4608, 512), (4096, 1000), (25088, 512))


def profile_network(name):
    """Draw a whole random network and its largest matrix; give the seconds of each part and the peak memory."""
    seconds, folder = {}, pathlib.Path(tempfile.mkdtemp())
    start = time.perf_counter()
    keras.utils.set_random_seed(0)
    profiles = weight_profiles(load_network(name, "random"))
    seconds["build"] = time.perf_counter() - start
    for number, figure in enumerate(draw_sheets(profiles, name)):
        figure.savefig(folder / f"sheet{number}.png", dpi=110)
    seconds["whole network"] = time.perf_counter() - start - sum(seconds.values())
    figure = matplotlib.figure.Figure(figsize=(9.6, 7.6))
    draw_pair(figure, max(profiles, key=lambda profile: np.prod(profile.shape)))
    figure.savefig(folder / "pair.png", dpi=110)
    seconds["pair"] = time.perf_counter() - start - sum(seconds.values())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    matrices, weights = len(profiles), int(sum(np.prod(profile.shape) for profile in profiles))
    return {"seconds": seconds, "peak": peak, "matrices": matrices, "weights": weights}


def large_networks(names):
    """The lines of the first table."""
    for name in names:
        command = [sys.executable, __file__, "--child", name]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        measured = json.loads(done.stdout.splitlines()[-1])
        seconds = measured["seconds"]
        yield [
            name,
            str(measured["matrices"]),
            f"{measured['weights'] / 1e6:.1f}M",
            *(f"{seconds[part]:.1f}" for part in ("build", "whole network", "pair")),
            f"{sum(seconds.values()):.1f}",
            f"{measured['peak'] / 1e9:.2f}",
        ]


def ours(kernel):
    """The panel of one matrix, sorted as `WeightProfile.vectors` does it."""
    rows = np.ascontiguousarray(kernel.T)
    rows.sort(axis=1)
    figure = matplotlib.figure.Figure()
    draw_envelope(figure.subplots(), *envelope(rows))
    figure.savefig(io.BytesIO(), format="png", dpi=100)


def every_point(kernel):
    """A line for each weight vector."""
    figure = matplotlib.figure.Figure()
    figure.subplots().plot(np.sort(kernel, axis=0))
    figure.savefig(io.BytesIO(), format="png", dpi=100)


def one_matrix(shape, rounds):
    """One line of the second table."""
    kernel = np.random.default_rng(0).standard_normal(shape, "float32")
    ours(kernel)
    times = {ours: [], every_point: []}
    for _ in range(rounds):
        for function, seconds in times.items():
            start = time.perf_counter()
            function(kernel)
            seconds.append(time.perf_counter() - start)
    ratios = [slow / fast for fast, slow in zip(*times.values(), strict=True)]
    return [
        f"{shape[0]} x {shape[1]}",
        f"{statistics.median(times[ours]):.2f}",
        f"{statistics.median(times[every_point]):.2f}",
        f"{statistics.median(ratios):.1f}",
    ]


def main():
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--networks", nargs="+", default=["VGG16"])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--small", action="store_true", help="the least there is to measure, to see that it runs")
    parser.add_argument("--write", action="store_true", help="write benchmarks/weight_profiles.md")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    parsed = parser.parse_args()
    if parsed.child:
        print(json.dumps(profile_network(parsed.child)))
        return
    matrices = MATRICES
    if parsed.small:
        parsed.rounds, parsed.networks, matrices = 1, ["MobileNet"], [(100, 20)]
    head = ["network", "matrices", "weights", "build, s", "whole network, s", "pair, s", "all, s", "peak memory, GB"]
    first = markdown_table(head, large_networks(parsed.networks))
    print(first, flush=True)
    head = ["kernel", "ours, s", "every point, s", "times faster"]
    second = markdown_table(head, [one_matrix(shape, parsed.rounds) for shape in matrices])
    print(f"\n{second}")
    rounds = f"medians of {parsed.rounds} rounds in the second table"
    finish("Weight profiles", __file__, __doc__, [first, second], rounds, parsed.write)


if __name__ == "__main__":
    main()
