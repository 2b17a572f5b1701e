"""How sweeps, steps and synchronizations grow: with workers, with weights, and with devices.

`python benchmarks/scaling.py` prints three tables; `--write` puts them into `benchmarks/scaling.md`, and with
`KERAS_BACKEND=jax` into `benchmarks/scaling_jax.md`.

1. Twelve quick runs of `quickstart` by one worker and by two, each its part of the cores. The whole command, and the
   runs alone, from the beginning of the first to the end of the last: what is left is the start of the processes,
   nearly all of it the import of the backend. The goal is 1.7 times the runs alone on two cores.
2. One square kernel, a batch of 32, Adam: a step without a synchronization, a synchronization in it (the difference to
   steps that all have one), and the most memory of the process beyond what it had before, each in a process of its own.
   The exponents are fitted to the sizes from a million weights on. The last two lines are no measurements: they are
   what the fitted powers say of more weights on this machine, were its memory large enough, and the bytes a weight of
   the largest size. A synchronization alone, on one core and on all, is in `benchmarks/synchronization.md`.
3. The same kernel of a million weights on one, two and four devices, which are simulated: they share the cores of this
   machine and so show what is computed more than once, never a gain. `data`: every device has all weights, and
   synchronizes all of them (MirroredStrategy, or Keras' DataParallel). `model`, on JAX: each has its part of
   the neurons, and synchronizes those.
"""

import argparse
import contextlib
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

import keras
import numpy as np

from benchmarks.outcome import finish
from benchmarks.processes import in_a_process, resident
from scripts.publishing.tables import markdown_table
from scripts.running.distribution import MIRRORED, distributed
from scripts.running.interleaved import interleaved
from train_by_reconnect import LaPerm

ROOT = pathlib.Path(__file__).resolve().parent.parent
BACKEND = keras.backend.backend()
WEIGHTS = (1e5, 1e6, 3e6, 1e7, 3e7)
BEYOND = (1e9, 1e11)
BATCH, STEPS, NEVER = 32, 4, 10**9
COUNTS = (1, 2, 4)  # of devices, each of which takes an equal part of a batch
DEVICES = {"tensorflow": ("data",), "jax": ("data", "model"), "torch": ()}[BACKEND]


def sweep(workers, seeds):
    """Seconds of the whole command, and of its runs alone."""
    with tempfile.TemporaryDirectory() as results:
        command = [sys.executable, "-m", "scripts", "run", "quickstart", "--size", "quick", "--workers", str(workers)]
        command += ["--results", results, "--seeds", *map(str, range(seeds))]
        start = time.perf_counter()
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True, env=os.environ | {"KERAS_BACKEND": BACKEND})
        whole = time.perf_counter() - start
        begun = min(path.stat().st_mtime for path in pathlib.Path(results).rglob("declaration.json"))
        ended = max(path.stat().st_mtime for path in pathlib.Path(results).rglob("done.json"))
    return whole, ended - begun


def sweeps(seeds, rounds):
    """The first table: medians over rounds in which both are measured, and the medians of the ratios of each round."""
    times = {workers: [] for workers in (1, 2)}
    for _ in range(rounds):
        for workers, found in times.items():
            found.append(sweep(workers, seeds))
    lines = []
    for workers, found in times.items():
        parts = zip(*((whole, runs, whole - runs) for whole, runs in found), strict=True)
        lines.append([workers, *(f"{statistics.median(part):.1f}" for part in parts)])
    ratios = [statistics.median(a[part] / b[part] for a, b in zip(*times.values(), strict=True)) for part in (0, 1)]
    return [*lines, ["ratio", *(f"{ratio:.2f}" for ratio in ratios), "-"]]


def one_kernel(weights, rounds, distributing):
    """Seconds of a step without a synchronization and of the synchronization, and bytes, in this process."""
    side = round(weights**0.5)
    before = resident("VmRSS")
    with distributing:
        model = keras.Sequential([keras.Input((side,)), keras.layers.Dense(side, use_bias=False, name="dense")])
        model.compile(LaPerm("adam", sync_period=NEVER, final_sync=False), "mse")
        x = np.random.default_rng(0).normal(size=(BATCH * STEPS, side)).astype("float32")

        def fit(sync_period):
            model.optimizer.sync_period = sync_period
            model.fit(x, x, batch_size=BATCH, shuffle=False, verbose=0)

        times = interleaved({"without": lambda: fit(NEVER), "with": lambda: fit(1)}, rounds)
    without = statistics.median(times["without"]) / STEPS
    added = statistics.median(w - o for w, o in zip(times["with"], times["without"], strict=True)) / STEPS
    return without, added, resident("VmHWM") - before


