"""What WeightWatcher and `profile` cover of the same models, side by side: layers, time, memory, words on the rest.

`python benchmarks/weightwatcher.py --weightwatcher-python PATH --reference DIR` prints a table; `--write` puts it into
`benchmarks/weightwatcher.md` too. PATH is the Python of an environment that has weightwatcher, PyTorch and TensorFlow;
without it, only our half is measured. DIR holds `pretrained` with the weights of LaPerm's authors and MobileNet's; what
is not there is left out.

Each tool measures each model in a process of its own, at its defaults: theirs fits a power law to the spectrum of each
layer, ours draws each of three nulls 19 times. *Its scores alone* is ours without nulls, `n_draws=0`, as theirs has
none. The numbers are of different things, so the time says what a look at the weights costs, and no more. *Kernels*:
for how many of the tensors that hold weight vectors there is a result. *Of the rest*: how many of the other kernels are
named, with or without a reason, in what it returns or prints. *Seconds* are without imports, with building the model or
reading the file, of the fastest of some runs in which the tools take turns; *ms a kernel* is that divided by the
kernels with a result. *Memory* is the most the process had, with Python and the framework that the tool needs for that
model.
"""

import argparse
import json
import math
import os
import pathlib
import subprocess
import sys
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

import keras
import numpy as np
import safetensors.numpy

import models
from benchmarks.outcome import finish
from scripts.publishing.tables import markdown_table
from train_by_reconnect import profile

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROCESS = ROOT / "benchmarks" / "weightwatcher_process.py"
MOBILENET = "mobilenet_2_5_224_tf.h5"
OURS, ALONE, THEIRS = "train_by_reconnect", "its scores alone", "WeightWatcher"
NAMES = {OURS: "us", ALONE: "scores", THEIRS: "weightwatcher"}


def lstm():
    """An embedding, two LSTM layers and a dense one."""
    layers = [keras.layers.Embedding(5000, 128), keras.layers.LSTM(256, return_sequences=True), keras.layers.LSTM(128)]
    return keras.Sequential([keras.Input((50,)), *layers, keras.layers.Dense(10)], name="lstm")


def transformer():
    """One block: attention of 8 heads, and two dense layers."""
    inputs = keras.Input((50, 256))
    attended = keras.layers.MultiHeadAttention(8, 32, name="attention")(inputs, inputs)
    x = keras.layers.LayerNormalization()(inputs + attended)
    outputs = keras.layers.Dense(256, name="down")(keras.layers.Dense(1024, "gelu", name="up")(x))
    return keras.Model(inputs, keras.layers.LayerNormalization()(x + outputs), name="transformer")


def state_dict(width=256, layers=4):
    """Tensors as PyTorch names and shapes them, drawn at random: embedding, LSTM, transformer blocks, a head."""
    random = np.random.default_rng(0)
    shapes = {"embedding.weight": (5000, width)}
    for gate in ("ih", "hh"):
        shapes[f"lstm.weight_{gate}_l0"] = (4 * width, width)
        shapes[f"lstm.bias_{gate}_l0"] = (4 * width,)
    for block in range(layers):
        name = f"encoder.layers.{block}"
        shapes[f"{name}.self_attn.in_proj_weight"] = (3 * width, width)
        shapes[f"{name}.self_attn.in_proj_bias"] = (3 * width,)
        for layer, shape in {"self_attn.out_proj": (width, width), "linear1": (4 * width, width)}.items():
            shapes |= {f"{name}.{layer}.weight": shape, f"{name}.{layer}.bias": shape[:1]}
        shapes |= {f"{name}.linear2.weight": (width, 4 * width), f"{name}.linear2.bias": (width,)}
        shapes |= {f"{name}.norm1.{part}": (width,) for part in ("weight", "bias")}
    shapes |= {"head.weight": (10, width), "head.bias": (10,)}
    return {name: random.normal(scale=0.02, size=shape).astype("float32") for name, shape in shapes.items()}


def cases(folder, reference, small):
    """Triples of a title, a file, and whether it holds the weights of MobileNet."""
    keras.utils.set_random_seed(0)
    pretrained = reference / "pretrained"
    if not small and (pretrained / MOBILENET).exists():
        yield "MobileNet 0.25, ImageNet", pretrained / MOBILENET, True
    if not small and (pretrained / "resnet50.h5").exists():
        models.load_published("resnet50", pretrained).save(folder / "resnet50.keras")
        yield "ResNet-50 of LaPerm's authors", folder / "resnet50.keras", False
    for title, build in {"LSTM": lstm, "transformer block": transformer}.items():
        build().save(folder / f"{build.__name__}.keras")
        yield title, folder / f"{build.__name__}.keras", False
        if small:
            return
    (folder / "torch").mkdir()
    safetensors.numpy.save_file(state_dict(), folder / "torch" / "model.safetensors")
    yield "safetensors file", folder / "torch", False


