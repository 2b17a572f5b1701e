"""What works on which backend of Keras: every part of the library, however the step is run, in every precision.

`KERAS_BACKEND=jax python benchmarks/backends.py` tries all parts on one backend and prints a table; `--write` keeps
what was found in `benchmarks/backends.json`, and puts it beside what the other backends have there into
`benchmarks/backends.md`. A cell says `ok`, or what went wrong.

The step is run as it is written (`eager`), traced (`graph`, TensorFlow only) or compiled (`compiled`: XLA with
TensorFlow and JAX, TorchInductor with PyTorch). Each part trains small networks by `fit` and checks what the library
promises of them: the weights are a permutation of the initial ones, to the bit, also after a file was written, read and
trained further; fixed kernels do not move; frozen layers do not; callbacks in one `fit` see synchronized weights.
"""

import argparse
import json
import os
import pathlib
import sys
import tempfile
import time
import traceback

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

import keras
import numpy as np

import train_by_reconnect as tbr
from scripts.publishing.tables import markdown_table
from scripts.running.circumstances import circumstances
from scripts.running.files import replacing, write_json

BACKEND = keras.backend.backend()
EAGER, COMPILED = {"run_eagerly": True}, {"jit_compile": True}
HOW = {
    "tensorflow": {"eager": EAGER, "graph": {"jit_compile": False}, "compiled": COMPILED},
    "jax": {"eager": EAGER, "compiled": COMPILED},
    "torch": {"eager": {"jit_compile": False}, "compiled": COMPILED},
}[BACKEND]
PRECISIONS = ("float32", "mixed_float16", "mixed_bfloat16")
FILE = pathlib.Path(__file__).with_suffix(".json")
X = np.random.default_rng(0).normal(size=(32, 6)).astype("float32")
Y = np.random.default_rng(1).normal(size=(32, 2)).astype("float32")


def network(optimizer, how):
    """A compiled network of two dense layers."""
    keras.utils.set_random_seed(0)
    layers = [keras.layers.Dense(5, "tanh", name="first"), keras.layers.Dense(2, name="second", dtype="float32")]
    model = keras.Sequential([keras.Input((6,)), *layers])
    model.compile(optimizer, "mse", **how)
    return model


def fit(model, epochs=1, callbacks=()):
    """Train by eight steps an epoch, with validation."""
    options = {"validation_data": (X, Y), "shuffle": False, "verbose": 0, "callbacks": list(callbacks)}
    model.fit(X, Y, batch_size=4, epochs=epochs, **options)
    return model


def require(condition, what):
    """Say what does not hold."""
    if not condition:
        raise AssertionError(what)


def optimizers(how):
    """LaPerm's weights are a permutation, Lookahead's the slow ones; both go on from a file."""
    for wrapper in (tbr.LaPerm, tbr.Lookahead):
        model = network(wrapper(keras.optimizers.Adam(0.01), sync_period=3), how)
        start = model.get_weights()
        fit(model)
        with tempfile.TemporaryDirectory() as folder:
            model.save(f"{folder}/model.keras")
            resumed = keras.saving.load_model(f"{folder}/model.keras")
        for each in (fit(model), fit(resumed)):
            if wrapper is tbr.LaPerm:
                require(tbr.is_permutation(each, start), "LaPerm's weights are no permutation")
            require(not np.array_equal(each.get_weights()[0], start[0]), f"{wrapper.__name__} moved nothing")
        # TorchInductor need not make the same code of the same step twice, and rounds otherwise; the others do not.
        rounding = 1e-6 if BACKEND == "torch" and how is COMPILED else 0.0
        apart = max(np.abs(a - b).max() for a, b in zip(model.get_weights(), resumed.get_weights(), strict=True))
        require(apart <= rounding, f"{wrapper.__name__} goes on otherwise from a file, by {apart:.1g}")