def growth(sizes, rounds):
    """The second table."""
    rows = {}
    for weights in sizes:
        rows[weights] = tuple(map(float, in_a_process(__file__, "--one", str(weights), "one", "1", str(rounds))))
    lines = [line(weights, *found) for weights, found in rows.items()]
    fitted = [weights for weights in sizes if weights >= 1e6 and min(rows[weights]) > 0]
    if len(fitted) < 2:  # nothing that a power could be fitted to
        return lines
    powers = [np.polyfit(np.log(fitted), np.log([rows[weights][part] for weights in fitted]), 1) for part in range(2)]
    lines.append(["exponent", *(f"{power[0]:.2f}" for power in powers), "-", "-"])
    a_weight = rows[fitted[-1]][2] / fitted[-1]  # of the largest, in which what a process takes anyhow counts least
    for weights in BEYOND:
        times = (float(np.exp(np.polyval(power, np.log(weights)))) for power in powers)
        lines.append(line(weights, *times, a_weight * weights, "model: "))
    return lines


def line(weights, step, added, peak, said=""):
    """One line of the second table."""
    numbers = [f"{1000 * step:,.1f}", f"{1000 * added:,.1f}", f"{peak / 1e6:,.0f}", f"{peak / weights:.0f}"]
    return [f"{said}{weights:.0e}", *numbers]


def spread(how, count):
    """A context in which a model lies on so many devices."""
    if how == "one":
        return contextlib.nullcontext()
    if how == "data":
        return distributed(MIRRORED if BACKEND == "tensorflow" else "data_parallel", count)
    mesh = keras.distribution.DeviceMesh((1, count), ["batch", "model"], keras.distribution.list_devices()[:count])
    layout = keras.distribution.LayoutMap(mesh)
    layout[".*/dense/kernel"] = (None, "model")
    options = {"layout_map": layout, "batch_dim_name": "batch", "auto_shard_dataset": False}
    return keras.distribution.ModelParallel(**options).scope()


def devices(weights, counts, rounds):
    """The third table."""
    lines = []
    for how in DEVICES:
        for count in counts:
            os.environ["XLA_FLAGS"] = f"--xla_force_host_platform_device_count={count}"
            found = in_a_process(__file__, "--one", str(weights), how, str(count), str(rounds))
            lines.append([how, count, *(f"{1000 * float(seconds):.1f}" for seconds in found[:2])])
    return lines


def main():
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--large", action="store_true", help="300 million weights too, which takes 8 GB")
    parser.add_argument("--small", action="store_true", help="the least there is to measure, to see that it runs")
    parser.add_argument("--one", nargs=4, help=argparse.SUPPRESS)
    parser.add_argument("--write", action="store_true", help="write benchmarks/scaling.md")
    parsed = parser.parse_args()
    if parsed.one:
        weights, how, count, rounds = parsed.one
        if how == "data" and BACKEND == "tensorflow":
            import tensorflow as tf

            simulated = [tf.config.LogicalDeviceConfiguration()] * int(count)
            tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], simulated)
        print(*one_kernel(float(weights), int(rounds), spread(how, int(count))), sep="\t")
        return
    sizes, seeds, counts, rounds = [*WEIGHTS, *([3e8] if parsed.large else [])], 4, COUNTS, parsed.rounds
    if parsed.small:
        sizes, seeds, counts, rounds = (1e4, 1e5), 1, (1, 2), 1
    tables = [markdown_table(["workers", "whole, s", "runs alone, s", "start, s"], sweeps(seeds, min(rounds, 3)))]
    print(tables[-1], flush=True)
    head = ["weights", "step, ms", "synchronization, ms", "peak memory, MB", "bytes a weight"]
    tables.append(markdown_table(head, growth(sizes, rounds)))
    print(f"\n{tables[-1]}", flush=True)
    if DEVICES:
        head = ["spread", "devices", "step, ms", "synchronization, ms"]
        tables.append(markdown_table(head, devices(1e5 if parsed.small else 1e6, counts, rounds)))
        print(f"\n{tables[-1]}")
    said = f"medians of {rounds} rounds, of the sweeps {min(rounds, 3)}"
    finish("Scaling", __file__, __doc__, tables, said, parsed.write, by_backend=True)


if __name__ == "__main__":
    main()