def kernels_of(file, is_mobilenet):
    """The names of all tensors that hold weight vectors, as we count them."""
    if file.is_dir():
        return [name for name, value in state_dict().items() if value.ndim > 1]
    model = keras.applications.MobileNet(alpha=0.25, weights=str(file)) if is_mobilenet else str(file)
    return [kernel.name for kernel in profile(model, n_draws=1, max_units=2).kernels]


def measured(tool, python, file, is_mobilenet):
    """What one process found; None where it failed, with its last words."""
    # Not the folder of the script first, where a module has the name of the other tool.
    command = [python, "-P", str(PROCESS), tool, str(file), str(int(is_mobilenet))]
    environment = os.environ | {"KERAS_BACKEND": "tensorflow"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    lines = (done.stdout if done.returncode == 0 else done.stderr).strip().splitlines()
    if done.returncode:
        return None, lines[-1] if lines else f"exit status {done.returncode}"
    found = json.loads(lines[-1])
    return found, found["said"] + done.stderr


def rows(title, tools, file, is_mobilenet, repeats):
    """The lines of one model: of each tool the fastest of some runs, which take turns."""
    kernels, runs = kernels_of(file, is_mobilenet), {tool: [] for tool in tools}
    for _ in range(repeats):
        for tool, python in tools.items():
            runs[tool].append(measured(NAMES[tool], python, file, is_mobilenet))
    for tool, each in runs.items():
        yield row(title, tool, kernels, *min(each, key=lambda run: run[0]["seconds"] if run[0] else math.inf))


def row(title, tool, kernels, found, said):
    """One line of the table."""
    if found is None:
        return [title, tool, f"0 of {len(kernels)}", "-", "-", "-", f"it failed: {said[:90]}"]
    covered = [name for name in kernels if any(_is_of(name, result) for result in found["rows"])]
    rest = [name for name in kernels if name not in covered]
    named = sum(name in said or _layer(name) in said for name in rest)
    words = f"{named} of {len(rest)} named" if rest else "none left"
    count = min(len(found["rows"]), len(covered))
    of_each = f"{1000 * found['seconds'] / count:.0f}" if count else "-"
    seconds, memory = f"{found['seconds']:.2f}", f"{found['peak'] / 1e6:.0f}"
    return [title, tool, f"{count} of {len(kernels)}", seconds, of_each, memory, words]


def _is_of(kernel, result):
    return result == kernel or result in (_layer(kernel), _layer(kernel).split("/")[-1], kernel.removesuffix(".weight"))


def _layer(kernel):
    return kernel.rpartition("/")[0] or kernel


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--weightwatcher-python", metavar="PATH", help="of an environment that has weightwatcher")
    default = os.environ.get("TRAIN_BY_RECONNECT_REFERENCE", ROOT.parent / "shared")
    parser.add_argument("--reference", type=pathlib.Path, default=pathlib.Path(default))
    parser.add_argument("--repeats", type=int, default=3, help="runs of each tool, of which the fastest counts")
    parser.add_argument("--small", action="store_true", help="the smallest model only, to see that it runs")
    parser.add_argument("--write", action="store_true", help="write benchmarks/weightwatcher.md")
    parsed = parser.parse_args()
    tools = dict.fromkeys((OURS, ALONE), sys.executable)
    version = "not measured"
    if parsed.weightwatcher_python:
        tools[THEIRS] = parsed.weightwatcher_python
        asked = "import importlib.metadata; print(importlib.metadata.version('weightwatcher'))"
        command = [parsed.weightwatcher_python, "-c", asked]
        version = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    lines = []
    with tempfile.TemporaryDirectory() as name:
        for title, file, is_mobilenet in cases(pathlib.Path(name), parsed.reference, parsed.small):
            for line in rows(title, tools, file, is_mobilenet, parsed.repeats):
                lines.append(line)
                print(*line, sep=" | ", flush=True)
    head = ["model", "tool", "kernels", "seconds", "ms a kernel", "memory, MB", "of the rest"]
    text = markdown_table(head, lines)
    print(f"\n{text}")
    finish(
        "Side by side with WeightWatcher",
        __file__,
        __doc__,
        [text],
        f"WeightWatcher {version}; the fastest of {parsed.repeats} runs",
        parsed.write,
    )


if __name__ == "__main__":
    main()