def callbacks(how):
    """Together in one `fit`: early stopping brings back synchronized weights, and each callback sees what it should."""
    model = network(tbr.LaPerm(keras.optimizers.Adam(0.01), sync_period=None), how)
    start = model.get_weights()
    evaluation = tbr.SyncEvaluation({"train": (X, Y)}, before=True)
    snapshots, ranking = tbr.KernelSnapshots("first", every=2), tbr.RankingMonitor(every=3)
    activity = tbr.ActivityMap(X, Y, percents=(10,))
    stopping = keras.callbacks.EarlyStopping(patience=1, restore_best_weights=True)
    fit(model, 2, [tbr.SyncEveryEpoch(), evaluation, snapshots, ranking, activity, stopping])
    require(tbr.is_permutation(model, start), "restored weights are no permutation")
    require("after" in {row["when"] for row in evaluation.rows}, "SyncEvaluation saw no synchronization")
    require(snapshots.steps[:2] == [0, 2], "KernelSnapshots missed a step")
    require(not np.array_equal(snapshots.rows[0], snapshots.rows[1]), "KernelSnapshots saw the same weights twice")
    require(ranking.distances[0]["step"] == 3, "RankingMonitor missed a step")


def connectivity(how):
    """Every layer with fixed kernels trains scores alone, and comes back from a file as it was."""
    for layer_class in (tbr.Masked, tbr.Signed, tbr.EdgePopup, tbr.BernoulliMask):
        keras.utils.set_random_seed(0)
        layers = [keras.layers.Dense(5, "tanh"), keras.layers.Dense(2, dtype="float32")]
        model = keras.Sequential([keras.Input((6,)), *map(layer_class, layers)])
        model.compile(keras.optimizers.Adam(0.1), "mse", **how)
        before = [(v, keras.ops.convert_to_numpy(v)) for v in model.variables]
        fit(model)
        trained = {id(variable) for variable in model.trainable_variables}
        name = layer_class.__name__
        for variable, value in before:
            moved = not np.array_equal(keras.ops.convert_to_numpy(variable), value)
            require(moved or id(variable) not in trained, f"{name} did not train {variable.path}")
            require(not moved or "kernel" not in variable.path.rsplit("/", 1)[-1], f"{name} moved {variable.path}")
        with tempfile.TemporaryDirectory() as folder:
            model.save(f"{folder}/model.keras")
            loaded = keras.saving.load_model(f"{folder}/model.keras")
        if layer_class is not tbr.BernoulliMask:  # whose masks are drawn anew
            require(np.array_equal(model.predict(X, verbose=0), loaded.predict(X, verbose=0)), f"{name} from a file")


def conversion(how):
    """A converted network has the answers of the plain one, and stripped those of the converted one."""
    plain = network("sgd", how)
    for mode in ("prune", "flip"):
        model = tbr.connectivity_model(plain, mode, "minimal", seed=0)
        difference = np.abs(model.predict(X, verbose=0) - plain.predict(X, verbose=0)).max()
        require(difference <= _rounding(), f"converted to {mode}, answers differ by {difference}")
        model.compile(keras.optimizers.Adam(0.1), "mse", **how)
        fit(model)
        difference = np.abs(model.predict(X, verbose=0) - tbr.strip(model).predict(X, verbose=0)).max()
        require(difference <= _rounding(), f"stripped of {mode}, answers differ by {difference}")


def _rounding():
    """Two layers, each a sum of up to 6 products of numbers below 8, in the precision of the step."""
    roundoff = {"float32": 2.0**-24, "mixed_float16": 2.0**-11, "mixed_bfloat16": 2.0**-8}
    return 2 * 6 * 8 * roundoff[keras.config.dtype_policy().name]


