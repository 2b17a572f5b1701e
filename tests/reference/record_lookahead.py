"""Record the trajectory of tensorflow-addons' Lookahead anew, and compare it with the recorded one.

`tensorflow_addons.optimizers.Lookahead` is what ours is tested against. But tensorflow-addons has had no release since
2023, has no wheels after Python 3.11, and cannot be imported beside Keras 3. So it is the reference, not a dependency:
the tests read a recorded file, and this script, in an environment of its own, shows where that file comes from:

    python3.11 -m venv .venv-tfa
    .venv-tfa/bin/pip install -r tests/reference/requirements.txt
    .venv-tfa/bin/python tests/reference/record_lookahead.py --compare path/to/lookahead_tfa.npz

Exit status: 0 where all numbers agree within 1e-6, 1 where one does not, 2 where nothing was recorded or compared.
`--write OUT.npz` stores, for the variables i = 0, 1, ...: `init<i>` the initial value, `grads<i>` the gradient of each
step, `traj<i>` and `slow<i>` the weights and the slow weights after each step; and `meta`, the settings (JSON).
"""
# ruff: noqa: T201

import argparse
import json
import os
import pathlib
import warnings
import zipfile

import numpy as np

TOLERANCE = 1e-6
NAMES = ("init", "grads", "traj", "slow")
SETTINGS = {"sync_period": 6, "slow_step_size": 0.5, "lr": 1e-3, "eps": 1e-7, "b1": 0.9, "b2": 0.999}


def read(path):
    """Return the arrays of a recorded file and its settings; raises `ValueError` where it is not one."""
    try:
        with np.load(path) as file:  # a .npy file gives an array, which `with` refuses
            arrays = {key: file[key] for key in file.files}
        meta = json.loads(arrays["meta"].item())
        settings = {key: meta[key] for key in SETTINGS}
    except (OSError, ValueError, EOFError, TypeError, AttributeError, KeyError, zipfile.BadZipFile) as error:
        raise ValueError(f"expected a .npz file with meta as {list(SETTINGS)}. Received: {path} ({error!r})") from error
    indices = range(max(1, len(arrays) // len(NAMES)))
    if wrong := sorted(arrays.keys() ^ ({"meta"} | {f"{name}{i}" for i in indices for name in NAMES})):
        raise ValueError(f"expected the keys meta, init<i>, grads<i>, traj<i>, slow<i>. Missing or unknown: {wrong}")
    for i in indices:
        shapes = {name: arrays[f"{name}{i}"].shape for name in NAMES}
        if any(shapes[name] != (len(arrays["grads0"]), *shapes["init"]) for name in NAMES[1:]):
            raise ValueError(f"expected grads, traj, slow of shape (steps, *init.shape). Received: i={i}, {shapes}")
    return arrays, settings


def draw(steps=30, shapes=((4, 3), (3,), (3, 3, 2, 4))):
    """Return initial values and gradients for a dense kernel, a bias and a convolution kernel, from a fixed seed."""
    rng = np.random.default_rng(0)
    arrays = {f"init{i}": rng.normal(size=shape).astype("float32") for i, shape in enumerate(shapes)}
    return arrays | {f"grads{i}": rng.normal(size=(steps, *s)).astype("float32") for i, s in enumerate(shapes)}


def record(arrays, settings):
    """Run Lookahead(Adam) from the `init<i>` on the `grads<i>`, and return all that a recorded file holds."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # tensorflow-addons announces its end of life on import
        import tensorflow_addons as tfa
    import tensorflow as tf

    adam = tf.keras.optimizers.legacy.Adam(settings["lr"], settings["b1"], settings["b2"], settings["eps"])
    optimizer = tfa.optimizers.Lookahead(adam, settings["sync_period"], settings["slow_step_size"])
    recorded = {key: value for key, value in arrays.items() if key.startswith(NAMES[:2])}
    variables = [tf.Variable(arrays[f"init{i}"]) for i in range(len(recorded) // 2)]
    recorded |= {f"{name}{i}": np.empty_like(arrays[f"grads{i}"]) for i in range(len(variables)) for name in NAMES[2:]}
    for step in range(len(arrays["grads0"])):
        optimizer.apply_gradients([(tf.constant(arrays[f"grads{i}"][step]), v) for i, v in enumerate(variables)])
        for i, v in enumerate(variables):
            recorded[f"traj{i}"][step], recorded[f"slow{i}"][step] = v.numpy(), optimizer.get_slot(v, "slow").numpy()
    meta = settings | {"tf": tf.__version__, "tfa": tfa.__version__, "numpy": np.__version__}
    return recorded | {"meta": np.array(json.dumps(meta))}


def write(path, recorded):
    """Store `recorded` under `path`, where a reader finds either the former file or the whole new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with open(temporary, "wb") as file:
            np.savez_compressed(file, **recorded)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--compare", type=pathlib.Path, metavar="NPZ", help="recorded file; gives values and gradients")
    parser.add_argument("--write", type=pathlib.Path, metavar="NPZ", help="where to store what is recorded")
    parser.add_argument("--sync-period", type=int, help="default: that of the recorded file, or 6")
    parser.add_argument("--slow-step-size", type=float, help="default: that of the recorded file, or 0.5")
    options = parser.parse_args()
    if not options.compare and not options.write:
        parser.error("expected --compare, --write or both")
    try:
        reference, settings = read(options.compare) if options.compare else (draw(), SETTINGS)
        settings = settings | {k: v for k, v in vars(options).items() if k in settings and v is not None}
        if settings["sync_period"] < 1 or not 0 <= settings["slow_step_size"] <= 1:
            raise ValueError(f"expected sync_period >= 1 and slow_step_size from 0 to 1. Received: {settings}")
        recorded = record(reference, settings)
        if options.write:
            write(options.write, recorded)
    except ImportError as error:
        parser.exit(2, f"error: tensorflow-addons cannot be imported ({error}): --help says how to install it\n")
    except (OSError, ValueError) as error:
        parser.exit(2, f"error: {error}\n")
    print(f"recorded with {recorded['meta']}")
    differences = {key: np.max(abs(recorded[key] - reference[key])) for key in reference if key.startswith(NAMES[2:])}
    for key, difference in differences.items():
        print(f"{key} {reference[key].shape}: largest absolute difference {difference:.3g}")
    if wrong := [key for key, difference in differences.items() if not difference <= TOLERANCE]:  # NaN is wrong, too
        parser.exit(1, f"error: more than {TOLERANCE:g} away from {options.compare}: {', '.join(wrong)}\n")


if __name__ == "__main__":
    main()
