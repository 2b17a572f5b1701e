"""How small networks become as connectivity files, beside what else packs them, and how fast that is.

`python benchmarks/connectivity_files.py --reference DIR` prints four tables; `--write` puts them into
`benchmarks/connectivity_files.md` too. DIR holds `pretrained` with the weights that LaPerm's authors published, and
`data` with `mnist.npz`; what is not there is left out. zstandard and safetensors are packages of this benchmark alone.

- (a) Bytes of a file, and of all the network's weights as safetensors (float32), by gzip -9 and by zstd -19. *From the
    seed*: the file holds a rule, a seed and the permutation, which is drawn at random; the LeNet is trained.
    *Published*: what LaPerm's authors trained, whose initial weights nobody knows, so the sorted weight vectors are in
    the file too.
- (b) Of the same networks the bits a weight that the connectivity takes, and its bound: log2(n! / prod m_i!) for a
    weight vector of n values with multiplicities m_i, and n H(q) for n connections of which a fraction q is flipped.
- (c) Millions of weights that are written and read in a second of processor time, the best of three, and the most of
    the peaks of the memory beside that of the network, which it counts too, each in a process of its own with one
    thread.
- (d) Bytes of an update between two files of a network in which a fraction of each weight vector moves, beside what the
    difference takes (`connectivity_diff`) and the whole file.

What it is not: a dense network of LaPerm becomes 3 to 4 times smaller, no more, and one that is loaded is as large and
as slow as any.
"""

import argparse
import gzip
import os
import pathlib
import sys
import tempfile
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

import keras
import numpy as np
import safetensors.numpy
import sklearn.datasets
import zstandard

import models
from benchmarks.outcome import finish
from benchmarks.processes import in_a_process, resident
from scripts.publishing.tables import markdown_table
from train_by_reconnect import (
    apply_connectivity_update,
    changed_fractions,
    connectivity_diff,
    connectivity_model,
    describe_variables,
    draw_initial_weights,
    load_connectivity,
    save_connectivity,
    save_connectivity_update,
    strip,
)
from train_by_reconnect.command.connectivity_inspection import connectivity_bits

ROOT = pathlib.Path(__file__).resolve().parent.parent
TIMES = 3
FRACTIONS = (0.01, 0.1, 0.5, 1)
PUBLISHED = ("Conv7", "resnet50", "resnet50_30", "resnet50_50", "resnet50_70", "F1", "F2")
DENSE = {"rule": "he_uniform"}
# Networks from the seed: what builds them, and their rule. F1 and F2 as in section 5.5 of LaPerm.
FROM_SEED = {
    "Conv7": ("conv7", DENSE),
    "Conv13": ("conv13", DENSE),
    "ResNet-50": ("resnet50", DENSE),
    "ResNet-50, 30 % zeros": ("resnet50", {**DENSE, "sparsity": 0.3}),
    "ResNet-50, 50 % zeros": ("resnet50", {**DENSE, "sparsity": 0.5}),
    "ResNet-50, 70 % zeros": ("resnet50", {**DENSE, "sparsity": 0.7}),
    "ResNet-50, 90 % zeros": ("resnet50", {**DENSE, "sparsity": 0.9}),
    "F1, one value, 40 % zeros": (
        "f1",
        {"rule": "signed_constant", "magnitude": 0.08, "positive": 1.0, "sparsity": 0.4},
    ),
    "F2, one value, 90 % zeros": (
        "f2",
        {"rule": "signed_constant", "magnitude": 0.03, "positive": 1.0, "sparsity": 0.9},
    ),
}


def permute(model, fraction=1):
    """Give every weight vector of a network, or a fraction of the places in it, another order."""
    rng = np.random.default_rng(0)
    for variable, layout in zip(model.weights, describe_variables(model.weights, model=model), strict=True):
        if layout.kind == "kernel":  # of these networks the last axis numbers the neurons
            value = keras.ops.convert_to_numpy(variable)
            rows = value.reshape(-1, value.shape[-1]).T.copy()
            for row in rows:
                places = rng.choice(row.size, round(fraction * row.size), replace=False)
                row[places] = rng.permutation(row[places])
            variable.assign(rows.T.reshape(value.shape))