def layerwise(how):
    """Of three layers the top one is trained, with LaPerm too; the others keep their weights to the bit."""
    for optimizer in (keras.optimizers.Adam(0.01), tbr.LaPerm(keras.optimizers.Adam(0.1), sync_period=3)):
        model = network(optimizer, how)
        start = model.get_weights()
        fit(model, 2, [tbr.LayerwiseTraining(tbr.TopAndBottom(top=1))])
        now = model.get_weights()
        require(np.array_equal(now[0], start[0]), "a frozen layer moved")
        require(not np.array_equal(now[2], start[2]), "the trained layer did not move")


def profiles(how):
    """Profiles, scores, rankings, movement and gradients of a network that was just trained."""
    model = network(keras.optimizers.Adam(0.01), how)
    start = tbr.trainable_values(model)
    kernel = model.get_weights()[0]
    fit(model)
    found = tbr.weight_profiles(model)
    require(np.array_equal(found[0].vectors, np.sort(model.get_weights()[0].T, axis=1)), "a profile is not sorted")
    require(len(list(tbr.score_profiles(model))) == 2, "scores are missing")
    require(tbr.log10_permutations(model) > 0, "no permutation is possible")
    tbr.Movement(model, start)
    require(len(tbr.full_batch_gradient(model, X, Y)) == 4, "gradients are missing")
    require(tbr.ranking_distance(kernel, model.layers[0].kernel)[0] >= 0, "a distance is negative")


PARTS = {
    "optimizers": optimizers,
    "callbacks": callbacks,
    "connectivity": connectivity,
    "conversion": conversion,
    "layer-wise": layerwise,
    "profiles": profiles,
}


def tried(part, how, precision):
    """`ok`, or what went wrong in one line."""
    keras.config.set_dtype_policy(precision)
    begin = time.perf_counter()
    try:
        PARTS[part](HOW[how])
        found = "ok"
    except Exception as error:
        traceback.print_exc()
        found = f"{type(error).__name__}: {' '.join(str(error).split())[:150]}"
    finally:
        keras.config.set_dtype_policy("float32")
        keras.backend.clear_session()
    print(f"{part}, {how}, {precision}: {found}, {time.perf_counter() - begin:.0f} s", file=sys.stderr, flush=True)
    return found


def table(found):
    """What was found on all backends, a line for each part and way to run it."""
    lines = [
        [backend, part, how, *(cells.get(precision, "-") for precision in PRECISIONS)]
        for backend, parts in sorted(found.items())
        for part, ways in parts["parts"].items()
        for how, cells in ways.items()
    ]
    return markdown_table(["backend", "part", "step", *PRECISIONS], lines)


def main():
    """Try all parts on this backend."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--steps", nargs="+", choices=HOW, default=list(HOW), help="how a step is run")
    parser.add_argument("--write", action="store_true", help="write benchmarks/backends.json and .md")
    parser.add_argument("--small", action="store_true", help="in float32 only, eagerly, to see that all of it runs")
    parsed = parser.parse_args()
    ways, precisions = (["eager"], PRECISIONS[:1]) if parsed.small else (parsed.steps, PRECISIONS)
    parts = {
        part: {how: {precision: tried(part, how, precision) for precision in precisions} for how in ways}
        for part in parsed.parts
    }
    where = ", ".join(circumstances()[key] for key in ("machine", "versions", "date"))
    print(table({BACKEND: {"parts": parts}}) + f"\n\n{where}")
    if parsed.write:
        found = json.loads(FILE.read_text()) if FILE.exists() else {}
        found[BACKEND] = {"parts": parts, "where": where}
        write_json(FILE, found)
        with replacing(FILE.with_suffix(".md")) as partial:
            places = [f"{backend}: {each['where']}." for backend, each in sorted(found.items())]
            partial.write_text("\n\n".join(["# Backends", __doc__.strip(), *places, table(found)]) + "\n")
    cells = [cell for ways in parts.values() for cells in ways.values() for cell in cells.values()]
    return int(any(cell != "ok" for cell in cells))


if __name__ == "__main__":
    sys.exit(main())