def from_seed(name):
    """A network drawn by a rule and permuted."""
    build, rule = FROM_SEED[name]
    keras.utils.set_random_seed(0)
    model = getattr(models, build)()
    initial = draw_initial_weights(model, seed=0, **rule)
    permute(model)
    return model, initial


def digits(reference, small):
    """Images of 28 x 28 and their classes: MNIST where it is, else scikit-learn's, enlarged."""
    file = reference / "data" / "mnist.npz"
    if file.exists() and not small:
        with np.load(file) as data:
            return data["x_train"][..., None] / np.float32(255), data["y_train"]
    x, y = sklearn.datasets.load_digits(return_X_y=True)
    large = np.kron(x.reshape(-1, 8, 8), np.ones((1, 3, 3))) / 16
    return np.pad(large, ((0, 0), (2, 2), (2, 2)))[..., None].astype("float32"), y


def flipped_lenet(reference, small):
    """A LeNet whose signs were flipped for a short time, as few as possible."""
    keras.utils.set_random_seed(0)
    plain = models.lenet_300_100()
    rule = draw_initial_weights(plain, "signed_constant", seed=0)
    model = connectivity_model(plain, "flip", "minimal", seed=0)
    model.compile(keras.optimizers.Adam(1e-3), "sparse_categorical_crossentropy", metrics=["accuracy"])
    x, y = digits(reference, small)
    history = model.fit(x, y, batch_size=25, epochs=1 if small else 3, verbose=0)
    flipped, accuracy = changed_fractions(model)["all"], history.history["accuracy"][-1]
    said = f"LeNet, {100 * flipped:.1f} % flipped, training accuracy {100 * accuracy:.1f} %"
    return said, strip(model), rule


def row(name, where, model, initial, folder):
    """The two rows of a network: its sizes, and its bits beside the bound."""
    file = folder / "network.tbr"
    save_connectivity(model, file, initial)
    loaded = load_connectivity(file)
    for one, other in zip(model.get_weights(), loaded.get_weights(), strict=True):
        if one.tobytes() != other.tobytes():
            raise AssertionError(f"{name} came back with other bits")
    arrays = {f"{number}": value for number, value in enumerate(model.get_weights())}
    plain = b"".join(np.ascontiguousarray(value).tobytes() for value in arrays.values())
    size = file.stat().st_size
    others = {
        "safetensors": len(safetensors.numpy.save(arrays)),
        "gzip": len(gzip.compress(plain, 9)),
        "zstd": len(zstandard.ZstdCompressor(level=19).compress(plain)),
    }
    print(f"{name}, {where}: {size:,} bytes", flush=True)
    times = [f"{value:,} ({value / size:.2f})" for value in others.values()]
    bits = connectivity_bits(file)
    sizes = [name, where, f"{len(plain) // 4:,}", f"{size:,}", *times]
    over = f"{100 * (bits.taken / bits.bound - 1):.2f} %" if bits.bound else "-"
    a_weight = [f"{each / bits.weights:.3f}" for each in (bits.taken, bits.bound)]
    coded = [name, where, f"{bits.weights:,}", *a_weight, over]
    return sizes, [*coded, f"{bits.values / 1000:,.1f}", f"{bits.rest / 1000:,.1f}"]


def measure(name, file, action):
    """Write or read one network in this process; print its size, the seconds and the memory, with tabs between."""
    if action == "write":
        model, initial = from_seed(name)
    before = resident("VmRSS")
    pathlib.Path("/proc/self/clear_refs").write_text("5")  # the most there ever was begins anew
    start = time.process_time()
    if action == "write":
        save_connectivity(model, file, initial)
    else:
        model = load_connectivity(file)
    seconds, grown = time.process_time() - start, resident("VmHWM") - before
    weights = sum(value.size for value in model.get_weights())
    print(weights, seconds, grown + (4 * weights if action == "write" else 0), sep="\t")


def speeds(names):
    """The table of what writing and reading takes."""
    rows = []
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            found = {"write": [], "read": []}
            for _ in range(TIMES):
                for action, runs in found.items():
                    file = f"{folder}/network.tbr"
                    runs.append(in_a_process(__file__, "--measure", name, "--file", file, "--action", action))
        millions = int(found["read"][0][0]) / 1e6
        speed = [f"{millions / min(float(run[1]) for run in runs):.2f}" for runs in found.values()]
        peak = [f"{max(float(run[2]) for run in runs) / (4e6 * millions):.1f}" for runs in found.values()]
        rows.append([name, f"{millions:.2f}", *speed, *peak])
    head = ["network", "million weights", "written, M/s", "read, M/s", "peak while writing, networks", "while reading"]
    return markdown_table(head, rows)


def updates(name):
    """The table of updates of a network."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        before, after, update, made = (f"{folder}/{number}" for number in range(4))
        for fraction in FRACTIONS:
            model, initial = from_seed(name)
            save_connectivity(model, before, initial)
            permute(model, fraction)
            save_connectivity(model, after, initial)
            save_connectivity_update(before, after, update)
            apply_connectivity_update(before, update, made)
            for one, other in zip(model.get_weights(), load_connectivity(made).get_weights(), strict=True):
                if one.tobytes() != other.tobytes():
                    raise AssertionError(f"{name} was updated to other bits")
            least = sum(each.bits for each in connectivity_diff(before, after)) / 8
            sizes = [pathlib.Path(file).stat().st_size for file in (update, after)]
            rows.append([name, f"{100 * fraction:g} %", *(f"{size:,.0f}" for size in (sizes[0], least, sizes[1]))])
    head = ["network", "of each weight vector moves", "update, bytes", "the difference takes", "whole file, bytes"]
    return markdown_table(head, rows)


def main():
    """Measure, print, and write if asked."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    default = os.environ.get("TRAIN_BY_RECONNECT_REFERENCE", ROOT.parent / "shared")
    parser.add_argument("--reference", type=pathlib.Path, default=pathlib.Path(default))
    parser.add_argument("--write", action="store_true", help="write benchmarks/connectivity_files.md")
    parser.add_argument("--small", action="store_true", help="the smallest networks only, to see that all of it runs")
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    parser.add_argument("--file", help=argparse.SUPPRESS)
    parser.add_argument("--action", help=argparse.SUPPRESS)
    parsed = parser.parse_args()
    if parsed.measure:
        measure(parsed.measure, parsed.file, parsed.action)
        return
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        if not parsed.small and (parsed.reference / "pretrained").is_dir():
            for network in PUBLISHED:
                model = models.load_published(network, parsed.reference / "pretrained")
                rows.append(row(network, "published", model, "stored", folder))
        for network in ["F1, one value, 40 % zeros"] if parsed.small else FROM_SEED:
            model, initial = from_seed(network)
            rows.append(row(network, "from the seed", model, initial, folder))
        said, model, rule = flipped_lenet(parsed.reference, parsed.small)
        rows.append(row(said, "from the seed", model, rule, folder))
    head = ["network", "initial weights", "numbers", "connectivity file", "safetensors (ratio)", "gzip -9", "zstd -19"]
    sizes = markdown_table(head, [first for first, _ in rows])
    head = ["network", "initial weights", "connections", "bits a weight", "bound", "above it", "sorted vectors, kB"]
    bits = markdown_table([*head, "biases, architecture and the rest, kB"], [second for _, second in rows])
    taken = speeds(["F1, one value, 40 % zeros"] if parsed.small else ["Conv13", "ResNet-50", "ResNet-50, 70 % zeros"])
    changes = updates("F1, one value, 40 % zeros" if parsed.small else "ResNet-50")
    titles = ("## (a) Sizes in bytes", "## (b) Bits a weight", "## (c) Speed and memory", "## (d) Updates")
    tables = [f"{title}\n\n{table}" for title, table in zip(titles, (sizes, bits, taken, changes), strict=True)]
    print("\n\n".join(tables))
    finish(
        "Connectivity files",
        __file__,
        __doc__,
        tables,
        f"the speeds the best of {TIMES}, all else measured once",
        parsed.write,
    )


if __name__ == "__main__":
    main()
